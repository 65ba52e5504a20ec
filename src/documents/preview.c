/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/emit.h"
#include "documents/documents.h"
#include "documents/hits.h"
#include "store/backtest.h"
#include "store/suppressed.h"

enum {
	ARENA_BYTES = 256 * 1024 * 1024,
	PAGE = 100,
	LOOKED_AT_MAX = 2000,
	SHOWN_MAX = 50,
	INCIDENTS_MS = 500,
	MATCHERS_BYTES_MAX = 64 * 1024
};

/* Open incidents that the suppression alone would hide. */
struct hidden {
	const struct incident *items[SHOWN_MAX];
	size_t n, n_looked_at;
	uint64_t by_severity[N_SEVERITIES];
	bool complete;
};

static bool is_open(const struct incident *incident)
{
	return incident->state != INCIDENT_RESOLVED && incident->state != INCIDENT_CLOSED;
}

static int look_at(struct connection *connection, struct suppressed *suppressed,
	struct incident *incident, struct hidden *hidden, struct err *err)
{
	if (!is_open(incident))
		return 0;
	hidden->n_looked_at++;
	if (incident_judge(suppressed, connection, incident, err) < 0)
		return -1;
	if (!incident->suppressed_by.n)
		return 0;
	hidden->by_severity[incident->severity]++;
	if (hidden->n < SHOWN_MAX)
		hidden->items[hidden->n] = incident;
	hidden->n++;
	return 0;
}

static int find_hidden(struct connection *connection, struct suppression *wish,
	const struct scope *scope, struct arena *arena, struct hidden *hidden, struct err *err)
{
	struct suppressed suppressed = {{wish, 1}, arena};
	struct incident_filter filter = {.scope = scope};
	struct incident_page page = {.limit = PAGE, .arena = arena};
	int64_t until_ms = clock_monotonic_ms(&clock_system) + INCIDENTS_MS;
	do {
		page.before = page.next_before;
		if (incidents_list(connection, &filter, &page, err) < 0)
			return -1;
		for (struct incident *item = page.first; item; item = item->next)
			if (look_at(connection, &suppressed, item, hidden, err) < 0)
				return -1;
	} while (page.next_before && hidden->n_looked_at < LOOKED_AT_MAX &&
		 clock_monotonic_ms(&clock_system) < until_ms);
	hidden->complete = !page.next_before;
	return 0;
}

static void write_incident(struct emitter *out, const struct incident *incident)
{
	char number[32];
	text_format(number, sizeof number, "INC-%llu", (unsigned long long)incident->number);
	emit_object(out);
	emit_member_string(out, "number", number);
	emit_member_text(out, "title", incident->title);
	emit_member_string(out, "state", incident_state_name(incident->state));
	emit_member_string(out, "severity", severity_name(incident->severity));
	emit_object_end(out);
}

static void write_incidents(struct emitter *out, const struct hidden *hidden)
{
	emit_key(out, "incidents");
	emit_object(out);
	emit_member_u64(out, "hidden", hidden->n);
	emit_member_u64(out, "open", hidden->n_looked_at);
	emit_member_bool(out, "complete", hidden->complete);
	emit_key(out, "severities");
	emit_object(out);
	for (unsigned i = 0; i < N_SEVERITIES; i++)
		emit_member_u64(out, severity_name((enum severity)i), hidden->by_severity[i]);
	emit_object_end(out);
	emit_key(out, "items");
	emit_array(out);
	for (size_t i = 0; i < hidden->n && i < SHOWN_MAX; i++)
		write_incident(out, hidden->items[i]);
	emit_array_end(out);
	emit_object_end(out);
}

static void write_backtest(struct emitter *out, const struct backtest *backtest)
{
	emit_key(out, "fingerprints");
	emit_object(out);
	emit_member_u64(out, "count", backtest->n_kinds);
	emit_key(out, "items");
	emit_array(out);
	for (size_t i = 0; i < backtest->n_kinds && i < BACKTEST_KINDS_SHOWN; i++)
		hit_write(out, &backtest->kinds[i]);
	emit_array_end(out);
	emit_object_end(out);
	emit_key(out, "alerts");
	emit_object(out);
	emit_member_u64(out, "matched", backtest->n_matched);
	emit_member_u64(out, "of", backtest->n_alerts);
	emit_member_time(out, "since", backtest->since_ns);
	emit_member_time(out, "until", backtest->now_ns);
	emit_member_bool(out, "complete", backtest->complete);
	emit_object_end(out);
}

int document_suppression_preview(struct connection *connection, struct suppression *wish,
	const struct scope *scope, int64_t now_ns, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	AUTO(buf_done) struct buf text = {0};
	struct emitter emitter;
	struct hidden hidden = {0};
	arena_init(&arena, ARENA_BYTES);
	struct backtest *backtest = arena_alloc(&arena, sizeof *backtest);
	if (!backtest)
		return err_set(err, ERR_MEMORY, "out of memory for a preview");
	*backtest =
		(struct backtest){.wish = wish, .scope = scope, .now_ns = now_ns, .arena = &arena};
	wish->id = TEXT("preview");
	if (find_hidden(connection, wish, scope, &arena, &hidden, err) < 0 ||
		backtest_run(connection, backtest, err) < 0)
		return -1;
	buf_init(&text, MATCHERS_BYTES_MAX);
	matchers_write(&text, &wish->matchers);
	emit_init(&emitter, out);
	emit_object(&emitter);
	if (wish->matchers.n)
		emit_member_text(&emitter, "matcher_text", buf_text(&text));
	emit_member_text(&emitter, "query", wish->query_text);
	write_incidents(&emitter, &hidden);
	write_backtest(&emitter, backtest);
	emit_object_end(&emitter);
	return 0;
}
