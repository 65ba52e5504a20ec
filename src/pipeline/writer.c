/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "model/batch.h"
#include "pipeline/correlator.h"
#include "pipeline/coverages.h"
#include "pipeline/decisions.h"
#include "pipeline/echoes.h"
#include "pipeline/snoozes.h"
#include "pipeline/suppressor.h"
#include "pipeline/watermark.h"
#include "pipeline/writer_metrics.h"
#include "store/agents.h"
#include "store/changes.h"
#include "store/checkpoint.h"
#include "store/sealing.h"
#include "store/spools.h"
#include "store/tokens.h"

/* About 1 000 alerts a transaction; a second between looks at the clock; five tries a second when
 * broken, few when the process is to end. */
enum { TAKE_BYTES = 3 * 1024 * 1024, IDLE_MS = 1000, RETRY_MS = 200, LAST_TRIES = 3 };
enum { LOG_TRIES = 20 };

enum { SEALING_EVERY_MS = 1000, SEALING_ARENA_BYTES = 16 * 1024 * 1024 };

/* Slices of retention after a transaction at most: while there is more, as much leaves as came. */
enum { RETAIN_SLICES = 4 };

struct writer {
	struct writer_options options;
	struct correlator *correlator;
	struct suppressor *suppressor;
	pthread_t thread;
	struct watermark *watermark;
	uint64_t sealed_after; /* where the next slice of sealing begins */
	int64_t sealing_due_ms;
	uint64_t told_leaves;
	bool credentials_changed; /* by the running transaction */
	unsigned failures_in_row; /* of writes, since the last that succeeded */
	bool failed;
};

static struct batch *batch_of(struct queue_item *item)
{
	return (struct batch *)(void *)item; /* item is the first member */
}

static void set_state(struct writer *writer, enum store_state state)
{
	struct status *status = writer->options.status;
	if (atomic_exchange(&status->store_state, (int)state) == (int)state)
		return;
	atomic_store(&status->store_state_since_ns, clock_wall_ns(writer->options.clock));
	log_info("writer", "store: %s", store_state_name(state));
}

/* After a rollback: what is known is read again. */
static void forget(struct writer *writer)
{
	correlator_forget(writer->correlator);
	suppressor_forget(writer->suppressor);
}

/* Undoes what a failed attempt left in the batch. */
static void reset_batch(struct batch *batch)
{
	batch->n_accepted = batch->n_duplicate = batch->n_quarantined = 0;
	for (struct alert *alert = batch->first; alert; alert = alert->next)
		alert->outcome = OUTCOME_NONE;
}

static int store_alerts(struct writer *writer, struct batch *batch, int64_t now_ns, struct err *err)
{
	struct connection *connection = store_connection(writer->options.store);
	if (echoes_mark(connection, batch, err) < 0 ||
		suppressor_mark(writer->suppressor, connection, batch, now_ns, err) < 0 ||
		store_add_batch(writer->options.store, batch, err) < 0 ||
		suppressor_count(writer->suppressor, connection, batch, now_ns, err) < 0)
		return -1;
	return echoes_note(connection, batch, now_ns, err);
}

/* What the batch means for incidents. */
static int correlate(
	struct writer *writer, const struct batch *batch, int64_t now_ns, struct err *err)
{
	struct connection *connection = store_connection(writer->options.store);
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		if (correlator_add(writer->correlator, connection, alert, err) < 0)
			return -1;
	for (const struct fact *fact = batch->facts; fact; fact = fact->next)
		if (correlator_fact(writer->correlator, fact, now_ns, err) < 0)
			return -1;
	return 0;
}

static int add_batch(struct writer *writer, struct batch *batch, int64_t now_ns, struct err *err)
{
	struct store *store = writer->options.store;
	struct connection *connection = store_connection(store);
	struct decision_run run = {.connection = connection,
		.correlator = writer->correlator,
		.now_ns = now_ns,
		.credentials_changed = writer->credentials_changed};
	reset_batch(batch);
	if (batch->decisions && decisions_carry_out(&run, batch, err) < 0)
		return -1;
	writer->credentials_changed = run.credentials_changed;
	if (run.suppressions_changed)
		suppressor_forget(writer->suppressor);
	if (batch->dictionary && store_add_dictionary(store, batch->dictionary, err) < 0)
		return -1;
	if (batch->first && store_alerts(writer, batch, now_ns, err) < 0)
		return -1;
	if (correlate(writer, batch, now_ns, err) < 0)
		return -1;
	if (batch->spool && spool_note(connection, batch, now_ns, err) < 0)
		return -1;
	return coverages_keep(connection, batch, now_ns, err);
}

