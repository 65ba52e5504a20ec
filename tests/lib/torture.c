/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/torture.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { REQUESTS_MAX = 1000000 };

/* Atomic: a server's thread asks too. */
static struct {
	_Atomic bool armed, lasting;
	_Atomic size_t n_requests, first_failing, n_failed;
} state;

bool torture_fails(void)
{
	if (!state.armed)
		return false;
	size_t n = ++state.n_requests;
	if (n < state.first_failing || (n > state.first_failing && !state.lasting))
		return false;
	state.n_failed++;
	errno = ENOMEM;
	return true;
}

bool torture_lasts(void)
{
	return state.lasting;
}

void torture_end(void)
{
	state.armed = false;
}

bool torture_reported(const struct err *err)
{
	if (err->kind == ERR_MEMORY && err->text[0])
		return false;
	fprintf(stderr, "request %zu failed, and what was reported is: %s: %s\n",
		state.first_failing, err_kind_name(err->kind), err->text);
	abort();
}

/* ---- what the linker sends here ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t size);

void *__wrap_malloc(size_t size)
{
	return torture_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return torture_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return torture_fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *string)
{
	return torture_fails() ? NULL : __real_strdup(string);
}

char *__wrap_strndup(const char *string, size_t size)
{
	return torture_fails() ? NULL : __real_strndup(string, size);
}

/* An arena asks malloc once in 8 KiB; its limit may be reached at any of its calls. */
void *__real_arena_alloc(struct arena *arena, size_t size);
void *__real_arena_array(struct arena *arena, size_t n, size_t size);
char *__real_arena_bytes(struct arena *arena, size_t size);
struct text __real_arena_copy(struct arena *arena, struct text text);
char *__real_arena_string(struct arena *arena, struct text text);
void *__wrap_arena_alloc(struct arena *arena, size_t size);
void *__wrap_arena_array(struct arena *arena, size_t n, size_t size);
char *__wrap_arena_bytes(struct arena *arena, size_t size);
struct text __wrap_arena_copy(struct arena *arena, struct text text);
char *__wrap_arena_string(struct arena *arena, struct text text);
struct text __wrap_arena_format(struct arena *arena, const char *format, ...);

static bool arena_fails(struct arena *arena)
{
	if (!torture_fails())
		return false;
	arena->failed = true;
	return true;
}

void *__wrap_arena_alloc(struct arena *arena, size_t size)
{
	return arena_fails(arena) ? NULL : __real_arena_alloc(arena, size);
}

void *__wrap_arena_array(struct arena *arena, size_t n, size_t size)
{
	return arena_fails(arena) ? NULL : __real_arena_array(arena, n, size);
}

char *__wrap_arena_bytes(struct arena *arena, size_t size)
{
	return arena_fails(arena) ? NULL : __real_arena_bytes(arena, size);
}

struct text __wrap_arena_copy(struct arena *arena, struct text text)
{
	return arena_fails(arena) ? TEXT_NONE : __real_arena_copy(arena, text);
}

char *__wrap_arena_string(struct arena *arena, struct text text)
{
	return arena_fails(arena) ? NULL : __real_arena_string(arena, text);
}

__attribute__((format(printf, 2, 3))) struct text __wrap_arena_format(
	struct arena *arena, const char *format, ...)
{
	char *made = NULL;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&made, format, args);
	va_end(args);
	assert(length >= 0);
	struct text copy = __wrap_arena_copy(arena, (struct text){made, (size_t)length});
	free(made);
	return copy;
}

/* ---- the runs ---- */

/* LeakSanitizer's, where it is there. */
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

struct counts {
	size_t n_runs, n_survived; /* survived: right in spite of a request that failed */
};

static void run_all(const struct torture_case *operation, bool lasting, struct counts *counts)
{
	size_t step = operation->step ? operation->step : 1;
	for (size_t first = 1;; first += step) {
		assert(first < REQUESTS_MAX);
		if (operation->prepare)
			operation->prepare();
		state.n_requests = state.n_failed = 0;
		state.first_failing = first;
		state.lasting = lasting;
		state.armed = true;
		bool good = operation->run();
		state.armed = false;
		if (state.n_failed == 0) {
			if (good)
				return;
			fprintf(stderr, "%s: fails with all memory it wants\n", operation->name);
			abort();
		}
		counts->n_runs++;
		counts->n_survived += good;
	}
}

int torture_run(const char *program, const struct torture_case *cases)
{
	struct counts all = {0};
	size_t n_operations = 0;
	for (; cases->name; cases++, n_operations++) {
		struct counts counts = {0};
		run_all(cases, false, &counts);
		run_all(cases, true, &counts);
		if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check()) {
			fprintf(stderr, "torture: %s: %s: leaks\n", program, cases->name);
			return EXIT_FAILURE;
		}
		printf("  %s: %zu failed requests, %zu survived\n", cases->name, counts.n_runs,
			counts.n_survived);
		fflush(stdout);
		all.n_runs += counts.n_runs;
		all.n_survived += counts.n_survived;
	}
	printf("torture: %s: %zu operations, %zu failed requests, %zu of them survived\n", program,
		n_operations, all.n_runs, all.n_survived);
	return EXIT_SUCCESS;
}
