/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/push_pace.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

enum { NS_PER_US = 1000 };

bool pace_init(struct pace *pace, uint64_t rate, uint64_t n_each, uint64_t n_senders)
{
	*pace = (struct pace){.rate = rate, .n_each = n_each, .n_max = n_each * n_senders};
	pace->waited_us = calloc(pace->n_max ? pace->n_max : 1, sizeof *pace->waited_us);
	return pace->waited_us != NULL;
}

void pace_done(struct pace *pace)
{
	free(pace->waited_us);
}

int64_t pace_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

void pace_begin(
	const struct pace *pace, struct pace_sender *sender, uint64_t i, uint64_t n, int64_t now_ns)
{
	uint64_t step_ns = (uint64_t)NS_PER_S / pace->rate;
	sender->began_ns = now_ns + (int64_t)(step_ns * i / n);
}

static int64_t due_ns(const struct pace *pace, const struct pace_sender *sender, uint64_t number)
{
	return sender->began_ns + (int64_t)(number * (uint64_t)NS_PER_S / pace->rate);
}

uint64_t pace_due(const struct pace *pace, const struct pace_sender *sender, int64_t now_ns)
{
	if (now_ns < sender->began_ns)
		return 0;
	uint64_t passed_ns = (uint64_t)(now_ns - sender->began_ns);
	uint64_t n = passed_ns * pace->rate / (uint64_t)NS_PER_S + 1;
	return n < pace->n_each ? n : pace->n_each;
}

int64_t pace_wait_ms(
	const struct pace *pace, const struct pace_sender *sender, uint64_t number, int64_t now_ns)
{
	int64_t wait_ms = (due_ns(pace, sender, number) - now_ns) / NS_PER_MS + 1;
	return wait_ms > 1 ? wait_ms : 1;
}

void pace_acknowledged(struct pace *pace, const struct pace_sender *sender, uint64_t from,
	uint64_t to, int64_t now_ns)
{
	int64_t end_ns = due_ns(pace, sender, pace->n_each);
	for (uint64_t i = from; i < to && pace->n_waited < pace->n_max; i++) {
		int64_t waited_us = (now_ns - due_ns(pace, sender, i)) / NS_PER_US;
		pace->waited_us[pace->n_waited++] = waited_us > 0 ? (uint32_t)waited_us : 0;
		pace->n_in_time += now_ns <= end_ns;
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

static double at(const struct pace *pace, size_t of_thousand)
{
	size_t i = pace->n_waited * of_thousand / 1000;
	if (pace->n_waited == 0)
		return 0;
	return pace->waited_us[i < pace->n_waited ? i : pace->n_waited - 1] / 1000.0;
}

void pace_print(struct pace *pace)
{
	qsort(pace->waited_us, pace->n_waited, sizeof *pace->waited_us, compare);
	printf("{\"alerts\":%zu,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f,\"in_time\":%.3f}"
	       "\n",
		pace->n_waited, at(pace, 500), at(pace, 990), at(pace, 1000),
		pace->n_max ? (double)pace->n_in_time / (double)pace->n_max : 0.0);
}
