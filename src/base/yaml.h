/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads the part of YAML that settings need: mappings of mappings down to scalars. No anchors,
 * tags, sequences or merge keys; depth and size are limited; errors say line and column.
 */

#include "base/err.h"
#include "base/text.h"

enum { YAML_BYTES_MAX = 256 * 1024, YAML_DEPTH_MAX = 16 };

/**
 * Called for each scalar: @path is "tls.certificate". Returns 0, or -1 with *err set; the position
 * is put before its text.
 */
typedef int yaml_scalar(void *ctx, struct text path, struct text value, struct err *err);

/** ERR_INPUT "LINE:COLUMN: what", ERR_LIMIT, ERR_MEMORY. Keys given twice are an error. */
CHECKED int yaml_read(struct text source, yaml_scalar *scalar, void *ctx, struct err *err);
