/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Regular expressions that people write, matched in linear time whatever they wrote: all states are
 * followed at once, nothing is ever tried again. The syntax is the common part of RE2's: literals,
 * '.', classes, groups, alternatives, repetitions, '^', '$', (?i). Always about the whole text.
 */

#include "base/arena.h"
#include "base/err.h"

/* 512 steps times 4 KiB of text is about 5 ms at worst. */
enum { PATTERN_BYTES_MAX = 1024, PATTERN_STEPS_MAX = 512, PATTERN_DEPTH_MAX = 32 };

struct pattern;

/**
 * Reads @source into @arena. ERR_INPUT says where it is wrong; ERR_LIMIT: longer than
 * PATTERN_BYTES_MAX, or counted repetitions make more than PATTERN_STEPS_MAX steps; ERR_MEMORY.
 */
CHECKED int pattern_read(
	struct text source, struct arena *arena, struct pattern **out, struct err *err);

/** Does the whole text match? Invalid UTF-8 is one character a byte. Any thread. */
bool pattern_matches(const struct pattern *pattern, struct text text);
