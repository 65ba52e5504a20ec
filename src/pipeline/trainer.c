/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/trainer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "model/batch.h"
#include "store/dictionaries.h"
#include "store/dictionary_train.h"

enum { NICE = 10 };

/* When a source was last trained, and up to which leaf; zeros: never. */
struct look {
	int64_t at_ns;
	uint64_t leaf;
};

struct trainer {
	struct trainer_options options;
	char *database;
	struct queue *stop; /* nothing is ever queued: its close ends the waiting */
	pthread_t thread;
	struct connection connection; /* the thread's, as all below */
	uint64_t seen_leaves;
	struct look looks[N_SOURCES];
};

static bool hand_over(struct trainer *trainer, enum source source, struct text bytes)
{
	struct batch *batch = batch_new();
	struct dictionary_made *made = batch ? arena_array(&batch->arena, 1, sizeof *made) : NULL;
	if (made) {
		*made = (struct dictionary_made){source, arena_copy(&batch->arena, bytes)};
		batch->dictionary = made;
		batch->item.weight_bytes += bytes.size;
	}
	bool done =
		made && !batch->arena.failed && queue_push(trainer->options.writer, &batch->item);
	if (!done)
		batch_free(batch);
	return done;
}

static bool is_due(const struct trainer *trainer, const struct look *look)
{
	int64_t age_ns = clock_wall_ns(trainer->options.clock) - look->at_ns;
	return age_ns < 0 || age_ns >= TRAINER_AGAIN_S * NS_PER_S;
}

static int train(struct trainer *trainer, enum source source, struct err *err)
{
	struct dictionary_state state;
	struct look *look = &trainer->looks[source];
	AUTO(buf_done) struct buf bytes;
	buf_init(&bytes, DICTIONARY_BYTES + 1);
	if (dictionary_state_read(&trainer->connection, source, &state, err) < 0)
		return -1;
	if (look->at_ns == 0 && state.newest)
		*look = (struct look){state.created_ns, state.leaf};
	if (!is_due(trainer, look) || state.n >= DICTIONARIES_PER_SOURCE)
		return 0;
	bool enough;
	const struct dictionary_wish wish = {source, look->leaf, state.newest};
	int better = dictionary_train(&trainer->connection, &wish, &bytes, &enough, err);
	if (better < 0)
		return -1;
	if (better && !hand_over(trainer, source, buf_text(&bytes)))
		return 0; /* the writer has no room: again next time */
	if (enough)
		*look = (struct look){clock_wall_ns(trainer->options.clock), trainer->seen_leaves};
	if (enough)
		log_info("trainer", "%s: %s", source_info(source)->name,
			better ? "a new dictionary" : "no dictionary would gain a tenth");
	return 0;
}

/* A connection that failed is opened anew next time: the writer may have replaced what it saw. */
static void run_once(struct trainer *trainer)
{
	struct err err;
	const struct status *status = trainer->options.status;
	uint64_t n_leaves = atomic_load(&status->n_leaves);
	if (atomic_load(&status->store_state) != STORE_WORKS || n_leaves == trainer->seen_leaves)
		return;
	if (!trainer->connection.db && connection_open(&trainer->connection, trainer->database,
					       CONNECTION_READ, NULL, &err) < 0) {
		log_warning("trainer", "%s", err.text);
		return;
	}
	trainer->seen_leaves = n_leaves;
	for (unsigned source = 1; source < N_SOURCES && !queue_closed(trainer->stop); source++)
		if (train(trainer, (enum source)source, &err) < 0) {
			log_warning("trainer", "%s", err.text);
			connection_close(&trainer->connection);
			return;
		}
}

static void *run(void *ctx)
{
	struct trainer *trainer = ctx;
	int64_t every_ms = trainer->options.every_ms ? trainer->options.every_ms : TRAINER_MS;
	/* Of this thread only, on Linux. That it cannot be nice is no reason not to work. */
	ignore(setpriority(PRIO_PROCESS, 0, NICE));
	while (!queue_closed(trainer->stop)) {
		struct queue_item *none = queue_take(trainer->stop, 1, every_ms);
		if (!none && !queue_closed(trainer->stop))
			run_once(trainer);
	}
	if (trainer->connection.db)
		connection_close(&trainer->connection);
	return NULL;
}

static void trainer_free(struct trainer *trainer)
{
	queue_free(trainer->stop);
	free(trainer->database);
	free(trainer);
}

int trainer_start(struct trainer **out, const struct trainer_options *options, struct err *err)
{
	struct trainer *trainer = calloc(1, sizeof *trainer);
	if (!trainer)
		return err_set(err, ERR_MEMORY, "out of memory for the trainer");
	trainer->options = *options;
	trainer->database = strdup(options->database);
	trainer->stop = queue_new(1);
	if (!trainer->database || !trainer->stop) {
		trainer_free(trainer);
		return err_set(err, ERR_MEMORY, "out of memory for the trainer");
	}
	int code = pthread_create(&trainer->thread, NULL, run, trainer);
	if (code) {
		trainer_free(trainer);
		return err_errno(err, code, "starting the trainer thread");
	}
	pthread_setname_np(trainer->thread, "trainer");
	*out = trainer;
	return 0;
}

void trainer_stop(struct trainer *trainer)
{
	if (!trainer)
		return;
	queue_close(trainer->stop);
	pthread_join(trainer->thread, NULL);
	trainer_free(trainer);
}
