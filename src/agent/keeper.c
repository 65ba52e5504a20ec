/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "agent/push_wire.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "evidence/leaf.h"

enum {
	TURN_BYTES = 4 * 1024 * 1024, /* that are taken from the queue at once */
	IDLE_MS = 1000,
	STUCK_MS = 100,
	SAVE_MS = 1000,
	LOOK_MS = 500, /* at what waits */
	BATCH_MESSAGE_BYTES_MAX = 16 * 1024 * 1024,
};

struct keeper {
	struct spool *spool;
	struct keeper_status *status;
	const struct clock *clock;
	struct queue *queue;
	pthread_t thread;
	bool is_running;
	_Atomic bool is_ending;

	/* the thread's own */
	struct queue_item *first, **last;      /* added to the spool, not committed */
	struct queue_item *later, **later_end; /* not added: nothing can be written */
	bool is_stuck, is_bound_stuck, is_unread;
	int64_t saved_after_ms, looked_after_ms;
	uint64_t acknowledged_saved;
};

struct work *work_new(enum work_kind kind)
{
	struct work *work = calloc(1, sizeof *work);
	if (!work)
		return NULL;
	work->kind = kind;
	work->item.weight_bytes = sizeof *work;
	buf_init(&work->records, BATCH_MESSAGE_BYTES_MAX);
	return work;
}

void work_free(struct work *work)
{
	if (!work)
		return;
	if (work->batch && work->batch->n_redactions && work->body)
		explicit_bzero(work->body, work->body_size);
	batch_free(work->batch);
	free(work->body);
	buf_done(&work->records);
	free(work);
}

static void give_back(struct work *work)
{
	if (!work->reply || !queue_push(work->reply, &work->item))
		work_free(work);
}

/* ---- storing ---- */

/* salt ‖ hash of each cut: what the commitment's leaf is made of, and no more. */
static bool write_cuts(const struct alert *alert, struct buf *out)
{
	for (size_t i = 0; i < alert->n_redactions && i < RECORD_CUTS_MAX; i++) {
		struct digest hash;
		if (!leaf_commitment(&alert->redactions[i], 1, &hash))
			return false;
		buf_add_bytes(out, alert->redactions[i].salt, sizeof alert->redactions[i].salt);
		buf_add_bytes(out, hash.bytes, sizeof hash.bytes);
	}
	return buf_ok(out);
}

static int add_alert(struct keeper *keeper, const struct alert *alert, struct err *err)
{
	AUTO(buf_done) struct buf cuts = {0};
	buf_init(&cuts, RECORD_CUTS_MAX * RECORD_CUT_BYTES);
	if (!write_cuts(alert, &cuts))
		return err_set(err, ERR_MEMORY, "no memory for a record");
	struct record record = {
		.kind = RECORD_ALERT,
		.severity = alert->severity,
		.source = alert->source,
		.received_ns = alert->received_ns,
		.rule = text_part(alert->rule, 0, RECORD_RULE_BYTES_MAX),
		.cuts = buf_text(&cuts),
		.raw = alert->raw,
	};
	return spool_add(keeper->spool, &record, err);
}

/* -1: it cannot be added now, with the work's error. Some of its alerts may be: it goes on behind
 * them, or they are stored, and sent again. */
static int add_work(struct keeper *keeper, struct work *work)
{
	size_t i = 0;
	struct err *err = &work->batch->err;
	for (const struct alert *alert = work->batch->first; alert; alert = alert->next) {
		if (i++ < work->n_added)
			continue;
		if (add_alert(keeper, alert, err) < 0)
			return -1;
		work->n_added++;
	}
	*err = (struct err){0};
	return 0;
}

static void say_state(struct keeper *keeper, bool is_stuck, const struct err *err)
{
	if (is_stuck && !keeper->is_stuck)
		log_error("spool", "nothing can be stored: %s; senders wait", err->text);
	if (!is_stuck && keeper->is_stuck)
		log_info("spool", "works again");
	keeper->is_stuck = is_stuck;
	atomic_store(&keeper->status->is_stuck, is_stuck);
}

static void commit(struct keeper *keeper)
{
	struct err err = {0};
	uint64_t failures = spool_sync_failures(keeper->spool);
	uint64_t unsynced = spool_unsynced(keeper->spool);
	bool failed = spool_commit(keeper->spool, &err) < 0;
	say_state(keeper, failed, &err);
	if (spool_sync_failures(keeper->spool) != failures)
		log_error("spool",
			"a sync failed: its file is closed, another one begun; of what was in it "
			"before, %llu records are gone",
			(unsigned long long)(spool_unsynced(keeper->spool) - unsynced));
	if (failed)
		return;
	while (keeper->first) {
		struct queue_item *item = keeper->first;
		keeper->first = item->next;
		give_back((struct work *)(void *)item);
	}
	keeper->last = &keeper->first;
}

