/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/tree.h"
#include "documents/documents.h"
#include "model/query.h"
#include "net/http_client.h"
#include "net/http_route.h"

enum { PATH_BYTES = 4096, TOKEN_BYTES = 256 };

static const char *const data_folders[] = {"./var", "/var/lib/tocsin"};

static int set_form(struct session *session, const char *value, struct err *err)
{
	static const char *const names[] = {"table", "json", "jsonl", "yaml"};
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(value, names[i]) == 0) {
			session->form = (enum output_form)i;
			return 0;
		}
	return err_set(err, ERR_INPUT, "-o %s: must be table, json, jsonl or yaml", value);
}

/* Flags that become members of a body. */
static bool is_body_flag(struct text name)
{
	static const char *const names[] = {
		"role", "expires", "verdict", "for", "at", "from", "reason", "starts", "ends"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (text_is(name, names[i]))
			return true;
	return false;
}

static int set_flag(struct session *session, struct text name, const char *value, struct err *err)
{
	struct document_query probe;
	if (text_is(name, "o") || text_is(name, "output"))
		return set_form(session, value, err);
	if (text_is(name, "server")) {
		session->server = value;
	} else if (text_is(name, "data")) {
		session->data = value;
	} else if (text_is(name, "token-file")) {
		session->token_file = value;
	} else if (text_is(name, "revision")) {
		session->revision = value;
	} else {
		if (text_is(name, "source"))
			session->source = value;
		if (!(document_query_member(&probe, name) || is_body_flag(name)) ||
			session->n_query == 16)
			return err_set(err, ERR_INPUT, "unknown option --%.*s: see tocsin help",
				TEXT_ARG(name));
		session->query[session->n_query][0] = name;
		session->query[session->n_query++][1] = text_of(value);
	}
	return 0;
}

static int add_argument(struct session *session, const char *word, struct err *err)
{
	if (session->n_arguments == CLI_ARGUMENTS_MAX)
		return err_set(err, ERR_INPUT, "too many arguments at '%s'", word);
	session->arguments[session->n_arguments++] = word;
	return 0;
}

/* One flag at argv[*i], with its value behind '=' or in the next word. */
static int read_flag(struct session *session, char **argv, int argc, int *i, struct err *err)
{
	struct text word = text_of(argv[*i]), name;
	struct text rest = text_part(word, word.data[1] == '-' ? 2 : 1, word.size);
	text_split(&rest, '=', &name);
	const char *value = rest.data ? rest.data : *i + 1 < argc ? argv[++*i] : NULL;
	if (!value)
		return err_set(err, ERR_INPUT, "%s needs a value", word.data);
	return set_flag(session, name, value, err);
}

/* Behind "--" everything is an argument. */
static int read_words(struct session *session, int argc, char **argv, struct err *err)
{
	bool flags_end = false;
	for (int i = 1; i < argc; i++) {
		struct text word = text_of(argv[i]);
		bool flag = word.size > 1 && word.data[0] == '-' && !flags_end;
		if (!flag && add_argument(session, argv[i], err) < 0)
			return -1;
		if (!flag)
			continue;
		if (text_is(word, "--"))
			flags_end = true;
		else if (text_is(word, "--help") || text_is(word, "-h"))
			session->help = true;
		else if (text_is(word, "--dry-run"))
			session->dry_run = true;
		else if (read_flag(session, argv, argc, &i, err) < 0)
			return -1;
	}
	return 0;
}

int session_read(struct session *session, int argc, char **argv, struct err *err)
{
	const char *server =
		getenv("TOCSIN_SERVER"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
	*session = (struct session){
		.server = server && *server ? server : "http://127.0.0.1:8789",
		.exit_code = CLI_USAGE,
	};
	if (read_words(session, argc, argv, err) < 0)
		return -1;
	session->exit_code = CLI_FAILURE;
	return 0;
}

void session_done(struct session *session)
{
	http_client_free(session->client);
	if (session->connection.db)
		connection_close(&session->connection);
}

static int read_token_file(const char *path, char *out, size_t size, struct err *err)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return err_errno(err, errno, "reading the token in %s", path);
	bool got = fgets(out, (int)size, file) != NULL;
	(void)fclose(file); /* was only read */
	if (!got)
		return err_set(err, ERR_INPUT, "%s is empty: it must hold a token", path);
	struct text token = text_trim(text_of(out));
	memmove(out, token.data, token.size);
	out[token.size] = '\0';
	return 0;
}

/* Tokens that were merely found go to this machine and nowhere else. */
static bool is_local(const char *server)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
	struct text url = text_of(server);
	size_t at = text_find(url, TEXT("://"), 0);
	struct text rest = at == SIZE_MAX ? url : text_part(url, at + 3, url.size);
	if (text_find_byte(rest, '@', 0) != SIZE_MAX)
		return false; /* what stands before it is no host */
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		struct text host = text_of(hosts[i]);
		char next = rest.size > host.size ? rest.data[host.size] : '/';
		if (text_starts(rest, host) && (next == ':' || next == '/'))
			return true;
	}
	return false;
}

