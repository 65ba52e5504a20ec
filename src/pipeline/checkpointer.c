/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/checkpointer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/queue.h"
#include "store/checkpoint.h"

struct checkpointer {
	char *database;
	struct status *status;
	struct queue *stop; /* nothing is ever queued: its close ends the waiting */
	pthread_t thread;
};

/* A connection that failed is opened anew next time: the writer may have replaced what it saw. */
static void run_once(struct checkpointer *checkpointer, struct connection *connection)
{
	struct err err;
	struct status *status = checkpointer->status;
	if (atomic_load(&status->store_state) != STORE_WORKS)
		return;
	if (!connection->db && connection_open(connection, checkpointer->database,
				       CONNECTION_CHECKPOINT, NULL, &err) < 0) {
		log_warning("checkpoint", "%s", err.text);
		return;
	}
	bool press = atomic_load(&status->wal_bytes) > CHECKPOINT_PRESS_BYTES;
	atomic_store(&status->reads_wait, press);
	int failed = checkpoint_run(connection, press, &err);
	atomic_store(&status->reads_wait, false);
	if (failed && err.kind != ERR_BUSY) {
		log_warning("checkpoint", "%s", err.text);
		connection_close(connection);
	}
}

static void *run(void *ctx)
{
	struct checkpointer *checkpointer = ctx;
	struct connection connection = {0};
	while (!queue_closed(checkpointer->stop)) {
		struct queue_item *none = queue_take(checkpointer->stop, 1, CHECKPOINT_MS);
		if (!none && !queue_closed(checkpointer->stop))
			run_once(checkpointer, &connection);
	}
	if (connection.db)
		connection_close(&connection);
	return NULL;
}

static void checkpointer_free(struct checkpointer *checkpointer)
{
	queue_free(checkpointer->stop);
	free(checkpointer->database);
	free(checkpointer);
}

int checkpointer_start(
	struct checkpointer **out, const char *database, struct status *status, struct err *err)
{
	struct checkpointer *checkpointer = calloc(1, sizeof *checkpointer);
	if (!checkpointer)
		return err_set(err, ERR_MEMORY, "out of memory for the checkpoint thread");
	checkpointer->database = strdup(database);
	checkpointer->status = status;
	checkpointer->stop = queue_new(1);
	if (!checkpointer->database || !checkpointer->stop) {
		checkpointer_free(checkpointer);
		return err_set(err, ERR_MEMORY, "out of memory for the checkpoint thread");
	}
	int code = pthread_create(&checkpointer->thread, NULL, run, checkpointer);
	if (code) {
		checkpointer_free(checkpointer);
		return err_errno(err, code, "starting the checkpoint thread");
	}
	pthread_setname_np(checkpointer->thread, "checkpoint");
	*out = checkpointer;
	return 0;
}

void checkpointer_stop(struct checkpointer *checkpointer)
{
	if (!checkpointer)
		return;
	queue_close(checkpointer->stop);
	pthread_join(checkpointer->thread, NULL);
	checkpointer_free(checkpointer);
}
