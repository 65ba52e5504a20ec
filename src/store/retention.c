/* SPDX-License-Identifier: Apache-2.0 */
#include "store/retention.h"

#include "base/cleanup.h"
#include "base/emit.h"
#include "store/agents.h"
#include "store/audit.h"
#include "store/contents.h"
#include "store/coverages.h"
#include "store/heard.h"
#include "store/leaving.h"
#include "store/occurrences.h"
#include "store/print_days.h"
#include "store/raw_expiry.h"
#include "store/spools.h"
#include "store/workloads.h"

#define HOUR_NS (3600 * NS_PER_S)
#define DAY_NS  (24 * HOUR_NS)

/* A slice: 8 ms on top of what is between two commits anyway; a thousand alert rows take that. */
enum { SLICE_MS = 8, SLICE_ROWS = 1000, CLAIMS_BYTES_MAX = 1024 * 1024 };

/* Alerts of which one content id is read within a slice: some 8 ms. */
enum { CONTENT_AT_ONCE = 8192 };

/* For the size limit: the longest incident and its idle gap stay correlated; raw of a day, and at
 * the very last of an hour, stays. The horizon moves by an hour. */
static const int64_t horizon_least_ns = 25 * HOUR_NS;
static const int64_t raw_spared_ns = DAY_NS;
static const int64_t raw_least_ns = HOUR_NS;
enum { STEP_SLOTS = 12 };

/* Room below the limit for what one transaction adds before retention runs again. */
enum { RESERVE_SHARE = 8, RESERVE_BYTES_MAX = 64 * 1024 * 1024 };

/* Without a limit the file shrinks when it is mostly empty. */
enum { SHRINK_BYTES_MIN = 64 * 1024 * 1024, VACUUM_ROWS = 16 };

/* Seven days, and the day or two that an incident lies across the horizon. */
enum { NOVELTY_LOOKS_BACK_DAYS = 9 };

static const int64_t pause_ns = 60 * NS_PER_S;

/* One slice of work. */
struct run {
	struct retention *retention;
	struct connection *connection;
	struct slice slice;
	int64_t now_ns;
};

static int read_mark(
	struct connection *connection, const char *name, int64_t *value, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT value FROM meta WHERE name = ?1", err);
	*value = 0;
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, text_of(name));
	int found = sql_step(statement, err);
	if (found > 0)
		*value = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

static int write_mark(
	struct connection *connection, const char *name, int64_t value, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO meta (name, value) VALUES (?1, ?2)"
		" ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, text_of(name));
	sql_bind_i64(statement, 2, value);
	return sql_run(statement, err);
}

static const char horizon_mark[] = "retention.horizon_ns";
static const char raw_mark[] = "retention.raw_ns";
static const char audited_mark[] = "retention.raw_audited_ns";
static const char shortened_mark[] = "retention.shortened_ns";

int retention_state_read(
	struct connection *connection, struct retention_state *out, struct err *err)
{
	return read_mark(connection, horizon_mark, &out->horizon_ns, err) < 0 ||
			       read_mark(connection, raw_mark, &out->raw_ns, err) < 0 ||
			       read_mark(connection, shortened_mark, &out->shortened_ns, err) < 0
		       ? -1
		       : 0;
}

/* Phases of a pass, in their order; incidents first, as strays are what is in none. */
static int leave_incidents(struct run *run, struct err *err);
static int leave_strays(struct run *run, struct err *err);
static int leave_loose(struct run *run, struct err *err);
static int leave_uncorrelated(struct run *run, struct err *err);
static int leave_raw(struct run *run, struct err *err);
static int leave_salts(struct run *run, struct err *err);
static int leave_tiles(struct run *run, struct err *err);
static int leave_runs(struct run *run, struct err *err);
static int leave_senders(struct run *run, struct err *err);
static int leave_facts(struct run *run, struct err *err);
static int leave_days(struct run *run, struct err *err);
static int leave_print_days(struct run *run, struct err *err);
static int leave_interns(struct run *run, struct err *err);
static int shrink_file(struct run *run, struct err *err);

