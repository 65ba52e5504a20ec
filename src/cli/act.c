/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/emit.h"
#include "base/tree.h"
#include "cli/commands.h"
#include "cli/view.h"
#include "model/source.h"
#include "store/ledger_verify.h"

enum {
	CHUNK_BYTES = 1024 * 1024,
	LINE_BYTES_MAX = 8 * 1024 * 1024,
	ANSWER_BYTES = 64 * 1024,
	BAR = 30
};

/* A replay under way. */
struct replay {
	struct session *session;
	char path[128];
	off_t size, done; /* bytes; size 0: unknown */
	uint64_t accepted, duplicate, quarantined;
	int64_t began_ms;
	bool shows;
};

static void show_bar(const struct replay *replay, bool end)
{
	double seconds = (double)(clock_monotonic_ms(&clock_system) - replay->began_ms) / 1000;
	double rate = seconds > 0 ? (double)(replay->accepted + replay->duplicate) / seconds : 0;
	if (!replay->shows)
		return;
	if (!replay->size) { /* a pipe: how much is left is not known */
		fprintf(stderr, "\r%llu accepted, %llu duplicate, %llu quarantined  %.0f/s%s",
			(unsigned long long)replay->accepted, (unsigned long long)replay->duplicate,
			(unsigned long long)replay->quarantined, rate, end ? "\n" : "");
		return;
	}
	fprintf(stderr,
		"\r[%-*.*s] %3d%%  %llu accepted, %llu duplicate, %llu quarantined  %.0f/s%s", BAR,
		(int)(replay->done * BAR / replay->size), "##############################",
		(int)(replay->done * 100 / replay->size), (unsigned long long)replay->accepted,
		(unsigned long long)replay->duplicate, (unsigned long long)replay->quarantined,
		rate, end ? "\n" : "");
}

static uint64_t number_of(const struct node *answer, const char *key)
{
	uint64_t number = 0;
	text_to_u64(tree_member_text(answer, key), &number);
	return number;
}

static int send_chunk(struct replay *replay, struct text chunk, struct err *err)
{
	AUTO(buf_done) struct buf body;
	AUTO(arena_done) struct arena arena;
	struct node *answer;
	buf_init(&body, ANSWER_BYTES);
	arena_init(&arena, 1024 * 1024);
	if (session_call(replay->session, "POST", replay->path, chunk, &body, err) < 0 ||
		tree_read(buf_text(&body), &arena, &answer, err) < 0)
		return err_prefix(err, "after %lld bytes (sending the file again is safe)",
			(long long)replay->done);
	replay->accepted += number_of(answer, "accepted");
	replay->duplicate += number_of(answer, "duplicate");
	replay->quarantined += number_of(answer, "quarantined");
	replay->done += (off_t)chunk.size;
	show_bar(replay, false);
	return 0;
}

static int replay_lines(struct replay *replay, FILE *file, struct err *err)
{
	AUTO(buf_done) struct buf chunk;
	AUTO(free) char *line = NULL;
	size_t capacity = 0;
	ssize_t size;
	buf_init(&chunk, CHUNK_BYTES + LINE_BYTES_MAX);
	while ((size = getline(&line, &capacity, file)) > 0) {
		if (size > LINE_BYTES_MAX)
			return err_set(
				err, ERR_LIMIT, "a line is longer than %d bytes", LINE_BYTES_MAX);
		buf_add_bytes(&chunk, line, (size_t)size);
		if (chunk.size < CHUNK_BYTES)
			continue;
		if (send_chunk(replay, buf_text(&chunk), err) < 0)
			return -1;
		buf_clear(&chunk);
	}
	if (ferror(file))
		return err_errno(err, errno, "reading the file");
	return chunk.size ? send_chunk(replay, buf_text(&chunk), err) : 0;
}

