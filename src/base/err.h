/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Errors: a kind for the caller, a text for people.
 *
 * Functions that can fail in more than one way return 0, or -1 with *err set, and take `struct err
 * *` last. The kind decides what the caller does; the text says what, where and what to do.
 * Reporting never allocates, so running out of memory can be reported like anything else.
 */

#include <stdarg.h>
#include <stddef.h>

enum err_kind {
	ERR_NONE,
	ERR_MEMORY,  /* out of memory */
	ERR_INPUT,   /* the peer's or the user's input is wrong: refuse it */
	ERR_MISSING, /* what was asked for does not exist */
	ERR_LIMIT,   /* over a named limit */
	ERR_DENIED,  /* not allowed */
	ERR_BUSY,    /* cannot now: try again later */
	ERR_IO,      /* disk, network or operating system */
	ERR_CORRUPT, /* what was stored does not read back */
	ERR_FULL,    /* no space on the disk: works again when there is some */
};

struct err {
	enum err_kind kind;
	char text[240];
	/* where in the input it is, in bytes; place_size 0: not known */
	unsigned place, place_size;
};

#define CHECKED __attribute__((warn_unused_result))

/** Sets *err and returns -1, so that a failure is reported and returned in one expression. */
__attribute__((format(printf, 3, 4))) int err_set(
	struct err *err, enum err_kind kind, const char *format, ...);

/** As err_set, for functions that take such arguments themselves. */
__attribute__((format(printf, 3, 0))) int err_vset(
	struct err *err, enum err_kind kind, const char *format, va_list args);

/** Puts "context: " in front of the text already there, keeps the kind, returns -1. */
__attribute__((format(printf, 2, 3))) int err_prefix(struct err *err, const char *format, ...);

/** As err_set with ERR_IO (ERR_MEMORY for ENOMEM), with ": " and the text of @saved_errno appended.
 */
__attribute__((format(printf, 3, 4))) int err_errno(
	struct err *err, int saved_errno, const char *format, ...);

/** Says where in the input it is: of an error that is set. At least one byte. Returns -1. */
int err_place(struct err *err, size_t place, size_t size);

/*
 * They return -1 and nothing else: seen here by compilers and analysers, which do not look into
 * err.c, and would else follow failures that went on as successes.
 */
static inline int err_minus_one(int result)
{
	(void)result;
	return -1;
}
#define err_set(...)    err_minus_one(err_set(__VA_ARGS__))
#define err_vset(...)   err_minus_one(err_vset(__VA_ARGS__))
#define err_prefix(...) err_minus_one(err_prefix(__VA_ARGS__))
#define err_errno(...)  err_minus_one(err_errno(__VA_ARGS__))
#define err_place(...)  err_minus_one(err_place(__VA_ARGS__))

/** A word for a kind, for logs: "input", "limit", … */
const char *err_kind_name(enum err_kind kind);

/** Ignores a CHECKED result on purpose; the reason stands in a comment beside the call. */
static inline void ignore(int result)
{
	(void)result;
}
