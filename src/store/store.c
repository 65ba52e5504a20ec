/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/compress.h"
#include "evidence/leaf.h"
#include "model/alert_record.h"
#include "model/slot.h"
#include "store/alert_ends.h"
#include "store/alert_rows.h"
#include "store/block.h"
#include "store/checkpoint.h"
#include "store/dictionaries.h"
#include "store/frames.h"
#include "store/heard.h"
#include "store/intern.h"
#include "store/ledger.h"
#include "store/occurrences.h"
#include "store/print_days.h"
#include "store/reframe.h"
#include "store/retention.h"
#include "store/sheds.h"
#include "store/slot_cache.h"
#include "store/wal.h"

/* Runs of occurrence ids that may be missing before they are made without idle time. */
enum { RUNS_BEHIND = 8 };

enum { STREAMS_MAX = 64, SCRATCH_BYTES = 16 * 1024 * 1024 };

/* What the running transaction adds to one stream: becomes one block. */
struct pending {
	int64_t stream;
	enum source source;
	uint64_t first_leaf, last_leaf;
	size_t n;
	int64_t received_ns;
	struct buf content;
};

struct store {
	struct store_options options;
	char *path;
	struct connection connection;
	struct interns *interns;
	struct heard *heard;
	struct print_days *print_days;
	struct ledger ledger;
	struct retention retention;
	uint64_t used_bytes;
	struct pending pending[STREAMS_MAX];
	size_t n_pending;
	struct buf scratch, record, frame;
	struct dictionaries dictionaries;
	struct dictionaries added; /* by the running transaction */
	struct reframer *reframer;
	uint64_t committed_leaves;
	uint64_t runs_checked_leaves; /* the ledger's size when all runs had been made */
	bool in_transaction;
	bool rows_were_last; /* what idle time was given to */
	bool is_stale; /* a rollback failed: what is kept in memory may not be what is committed */
};

static void drop_pending(struct store *store)
{
	for (size_t i = 0; i < store->n_pending; i++)
		buf_done(&store->pending[i].content);
	store->n_pending = 0;
}

/* Everything kept in memory, as the committed database has it. */
static int load_state(struct store *store, struct err *err)
{
	drop_pending(store);
	interns_forget(store->interns);
	heard_rolled_back(store->heard);
	print_days_forget(store->print_days);
	slot_cache_forget(&store->connection);
	if (ledger_load(&store->ledger, &store->connection, err) < 0)
		return -1;
	store->committed_leaves = store->ledger.n_leaves;
	if (retention_load(&store->retention, &store->connection, err) < 0)
		return -1;
	store->added = (struct dictionaries){0};
	if (dictionaries_load(&store->dictionaries, &store->connection, err) < 0)
		return -1;
	return reframer_load(store->reframer, &store->connection, err);
}

int store_open(struct store **out, const struct store_options *options, struct err *err)
{
	struct store *store = calloc(1, sizeof *store);
	if (!store)
		return err_set(err, ERR_MEMORY, "out of memory for the store");
	struct retention_options retention = {
		options->clock, options->horizon_s, options->raw_s, options->size_bytes, 0};
	store->options = *options;
	store->path = strdup(options->path);
	store->interns = interns_new(options->epoch_bits);
	if (store->interns)
		retention.epoch_bits = interns_epoch_bits(store->interns);
	retention_init(&store->retention, &retention);
	store->heard = heard_new();
	store->print_days = print_days_new();
	store->reframer = reframer_new();
	buf_init(&store->scratch, SCRATCH_BYTES);
	buf_init(&store->record, SCRATCH_BYTES);
	buf_init(&store->frame, BLOCK_BYTES_MAX);
	bool failed = !store->path || !store->interns || !store->heard || !store->print_days ||
		      !store->reframer;
	if (failed)
		err_set(err, ERR_MEMORY, "out of memory for the store");
	else
		failed = wal_settle(store->path, options->vfs, err) < 0 ||
			 connection_open(&store->connection, store->path, CONNECTION_WRITE,
				 options->vfs, err) < 0 ||
			 load_state(store, err) < 0;
	if (failed) {
		store_close(store);
		return -1;
	}
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	drop_pending(store);
	if (store->connection.db)
		connection_close(&store->connection);
	interns_free(store->interns);
	heard_free(store->heard);
	print_days_free(store->print_days);
	reframer_free(store->reframer);
	retention_done(&store->retention);
	buf_done(&store->scratch);
	buf_done(&store->record);
	buf_done(&store->frame);
	free(store->path);
	free(store);
}

