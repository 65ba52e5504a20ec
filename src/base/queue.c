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
	struct turns turns;
	struct queue_lane own; /* of those who push to none */
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

bool queue_push_lane(struct queue *queue, struct queue_lane *lane, struct queue_item *item)
{
	pthread_mutex_lock(&queue->mutex);
	size_t waiting = atomic_load(&queue->weight_bytes);
	size_t total;
	bool was_empty = !queue->turns.next;
	bool fits = was_empty || (size_add(waiting, item->weight_bytes, &total) &&
					 total <= queue->max_weight_bytes);
	if (atomic_load(&queue->closed) || !fits) {
		pthread_mutex_unlock(&queue->mutex);
		return false;
	}
	turns_add(&queue->turns, lane, item);
	atomic_store(&queue->weight_bytes, waiting + item->weight_bytes);
	if (was_empty) {
		signal_fd(queue->fd);
		pthread_cond_signal(&queue->filled);
	}
	pthread_mutex_unlock(&queue->mutex);
	return true;
}

bool queue_push(struct queue *queue, struct queue_item *item)
{
	return queue_push_lane(queue, &queue->own, item);
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
	while (!queue->turns.next && !queue->woken && !atomic_load(&queue->closed)) {
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
	struct turns *turns = &queue->turns;
	struct queue_item *chain = turns_take(turns), *last = chain;
	size_t taken = chain->weight_bytes;
	while (turns->next && taken <= max_weight_bytes &&
		turns->next->first->weight_bytes <= max_weight_bytes - taken) {
		last->next = turns_take(turns);
		last = last->next;
		taken += last->weight_bytes;
	}
	atomic_fetch_sub(&queue->weight_bytes, taken);
	return chain;
}

struct queue_item *queue_take(struct queue *queue, size_t max_weight_bytes, int64_t wait_ms)
{
	struct queue_item *chain = NULL;
	pthread_mutex_lock(&queue->mutex);
	if (!queue->turns.next && wait_ms != 0)
		wait_filled(queue, wait_ms);
	if (queue->turns.next)
		chain = cut_front(queue, max_weight_bytes);
	if (!queue->turns.next)
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