static int add_chain(
	struct writer *writer, struct queue_item *chain, int64_t now_ns, struct err *err)
{
	struct store *store = writer->options.store;
	struct connection *connection = store_connection(store);
	correlator_set_horizon(writer->correlator, store_horizon_ns(store));
	if (store_begin(store, err) < 0)
		return -1;
	for (struct queue_item *item = chain; item; item = item->next)
		if (add_batch(writer, batch_of(item), now_ns, err) < 0)
			return -1;
	if (correlator_finish(writer->correlator, connection, now_ns, err) < 0 ||
		snoozes_end(writer->correlator, connection, now_ns, err) < 0 ||
		suppressor_finish(writer->suppressor, connection, now_ns, err) < 0 ||
		store_flush(store, err) < 0)
		return -1;
	return store_commit(store, err);
}

/* After a commit: how far there is something to be seen, and who waits for it. */
static void publish_changes(struct writer *writer)
{
	struct err err;
	struct change_position position;
	struct status *status = writer->options.status;
	/* A store that could not be brought back is closed. */
	if (writer->failed)
		return;
	/* What cannot be read now is told after the next commit. */
	if (change_position_read(store_connection(writer->options.store), &position, &err) < 0)
		return;
	atomic_store(&status->n_leaves, store_leaves(writer->options.store));
	bool same =
		atomic_exchange(&status->change_seq, position.change_seq) == position.change_seq &&
		writer->told_leaves == position.n_leaves;
	writer->told_leaves = position.n_leaves;
	if (!same && writer->options.events && atomic_exchange(&status->events_wanted, false))
		queue_wake(writer->options.events);
}

/* One transaction. On failure nothing of it is left, in the store or in memory. */
static int commit_chain(struct writer *writer, struct queue_item *chain, struct err *err)
{
	const struct clock *clock = writer->options.clock;
	int64_t began_ns = clock_wall_ns(clock);
	writer->credentials_changed = false;
	if (add_chain(writer, chain, began_ns, err) < 0) {
		store_rollback(writer->options.store);
		forget(writer);
		return -1;
	}
	int64_t ended_ns = clock_wall_ns(clock);
	struct status *status = writer->options.status;
	uint64_t n_leaves = store_leaves(writer->options.store);
	publish_changes(writer);
	atomic_store(&status->last_commit_at_ns, ended_ns);
	atomic_store(&status->database_bytes, store_file_bytes(writer->options.store));
	atomic_store(&status->wal_bytes, store_wal_bytes(writer->options.store));
	writer_metrics_commit(
		(double)(ended_ns > began_ns ? ended_ns - began_ns : 0) / 1e9, n_leaves, clock);
	return 0;
}

int writer_publish_credentials(
	struct store *store, struct snapshot_slot *credentials, struct err *err)
{
	struct credential_set *set;
	if (tokens_load(store_connection(store), &set, err) < 0)
		return -1;
	snapshot_publish(credentials, &set->snapshot);
	return 0;
}

/* Everything in the chain is on disk, or given up with its err set: it is its makers' again. */
static void hand_back(struct writer *writer, struct queue_item *chain)
{
	while (chain) {
		struct batch *batch = batch_of(chain);
		chain = chain->next;
		if (batch->err.kind == ERR_NONE)
			writer_metrics_batch(batch, writer->options.clock);
		if (!batch->reply && batch->done)
			batch->done(batch);
		else if (!batch->reply || !queue_push(batch->reply, &batch->item))
			batch_free(batch);
	}
}

static void after_commit(struct writer *writer, struct queue_item *chain)
{
	struct err err;
	int64_t now_ns = clock_wall_ns(writer->options.clock);
	for (struct queue_item *item = chain; item; item = item->next)
		watermark_note(writer->watermark, batch_of(item), now_ns);
	if (writer->credentials_changed && writer_publish_credentials(writer->options.store,
						   writer->options.credentials, &err) < 0)
		log_error("writer", "tokens were changed but not read again: %s", err.text);
	hand_back(writer, chain);
}

static void give_up(struct writer *writer, struct queue_item *chain, const struct err *err)
{
	for (struct queue_item *item = chain; item; item = item->next) {
		reset_batch(batch_of(item));
		batch_of(item)->err = *err;
	}
	hand_back(writer, chain);
}