static const struct {
	int (*work)(struct run *run, struct err *err); /* 1: more; 0: the phase is over */
	bool sweep; /* looks at what stays, too: once an hour of the horizon is enough */
} phases[] = {
	{leave_incidents, false},
	{leave_strays, true},
	{leave_loose, true},
	{leave_uncorrelated, false},
	{leave_raw, false},
	{leave_salts, true},
	{leave_tiles, true},
	{leave_runs, true},
	{leave_senders, true},
	{leave_facts, true},
	{leave_days, false},
	{leave_print_days, false},
	{leave_interns, true},
	{shrink_file, false},
};

enum { N_PHASES = sizeof phases / sizeof phases[0] };

void retention_init(struct retention *retention, const struct retention_options *options)
{
	*retention = (struct retention){.options = *options};
	if (retention->options.raw_s == 0 ||
		retention->options.raw_s > retention->options.horizon_s)
		retention->options.raw_s = retention->options.horizon_s;
	fact_cursor_init(&retention->facts);
}

void retention_done(struct retention *retention)
{
	fact_cursor_done(&retention->facts);
	content_job_free(retention->content);
}

int retention_load(struct retention *retention, struct connection *connection, struct err *err)
{
	struct retention_state state;
	if (retention_state_read(connection, &state, err) < 0 ||
		read_mark(connection, audited_mark, &retention->audited_raw_ns, err) < 0)
		return -1;
	retention->floor_ns = state.horizon_ns;
	retention->raw_ns = state.raw_ns;
	retention->phase = N_PHASES;
	retention->before_slot = INT64_MIN;
	retention->swept_hour = INT64_MIN;
	retention->full = false;
	return 0;
}

static int64_t slot_border(int64_t time_ns)
{
	return slot_of(time_ns) * SLOT_NS;
}

int64_t retention_horizon_ns(const struct retention *retention)
{
	int64_t now_ns = clock_wall_ns(retention->options.clock);
	int64_t by_age = now_ns - retention->options.horizon_s * NS_PER_S;
	int64_t newest = slot_border(now_ns - horizon_least_ns);
	/* A clock that was ahead once must not make everything late for ever. */
	int64_t floor_ns = retention->floor_ns < newest ? retention->floor_ns : newest;
	return by_age > floor_ns ? by_age : floor_ns;
}

static int read_pragma(
	struct connection *connection, const char *sql, int64_t *value, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement || sql_step(statement, err) < 0)
		return -1;
	*value = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

struct extent {
	uint64_t file_bytes, free_bytes;
};

static int measure(struct connection *connection, struct extent *out, struct err *err)
{
	int64_t page_bytes, n_pages, n_free;
	if (read_pragma(connection, "PRAGMA page_size", &page_bytes, err) < 0 ||
		read_pragma(connection, "PRAGMA page_count", &n_pages, err) < 0 ||
		read_pragma(connection, "PRAGMA freelist_count", &n_free, err) < 0)
		return -1;
	*out = (struct extent){(uint64_t)(n_pages * page_bytes), (uint64_t)(n_free * page_bytes)};
	return 0;
}

int retention_used_bytes(struct connection *connection, uint64_t *used, struct err *err)
{
	struct extent extent;
	if (measure(connection, &extent, err) < 0)
		return -1;
	*used = extent.file_bytes - extent.free_bytes;
	return 0;
}

/* 1: more is used than what leaves room for the next transaction. */
static int is_over(
	const struct retention *retention, struct connection *connection, struct err *err)
{
	uint64_t used, limit = retention->options.size_bytes;
	uint64_t reserve = limit / RESERVE_SHARE;
	if (limit == 0)
		return 0;
	if (reserve > RESERVE_BYTES_MAX)
		reserve = RESERVE_BYTES_MAX;
	return retention_used_bytes(connection, &used, err) < 0 ? -1 : used > limit - reserve;
}

int retention_is_due(struct retention *retention, struct connection *connection, struct err *err)
{
	if (clock_wall_ns(retention->options.clock) < retention->blocked_until_ns)
		return 0;
	if (retention->phase < N_PHASES ||
		slot_of(retention_horizon_ns(retention)) > retention->before_slot)
		return 1;
	return is_over(retention, connection, err);
}

void retention_pause(struct retention *retention)
{
	retention->blocked_until_ns = clock_wall_ns(retention->options.clock) + pause_ns;
}

