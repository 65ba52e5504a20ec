/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"

enum { LINE_BYTES = 4096 };

static enum log_level highest = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	highest = level;
}

static void write_line(enum log_level level, const char *area, const char *format, va_list args)
{
	static const char *const words[] = {"error", "warning", "info", "debug"};
	char message[LINE_BYTES];
	char time[CLOCK_TEXT_BYTES];
	AUTO(buf_done) struct buf line = {0};
	if (level > highest)
		return;
	vsnprintf(message, sizeof message, format, args);
	buf_init(&line, LINE_BYTES * 6);
	buf_addf(&line, "%s %s %s: ", clock_format(clock_wall_ns(&clock_system), time),
		words[level], area);
	utf8_escape(&line, text_of(message));
	buf_add_byte(&line, '\n');
	ssize_t written = write(STDERR_FILENO, buf_string(&line), line.size);
	(void)written; /* there is nowhere left to report to */
}

void log_error(const char *area, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_line(LOG_LEVEL_ERROR, area, format, args);
	va_end(args);
}

void log_warning(const char *area, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_line(LOG_LEVEL_WARNING, area, format, args);
	va_end(args);
}

void log_info(const char *area, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_line(LOG_LEVEL_INFO, area, format, args);
	va_end(args);
}

void log_debug(const char *area, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_line(LOG_LEVEL_DEBUG, area, format, args);
	va_end(args);
}