static void pause_ms(int64_t ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/*
 * After a failed write: nothing was acknowledged, so the chain waits here until the store works
 * again. A full disk is retried for ever, as are writes that fail in a store that opens; anything
 * else that store_recover cannot mend ends the process.
 */
static bool recover(struct writer *writer, const struct err *why)
{
	struct err err = *why;
	if (atomic_load(&writer->options.status->store_state) == STORE_WORKS)
		log_error("writer", "%s; holding all input until the store works", err.text);
	do {
		set_state(writer, err.kind == ERR_FULL ? STORE_DISK_FULL : STORE_RECOVERING);
		if (queue_closed(writer->options.queue) && writer->failures_in_row >= LAST_TRIES)
			break;
		/* The first fsync that failed is not waited for: what the next open says decides.
		 */
		if (err.kind != ERR_IO || writer->failures_in_row > 0)
			pause_ms(RETRY_MS);
		writer->failures_in_row++;
		if (store_recover(writer->options.store, &err) == 0) {
			forget(writer);
			return true;
		}
	} while (err.kind == ERR_FULL || err.kind == ERR_BUSY);
	log_error("writer", "the store cannot be brought back: %s", err.text);
	writer->failed = true;
	return false;
}

static void store_works(struct writer *writer)
{
	writer->failures_in_row = 0;
	set_state(writer, STORE_WORKS);
}

static bool store_is_broken(const struct err *err)
{
	return err->kind == ERR_IO || err->kind == ERR_FULL || err->kind == ERR_BUSY;
}

/* Commits, waiting for the store as long as that may help. -1: the chain cannot be stored for its
 * own sake, or never any more (writer->failed). */
static int commit_patiently(struct writer *writer, struct queue_item *chain, struct err *err)
{
	while (commit_chain(writer, chain, err) < 0)
		if (!store_is_broken(err) || !recover(writer, err))
			return -1;
	return 0;
}

/* Is it the fault of what is in the batch, so that it would fail again? */
static bool is_poisoned(const struct batch *batch, const struct err *err)
{
	return batch->spool && batch->first &&
	       (err->kind == ERR_LIMIT || err->kind == ERR_INPUT || err->kind == ERR_CORRUPT);
}

/* Back to what came in: it may be what was made of it that no store can take. */
static void undecode(struct alert *alert, struct text reason)
{
	*alert = (struct alert){.next = alert->next,
		.kind = LEAF_QUARANTINED,
		.raw = alert->raw,
		.raw_digest = alert->raw_digest,
		.quarantine_reason = reason,
		.source = alert->source,
		.sensor = alert->sensor,
		.time_ns = alert->received_ns,
		.received_ns = alert->received_ns,
		.cluster = alert->cluster,
		.node = alert->node,
		.process = {.pid = -1, .uid = -1},
		.count = 1,
		.redactions = alert->redactions,
		.n_redactions = alert->n_redactions};
}

/* The batch has this one alert. What is decoded and cannot be stored is kept as bytes. */
static int store_alone(struct writer *writer, struct batch *batch, struct err *err)
{
	if (commit_patiently(writer, &batch->item, err) == 0)
		return 0;
	if (writer->failed || !is_poisoned(batch, err))
		return -1;
	log_warning("writer", "record %llu of a spool goes to quarantine: %s",
		(unsigned long long)batch->spool->last, err->text);
	undecode(batch->first, arena_copy(&batch->arena, text_of(err->text)));
	return commit_patiently(writer, &batch->item, err);
}

/*
 * A spool sends again what is not stored, for ever: one record that no store can take must not stop
 * those behind it. So its batch is stored record by record, each in a transaction of its own.
 */
static int store_one_by_one(struct writer *writer, struct batch *batch, struct err *err)
{
	struct batch whole = *batch;
	size_t n_accepted = 0, n_duplicate = 0, n_quarantined = 0;
	int failed = 0;
	uint64_t number = whole.spool->last - whole.n_alerts;
	batch->n_alerts = 1;
	for (struct alert *alert = whole.first, *next; alert && !failed; alert = next) {
		next = alert->next;
		alert->next = NULL;
		batch->first = alert;
		batch->spool->last = ++number;
		failed = store_alone(writer, batch, err);
		n_accepted += batch->n_accepted;
		n_duplicate += batch->n_duplicate;
		n_quarantined += batch->n_quarantined;
		alert->next = next;
		batch->facts = NULL; /* stored with the first, as coverage */
		batch->coverage = NULL;
	}
	batch->first = whole.first;
	batch->n_alerts = whole.n_alerts;
	batch->n_accepted = n_accepted;
	batch->n_duplicate = n_duplicate;
	batch->n_quarantined = n_quarantined;
	batch->spool->last = whole.spool->last;
	return failed;
}

/* Stores the chain. What cannot be stored for its own sake is found by storing batches one by one.
 */
static void write_chain(struct writer *writer, struct queue_item *chain)
{
	struct err err;
	while (commit_patiently(writer, chain, &err) < 0) {
		if (writer->failed) {
			give_up(writer, chain, &err);
			return;
		}
		if (!chain->next && is_poisoned(batch_of(chain), &err) &&
			store_one_by_one(writer, batch_of(chain), &err) == 0)
			break;
		if (!chain->next) {
			log_warning("writer", "a batch could not be stored: %s", err.text);
			give_up(writer, chain, &err);
			return;
		}
		while (chain->next && !writer->failed) {
			struct queue_item *one = chain;
			chain = chain->next;
			one->next = NULL;
			write_chain(writer, one);
		}
		if (writer->failed) {
			err_set(&err, ERR_IO, "the store cannot be brought back");
			give_up(writer, chain, &err);
			return;
		}
	}
	store_works(writer);
	after_commit(writer, chain);
}

/* Work between commits failed. Nobody sends while /readyz says no: this cannot wait for a commit.
 */
static void mend(struct writer *writer, const char *work, const struct err *why)
{
	log_warning("writer", "%s: %s", work, why->text);
	if (store_is_broken(why) && recover(writer, why))
		set_state(writer, STORE_WORKS);
}

static int seal_incidents(struct writer *writer, struct sealing *sealing, struct err *err)
{
	struct store *store = writer->options.store;
	if (store_begin(store, err) < 0)
		return -1;
	if (sealing_slice(store_connection(store), sealing, err) < 0 ||
		store_commit(store, err) < 0) {
		store_rollback(store);
		return -1;
	}
	for (size_t i = 0; i < sealing->n_keys; i++)
		correlator_changed(writer->correlator, sealing->keys[i]);
	writer->sealed_after = sealing->after;
	publish_changes(writer);
	return 0;
}

/* Once a second, and slice by slice while there is more: which incidents are complete by now? */
static void work_sealing(struct writer *writer)
{
	struct err err;
	int64_t now_ms = clock_monotonic_ms(writer->options.clock);
	int64_t now_ns = clock_wall_ns(writer->options.clock);
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, SEALING_ARENA_BYTES);
	if (now_ms < writer->sealing_due_ms || writer->failed)
		return;
	struct sealing sealing = {.watermark_ns = watermark_at(writer->watermark, now_ns),
		.now_ns = now_ns,
		.after = writer->sealed_after,
		.unheard = watermark_unheard(writer->watermark, now_ns, &arena),
		.arena = &arena};
	atomic_store(&writer->options.status->watermark_ns, sealing.watermark_ns);
	if (seal_incidents(writer, &sealing, &err) < 0)
		mend(writer, "sealing incidents", &err);
	writer->sealing_due_ms = sealing.after ? now_ms : now_ms + SEALING_EVERY_MS;
}

