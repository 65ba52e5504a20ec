/* SPDX-License-Identifier: Apache-2.0 */
#include "console/reading.h"

#include <time.h>

#include "base/clock.h"

enum { READ_MS = 2000, LATE_MS = 1000, STEPS = 10000, GATE_MS = 50 };

/* SQLite asks every STEPS instructions: is the time over? */
static int is_over(void *ctx)
{
	const struct reading *reading = ctx;
	return clock_monotonic_ms(&clock_system) > reading->deadline_ms;
}

static bool is_late(void *ctx)
{
	const struct reading *reading = ctx;
	return clock_monotonic_ms(&clock_system) > reading->late_ms;
}

static int open_connection(struct reading *reading, struct err *err)
{
	if (reading->connection.db)
		return 0;
	reading->deadline_ms = INT64_MAX;
	if (connection_open(&reading->connection, reading->database, CONNECTION_READ, NULL, err) <
		0)
		return -1;
	reading->connection.is_late = is_late;
	reading->connection.late_ctx = reading;
	sqlite3_progress_handler(reading->connection.db, STEPS, is_over, reading);
	return 0;
}

/* While the log has to begin anew, a read waits a moment. */
static void wait_gate(const struct status *status)
{
	struct timespec step = {0, 1000000};
	for (int i = 0; i < GATE_MS && atomic_load(&status->reads_wait); i++)
		nanosleep(&step, NULL);
}

int reading_begin(struct reading *reading, struct err *err)
{
	if (open_connection(reading, err) < 0)
		return -1;
	wait_gate(reading->status);
	int64_t now_ms = clock_monotonic_ms(&clock_system);
	reading->deadline_ms = now_ms + READ_MS;
	reading->late_ms = now_ms + LATE_MS;
	return connection_run(&reading->connection, "BEGIN", err);
}

void reading_end(struct reading *reading)
{
	struct err err;
	reading->deadline_ms = INT64_MAX;
	if (reading->connection.db)
		ignore(connection_run(
			&reading->connection, "ROLLBACK", &err)); /* nothing was written */
}

void reading_close(struct reading *reading)
{
	if (reading->connection.db)
		connection_close(&reading->connection);
}