static int start_pass(struct run *run, struct err *err)
{
	struct retention *retention = run->retention;
	int64_t horizon_ns = slot_border(retention_horizon_ns(retention));
	int64_t hour = horizon_ns / HOUR_NS;
	retention->before_slot = slot_of(horizon_ns);
	retention->phase = 0;
	retention->sweeps = hour != retention->swept_hour;
	retention->swept_hour = hour;
	retention->stray = (struct stray_cursor){0};
	retention->next_leaf = retention->next_run = 0;
	retention->next_salt = retention->next_tile = 0;
	retention->interns = (struct intern_cursor){0};
	fact_cursor_rewind(&retention->facts);
	if (horizon_ns <= retention->floor_ns)
		return 0;
	retention->floor_ns = horizon_ns;
	return write_mark(run->connection, horizon_mark, horizon_ns, err);
}

static int64_t pass_horizon_ns(const struct run *run)
{
	return run->retention->before_slot * SLOT_NS;
}

/*
 * The content id of what is to leave. Of many alerts over as many slices as it takes, which begin
 * again after a restart; of few in one go. 1: more; 0: *out is it.
 */
static int read_content(
	struct run *run, const struct leaving *leaving, struct digest *out, struct err *err)
{
	struct content_job *job = run->retention->content;
	if (!job)
		job = run->retention->content = content_job_new(0);
	if (!job)
		return err_set(err, ERR_MEMORY, "out of memory for an incident's content id");
	if ((content_job_number(job) != leaving->number ||
		    content_job_revision(job) != leaving->revision) &&
		content_job_begin(job, run->connection, leaving->number, err) < 0)
		return -1;
	bool is_short = leaving->n_alerts <= CONTENT_AT_ONCE;
	return content_job_step(job, run->connection, is_short ? NULL : &run->slice, out, err);
}

static int leave_incidents(struct run *run, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct leaving leaving;
	arena_init(&arena, CLAIMS_BYTES_MAX);
	if (leaving_find(run->connection, &arena, &leaving, err) < 0)
		return -1;
	if (leaving.number == 0) {
		if (leaving_next(run->connection, run->retention->before_slot, &arena, &leaving,
			    err) < 0)
			return -1;
		if (leaving.number == 0)
			return 0;
		struct digest content;
		int more = read_content(run, &leaving, &content, err);
		if (more)
			return more;
		if (leaving_begin(run->connection, &leaving, &content, err) < 0)
			return -1;
		slice_spend(&run->slice, 1);
	}
	return leaving_step(run->connection, &leaving, &run->slice, err) < 0 ? -1 : 1;
}

static int leave_strays(struct run *run, struct err *err)
{
	return strays_remove(run->connection, &run->retention->stray, run->retention->before_slot,
		&run->slice, err);
}

static int leave_loose(struct run *run, struct err *err)
{
	return loose_alerts_remove(run->connection, &run->retention->next_leaf,
		pass_horizon_ns(run), &run->slice, err);
}

static int leave_uncorrelated(struct run *run, struct err *err)
{
	return uncorrelated_remove(run->connection, pass_horizon_ns(run), &run->slice, err);
}

/* 1: a block was removed; 0: none is old enough. */
static int remove_block(struct run *run, int64_t before_ns, struct err *err)
{
	struct retention *retention = run->retention;
	int64_t received_ns;
	int removed = oldest_raw_remove(run->connection, before_ns, &received_ns, err);
	if (removed <= 0)
		return removed;
	slice_spend(&run->slice, BLOCK_ROWS);
	if (received_ns < retention->raw_ns)
		return 1;
	retention->raw_ns = received_ns + 1;
	return write_mark(run->connection, raw_mark, retention->raw_ns, err) < 0 ? -1 : 1;
}

static int leave_raw(struct run *run, struct err *err)
{
	return remove_block(run, run->now_ns - run->retention->options.raw_s * NS_PER_S, err);
}

static int leave_salts(struct run *run, struct err *err)
{
	return salts_remove(run->connection, &run->retention->next_salt, &run->slice, err);
}

static int leave_tiles(struct run *run, struct err *err)
{
	return tiles_reduce(run->connection, &run->retention->next_tile, &run->slice, err);
}

