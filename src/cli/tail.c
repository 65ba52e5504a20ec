/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/tree.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/yaml_view.h"
#include "net/http_client.h"

enum {
	LINE_BYTES_MAX = 16 * 1024 * 1024,
	ANSWER_BYTES = 64 * 1024 * 1024,
	PATH_BYTES = 64 * 1024,
	WORD_BYTES = 64,
	SILENT_S = 45, /* the server says something every 15 s */
	RETRY_MS = 1000,
};

/* What is followed, and the event that is coming in. */
struct tail {
	struct session *session;
	int signal_fd;          /* readable: somebody wants us to end */
	struct buf line;        /* of the stream, as far as it has come */
	struct buf data;        /* of the event */
	char event[WORD_BYTES]; /* its name */
	char id[WORD_BYTES];    /* its id, and before it ends that of the one before */
	char last_id[WORD_BYTES];
	bool is_gone;    /* the server; it was said */
	bool is_closed;  /* nobody reads our output any more */
	bool is_refused; /* the server does not go on, and has said why */
};

static void tail_done_auto(struct tail *tail)
{
	if (tail->signal_fd >= 0)
		close(tail->signal_fd);
	buf_done(&tail->line);
	buf_done(&tail->data);
}

/* SIGINT and SIGTERM become readable; a reader who leaves is no reason to die of. */
static int catch_signals(struct tail *tail, struct err *err)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	int failed = pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (failed)
		return err_errno(err, failed, "waiting for signals");
	tail->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return tail->signal_fd < 0 ? err_errno(err, errno, "waiting for signals") : 0;
}

static struct text cell(const struct node *node, const char *key)
{
	return tree_member_text(node, key);
}

static void write_alert(const struct session *session, const struct node *alert, struct buf *out)
{
	if (session->form == OUTPUT_YAML) {
		buf_add_string(out, "---\n"); /* each is a document of its own */
		yaml_view_write(alert, out);
		return;
	}
	if (session->form != OUTPUT_TABLE) {
		json_view_write(alert, out);
		buf_add_byte(out, '\n');
		return;
	}
	utf8_escape(out, cell(alert, "time"));
	buf_addf(out, " %-8.*s ", TEXT_ARG(cell(alert, "severity")));
	utf8_escape(out, cell(alert, "rule"));
	buf_add_string(out, "  ");
	utf8_escape(out, cell(alert, "message"));
	buf_add_byte(out, '\n');
}

/* false: nobody reads it. */
static bool print_lines(const struct buf *out)
{
	struct err err;
	return print_text(buf_text(out), &err) == 0;
}

static bool print_alert(struct tail *tail)
{
	AUTO(arena_done) struct arena arena;
	AUTO(buf_done) struct buf out;
	struct node *alert;
	struct err err;
	arena_init(&arena, ANSWER_BYTES);
	buf_init(&out, LINE_BYTES_MAX);
	if (tree_read(buf_text(&tail->data), &arena, &alert, &err) < 0) {
		fprintf(stderr, "tocsin: an alert does not read: %s\n", err.text);
		return true;
	}
	write_alert(tail->session, alert, &out);
	return print_lines(&out);
}

/* The event is whole. false: it could not be printed. */
static bool end_event(struct tail *tail)
{
	bool printed = true;
	if (strcmp(tail->event, "reset") == 0)
		fputs("tocsin: what came in meanwhile is too much or has left: tocsin alerts "
		      "list\n",
			stderr);
	else if (strcmp(tail->event, "problem") == 0)
		tail->is_refused = true;
	else if (strcmp(tail->event, "alert") == 0)
		printed = print_alert(tail);
	text_format(tail->last_id, sizeof tail->last_id, "%s", tail->id);
	tail->event[0] = '\0';
	buf_clear(&tail->data);
	return printed;
}

/* https://html.spec.whatwg.org/multipage/server-sent-events.html section 9.2.6, as we send it. */
static bool read_line(struct tail *tail, struct text line)
{
	struct text rest = line, field = TEXT_NONE;
	if (line.size == 0)
		return end_event(tail);
	text_split(&rest, ':', &field);
	struct text value = text_trim(rest);
	if (text_is(field, "id"))
		text_format(tail->id, sizeof tail->id, "%.*s", TEXT_ARG(value));
	else if (text_is(field, "event"))
		text_format(tail->event, sizeof tail->event, "%.*s", TEXT_ARG(value));
	else if (text_is(field, "data"))
		buf_add(&tail->data, value);
	return true;
}

static bool receive(void *ctx, struct text bytes)
{
	struct tail *tail = ctx;
	if (tail->is_gone)
		fputs("tocsin: the server is back\n", stderr);
	tail->is_gone = false;
	while (bytes.size) {
		size_t end = text_find_byte(bytes, '\n', 0);
		buf_add(&tail->line, text_part(bytes, 0, end));
		if (end == SIZE_MAX)
			break;
		bytes = text_part(bytes, end + 1, bytes.size);
		if (buf_ok(&tail->line) && !read_line(tail, buf_text(&tail->line))) {
			tail->is_closed = true;
			return false;
		}
		buf_clear(&tail->line);
	}
	return true;
}

