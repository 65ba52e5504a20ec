/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The files that one becomes when it is rotated: falco.json is falco.json.1 then, falco.1.json or
 * falco.json-20261125 (logrotate); tetragon.log is tetragon-2026-11-25T10-00-00.000.log. They are
 * known by their names, and follow each other by when they were written to last.
 */

#include <stdint.h>

/**
 * Opens the one of @path's folder that was written to first after @after_ns. Returns its fd, or -1:
 * there is none. @path itself, empty files and links are none of them.
 *
 * Nothing is unpacked. *packed_ns: until when a compressed one was written that comes before it; 0:
 * there is none. What @left_fd (-1: none) is open on may have been compressed by now: it is known.
 */
int rotation_open_next(const char *path, int64_t after_ns, int left_fd, int64_t *packed_ns);