static int leave_runs(struct run *run, struct err *err)
{
	return occurrence_runs_remove(run->connection, &run->retention->next_run, &run->slice, err);
}

static int leave_senders(struct run *run, struct err *err)
{
	int64_t before_ns = pass_horizon_ns(run);
	return heard_expire(run->connection, before_ns, err) < 0 ||
			       coverage_expire(run->connection, before_ns, err) < 0 ||
			       spools_expire(run->connection, before_ns, err) < 0
		       ? -1
		       : agents_expire(run->connection, before_ns, err);
}

static int leave_facts(struct run *run, struct err *err)
{
	return facts_remove(run->connection, &run->retention->facts,
		day_of_slot(run->retention->before_slot), &run->slice,
		&run->retention->facts_removed, err);
}

/* What novelty looks back on: a week before the oldest incident that may still change. */
static int leave_days(struct run *run, struct err *err)
{
	int n = workload_days_remove(run->connection,
		day_of_slot(run->retention->before_slot) - NOVELTY_LOOKS_BACK_DAYS, err);
	slice_spend(&run->slice, n > 0 ? (size_t)n : 0);
	return n < 0 ? -1 : n > 0;
}

static int leave_interns(struct run *run, struct err *err)
{
	struct retention *retention = run->retention;
	struct intern_expiry expiry = {
		.n_leaves = retention->n_leaves,
		.epoch_bits = retention->options.epoch_bits,
		.before_day = day_of_slot(retention->before_slot) - NOVELTY_LOOKS_BACK_DAYS,
	};
	int more = interns_remove(run->connection, &retention->interns, &expiry, &run->slice, err);
	retention->facts_removed |= expiry.names_removed;
	return more;
}

static int leave_print_days(struct run *run, struct err *err)
{
	int n = print_days_remove(run->connection, day_of_slot(run->retention->before_slot), err);
	slice_spend(&run->slice, n > 0 ? (size_t)n : 0);
	return n < 0 ? -1 : n > 0;
}

/* Free pages are used again; they go back to the file system when there are too many. */
static int shrink_file(struct run *run, struct err *err)
{
	struct extent extent;
	uint64_t limit = run->retention->options.size_bytes;
	if (measure(run->connection, &extent, err) < 0)
		return -1;
	bool wanted = limit ? extent.file_bytes > limit
			    : extent.file_bytes > SHRINK_BYTES_MIN &&
				      extent.free_bytes > extent.file_bytes / 2;
	if (!wanted || extent.free_bytes == 0)
		return 0;
	sqlite3_stmt *statement =
		connection_statement(run->connection, "PRAGMA incremental_vacuum(16)", err);
	if (!statement)
		return -1;
	slice_spend(&run->slice, VACUUM_ROWS);
	return sql_run(statement, err) < 0 ? -1 : 1;
}

static int audit(
	struct run *run, const char *action, int64_t from_ns, int64_t to_ns, struct err *err)
{
	AUTO(buf_done) struct buf detail;
	struct emitter emitter;
	buf_init(&detail, 1024);
	emit_init(&emitter, &detail);
	emit_object(&emitter);
	emit_member_string(&emitter, "reason", "retention.size is reached");
	emit_member_u64(&emitter, "limit_bytes", run->retention->options.size_bytes);
	emit_member_time(&emitter, "from", from_ns);
	emit_member_time(&emitter, "to", to_ns);
	emit_object_end(&emitter);
	struct audit_entry entry = {
		.time_ns = run->now_ns,
		.actor = TEXT("tocsind"),
		.action = text_of(action),
		.target = TEXT("retention"),
		.detail = buf_text(&detail),
	};
	if (!buf_ok(&detail))
		return err_set(err, ERR_MEMORY, "out of memory for the audit trail");
	return audit_append(run->connection, &entry, err) < 0 ||
			       write_mark(run->connection, shortened_mark, run->now_ns, err) < 0
		       ? -1
		       : 0;
}