/* The alerts with what narrows lists; limit and after are the list's alone. */
static void write_path(const struct session *session, struct buf *path)
{
	buf_add_string(path, "/api/v1/events?incidents=0&alerts=1");
	for (size_t i = 0; i < session->n_query; i++) {
		const struct text *pair = session->query[i];
		if (text_is(pair[0], "limit") || text_is(pair[0], "after"))
			continue;
		buf_addf(path, "&%.*s=", TEXT_ARG(pair[0]));
		http_encode(path, pair[1]);
	}
}

static int follow_once(struct tail *tail, struct err *err)
{
	AUTO(buf_done) struct buf path;
	char id[WORD_BYTES + 32];
	const char *const headers[] = {id, NULL};
	struct http_receiver receiver = {receive, tail, tail->signal_fd, SILENT_S};
	buf_init(&path, PATH_BYTES);
	write_path(tail->session, &path);
	if (!buf_ok(&path))
		return buf_error(&path, err, "the address");
	text_format(id, sizeof id, "Last-Event-ID: %s", tail->last_id);
	buf_clear(&tail->line);
	buf_clear(&tail->data);
	tail->event[0] = '\0';
	return session_stream(tail->session, buf_string(&path), headers, &receiver, err);
}

static bool is_over(const struct tail *tail, int wait_ms)
{
	struct pollfd look = {.fd = tail->signal_fd, .events = POLLIN};
	return tail->is_closed || poll(&look, 1, wait_ms) != 0;
}

/* What passes by itself is waited for. */
static int follow(struct tail *tail, struct err *err)
{
	do {
		struct err why = {.kind = ERR_IO, .text = "it ended the stream"};
		int failed = follow_once(tail, &why);
		if (failed && why.kind != ERR_BUSY && why.kind != ERR_IO) {
			*err = why;
			return -1;
		}
		if (tail->is_refused)
			return err_set(err, ERR_LIMIT,
				"the query takes too long for a stream: ask for less by regular"
				" expressions");
		if (is_over(tail, 0))
			return 0;
		if (!tail->is_gone)
			fprintf(stderr, "tocsin: the server is gone: %s; waiting for it\n",
				why.text);
		tail->is_gone = true;
	} while (!is_over(tail, RETRY_MS));
	return 0;
}

/* Where the stream begins: behind what is stored now. */
static int read_position(struct tail *tail, uint64_t *n_leaves, struct err *err)
{
	AUTO(buf_done) struct buf body;
	AUTO(arena_done) struct arena arena;
	struct node *status;
	buf_init(&body, ANSWER_BYTES);
	arena_init(&arena, ANSWER_BYTES);
	if (session_call(tail->session, "GET", "/api/v1/status", TEXT_NONE, &body, err) < 0 ||
		tree_read(buf_text(&body), &arena, &status, err) < 0)
		return -1;
	if (!text_to_u64(cell(tree_member(status, "ledger"), "leaves"), n_leaves))
		return err_set(err, ERR_INPUT, "the server does not say how many alerts it has");
	text_format(tail->last_id, sizeof tail->last_id, "0.%" PRIu64, *n_leaves);
	text_format(tail->id, sizeof tail->id, "%s", tail->last_id);
	return 0;
}

/* The list comes newest first; what is newer than the stream's begin comes with the stream. */
static void write_older(
	const struct session *session, const struct node *item, uint64_t n_leaves, struct buf *out)
{
	uint64_t leaf;
	if (!item)
		return;
	write_older(session, item->next, n_leaves, out);
	if (text_to_u64(cell(item, "leaf"), &leaf) && leaf < n_leaves)
		write_alert(session, item, out);
}

static int print_last(struct tail *tail, uint64_t n_leaves, struct err *err)
{
	AUTO(buf_done) struct buf body;
	AUTO(buf_done) struct buf out;
	AUTO(arena_done) struct arena arena;
	struct node *list;
	struct session *session = tail->session;
	buf_init(&body, ANSWER_BYTES);
	buf_init(&out, ANSWER_BYTES);
	arena_init(&arena, SIZE_MAX);
	if (session_get(session, "/api/v1/alerts", &body, err) < 0 ||
		tree_read(buf_text(&body), &arena, &list, err) < 0)
		return -1;
	const struct node *items = tree_member(list, "items");
	write_older(session, items ? items->first : NULL, n_leaves, &out);
	tail->is_closed = !print_lines(&out);
	return 0;
}

static bool has_limit(const struct session *session)
{
	for (size_t i = 0; i < session->n_query; i++)
		if (text_is(session->query[i][0], "limit"))
			return true;
	return false;
}

int show_tail(struct session *session, struct err *err)
{
	AUTO(tail_done) struct tail tail = {.session = session, .signal_fd = -1};
	uint64_t n_leaves;
	buf_init(&tail.line, LINE_BYTES_MAX);
	buf_init(&tail.data, LINE_BYTES_MAX);
	if (session->data) {
		session->exit_code = CLI_USAGE;
		return err_set(
			err, ERR_INPUT, "tail asks a daemon: tocsin alerts list reads a database");
	}
	if (!has_limit(session) &&
		session->n_query < sizeof session->query / sizeof session->query[0]) {
		session->query[session->n_query][0] = TEXT("limit");
		session->query[session->n_query++][1] = TEXT("10");
	}
	if (catch_signals(&tail, err) < 0 || read_position(&tail, &n_leaves, err) < 0 ||
		print_last(&tail, n_leaves, err) < 0)
		return -1;
	return is_over(&tail, 0) ? 0 : follow(&tail, err);
}
