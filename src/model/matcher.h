/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What has a name and a value, and what must be so: Alertmanager's matchers. `namespace="dev"`,
 * `pod!="web-1"`, `rule=~"Read.*|Write.*"`, `node!~"edge-.*"`; a pattern is about the whole value.
 * A value that is not there is the empty one.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/regex.h"

enum { MATCHERS_MAX = 16, MATCHER_NAME_BYTES_MAX = 128, MATCHER_VALUE_BYTES_MAX = 1024 };

struct matcher {
	struct text name, value;
	bool negated;                /* != and !~ */
	const struct regex *pattern; /* =~ and !~; NULL: = and != */
};

struct matcher_list {
	struct matcher *items;
	size_t n;
};

/** "=", "!=", "=~", "!~" */
const char *matcher_operator(const struct matcher *matcher);

/** One matcher of its parts, which must live as long. ERR_INPUT, ERR_LIMIT, ERR_MEMORY. */
CHECKED int matcher_make(
	struct matcher *matcher, bool is_pattern, struct arena *arena, struct err *err);

/**
 * Reads `a="x"`, `a="x",b=~"y"` or the same in braces; quotes may be left out where the value has
 * no white space and none of {}!=~,\"'`. Adds to @out, at most MATCHERS_MAX in all; texts are the
 * source's or in @arena. ERR_INPUT says where; ERR_LIMIT, ERR_MEMORY.
 */
CHECKED int matchers_read(
	struct text source, struct arena *arena, struct matcher_list *out, struct err *err);

/** `{a="x",b=~"y"}`: what matchers_read reads back. */
void matchers_write(struct buf *out, const struct matcher_list *matchers);

bool matcher_fits(const struct matcher *matcher, struct text value);