/* Raw before its age; in the audit trail once an hour of it. */
static int shorten_raw(struct run *run, int64_t before_ns, struct err *err)
{
	struct retention *retention = run->retention;
	int removed = remove_block(run, before_ns, err);
	if (removed <= 0 || retention->raw_ns < retention->audited_raw_ns + HOUR_NS)
		return removed;
	int64_t from_ns = retention->audited_raw_ns;
	retention->audited_raw_ns = retention->raw_ns;
	return audit(run, "retention.raw", from_ns, retention->raw_ns, err) < 0 ||
			       write_mark(run->connection, audited_mark, retention->raw_ns, err) < 0
		       ? -1
		       : 1;
}

/* The time of the oldest thing that the horizon holds; INT64_MAX: there is none. */
static int oldest_time(struct connection *connection, int64_t *time_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT min(t) FROM (SELECT * FROM (SELECT last_slot * 300000000000 AS t FROM piece"
		" WHERE frozen = 0 ORDER BY last_slot LIMIT 1)"
		" UNION ALL SELECT * FROM (SELECT received_ns FROM alert ORDER BY leaf LIMIT 1)"
		" UNION ALL SELECT * FROM (SELECT received_ns FROM shed ORDER BY leaf LIMIT 1)"
		" UNION ALL SELECT * FROM (SELECT received_ns FROM quarantine"
		" ORDER BY leaf LIMIT 1))",
		err);
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	*time_ns = found > 0 && !sql_is_null(statement, 0) ? sql_i64(statement, 0) : INT64_MAX;
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

/* 1: the horizon has moved, and a pass has begun; 0: it may not. */
static int shorten_horizon(struct run *run, struct err *err)
{
	struct retention *retention = run->retention;
	int64_t oldest_ns, from_ns = slot_border(retention_horizon_ns(retention));
	int64_t most_ns = slot_border(run->now_ns - horizon_least_ns);
	if (oldest_time(run->connection, &oldest_ns, err) < 0)
		return -1;
	if (oldest_ns == INT64_MAX)
		return 0;
	int64_t to_ns =
		(oldest_ns > from_ns ? slot_border(oldest_ns) : from_ns) + STEP_SLOTS * SLOT_NS;
	if (to_ns > most_ns)
		to_ns = most_ns;
	if (to_ns <= from_ns)
		return 0;
	retention->floor_ns = to_ns;
	return audit(run, "retention.horizon", from_ns, to_ns, err) < 0 ||
			       write_mark(run->connection, horizon_mark, to_ns, err) < 0 ||
			       start_pass(run, err) < 0
		       ? -1
		       : 1;
}

/* At the size limit. 1: something was done for it; 0: nothing is needed, or can be done. */
static int make_room(struct run *run, struct err *err)
{
	struct retention *retention = run->retention;
	int over = is_over(retention, run->connection, err);
	retention->full &= over > 0;
	if (over <= 0)
		return over;
	int done = shorten_raw(run, run->now_ns - raw_spared_ns, err);
	if (done || retention->phase < N_PHASES)
		return done;
	done = shorten_horizon(run, err);
	if (done == 0)
		done = shorten_raw(run, run->now_ns - raw_least_ns, err);
	if (done == 0) {
		retention->full = true;
		retention->blocked_until_ns = run->now_ns + pause_ns;
	}
	return done;
}

static int do_phase(struct run *run, struct err *err)
{
	struct retention *retention = run->retention;
	int more = 0;
	if (retention->sweeps || !phases[retention->phase].sweep)
		more = phases[retention->phase].work(run, err);
	if (more == 0)
		retention->phase++;
	return more < 0 ? -1 : 0;
}

int retention_slice(struct retention *retention, struct connection *connection, struct err *err)
{
	struct run run = {
		.retention = retention,
		.connection = connection,
		.slice = slice_start(retention->options.clock, SLICE_MS, SLICE_ROWS),
		.now_ns = clock_wall_ns(retention->options.clock),
	};
	if (retention->phase == N_PHASES &&
		slot_of(retention_horizon_ns(retention)) > retention->before_slot &&
		start_pass(&run, err) < 0)
		return -1;
	while (!slice_is_over(&run.slice)) {
		int room = make_room(&run, err);
		if (room == 0 && retention->phase == N_PHASES)
			return 0;
		if (room < 0 || (room == 0 && do_phase(&run, err) < 0))
			return -1;
	}
	return 1;
}
