/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the command line gets its documents from: a server over HTTP, or a database offline.
 * Commands ask for API paths and do not care which it is.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "store/connection.h"

enum output_form { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_YAML };

/* Exit codes (surface.md). */
enum {
	CLI_OK = 0,
	CLI_FAILURE = 1,
	CLI_FINDINGS = 2,
	CLI_USAGE = 64,
	CLI_NO_SERVER = 69,
	CLI_DENIED = 77
};

enum { CLI_ARGUMENTS_MAX = 64 };

struct session {
	const char *server;     /* URL */
	const char *data;       /* offline: folder of the database; NULL: ask the server */
	const char *token_file; /* NULL: looked for */
	const char *source;     /* ingest */
	const char *revision;   /* decisions: refused unless the incident still has this one */
	const char *headers[2]; /* of the next call, "Name: value"; ended by NULL */
	enum output_form form;
	bool help;
	bool dry_run;
	/* set by session_query: what the command's flags ask for */
	struct text query[16][2];
	size_t n_query;
	const char *arguments[CLI_ARGUMENTS_MAX]; /* without flags */
	size_t n_arguments;
	/* state */
	struct http_client *client;
	struct connection connection;
	int exit_code; /* for the error at hand */
};

/** Reads flags and arguments. ERR_INPUT. */
CHECKED int session_read(struct session *session, int argc, char **argv, struct err *err);
void session_done(struct session *session);

/** GET @path with the session's query. Appends the body. Sets exit_code on failure. */
CHECKED int session_get(
	struct session *session, const char *path, struct buf *out, struct err *err);

/** Any method, to the server. @token_name: whose file to look for, "admin" or "ingest". */
CHECKED int session_call(struct session *session, const char *method, const char *path,
	struct text body, struct buf *out, struct err *err);

struct http_receiver;
/**
 * GET of a stream (net/http_client.h). 0: it ended, or the receiver ended it. ERR_BUSY, ERR_IO: the
 * server is not there, or not now.
 */
CHECKED int session_stream(struct session *session, const char *path, const char *const *headers,
	const struct http_receiver *receiver, struct err *err);

/** The offline database, opened; from --data, or the folder of a local daemon. */
CHECKED int session_database(
	struct session *session, struct connection **connection, struct err *err);

/** The token in DIR/NAME.token, --token-file or TOCSIN_TOKEN, into @out. */
CHECKED int session_token(
	struct session *session, const char *name, char *out, size_t size, struct err *err);
