/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Fails memory, one request after another.
 *
 * A program is linked with $(MEMORY_LDFLAGS), which sends malloc, calloc, realloc, strdup, strndup
 * and what an arena gives through here. Each operation runs with its first request failing, then
 * its second, … until it succeeds with none failing; then again with that one and all later ones
 * failing. Under AddressSanitizer, which also finds what was not given back. What libraries ask for
 * by themselves is not failed, but SQLite's is (torture_sqlite.h).
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct torture_case {
	const char *name;
	/*
	 * Does the whole operation and frees everything. true: it succeeded, and what it made is
	 * right in spite of what failed; false: it said that it failed. Anything else is asserted.
	 */
	bool (*run)(void);
	void (*prepare)(void); /* before each run, with all memory; may be NULL */
	size_t step; /* fail every so manyth request only, where there are many; 0: each */
};

/** Runs @cases (ended by a NULL name), prints counts. Exit status. */
int torture_run(const char *program, const struct torture_case *cases);

/** Do the later requests fail too in this run? */
bool torture_lasts(void);

/** From here on nothing fails any more in this run: for looking at what was made. */
void torture_end(void);

/** Is this request to fail? For allocators of libraries. */
bool torture_fails(void);

/** For `return torture_reported(&err)`: asserts that lack of memory is what it says; false. */
bool torture_reported(const struct err *err);