static void append(struct queue_item ***end, struct work *work)
{
	work->item.next = NULL;
	**end = &work->item;
	*end = &work->item.next;
}

static void store(struct keeper *keeper, struct work *work)
{
	bool added = false;
	if (!keeper->is_stuck && !keeper->later) {
		added = add_work(keeper, work) == 0;
		if (!added && work->batch->err.kind == ERR_LIMIT) { /* the disk makes room */
			commit(keeper);
			added = !keeper->is_stuck && add_work(keeper, work) == 0;
		}
	}
	if (added)
		append(&keeper->last, work);
	else if (keeper->is_stuck || keeper->later)
		append(&keeper->later_end, work);
	else
		give_back(work); /* with its error */
}

/* Memory is for those who do not come again. */
static void drop_unwanted(struct keeper *keeper)
{
	struct queue_item *item = keeper->later;
	keeper->later = NULL;
	keeper->later_end = &keeper->later;
	while (item) {
		struct work *work = (struct work *)(void *)item;
		item = item->next;
		if (atomic_load(&work->is_unwanted)) {
			ignore(err_set(&work->batch->err, ERR_FULL, "its sender comes again"));
			give_back(work);
		} else {
			append(&keeper->later_end, work);
		}
	}
}

/* What waited for the disk, once it works. */
static void store_later(struct keeper *keeper)
{
	struct queue_item *item = keeper->later;
	keeper->later = NULL;
	keeper->later_end = &keeper->later;
	while (item) {
		struct queue_item *next = item->next;
		store(keeper, (struct work *)(void *)item);
		item = next;
	}
}

/* ---- reading ---- */

static void find_next(struct keeper *keeper, struct work *work)
{
	struct record record;
	work->has_more = spool_next(keeper->spool, &record);
	work->next = work->has_more ? record.number : spool_next_number(keeper->spool);
	if (work->has_more)
		spool_back(keeper->spool);
	bool failed = !work->has_more && spool_failed(keeper->spool, &work->err);
	if (failed && !keeper->is_unread)
		log_error("spool", "cannot be read: %s; it is tried again", work->err.text);
	keeper->is_unread = failed;
}

static void read_records(struct keeper *keeper, struct work *work)
{
	struct record record;
	enum source source = SOURCE_NONE;
	while (work->n_records < PUSH_BATCH_RECORDS && spool_next(keeper->spool, &record)) {
		bool is_next = record.number == work->number + work->n_records;
		bool fits = !work->n_records ||
			    work->records.size + record_size(&record) <= PUSH_BATCH_BYTES;
		if (!is_next || !fits) {
			spool_back(keeper->spool);
			break;
		}
		push_wire_record(&record, &source, &work->records);
		if (!buf_ok(&work->records)) { /* without memory: tried again */
			spool_rewind(keeper->spool, work->number - 1);
			buf_done(&work->records);
			work->n_records = 0;
			break;
		}
		work->n_records++;
	}
	find_next(keeper, work);
}

/* What is to be stored waits as well. */
static void add_waiting(const struct queue_item *item, struct spool_waiting *waiting)
{
	for (; item; item = item->next) {
		const struct batch *batch = ((const struct work *)(const void *)item)->batch;
		for (const struct alert *alert = batch->first; alert; alert = alert->next) {
			waiting->n++;
			waiting->n_bytes += alert->raw.size;
			if (alert->received_ns < waiting->oldest_ns)
				waiting->oldest_ns = alert->received_ns;
		}
	}
}

static void report(struct keeper *keeper, struct work *work)
{
	int64_t asked_ns = work->waiting.oldest_ns;
	work->waiting = spool_waiting(keeper->spool);
	if (!work->waiting.n || work->waiting.oldest_ns > asked_ns)
		work->waiting.oldest_ns = asked_ns;
	add_waiting(keeper->first, &work->waiting);
	add_waiting(keeper->later, &work->waiting);
	if (spool_take_loss(keeper->spool, &work->loss)) {
		atomic_fetch_add(&keeper->status->n_lost, work->loss.n);
		log_error("spool", "damaged: %llu records are lost",
			(unsigned long long)work->loss.n);
	}
}

static void handle(struct keeper *keeper, struct work *work)
{
	switch (work->kind) {
	case WORK_STORE:
		store(keeper, work);
		return;
	case WORK_READ:
		read_records(keeper, work);
		break;
	case WORK_REWIND:
		spool_acknowledge(keeper->spool, work->number);
		spool_rewind(keeper->spool, spool_acknowledged(keeper->spool));
		work->released = spool_released(keeper->spool);
		find_next(keeper, work);
		break;
	case WORK_ACKNOWLEDGE:
		spool_acknowledge(keeper->spool, work->number);
		break;
	case WORK_REPORT:
		report(keeper, work);
		break;
	}
	give_back(work);
}