static int print_outcome(struct session *session, const struct replay *replay, struct err *err)
{
	AUTO(buf_done) struct buf document = {0};
	struct emitter emitter;
	if (session->form == OUTPUT_TABLE) {
		printf("accepted %llu, duplicate %llu, quarantined %llu\n",
			(unsigned long long)replay->accepted, (unsigned long long)replay->duplicate,
			(unsigned long long)replay->quarantined);
		return 0;
	}
	buf_init(&document, ANSWER_BYTES);
	emit_init(&emitter, &document);
	emit_object(&emitter);
	emit_member_u64(&emitter, "accepted", replay->accepted);
	emit_member_u64(&emitter, "duplicate", replay->duplicate);
	emit_member_u64(&emitter, "quarantined", replay->quarantined);
	emit_object_end(&emitter);
	return view_print(session, buf_text(&document), TEXT_NONE, err);
}

int act_ingest(struct session *session, struct err *err)
{
	struct stat info;
	const char *name = command_argument(session);
	struct replay replay = {.session = session,
		.began_ms = clock_monotonic_ms(&clock_system),
		.shows = isatty(STDERR_FILENO)};
	if (!session->source || source_parse(text_of(session->source)) == SOURCE_NONE) {
		session->exit_code = CLI_USAGE;
		return err_set(err, ERR_INPUT, "--source must say what the file holds: %s",
			source_names());
	}
	bool standard = strcmp(name, "-") == 0;
	FILE *file = standard ? stdin : fopen(name, "re");
	if (!file)
		return err_errno(err, errno, "opening %s", name);
	if (fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode))
		replay.size = info.st_size;
	text_format(replay.path, sizeof replay.path, "/ingest/%s", session->source);
	session->n_query = 0;
	int failed = replay_lines(&replay, file, err);
	if (!standard)
		(void)fclose(file); /* was only read */
	show_bar(&replay, true);
	return failed ? -1 : print_outcome(session, &replay, err);
}

static void show_progress(void *ctx, uint64_t done, uint64_t all)
{
	uint64_t *last = ctx;
	uint64_t percent = all ? done * 100 / all : 100;
	if (percent != *last)
		fprintf(stderr, "\rverifying %3llu%%", (unsigned long long)percent);
	*last = percent;
}

static void print_report(const struct ledger_report *report)
{
	printf("leaves          %llu\n", (unsigned long long)report->n_leaves);
	printf("verified        %llu\n", (unsigned long long)report->n_verified);
	printf("raw not kept    %llu\n", (unsigned long long)report->n_without_raw);
	printf("hash not kept   %llu\n", (unsigned long long)report->n_reduced);
	printf("broken          %llu\n", (unsigned long long)report->n_broken);
	if (report->n_broken)
		printf("first broken    leaf %llu\n",
			(unsigned long long)report->first_broken_leaf);
	printf("tiles           %llu, %llu broken\n", (unsigned long long)report->n_tiles,
		(unsigned long long)report->n_broken_tiles);
	char root[2 * DIGEST_BYTES + 1];
	text_hex(root, report->root.bytes, DIGEST_BYTES);
	printf("root            %s\n", root);
	printf("audit entries   %llu%s\n", (unsigned long long)report->n_audit,
		report->broken_audit_id ? ", BROKEN" : "");
}

static int print_report_as_document(
	struct session *session, const struct ledger_report *report, struct err *err)
{
	AUTO(buf_done) struct buf document;
	struct emitter emitter;
	char root[2 * DIGEST_BYTES + 1];
	text_hex(root, report->root.bytes, DIGEST_BYTES);
	buf_init(&document, ANSWER_BYTES);
	emit_init(&emitter, &document);
	emit_object(&emitter);
	emit_member_u64(&emitter, "leaves", report->n_leaves);
	emit_member_u64(&emitter, "verified", report->n_verified);
	emit_member_u64(&emitter, "without_raw", report->n_without_raw);
	emit_member_u64(&emitter, "without_hash", report->n_reduced);
	emit_member_u64(&emitter, "broken", report->n_broken);
	if (report->n_broken)
		emit_member_u64(&emitter, "first_broken", report->first_broken_leaf);
	emit_member_u64(&emitter, "tiles", report->n_tiles);
	emit_member_u64(&emitter, "broken_tiles", report->n_broken_tiles);
	emit_member_string(&emitter, "root", root);
	emit_member_u64(&emitter, "audit_entries", report->n_audit);
	emit_member_bool(&emitter, "audit_broken", report->broken_audit_id != 0);
	emit_object_end(&emitter);
	return view_print(session, buf_text(&document), TEXT_NONE, err);
}

