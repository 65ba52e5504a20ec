/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names in brackets: the functions that the macros of these names call. */

int(err_set)(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err_vset(err, kind, format, args);
	va_end(args);
	return -1;
}

int(err_vset)(struct err *err, enum err_kind kind, const char *format, va_list args)
{
	err->kind = kind;
	err->place = err->place_size = 0;
	vsnprintf(err->text, sizeof err->text, format, args);
	return -1;
}

int(err_prefix)(struct err *err, const char *format, ...)
{
	char context[sizeof err->text];
	char whole[sizeof err->text + sizeof context + 3];
	va_list args;
	va_start(args, format);
	vsnprintf(context, sizeof context, format, args);
	va_end(args);
	snprintf(whole, sizeof whole, "%s: %s", context, err->text);
	memcpy(err->text, whole, sizeof err->text - 1);
	err->text[sizeof err->text - 1] = '\0';
	return -1;
}

int(err_errno)(struct err *err, int saved_errno, const char *format, ...)
{
	char context[sizeof err->text];
	char reason[96];
	va_list args;
	va_start(args, format);
	vsnprintf(context, sizeof context, format, args);
	va_end(args);
	const char *text = strerror_r(saved_errno, reason, sizeof reason);
	return err_set(
		err, saved_errno == ENOMEM ? ERR_MEMORY : ERR_IO, "%.160s: %s", context, text);
}

int(err_place)(struct err *err, size_t place, size_t size)
{
	err->place = (unsigned)place;
	err->place_size = size ? (unsigned)size : 1;
	return -1;
}

const char *err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_MEMORY] = "memory",
		[ERR_INPUT] = "input",
		[ERR_MISSING] = "missing",
		[ERR_LIMIT] = "limit",
		[ERR_DENIED] = "denied",
		[ERR_BUSY] = "busy",
		[ERR_IO] = "io",
		[ERR_CORRUPT] = "corrupt",
		[ERR_FULL] = "full",
	};
	return names[kind];
}