int session_token(
	struct session *session, const char *name, char *out, size_t size, struct err *err)
{
	char path[PATH_BYTES];
	const char *given =
		getenv("TOCSIN_TOKEN"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
	if (session->token_file)
		return read_token_file(session->token_file, out, size, err);
	if (given && *given) {
		text_format(out, size, "%s", given);
		return 0;
	}
	if (!is_local(session->server)) {
		session->exit_code = CLI_DENIED;
		return err_set(err, ERR_DENIED,
			"no token for %.100s: give --token-file FILE or TOCSIN_TOKEN (a local "
			"daemon's"
			" token is sent to this machine only)",
			session->server);
	}
	const char *data =
		getenv("TOCSIN_DATA"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
	if (data && *data) {
		text_format(path, sizeof path, "%s/%s.token", data, name);
		return read_token_file(path, out, size, err);
	}
	for (size_t i = 0; i < sizeof data_folders / sizeof data_folders[0]; i++) {
		text_format(path, sizeof path, "%s/%s.token", data_folders[i], name);
		if (access(path, R_OK) == 0)
			return read_token_file(path, out, size, err);
	}
	session->exit_code = CLI_DENIED;
	return err_set(err, ERR_DENIED,
		"no token: give --token-file FILE or TOCSIN_TOKEN (a local daemon's is looked for "
		"in"
		" ./var and /var/lib/tocsin)");
}

static int make_client(struct session *session, const char *token_name, struct err *err)
{
	char token[TOKEN_BYTES];
	if (session->client)
		return 0;
	if (session_token(session, token_name, token, sizeof token, err) < 0)
		return -1;
	struct http_client_options options = {.base_url = session->server, .token = token};
	return http_client_new(&session->client, &options, err);
}

/* What a problem+json says. */
static int problem(struct session *session, const struct http_answer *answer, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct node *tree;
	struct err unreadable;
	arena_init(&arena, 1024 * 1024);
	struct text detail = TEXT_NONE;
	uint64_t position = 0, length = 0;
	if (tree_read(buf_text(&answer->body), &arena, &tree, &unreadable) == 0) {
		detail = tree_member_text(tree, "detail");
		if (!detail.size)
			detail = tree_member_text(tree, "title");
		if (!text_to_u64(tree_member_text(tree, "position"), &position) ||
			!text_to_u64(tree_member_text(tree, "length"), &length))
			length = 0;
	}
	session->exit_code =
		answer->status == 401 || answer->status == 403 ? CLI_DENIED : CLI_FAILURE;
	err_set(err, ERR_INPUT, "%s says %u: %.*s", session->server, answer->status,
		(int)(detail.size < 150 ? detail.size : 150), detail.data ? detail.data : "");
	if (length && length <= QUERY_BYTES_MAX && position <= QUERY_BYTES_MAX)
		err_place(err, position, length);
	return -1;
}

int session_call(struct session *session, const char *method, const char *path, struct text body,
	struct buf *out, struct err *err)
{
	bool ingests = strncmp(path, "/ingest/", 8) == 0;
	if (make_client(session, ingests ? "ingest" : "admin", err) < 0)
		return -1;
	struct http_call call = {
		.method = method, .path = path, .body = body, .headers = session->headers};
	AUTO(http_answer_done) struct http_answer answer = {0};
	if (http_client_call(session->client, &call, &answer, err) < 0) {
		session->exit_code = err->kind == ERR_BUSY ? CLI_NO_SERVER : CLI_FAILURE;
		return -1;
	}
	if (answer.status >= 300)
		return problem(session, &answer, err);
	buf_add(out, buf_text(&answer.body));
	return buf_ok(out) ? 0 : buf_error(out, err, "the answer");
}

int session_stream(struct session *session, const char *path, const char *const *headers,
	const struct http_receiver *receiver, struct err *err)
{
	if (make_client(session, "admin", err) < 0)
		return -1;
	struct http_call call = {.method = "GET", .path = path, .headers = headers};
	AUTO(http_answer_done) struct http_answer answer = {0};
	if (http_client_stream(session->client, &call, receiver, &answer, err) < 0) {
		session->exit_code = CLI_NO_SERVER;
		return -1;
	}
	if (answer.status == 200 || answer.status == 0) /* 0: ended before there was an answer */
		return 0;
	problem(session, &answer, err);
	if (answer.status == 503)
		err->kind = ERR_BUSY;
	return -1;
}

static const char *database_folder(const struct session *session)
{
	const char *data =
		getenv("TOCSIN_DATA"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
	char path[PATH_BYTES];
	if (session->data)
		return session->data;
	if (data && *data)
		return data;
	text_format(path, sizeof path, "%s/tocsin.db", data_folders[0]);
	return data_folders[access(path, R_OK) == 0 ? 0 : 1];
}

int session_database(struct session *session, struct connection **connection, struct err *err)
{
	char path[PATH_BYTES];
	*connection = &session->connection;
	if (session->connection.db)
		return 0;
	text_format(path, sizeof path, "%s/tocsin.db", database_folder(session));
	return connection_open(&session->connection, path, CONNECTION_READ, NULL, err);
}

/* What an offline document is made from. */
struct offline {
	struct connection *connection;
	const struct document_query *query;
	struct text part; /* {n}, {id} */
	struct text rest; /* behind it */
};

static int read_status(struct offline *offline, struct buf *out, struct err *err)
{
	return document_status(offline->connection, NULL, NULL, out, err);
}

static int read_sources(struct offline *offline, struct buf *out, struct err *err)
{
	return document_sources(offline->connection, NULL, out, err);
}

static int read_coverage(struct offline *offline, struct buf *out, struct err *err)
{
	return document_coverage(offline->connection, offline->query, out, err);
}

static int read_tokens(struct offline *offline, struct buf *out, struct err *err)
{
	return document_tokens(offline->connection, offline->query, out, err);
}

static int read_ledger(struct offline *offline, struct buf *out, struct err *err)
{
	return document_ledger(offline->connection, out, err);
}

static int read_incidents(struct offline *offline, struct buf *out, struct err *err)
{
	return document_incidents(offline->connection, offline->query, out, err);
}

static int read_incident(struct offline *offline, struct buf *out, struct err *err)
{
	return document_incident(offline->connection, offline->part, out, err);
}

static int read_activity(struct offline *offline, struct buf *out, struct err *err)
{
	return document_activity(offline->connection, offline->part, offline->query, out, err);
}

static int read_examples(struct offline *offline, struct buf *out, struct err *err)
{
	return document_incident_examples(offline->connection, offline->part, out, err);
}

static int read_alerts(struct offline *offline, struct buf *out, struct err *err)
{
	return document_alerts(offline->connection, offline->query, out, err);
}

static int read_fingerprints(struct offline *offline, struct buf *out, struct err *err)
{
	return document_fingerprints(offline->connection, offline->query, out, err);
}

static int read_entity(struct offline *offline, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct text id;
	arena_init(&arena, DOCUMENT_BYTES_MAX);
	if (!http_decode(offline->rest, &arena, &id))
		return err_set(err, ERR_INPUT, "the id does not read");
	return document_entity(offline->connection, offline->part, id, offline->query, out, err);
}

static int read_alert(struct offline *offline, struct buf *out, struct err *err)
{
	return document_alert(offline->connection, offline->part, out, err);
}

static int read_raw(struct offline *offline, struct buf *out, struct err *err)
{
	return document_raw(offline->connection, offline->part, out, err);
}

static int read_suppressions(struct offline *offline, struct buf *out, struct err *err)
{
	return document_suppressions(
		offline->connection, offline->query, clock_wall_ns(&clock_system), out, err);
}

static int read_suppression(struct offline *offline, struct buf *out, struct err *err)
{
	return document_suppression(
		offline->connection, offline->part, NULL, clock_wall_ns(&clock_system), out, err);
}

static int read_suppression_hits(struct offline *offline, struct buf *out, struct err *err)
{
	return document_suppression_hits(
		offline->connection, offline->part, offline->query, out, err);
}

/* The API's paths that commands ask for, and what is behind them. */
static const struct {
	const char *list, *rest;
	bool item;
	int (*read)(struct offline *offline, struct buf *out, struct err *err);
} offline_documents[] = {
	{"status", "", false, read_status},
	{"sources", "", false, read_sources},
	{"coverage", "", false, read_coverage},
	{"tokens", "", false, read_tokens},
	{"ledger", "", false, read_ledger},
	{"incidents", "", false, read_incidents},
	{"incidents", "", true, read_incident},
	{"incidents", "activity", true, read_activity},
	{"incidents", "examples", true, read_examples},
	{"alerts", "", false, read_alerts},
	{"fingerprints", "", false, read_fingerprints},
	{"alerts", "", true, read_alert},
	{"alerts", "raw", true, read_raw},
	{"suppressions", "", false, read_suppressions},
	{"suppressions", "", true, read_suppression},
	{"suppressions", "hits", true, read_suppression_hits},
};

static int offline_document(struct session *session, struct text path,
	const struct document_query *query, struct buf *out, struct err *err)
{
	struct text part[3] = {TEXT_NONE, TEXT_NONE, TEXT_NONE};
	struct text rest = text_part(path, sizeof "/api/v1/" - 1, path.size);
	struct offline offline = {.query = query};
	for (size_t i = 0; i < 3 && text_split(&rest, '/', &part[i]); i++)
		;
	offline.part = part[1];
	offline.rest = part[2];
	if (session_database(session, &offline.connection, err) < 0)
		return -1;
	if (text_is(part[0], "entities"))
		return read_entity(&offline, out, err);
	for (size_t i = 0; i < sizeof offline_documents / sizeof offline_documents[0]; i++)
		if (text_is(part[0], offline_documents[i].list) &&
			text_is(part[2], offline_documents[i].rest) &&
			(part[1].size > 0) == offline_documents[i].item)
			return offline_documents[i].read(&offline, out, err);
	return err_set(err, ERR_MISSING, "%.*s cannot be read offline", TEXT_ARG(path));
}

int session_get(struct session *session, const char *path, struct buf *out, struct err *err)
{
	struct document_query query = {.me = TEXT("local"), .now_ns = clock_wall_ns(&clock_system)};
	AUTO(buf_done) struct buf url;
	buf_init(&url, 64 * 1024);
	buf_add_string(&url, path);
	for (size_t i = 0; i < session->n_query; i++) {
		struct text *member = document_query_member(&query, session->query[i][0]);
		if (!member)
			continue;
		*member = session->query[i][1];
		buf_addf(&url, "%c%.*s=", i ? '&' : '?', TEXT_ARG(session->query[i][0]));
		http_encode(&url, session->query[i][1]);
	}
	if (session->data)
		return offline_document(session, text_of(path), &query, out, err);
	return session_call(session, "GET", buf_string(&url), TEXT_NONE, out, err);
}
