/* SPDX-License-Identifier: Apache-2.0 */
/* bench-decode SOURCE FILE ROUNDS: decodes a file as one body, again and again; one JSON line. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "decode/body.h"

#define RECEIVED_NS INT64_C(1795478400000000000)

/* Of this thread: others may share the machine. */
static int64_t cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static size_t decode(enum source source, struct text body)
{
	struct err err;
	struct batch *batch = batch_new();
	size_t n = 0;
	if (batch) {
		batch->source = source;
		batch->cluster = TEXT("bench");
		if (body_decode(body, RECEIVED_NS, batch, &err) == 0)
			n = batch->n_alerts;
		batch_free(batch);
	}
	return n;
}

int main(int argc, char **argv)
{
	static char bytes[16 * 1024 * 1024];
	FILE *file = argc == 4 ? fopen(argv[2], "rb") : NULL;
	if (!file) {
		fprintf(stderr, "bench-decode SOURCE FILE ROUNDS\n");
		return 64;
	}
	struct text body = {bytes, fread(bytes, 1, sizeof bytes, file)};
	int64_t best_ns = INT64_MAX;
	size_t n_alerts = 0;
	fclose(file);
	for (long rounds = strtol(argv[3], NULL, 10); rounds > 0; rounds--) {
		int64_t began_ns = cpu_ns();
		n_alerts = decode(source_parse(text_of(argv[1])), body);
		int64_t took_ns = cpu_ns() - began_ns;
		best_ns = took_ns < best_ns ? took_ns : best_ns;
	}
	printf("{\"bench\":\"decode\",\"source\":\"%s\",\"alerts\":%zu,\"ns_per_alert\":%.0f}\n",
		argv[1], n_alerts, n_alerts ? (double)best_ns / (double)n_alerts : 0);
	return 0;
}