int act_verify(struct session *session, struct err *err)
{
	struct connection *connection;
	struct ledger_report report;
	uint64_t last = UINT64_MAX;
	bool shows = isatty(STDERR_FILENO);
	if (session_database(session, &connection, err) < 0 ||
		ledger_verify(connection, shows ? show_progress : NULL, &last, &report, err) < 0)
		return -1;
	if (shows)
		fputc('\n', stderr);
	if (session->form == OUTPUT_TABLE)
		print_report(&report);
	else if (print_report_as_document(session, &report, err) < 0)
		return -1;
	if (report.n_broken || report.n_broken_tiles || report.broken_audit_id)
		session->exit_code = CLI_FINDINGS;
	return 0;
}

/* "shop,prod/pay" as an array. */
static void write_namespaces(struct emitter *emitter, struct text words)
{
	struct text word;
	emit_key(emitter, "namespaces");
	emit_array(emitter);
	while (text_split(&words, ',', &word))
		emit_text(emitter, text_trim(word));
	emit_array_end(emitter);
}

static void describe_token(const struct session *session, struct buf *out)
{
	struct emitter emitter;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_member_string(&emitter, "name", command_argument(session));
	for (size_t i = 0; i < session->n_query; i++) {
		if (text_is(session->query[i][0], "namespace")) {
			write_namespaces(&emitter, session->query[i][1]);
			continue;
		}
		bool sources = text_is(session->query[i][0], "source");
		emit_key_text(&emitter, sources ? TEXT("sources") : session->query[i][0]);
		if (sources)
			emit_array(&emitter);
		emit_text(&emitter, session->query[i][1]);
		if (sources)
			emit_array_end(&emitter);
	}
	emit_object_end(&emitter);
}

int act_token_create(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf body;
	AUTO(buf_done) struct buf answer;
	buf_init(&body, ANSWER_BYTES);
	buf_init(&answer, ANSWER_BYTES);
	describe_token(session, &body);
	if (session_call(session, "POST", "/api/v1/tokens", buf_text(&body), &answer, err) < 0)
		return -1;
	buf_add_byte(&answer, '\n');
	return view_print(session, buf_text(&answer), buf_text(&answer), err);
}

int act_token_revoke(struct session *session, struct err *err)
{
	char path[256];
	AUTO(buf_done) struct buf answer;
	buf_init(&answer, ANSWER_BYTES);
	text_format(path, sizeof path, "/api/v1/tokens/%s", command_argument(session));
	if (session_call(session, "DELETE", path, TEXT_NONE, &answer, err) < 0)
		return -1;
	buf_clear(&answer);
	struct emitter emitter;
	emit_init(&emitter, &answer);
	emit_object(&emitter);
	emit_member_string(&emitter, "revoked", command_argument(session));
	emit_object_end(&emitter);
	return view_print(session, buf_text(&answer), TEXT("revoked\n"), err);
}

/* The link leads to the daemon as this program reaches it. */
int act_sign_in(struct session *session, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	AUTO(buf_done) struct buf answer, line;
	struct node *tree;
	arena_init(&arena, ANSWER_BYTES);
	buf_init(&answer, ANSWER_BYTES);
	buf_init(&line, ANSWER_BYTES);
	if (session_call(session, "POST", "/api/v1/sign-in-links", TEXT("{}"), &answer, err) < 0 ||
		tree_read(buf_text(&answer), &arena, &tree, err) < 0)
		return -1;
	struct text path = tree_member_text(tree, "path");
	if (!path.size)
		return err_set(err, ERR_INPUT, "%s answered without a link", session->server);
	buf_addf(&line, "%s%.*s\n", session->server, TEXT_ARG(path));
	return view_print(session, buf_text(&answer), buf_text(&line), err);
}
