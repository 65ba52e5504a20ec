/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	struct queue_item *first;
	struct queue_item **last;
	size_t max_weight_bytes;
	_Atomic size_t weight_bytes;
	_Atomic bool closed;
	bool woken;
	int fd;
};

struct queue *queue_new(size_t max_weight_bytes)
{
	struct queue *queue = calloc(1, sizeof *queue);
	if (!queue)
		return NULL;
	queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->fd < 0) {
		free(queue);
		return NULL;
	}
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->filled, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&queue->mutex, NULL);
	queue->last = &queue->first;
	queue->max_weight_bytes = max_weight_bytes;
	return queue;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	pthread_mutex_destroy(&queue->mutex);
	pthread_cond_destroy(&queue->filled);
	close(queue->fd);
	free(queue);
}

/* An eventfd cannot be full here: it counts at most one per push since the last drain. */
static void signal_fd(int fd)
{
	uint64_t one = 1;
	while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void drain_fd(int fd)
{
	uint64_t count;
	while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
		;
}

bool queue_push(struct queue *queue, struct queue_item *item)
{
	pthread_mutex_lock(&queue->mutex);
	size_t waiting = atomic_load(&queue->weight_bytes);
	size_t total;
	bool fits = !queue->first || (size_add(waiting, item->weight_bytes, &total) &&
					     total <= queue->max_weight_bytes);
	if (atomic_load(&queue->closed) || !fits) {
		pthread_mutex_unlock(&queue->mutex);
		return false;
	}
	bool was_empty = !queue->first;
	item->next = NULL;
	*queue->last = item;
	queue->last = &item->next;
	atomic_store(&queue->weight_bytes, waiting + item->weight_bytes);
	if (was_empty) {
		signal_fd(queue->fd);
		pthread_cond_signal(&queue->filled);
	}
	pthread_mutex_unlock(&queue->mutex);
	return true;
}

static void deadline_after(struct timespec *deadline, int64_t wait_ms)
{
	clock_gettime(CLOCK_MONOTONIC, deadline);
	deadline->tv_sec += wait_ms / 1000;
	deadline->tv_nsec += wait_ms % 1000 * 1000000;
	if (deadline->tv_nsec >= 1000000000) {
		deadline->tv_sec++;
		deadline->tv_nsec -= 1000000000;
	}
}

/* Mutex held. Returns when there is an item, a wake, the end, or the time is over. */
static void wait_filled(struct queue *queue, int64_t wait_ms)
{
	struct timespec deadline;
	deadline_after(&deadline, wait_ms > 0 ? wait_ms : 0);
	while (!queue->first && !queue->woken && !atomic_load(&queue->closed)) {
		if (wait_ms < 0)
			pthread_cond_wait(&queue->filled, &queue->mutex);
		else if (pthread_cond_timedwait(&queue->filled, &queue->mutex, &deadline) ==
			 ETIMEDOUT)
			break;
	}
	queue->woken = false;
}

/* Mutex held, queue not empty. */
static struct queue_item *cut_front(struct queue *queue, size_t max_weight_bytes)
{
	struct queue_item *chain = queue->first;
	struct queue_item **end = &queue->first;
	size_t taken = 0;
	do {
		taken += (*end)->weight_bytes;
		end = &(*end)->next;
	} while (*end && (*end)->weight_bytes <= max_weight_bytes &&
		 taken <= max_weight_bytes - (*end)->weight_bytes);
	queue->first = *end;
	*end = NULL;
	if (!queue->first)
		queue->last = &queue->first;
	atomic_fetch_sub(&queue->weight_bytes, taken);
	return chain;
}

struct queue_item *queue_take(struct queue *queue, size_t max_weight_bytes, int64_t wait_ms)
{
	struct queue_item *chain = NULL;
	pthread_mutex_lock(&queue->mutex);
	if (!queue->first && wait_ms != 0)
		wait_filled(queue, wait_ms);
	if (queue->first)
		chain = cut_front(queue, max_weight_bytes);
	if (!queue->first)
		drain_fd(queue->fd);
	pthread_mutex_unlock(&queue->mutex);
	return chain;
}

void queue_wake(struct queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->woken = true;
	signal_fd(queue->fd);
	pthread_cond_signal(&queue->filled);
	pthread_mutex_unlock(&queue->mutex);
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	atomic_store(&queue->closed, true);
	signal_fd(queue->fd);
	pthread_cond_broadcast(&queue->filled);
	pthread_mutex_unlock(&queue->mutex);
}

bool queue_closed(const struct queue *queue)
{
	return atomic_load(&queue->closed);
}

int queue_fd(const struct queue *queue)
{
	return queue->fd;
}

size_t queue_weight(const struct queue *queue)
{
	return atomic_load(&queue->weight_bytes);
}

size_t queue_max(const struct queue *queue)
{
	return queue->max_weight_bytes;
}