/* One slice of retention. 1: more is due. */
static int retain(struct writer *writer)
{
	struct err err;
	bool facts_removed;
	struct status *status = writer->options.status;
	int more = store_retain(writer->options.store, &facts_removed, &err);
	if (more < 0)
		mend(writer, "retention", &err);
	if (more < 0 || facts_removed)
		forget(writer);
	publish_changes(writer);
	struct store_room room = store_room(writer->options.store);
	atomic_store(&status->used_bytes, room.used_bytes);
	atomic_store(&status->size_limit_bytes, room.limit_bytes);
	if (room.full && !atomic_exchange(&status->size_exceeded, room.full))
		log_warning("writer", "retention.size is exceeded and all that may leave has left");
	atomic_store(&status->size_exceeded, room.full);
	return more;
}

/* After a transaction: retention does not wait for idle time. */
static void retain_some(struct writer *writer)
{
	for (int i = 0; i < RETAIN_SLICES && !writer->failed; i++)
		if (retain(writer) <= 0)
			return;
}

/* What waits for idle time may not wait for ever. */
static void catch_up(struct writer *writer)
{
	struct err err;
	if (!writer->failed && store_is_behind(writer->options.store) &&
		store_catch_up(writer->options.store, &err) < 0)
		mend(writer, "maintenance", &err);
}

/* When nothing else is written: an empty transaction ends the snoozes that are over. */
static void end_snoozes(struct writer *writer)
{
	struct err err;
	bool due;
	int64_t now_ns = clock_wall_ns(writer->options.clock);
	int failed = snooze_is_over(store_connection(writer->options.store), now_ns, &due, &err);
	if (!failed && due)
		failed = commit_chain(writer, NULL, &err);
	if (!failed)
		return;
	mend(writer, "ending snoozes", &err);
}

