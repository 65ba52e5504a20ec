/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The table of secrets: which values of which source never reach the disk, and how a place in a
 * JSON document is compared with it. Part of secrets.c, which says what is done with it.
 */

#include "base/arena.h"
#include "base/text.h"

enum secret_what {
	SECRET_VALUE, /* cut */
	/*
	 * Names somebody or something: stays, also where it is spelled as a secret of the event is.
	 * Else who may write a Secret could make a rule or a pod vanish from its alert.
	 */
	SECRET_NAME,
};

/*
 * A JSON pointer. In a segment, an asterisk stands for any bytes; alone, for any key or element,
 * and at the end also for a value that is neither object nor array where one should be. The segment
 * "#" is any element.
 */
struct secret_row {
	const char *path;
	enum secret_what what;
	bool alone; /* not looked for in other texts: it is often what they are there to say */
	/** Is it one in the object @rest begins with? NULL: always. */
	bool (*applies)(struct text rest, struct arena *arena);
};

enum { SECRET_ROWS_MAX = 64, SECRET_WORDS_MAX = 2, SECRET_MARKS_MAX = 2 };

/* Words without which there is no secret in an event, found by their rarest byte. */
struct secret_marks {
	char rare;
	unsigned at; /* of `rare` in each word */
	const char *words[SECRET_WORDS_MAX];
};

struct secrets {
	const char *source; /* in the ingest path */
	struct secret_marks marks[SECRET_MARKS_MAX];
	const struct secret_row *rows;
	size_t n_rows;
	bool dotted; /* a shipper may have made nested objects of dotted names below the top */
	/* Of the source's plain text lines (secrets_cut_line); NULL: it has none. */
	const char *line_source;       /* whose keys are secret inside */
	const char *const *line_names; /* in front of '=' and an object; ended by NULL */
	const char *texts[2]; /* keys whose strings repeat other fields in a wording of their own */
};

/** All sources with secrets, ended by one without a name. */
extern const struct secrets secret_sources[];

/* The rows that a place may still lead to. */
struct secret_rows_left {
	size_t n;
	struct {
		unsigned char row;
		unsigned short at; /* what is left of its path */
	} rows[SECRET_ROWS_MAX];
};

void secret_rows_at_top(const struct secrets *secrets, struct secret_rows_left *left);

/** Those of @above that go on with @key. @same: nested dotted names, all of @above stay besides. */
void secret_rows_below(const struct secrets *secrets, const struct secret_rows_left *above,
	struct text key, bool same, struct secret_rows_left *left);

/** Those of @above that go on with an element. */
void secret_rows_of_element(const struct secrets *secrets, const struct secret_rows_left *above,
	struct secret_rows_left *left);

/** The row that ends here, or NULL; @scalar: neither object nor array. */
const struct secret_row *secret_row_here(const struct secrets *secrets,
	const struct secret_rows_left *left, enum secret_what what, bool scalar);

/** Is @key the last one that a row names? For bytes whose structure is lost. */
bool secret_key_is_last(const struct secrets *secrets, struct text key);

/** May there be a secret in @raw? Most events end here. */
bool secrets_are_possible(const struct secrets *secrets, struct text raw);
