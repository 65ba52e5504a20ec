/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct loop {
	struct event_base *base;
	struct event *stop;
	struct loop_signal *signals; /* freed with the loop */
	int stop_fd;
};

struct loop_watch {
	struct event *event;
	loop_callback *callback;
	void *ctx;
};

struct loop_socket {
	struct event_base *base;
	struct event *event; /* NULL: nothing is wanted */
	void (*callback)(bool readable, bool writable, void *ctx);
	void *ctx;
	int fd;
	short wanted;
};

struct loop_timer {
	struct event *event;
	loop_callback *callback;
	void *ctx;
};

struct loop_signal {
	struct loop_signal *next;
	struct event *event;
	loop_callback *callback;
	void *ctx;
};

static _Thread_local const struct loop *running_here;

static void on_stop(evutil_socket_t fd, short what, void *ctx)
{
	struct loop *loop = ctx;
	uint64_t count;
	(void)what;
	while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
		;
	event_base_loopbreak(loop->base);
}

int loop_new(struct loop **out, struct err *err)
{
	struct loop *loop = calloc(1, sizeof *loop);
	if (!loop)
		return err_set(err, ERR_MEMORY, "no memory for an event loop");
	loop->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->stop_fd < 0) {
		int saved_errno = errno;
		loop_free(loop);
		return err_errno(err, saved_errno, "making an event loop");
	}
	loop->base = event_base_new();
	if (loop->base)
		loop->stop =
			event_new(loop->base, loop->stop_fd, EV_READ | EV_PERSIST, on_stop, loop);
	if (!loop->stop || event_add(loop->stop, NULL) < 0) {
		loop_free(loop);
		return err_set(err, ERR_MEMORY, "no memory or files for an event loop");
	}
	*out = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->signals) {
		struct loop_signal *signal = loop->signals;
		loop->signals = signal->next;
		event_free(signal->event);
		free(signal);
	}
	if (loop->stop)
		event_free(loop->stop);
	if (loop->base)
		event_base_free(loop->base);
	if (loop->stop_fd >= 0)
		close(loop->stop_fd);
	free(loop);
}

int loop_run(struct loop *loop, struct err *err)
{
	running_here = loop;
	int result = event_base_dispatch(loop->base);
	running_here = NULL;
	return result < 0 ? err_errno(err, errno, "waiting for events") : 0;
}

bool loop_is_here(const struct loop *loop)
{
	return running_here == loop;
}

void loop_stop(struct loop *loop)
{
	uint64_t one = 1;
	while (write(loop->stop_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	const struct loop_watch *watch = ctx;
	(void)fd;
	(void)what;
	watch->callback(watch->ctx);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd, loop_callback *callback, void *ctx)
{
	struct loop_watch *watch = calloc(1, sizeof *watch);
	if (!watch)
		return NULL;
	*watch = (struct loop_watch){.callback = callback, .ctx = ctx};
	watch->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_readable, watch);
	if (!watch->event || event_add(watch->event, NULL) < 0) {
		loop_watch_free(watch);
		return NULL;
	}
	return watch;
}

void loop_watch_free(struct loop_watch *watch)
{
	if (watch && watch->event)
		event_free(watch->event);
	free(watch);
}

static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
	const struct loop_socket *socket = ctx;
	(void)fd;
	socket->callback((what & EV_READ) != 0, (what & EV_WRITE) != 0, socket->ctx);
}

struct loop_socket *loop_socket_new(struct loop *loop, int fd,
	void (*callback)(bool readable, bool writable, void *ctx), void *ctx)
{
	struct loop_socket *socket = calloc(1, sizeof *socket);
	if (!socket)
		return NULL;
	*socket = (struct loop_socket){
		.base = loop->base, .callback = callback, .ctx = ctx, .fd = fd};
	return socket;
}

void loop_socket_free(struct loop_socket *socket)
{
	if (socket && socket->event)
		event_free(socket->event);
	free(socket);
}

bool loop_socket_want(struct loop_socket *socket, bool read, bool write)
{
	short wanted = (short)((read ? EV_READ : 0) | (write ? EV_WRITE : 0));
	if (wanted == socket->wanted)
		return true;
	if (socket->event)
		event_free(socket->event);
	socket->event = NULL;
	socket->wanted = 0;
	if (!wanted)
		return true;
	socket->event =
		event_new(socket->base, socket->fd, (short)(wanted | EV_PERSIST), on_ready, socket);
	if (!socket->event || event_add(socket->event, NULL) < 0)
		return false;
	socket->wanted = wanted;
	return true;
}

static void on_time(evutil_socket_t fd, short what, void *ctx)
{
	const struct loop_timer *timer = ctx;
	(void)fd;
	(void)what;
	timer->callback(timer->ctx);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_callback *callback, void *ctx)
{
	struct loop_timer *timer = calloc(1, sizeof *timer);
	if (!timer)
		return NULL;
	*timer = (struct loop_timer){.callback = callback, .ctx = ctx};
	timer->event = evtimer_new(loop->base, on_time, timer);
	if (!timer->event) {
		free(timer);
		return NULL;
	}
	return timer;
}

void loop_timer_free(struct loop_timer *timer)
{
	if (timer)
		event_free(timer->event);
	free(timer);
}

void loop_timer_start(struct loop_timer *timer, int64_t after_ms)
{
	after_ms = after_ms > 0 ? after_ms : 0;
	struct timeval after = {after_ms / 1000, after_ms % 1000 * 1000};
	/* Fails only without memory for the timer heap; it then keeps the time it had. */
	ignore(event_add(timer->event, &after));
}

void loop_timer_stop(struct loop_timer *timer)
{
	ignore(event_del(timer->event)); /* cannot fail for a timer */
}

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
	const struct loop_signal *signal = ctx;
	(void)number;
	(void)what;
	signal->callback(signal->ctx);
}

int loop_signal(
	struct loop *loop, int signal_number, loop_callback *callback, void *ctx, struct err *err)
{
	struct loop_signal *signal = calloc(1, sizeof *signal);
	if (!signal)
		return err_set(err, ERR_MEMORY, "no memory for a signal");
	*signal = (struct loop_signal){loop->signals, NULL, callback, ctx};
	signal->event = evsignal_new(loop->base, signal_number, on_signal, signal);
	if (!signal->event || event_add(signal->event, NULL) < 0) {
		if (signal->event)
			event_free(signal->event);
		free(signal);
		return err_set(err, ERR_IO, "cannot watch signal %d", signal_number);
	}
	loop->signals = signal;
	return 0;
}