struct connection *store_connection(struct store *store)
{
	return &store->connection;
}

/* Back to what is committed, in the database and in memory. */
static int go_back(struct store *store, struct err *err)
{
	/* SQLite may have rolled back by itself; then there is nothing left to do. */
	if (store->in_transaction && !sqlite3_get_autocommit(store->connection.db) &&
		connection_run(&store->connection, "ROLLBACK", err) < 0)
		return -1;
	store->in_transaction = false;
	return load_state(store, err);
}

int store_begin(struct store *store, struct err *err)
{
	if (store->is_stale && go_back(store, err) < 0)
		return -1;
	store->is_stale = false;
	if (connection_run(&store->connection, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	store->in_transaction = true;
	return 0;
}

static struct pending *find_pending(struct store *store, enum source source, struct err *err)
{
	int64_t stream;
	if (interns_stream(store->interns, &store->connection, source, &stream, err) < 0)
		return NULL;
	for (size_t i = 0; i < store->n_pending; i++)
		if (store->pending[i].stream == stream)
			return &store->pending[i];
	if (store->n_pending == STREAMS_MAX) {
		err_set(err, ERR_LIMIT, "more than %d streams in one transaction", STREAMS_MAX);
		return NULL;
	}
	struct pending *pending = &store->pending[store->n_pending++];
	*pending = (struct pending){.stream = stream, .source = source};
	buf_init(&pending->content, BLOCK_BYTES_MAX);
	return pending;
}

/* The leaf goes into the tree, its bytes and record into the block of its stream. */
static int append_leaf(struct store *store, struct pending *pending, const struct batch *batch,
	const struct alert *alert, int64_t origin, struct err *err)
{
	struct leaf leaf = {
		.kind = alert->kind,
		.received_ns = alert->received_ns,
		.size = alert->raw.size,
		.raw = alert->raw_digest,
		.source = text_of(source_info(alert->source)->name),
		.cluster = alert->cluster,
		.credential_id = batch->credential_id,
	};
	struct digest hash;
	buf_clear(&store->record);
	alert_record_write(&store->record, alert);
	if (!leaf_commitment(alert->redactions, alert->n_redactions, &leaf.commitment) ||
		!leaf_hash(&leaf, &store->scratch, &hash))
		return err_set(err, ERR_MEMORY, "out of memory for a leaf");
	if (ledger_append(&store->ledger, &store->connection, &hash, err) < 0)
		return -1;
	if (pending->n == 0) {
		pending->first_leaf = alert->leaf;
		pending->received_ns = alert->received_ns;
	}
	struct block_entry entry = {
		.leaf = alert->leaf,
		.kind = alert->kind,
		.flags = alert->n_redactions ? BLOCK_COMMITMENT : 0,
		.origin = origin,
		.received_ns = alert->received_ns,
		.size = alert->raw.size,
		.commitment = leaf.commitment,
		.raw = alert->raw,
		.record = buf_text(&store->record),
	};
	block_entry_write(&pending->content, pending->first_leaf, &entry);
	pending->last_leaf = alert->leaf;
	pending->n++;
	if (!buf_ok(&store->record))
		return buf_error(&store->record, err, "an alert's record");
	return buf_ok(&pending->content)
		       ? 0
		       : buf_error(&pending->content, err, "what one transaction holds");
}

static int keep_salts(struct store *store, const struct alert *alert, struct err *err)
{
	if (alert->n_redactions == 0)
		return 0;
	buf_clear(&store->scratch);
	for (size_t i = 0; i < alert->n_redactions; i++)
		buf_add_bytes(&store->scratch, alert->redactions[i].salt,
			sizeof alert->redactions[i].salt);
	sqlite3_stmt *statement = connection_statement(
		&store->connection, "INSERT INTO salt (leaf, salts) VALUES (?1, ?2)", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)alert->leaf);
	sql_bind_blob(statement, 2, store->scratch.data, store->scratch.size);
	return sql_run(statement, err);
}

static int add_quarantined(
	struct store *store, const struct batch *batch, struct alert *alert, struct err *err)
{
	bool known;
	struct alert_place place = {0};
	if (interns_origin(store->interns, &store->connection, alert, batch->credential_id,
		    &place.ids.origin, err) < 0 ||
		quarantine_is_known(&store->connection, alert, place.ids.origin, &known, err) < 0)
		return -1;
	alert->slot = -1;
	alert->outcome = known ? OUTCOME_DUPLICATE : OUTCOME_QUARANTINED;
	if (known)
		return heard_count(store->heard, alert, place.ids.origin, err);
	struct pending *pending = find_pending(store, alert->source, err);
	if (!pending)
		return -1;
	alert->leaf = store->ledger.n_leaves;
	place.stream = pending->stream;
	if (append_leaf(store, pending, batch, alert, place.ids.origin, err) < 0 ||
		keep_salts(store, alert, err) < 0 ||
		quarantine_row_insert(&store->connection, alert, &place, err) < 0)
		return -1;
	return heard_count(store->heard, alert, place.ids.origin, err);
}

/* What was shed was never here: its leaf says that it is missing. */
static int add_shed(
	struct store *store, const struct batch *batch, struct alert *alert, struct err *err)
{
	struct alert_place place = {0};
	struct pending *pending = find_pending(store, alert->source, err);
	if (!pending || interns_origin(store->interns, &store->connection, alert,
				batch->credential_id, &place.ids.origin, err) < 0)
		return -1;
	alert->slot = -1;
	alert->outcome = OUTCOME_SHED;
	alert->leaf = store->ledger.n_leaves;
	place.stream = pending->stream;
	if (append_leaf(store, pending, batch, alert, place.ids.origin, err) < 0 ||
		shed_row_insert(&store->connection, alert, &place, err) < 0)
		return -1;
	return heard_count(store->heard, alert, place.ids.origin, err);
}

/* Does the alert take part in correlation, and where? */
static void find_slot(struct store *store, struct alert *alert)
{
	alert->slot = -1;
	if (alert->time_ns < store_horizon_ns(store))
		alert->flags |= ALERT_ORPHAN_LATE;
	else if (!alert_is(alert, ALERT_HEALTH) && !alert_is(alert, ALERT_ECHO))
		alert->slot = slot_of(alert->time_ns);
}

static int add_new(struct store *store, const struct batch *batch, struct alert *alert,
	const struct interned *ids, struct err *err)
{
	struct pending *pending = find_pending(store, alert->source, err);
	if (!pending)
		return -1;
	struct alert_place place = {*ids, pending->stream};
	alert->sensor_id = ids->sensor;
	alert->rule_id = ids->rule;
	alert->fingerprint_id = ids->fingerprint;
	alert->entity_id = ids->entity;
	find_slot(store, alert);
	if (append_leaf(store, pending, batch, alert, ids->origin, err) < 0 ||
		keep_salts(store, alert, err) < 0 ||
		alert_row_insert(&store->connection, alert, &place, err) < 0 ||
		print_days_count(store->print_days, &store->connection, alert, ids->attack, err) <
			0)
		return -1;
	return alert->health ? health_row_insert(&store->connection, alert, ids->origin, err) : 0;
}

static int add_alert(
	struct store *store, const struct batch *batch, struct alert *alert, struct err *err)
{
	struct interned ids = {0};
	bool is_new;
	uint64_t first_leaf = 0;
	if (alert->kind == LEAF_SHED)
		return add_shed(store, batch, alert, err);
	if (alert->kind != LEAF_ALERT)
		return add_quarantined(store, batch, alert, err);
	alert->leaf = store->ledger.n_leaves;
	if (occurrence_claim(&store->connection, alert, alert->leaf, &is_new, &first_leaf, err) < 0)
		return -1;
	if (!is_new) {
		alert->outcome = OUTCOME_DUPLICATE;
		alert->leaf = first_leaf;
		return alert_row_place(&store->connection, alert, err) < 0 ||
				       interns_origin(store->interns, &store->connection, alert,
					       batch->credential_id, &ids.origin, err) < 0
			       ? -1
			       : heard_count(store->heard, alert, ids.origin, err);
	}
	alert->outcome = OUTCOME_ACCEPTED;
	if (interns_alert(store->interns, &store->connection, alert, batch->credential_id, &ids,
		    err) < 0 ||
		add_new(store, batch, alert, &ids, err) < 0)
		return -1;
	return heard_count(store->heard, alert, ids.origin, err);
}

int store_add_batch(struct store *store, struct batch *batch, struct err *err)
{
	for (struct alert *alert = batch->first; alert; alert = alert->next) {
		if (add_alert(store, batch, alert, err) < 0 ||
			(alert_is(alert, ALERT_STATEFUL) && alert->kind == LEAF_ALERT &&
				alert_end_join(&store->connection, alert, err) < 0))
			return -1;
		batch->n_accepted += alert->outcome == OUTCOME_ACCEPTED;
		batch->n_duplicate += alert->outcome == OUTCOME_DUPLICATE;
		batch->n_quarantined += alert->outcome == OUTCOME_QUARANTINED;
	}
	return 0;
}

static int write_block(struct store *store, const struct pending *pending, struct err *err)
{
	int64_t dictionary = store->dictionaries.newest[pending->source];
	struct frame_codec *codec = frames_codec(&store->connection, dictionary, err);
	if (!codec)
		return -1;
	buf_clear(&store->frame);
	if (frame_pack(codec, dictionary, buf_text(&pending->content), &store->frame, err) < 0)
		return -1;
	const struct block_row row = {
		.id = block_id(pending->stream, pending->first_leaf),
		.n = pending->n,
		.last_leaf = pending->last_leaf,
		.received_ns = pending->received_ns,
		.size = pending->content.size,
		.dictionary = dictionary,
		.frame = buf_text(&store->frame),
	};
	reframer_added(store->reframer, pending->stream, pending->source, pending->n);
	return block_insert(&store->connection, &row, err);
}

int store_add_dictionary(struct store *store, const struct dictionary_made *made, struct err *err)
{
	size_t source = made->source;
	assert(source > 0 && source < N_SOURCES);
	return dictionary_insert(&store->connection, made, clock_wall_ns(store->options.clock),
		store->ledger.n_leaves, &store->added.newest[source], err);
}

int store_flush(struct store *store, struct err *err)
{
	for (size_t i = 0; i < store->n_pending; i++)
		if (store->pending[i].n && write_block(store, &store->pending[i], err) < 0)
			return -1;
	for (size_t i = 0; i < store->n_pending; i++) {
		store->pending[i].n = 0;
		buf_clear(&store->pending[i].content);
	}
	if (heard_flush(store->heard, &store->connection, clock_wall_ns(store->options.clock),
		    false, err) < 0)
		return -1;
	return print_days_flush(store->print_days, &store->connection, err) < 0
		       ? -1
		       : ledger_flush(&store->ledger, &store->connection, err);
}

int store_commit(struct store *store, struct err *err)
{
	if (connection_run(&store->connection, "COMMIT", err) < 0)
		return -1;
	store->in_transaction = false;
	store->committed_leaves = store->ledger.n_leaves;
	heard_committed(store->heard);
	for (size_t i = 0; i < N_SOURCES; i++)
		if (store->added.newest[i])
			store->dictionaries.newest[i] = store->added.newest[i];
	store->added = (struct dictionaries){0};
	return 0;
}

void store_rollback(struct store *store)
{
	struct err err;
	/* If even this fails, the next store_begin tries again, or store_recover. */
	store->is_stale = go_back(store, &err) < 0;
}

int store_recover(struct store *store, struct err *err)
{
	drop_pending(store);
	if (store->connection.db)
		connection_close(&store->connection);
	store->in_transaction = store->is_stale = false;
	if (wal_settle(store->path, store->options.vfs, err) < 0 ||
		connection_open(&store->connection, store->path, CONNECTION_WRITE,
			store->options.vfs, err) < 0)
		return -1;
	if (checkpoint_all(&store->connection, err) < 0 || load_state(store, err) < 0) {
		connection_close(&store->connection);
		return -1;
	}
	return 0;
}

/* One slice for rows: what was heard, occurrence ids; 1 when a run was made. */
static int idle_rows(struct store *store, struct err *err)
{
	if (heard_flush(store->heard, &store->connection, clock_wall_ns(store->options.clock), true,
		    err) < 0)
		return -1;
	return occurrence_run_make(&store->connection, err);
}

static int idle_slice(struct store *store, bool rows, struct err *err)
{
	if (store_begin(store, err) < 0)
		return -1;
	int more = rows ? idle_rows(store, err)
			: reframer_slice(
				  store->reframer, &store->connection, &store->dictionaries, err);
	if (more < 0 || store_commit(store, err) < 0) {
		store_rollback(store);
		return -1;
	}
	return more;
}

static bool rows_are_due(const struct store *store)
{
	return store->committed_leaves >= store->runs_checked_leaves + OCCURRENCE_RUN ||
	       heard_pending(store->heard);
}

bool store_is_behind(const struct store *store)
{
	return store->committed_leaves >=
	       store->runs_checked_leaves + (uint64_t)RUNS_BEHIND * OCCURRENCE_RUN;
}

int store_catch_up(struct store *store, struct err *err)
{
	int more = idle_slice(store, true, err);
	if (more == 0)
		store->runs_checked_leaves = store->committed_leaves;
	return more < 0 ? -1 : 0;
}

/* Rows and frames take turns, so that neither waits for the other's end. */
int store_idle(struct store *store, struct err *err)
{
	bool rows = rows_are_due(store), frames = reframer_due(store->reframer);
	if (!rows && !frames)
		return 0;
	store->rows_were_last = rows && (!frames || !store->rows_were_last);
	int more = idle_slice(store, store->rows_were_last, err);
	if (more < 0)
		return -1;
	if (store->rows_were_last && !more)
		store->runs_checked_leaves = store->committed_leaves;
	return more || rows_are_due(store) || reframer_due(store->reframer);
}

/* In a transaction of its own, as what is measured after it. */
static int retain(struct store *store, struct err *err)
{
	if (store_begin(store, err) < 0)
		return -1;
	store->retention.n_leaves = store->committed_leaves;
	int more = retention_slice(&store->retention, &store->connection, err);
	if (more < 0 || store_commit(store, err) < 0)
		return -1;
	return more;
}

int store_retain(struct store *store, bool *facts_removed, struct err *err)
{
	*facts_removed = false;
	int due = retention_is_due(&store->retention, &store->connection, err);
	if (due > 0)
		due = retain(store, err);
	if (due >= 0 && retention_used_bytes(&store->connection, &store->used_bytes, err) < 0)
		due = -1;
	if (due < 0) {
		store_rollback(store);
		retention_pause(&store->retention);
		return -1;
	}
	*facts_removed = store->retention.facts_removed;
	store->retention.facts_removed = false;
	return due;
}

struct store_room store_room(const struct store *store)
{
	return (struct store_room){
		store->used_bytes, store->options.size_bytes, store->retention.full};
}

uint64_t store_leaves(const struct store *store)
{
	return store->committed_leaves;
}

static uint64_t file_bytes(const char *path, const char *suffix)
{
	char name[4096];
	struct stat info;
	text_format(name, sizeof name, "%s%s", path, suffix);
	return stat(name, &info) == 0 ? (uint64_t)info.st_size : 0;
}

uint64_t store_file_bytes(const struct store *store)
{
	return file_bytes(store->path, "");
}

uint64_t store_wal_bytes(const struct store *store)
{
	return file_bytes(store->path, "-wal");
}

int64_t store_horizon_ns(const struct store *store)
{
	return retention_horizon_ns(&store->retention);
}
