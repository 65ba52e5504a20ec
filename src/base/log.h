/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One line per message on stderr: time, level, area, text. Bytes that came from outside are shown
 * escaped (control and bidirectional characters, invalid UTF-8). base/, model/, decode/ and
 * correlate/ never log; elsewhere a failure is logged once, by the function that decides what
 * happens next.
 */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level); /* before threads start; default: info */

__attribute__((format(printf, 2, 3))) void log_error(const char *area, const char *format, ...);
__attribute__((format(printf, 2, 3))) void log_warning(const char *area, const char *format, ...);
__attribute__((format(printf, 2, 3))) void log_info(const char *area, const char *format, ...);
__attribute__((format(printf, 2, 3))) void log_debug(const char *area, const char *format, ...);
