/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/torture_sqlite.h"

#include <assert.h>
#include <malloc.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "tests/lib/torture.h"

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);

static bool also_sqlite;

static void *take(int size)
{
	return also_sqlite && torture_fails() ? NULL : __real_malloc((size_t)size);
}

static void *resize(void *old, int size)
{
	return also_sqlite && torture_fails() ? NULL : __real_realloc(old, (size_t)size);
}

static int size_of(void *piece)
{
	return (int)malloc_usable_size(piece);
}

static int round_up(int size)
{
	return (size + 7) & ~7;
}

static int start(void *ctx)
{
	(void)ctx;
	return SQLITE_OK;
}

static void stop(void *ctx)
{
	(void)ctx;
}

void torture_sqlite_start(void)
{
	const sqlite3_mem_methods methods = {take, free, resize, size_of, round_up, start, stop, 0};
	int code = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
	assert(code == SQLITE_OK);
	code = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
	assert(code == SQLITE_OK);
}

void torture_sqlite_fails(bool fails)
{
	also_sqlite = fails;
}
