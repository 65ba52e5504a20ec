/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An event loop: libevent behind a small door. One thread runs it; everything attached belongs to
 * that thread. loop_stop is for any thread; other threads wake the loop by pushing to a queue whose
 * queue_fd is watched.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_watch;
struct loop_timer;
struct loop_socket;

typedef void loop_callback(void *ctx);

CHECKED int loop_new(struct loop **out, struct err *err);
void loop_free(struct loop *loop); /* accepts NULL */

/** Runs until loop_stop. */
CHECKED int loop_run(struct loop *loop, struct err *err);
void loop_stop(struct loop *loop);
/** Does the calling thread run this loop now? */
bool loop_is_here(const struct loop *loop);

/** Calls back whenever @fd is readable. NULL without memory. */
struct loop_watch *loop_watch_new(struct loop *loop, int fd, loop_callback *callback, void *ctx);
void loop_watch_free(struct loop_watch *watch);

/** Calls back when what is wanted of @fd is possible; at first nothing is. NULL without memory. */
struct loop_socket *loop_socket_new(struct loop *loop, int fd,
	void (*callback)(bool readable, bool writable, void *ctx), void *ctx);
void loop_socket_free(struct loop_socket *socket); /* accepts NULL; does not close @fd */
/** false without memory: nothing is called back any more. */
CHECKED bool loop_socket_want(struct loop_socket *socket, bool read, bool write);

/** A timer, not started. NULL without memory. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_callback *callback, void *ctx);
void loop_timer_free(struct loop_timer *timer);
/** Calls back once; started again it is replaced. 0: in the loop's next turn. */
void loop_timer_start(struct loop_timer *timer, int64_t after_ms);
void loop_timer_stop(struct loop_timer *timer);

/** Calls back on SIGINT, SIGTERM, SIGHUP and the like, in the loop. */
CHECKED int loop_signal(
	struct loop *loop, int signal_number, loop_callback *callback, void *ctx, struct err *err);
