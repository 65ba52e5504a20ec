/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What tocsin-agent can be told, and its command line. */

#include "model/source.h"
#include "settings/flags.h"
#include "settings/table.h"

enum { AGENT_FOLLOWS_MAX = 15 }; /* files */

enum compression { COMPRESSION_OFF, COMPRESSION_GZIP };

struct agent_settings {
	char server[256]; /* HOST:PORT */
	char listen[256]; /* ADDR:PORT, of this machine only, or unix:PATH; "": nowhere */
	char spool[1024];
	int64_t spool_size_bytes, spool_age_s;
	char node[254]; /* "": the host's name */
	char token_file[1024];
	int64_t tls_mode; /* enum tls_mode */
	char tls_ca[1024], tls_certificate[1024], tls_key[1024];
	int64_t compression; /* enum compression */
	char follow[4096];   /* PATH=SOURCE, … */
	char input[64];      /* source of standard input; "": none */
	char cgroup[1024];   /* "": none */
	int64_t log_level;   /* enum log_level */
};

extern const struct setting_list agent_setting_list;

struct agent_options {
	struct agent_settings settings;
	struct switches switches;
	/* parts of the settings above */
	char host[256];
	unsigned port;
};

extern const char agent_usage[];

/** ERR_INPUT: a flag is wrong; ERR_DENIED: a setting is wrong, or they do not go together. */
CHECKED int agent_options_read(
	struct agent_options *options, int argc, char **argv, struct err *err);

/** "HOST:PORT", "[::1]:PORT". false: it is none. */
bool agent_split_address(const char *address, char *host, size_t size, unsigned *port);

struct agent_follow {
	struct text path;
	enum source source;
};

/** The next of the setting `follow`; false: there is none. ERR_DENIED in *err: it is none. */
bool agent_follow_next(struct text *rest, struct agent_follow *out, struct err *err);
