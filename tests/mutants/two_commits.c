/* SPDX-License-Identifier: Apache-2.0 */

/* Alerts are committed before the incidents they make: a crash in between loses those. */

#include "pipeline/correlator.h"
#include "store/store.h"

int __wrap_correlator_finish(struct correlator *correlator, struct connection *connection,
	int64_t now_ns, struct err *err);
int __real_correlator_finish(struct correlator *correlator, struct connection *connection,
	int64_t now_ns, struct err *err);
int __wrap_store_commit(struct store *store, struct err *err);
int __real_store_commit(struct store *store, struct err *err);

static struct correlator *waiting;
static int64_t waiting_ns;

int __wrap_correlator_finish(struct correlator *correlator, struct connection *connection,
	int64_t now_ns, struct err *err)
{
	(void)connection;
	(void)err;
	waiting = correlator;
	waiting_ns = now_ns;
	return 0;
}

int __wrap_store_commit(struct store *store, struct err *err)
{
	struct connection *connection = store_connection(store);
	return __real_store_commit(store, err) < 0 ||
			       connection_run(connection, "BEGIN IMMEDIATE", err) < 0 ||
			       __real_correlator_finish(waiting, connection, waiting_ns, err) < 0 ||
			       connection_run(connection, "COMMIT", err) < 0
		       ? -1
		       : 0;
}
