/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The cleanup attribute, for locals only.
 *
 *	AUTO(free) char *name = strdup(…);      freed at the end of the scope
 *	return TAKE(name);                      moves it out: the local becomes NULL
 *
 * AUTO(x) calls x_auto(&variable). A type joins by defining `static inline void x_auto(T *)` beside
 *x.
 */

#include <stdlib.h>
#include <unistd.h>

#define AUTO(function) __attribute__((cleanup(function##_auto)))

/* A statement expression is not allowed here (conventions.md), so TAKE is typed by its helper. */
#define TAKE(pointer) ((__typeof__(pointer))take_pointer((void *)&(pointer)))

static inline void *take_pointer(void *variable)
{
	void **slot = variable;
	void *value = *slot;
	*slot = NULL;
	return value;
}

static inline void free_auto(void *variable)
{
	free(*(void **)variable);
}

static inline void file_close_auto(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
