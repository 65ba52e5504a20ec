/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One JSON value of a sensor's event, read with patience: a value of another type than hoped for is
 * read over, so that one odd member does not cost the alert. false: the reader is PULL_BAD.
 */

#include "base/pull.h"

/** Reads the value that comes next as text; of an array its first scalar, of an object, null:
 * absent. */
bool value_read_text(struct pull *reader, struct text *out);

/**
 * Reads an array of strings, or one string with commas, to @list, at most ALERT_TAGS_MAX; anything
 * else makes it empty. The items live in the reader's arena.
 */
bool value_read_list(struct pull *reader, struct text_list *list);