/* ---- the thread ---- */

static void keep_bounds(struct keeper *keeper)
{
	struct spool_shed_counts counts = {0};
	struct err err;
	uint64_t n = 0;
	bool failed = spool_keep_bounds(keeper->spool, &err) < 0;
	if (failed && !keeper->is_bound_stuck)
		log_error("spool", "cannot make room: %s", err.text);
	keeper->is_bound_stuck = failed;
	spool_take_shed(keeper->spool, &counts);
	for (unsigned i = 0; i < N_SOURCES; i++)
		for (unsigned j = 0; j < N_SEVERITIES; j++)
			n += counts.n[i][j];
	if (n && !atomic_fetch_add(&keeper->status->n_shed, n))
		log_warning("spool", "full: the oldest of the lowest severity are shed");
}

static void housekeep(struct keeper *keeper)
{
	int64_t now_ms = clock_monotonic_ms(keeper->clock);
	keep_bounds(keeper);
	if (now_ms - keeper->looked_after_ms >= LOOK_MS) {
		struct spool_waiting waiting = spool_waiting(keeper->spool);
		atomic_store(&keeper->status->n_waiting, waiting.n);
		keeper->looked_after_ms = now_ms;
	}
	atomic_store(&keeper->status->size_bytes, spool_size_bytes(keeper->spool));
	atomic_store(&keeper->status->n_sync_failures, spool_sync_failures(keeper->spool));
	uint64_t acknowledged = spool_acknowledged(keeper->spool);
	bool due = acknowledged != keeper->acknowledged_saved
			   ? now_ms - keeper->saved_after_ms >= SAVE_MS
			   : now_ms - keeper->saved_after_ms >= 60 * SAVE_MS;
	if (!due)
		return;
	spool_save(keeper->spool);
	keeper->saved_after_ms = now_ms;
	keeper->acknowledged_saved = acknowledged;
}

static void turn(struct keeper *keeper, struct queue_item *item)
{
	struct queue_item *others = NULL, **end = &others;
	drop_unwanted(keeper);
	if (keeper->is_stuck)
		commit(keeper);
	if (!keeper->is_stuck)
		store_later(keeper);
	while (item) {
		struct work *work = (struct work *)(void *)item;
		item = item->next;
		if (work->kind == WORK_STORE) {
			store(keeper, work);
			continue;
		}
		*end = &work->item;
		end = &work->item.next;
	}
	*end = NULL;
	if (!keeper->is_stuck)
		commit(keeper);
	while (others) {
		struct work *work = (struct work *)(void *)others;
		others = others->next;
		handle(keeper, work);
	}
	housekeep(keeper);
}

static void *run(void *ctx)
{
	struct keeper *keeper = ctx;
	pthread_setname_np(pthread_self(), "spool");
	for (;;) {
		bool ending = atomic_load(&keeper->is_ending);
		struct queue_item *item = queue_take(keeper->queue, TURN_BYTES,
			ending             ? 0
			: keeper->is_stuck ? STUCK_MS
					   : IDLE_MS);
		if (!item && ending)
			break;
		turn(keeper, item);
	}
	if (keeper->is_stuck)
		commit(keeper);
	return NULL;
}

int keeper_start(struct keeper **out, const struct keeper_options *options, struct err *err)
{
	struct keeper *keeper = calloc(1, sizeof *keeper);
	if (!keeper)
		return err_set(err, ERR_MEMORY, "no memory for the spool's thread");
	keeper->spool = options->spool;
	keeper->status = options->status;
	keeper->clock = options->clock;
	keeper->last = &keeper->first;
	keeper->later_end = &keeper->later;
	keeper->queue = queue_new(SIZE_MAX);
	if (!keeper->queue || pthread_create(&keeper->thread, NULL, run, keeper) != 0) {
		queue_free(keeper->queue);
		free(keeper);
		return err_set(err, ERR_MEMORY, "cannot start the spool's thread");
	}
	keeper->is_running = true;
	*out = keeper;
	return 0;
}

void keeper_do(struct keeper *keeper, struct work *work)
{
	/* What comes behind it arrived later than now. */
	if (work->kind == WORK_REPORT)
		work->waiting.oldest_ns = clock_wall_ns(keeper->clock);
	if (!queue_push(keeper->queue, &work->item))
		work_free(work);
}

static void give_back_all(struct queue_item *item)
{
	while (item) {
		struct work *work = (struct work *)(void *)item;
		item = item->next;
		work->batch->err.kind = ERR_FULL;
		give_back(work);
	}
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper)
		return;
	atomic_store(&keeper->is_ending, true);
	queue_wake(keeper->queue);
	pthread_join(keeper->thread, NULL);
	give_back_all(keeper->first);
	give_back_all(keeper->later);
	queue_free(keeper->queue);
	free(keeper);
}
