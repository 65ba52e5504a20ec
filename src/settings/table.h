/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The one table of settings. A new setting is a member of struct settings and a row here. */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

enum { ADDRESS_BYTES = 64 };

enum setting_type {
	SETTING_TEXT,    /* char[size] */
	SETTING_ADDRESS, /* char[ADDRESS_BYTES] and an int64 port behind it */
	SETTING_NUMBER,  /* int64 in the first of its units */
	SETTING_CHOICE,  /* int64: which of the choices */
};

struct unit {
	const char *name;
	int64_t factor;
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset, size;
	const char *fallback; /* the default, as it would be written */
	int64_t least, most;
	const struct unit *units;   /* of numbers; ended by a NULL name; the first is the base */
	const char *const *choices; /* ended by NULL */
	const char *text;
};

/* What several tables have. */
extern const struct unit plain_units[], time_units[], size_units[];

enum tls_mode { TLS_AUTO, TLS_OFF };
extern const char *const tls_mode_names[];
extern const char *const log_level_names[]; /* enum log_level */

/** Ended by a NULL name. */
extern const struct setting settings_table[];

/* Rows, and the beginning of their names in the environment. */
struct setting_list {
	const struct setting *rows;
	const char *prefix; /* "TOCSIN" */
};

extern const struct setting_list daemon_settings;

/*
 * The engine, for any table: @place is the struct that the rows' offsets are of. Errors as
 * settings.h has them.
 */
void setting_list_defaults(const struct setting_list *list, void *place);
CHECKED int setting_list_set(const struct setting_list *list, void *place, struct text name,
	struct text value, struct err *err);
CHECKED int setting_list_read_file(
	const struct setting_list *list, void *place, const char *path, struct err *err);
CHECKED int setting_list_read_environment(
	const struct setting_list *list, void *place, struct err *err);
void setting_list_write_sample(const struct setting_list *list, struct buf *out);
