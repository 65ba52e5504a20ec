/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An event loop: libevent behind a small door. One thread runs it; everything attached belongs to
 * that thread. loop_wake and loop_stop are for any thread.
 */

#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_watch;
struct loop_timer;

typedef void loop_callback(void *ctx);

CHECKED int loop_new(struct loop **out, struct err *err);
void loop_free(struct loop *loop); /* accepts NULL */

/** Runs until loop_stop. */
CHECKED int loop_run(struct loop *loop, struct err *err);
void loop_stop(struct loop *loop);

/** Calls back whenever @fd is readable. NULL without memory. */
struct loop_watch *loop_watch_new(struct loop *loop, int fd, loop_callback *callback, void *ctx);
void loop_watch_free(struct loop_watch *watch);

/** A timer, not started. NULL without memory. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_callback *callback, void *ctx);
void loop_timer_free(struct loop_timer *timer);
void loop_timer_start(struct loop_timer *timer, int64_t after_ms); /* once; again replaces */
void loop_timer_stop(struct loop_timer *timer);

/** Calls back on SIGINT, SIGTERM, SIGHUP and the like, in the loop. */
CHECKED int loop_signal(
	struct loop *loop, int signal_number, loop_callback *callback, void *ctx, struct err *err);
