/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What tocsind can be told: one table of names, types, defaults, limits and texts, from which the
 * reader, the sample file, the schema and the reference page are made. Flags beat the environment,
 * which beats the file, which beats the default.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "settings/table.h"

struct settings {
	char data[1024];
	char listen_address[64];
	int64_t listen_port;
	char grpc_address[64];
	int64_t grpc_port;
	char metrics_address[64]; /* "": off */
	int64_t metrics_port;
	char tls_certificate[1024], tls_key[1024], tls_client_ca[1024]; /* "": none */
	int64_t tls_mode;                                               /* enum tls_mode */
	int64_t log_level;                                              /* enum log_level */
	int64_t retention_horizon_s;
	int64_t retention_raw_s;
	int64_t retention_size_bytes; /* 0: no limit */
	int64_t intake_queue_bytes;
	char console_url[256]; /* "": what browsers send as Host */
	int64_t session_idle_s, session_life_s;
	char oidc_issuer[512], oidc_client_id[256], oidc_client_secret_file[1024];
	char oidc_redirect_url[512], oidc_scopes[256], oidc_ca_file[1024];
	char oidc_name_claim[128], oidc_roles_claim[128], oidc_roles[4096];
	char criticality_extreme[1024], criticality_high[1024], criticality_low[1024];
};

void settings_defaults(struct settings *settings);

/** Reads a YAML file over what is there. "FILE:LINE:COLUMN: what, and what is allowed". */
CHECKED int settings_read_file(struct settings *settings, const char *path, struct err *err);

/** TOCSIN_DATA, TOCSIN_LISTEN … : the name in capitals, '.' as '_'. */
CHECKED int settings_read_environment(struct settings *settings, struct err *err);

/** Sets one by name. ERR_INPUT says what is allowed, or which names there are. */
CHECKED int settings_set(
	struct settings *settings, struct text name, struct text value, struct err *err);

/** Do they go together? ERR_DENIED when not. */
CHECKED int settings_check(const struct settings *settings, struct err *err);

void settings_write_sample(struct buf *out);    /* a commented YAML file with the defaults */
void settings_write_schema(struct buf *out);    /* JSON Schema */
void settings_write_reference(struct buf *out); /* Markdown */
void settings_show(const struct settings *settings, struct buf *out);       /* YAML */
void settings_write_json(const struct settings *settings, struct buf *out); /* the same as JSON */