/*
 * Between transactions. The checkpoint thread may not get through while commits follow each other:
 * above log_bytes_max they wait for it here, or the log would fill the disk. A reader in the way is
 * not waited for; the next turn tries again.
 */
static void bound_log(struct writer *writer)
{
	struct err err;
	struct store *store = writer->options.store;
	if (writer->failed || store_wal_bytes(store) <= writer->options.log_bytes_max)
		return;
	atomic_store(&writer->options.status->reads_wait, true);
	int failed = checkpoint_soon(store_connection(store), &err);
	for (int i = 1; failed && err.kind == ERR_BUSY && i < LOG_TRIES; i++) {
		pause_ms(1);
		failed = checkpoint_soon(store_connection(store), &err);
	}
	atomic_store(&writer->options.status->reads_wait, false);
	if (failed && err.kind != ERR_BUSY)
		mend(writer, "emptying the log", &err);
}

/*
 * Work that waits for idle time, slice by slice until something comes in, the end is near or
 * sealing is due. true: there is more.
 */
static bool work_idle(struct writer *writer)
{
	struct err err;
	struct queue *queue = writer->options.queue;
	while (queue_weight(queue) == 0 && !queue_closed(queue) && !writer->failed) {
		if (clock_monotonic_ms(writer->options.clock) >= writer->sealing_due_ms)
			return true;
		bound_log(writer);
		if (writer->failed)
			return false;
		int more = store_idle(writer->options.store, &err);
		if (more < 0)
			mend(writer, "maintenance", &err);
		if (more == 0)
			more = retain(writer);
		if (more <= 0)
			return false;
	}
	return false;
}

static void *run(void *ctx)
{
	struct writer *writer = ctx;
	struct queue *queue = writer->options.queue;
	set_state(writer, STORE_WORKS);
	while (!writer->failed) {
		bound_log(writer);
		if (writer->failed)
			break;
		struct queue_item *chain = queue_take(queue, TAKE_BYTES, 0);
		if (!chain) {
			bool more = work_idle(writer);
			if (writer->failed)
				break;
			chain = queue_take(queue, TAKE_BYTES, more ? 0 : IDLE_MS);
		}
		writer_metrics_queue(queue_weight(queue), writer->options.clock);
		if (chain) {
			write_chain(writer, chain);
			retain_some(writer);
			catch_up(writer);
		}
		work_sealing(writer);
		if (chain || writer->failed)
			continue;
		end_snoozes(writer);
		if (queue_closed(queue))
			break;
	}
	if (writer->failed)
		writer->options.failed(writer->options.ctx);
	return NULL;
}

static void writer_free(struct writer *writer)
{
	correlator_free(writer->correlator);
	suppressor_free(writer->suppressor);
	watermark_free(writer->watermark);
	free(writer);
}

/* They have what came while nobody listened. */
static int expect_agents(struct writer *writer, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct agent_list agents;
	int64_t now_ns = clock_wall_ns(writer->options.clock);
	arena_init(&arena, SEALING_ARENA_BYTES);
	if (agents_list(store_connection(writer->options.store), &arena, &agents, err) < 0)
		return err_prefix(err, "reading the agents that are known");
	for (size_t i = 0; i < agents.n; i++)
		if (now_ns - agents.items[i].heard_ns < AGENT_FORGOTTEN_NS)
			watermark_expect(writer->watermark, &agents.items[i].report);
	return 0;
}

int writer_start(struct writer **out, const struct writer_options *options, struct err *err)
{
	struct writer *writer = calloc(1, sizeof *writer);
	if (!writer)
		return err_set(err, ERR_MEMORY, "out of memory for the writer");
	writer->options = *options;
	if (writer->options.log_bytes_max == 0)
		writer->options.log_bytes_max = WRITER_LOG_BYTES_MAX;
	writer->correlator = correlator_new(&writer->options.criticality);
	writer->suppressor = suppressor_new();
	writer->watermark = watermark_new(clock_wall_ns(options->clock));
	if (!writer->correlator || !writer->suppressor || !writer->watermark) {
		writer_free(writer);
		return err_set(err, ERR_MEMORY, "out of memory for the writer");
	}
	if (expect_agents(writer, err) < 0) {
		writer_free(writer);
		return -1;
	}
	publish_changes(writer);
	int code = pthread_create(&writer->thread, NULL, run, writer);
	if (code) {
		writer_free(writer);
		return err_errno(err, code, "starting the writer thread");
	}
	pthread_setname_np(writer->thread, "writer");
	*out = writer;
	return 0;
}

void writer_stop(struct writer *writer)
{
	if (!writer)
		return;
	pthread_join(writer->thread, NULL);
	writer_free(writer);
}
