/* SPDX-License-Identifier: Apache-2.0 */
#include "net/resolver.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/text.h"

/* The thread's and the loop's: the second to let go frees it. */
struct lookup {
	_Atomic int n_owners;
	int fd; /* eventfd: readable when it is done */
	char *host;
	char port[8];
	struct addrinfo *addresses;
	int code;
};

struct resolver {
	struct lookup *lookup;
	struct loop_watch *watch;
	resolver_done *done;
	void *ctx;
};

static void let_go(struct lookup *lookup)
{
	if (atomic_fetch_sub(&lookup->n_owners, 1) != 1)
		return;
	if (lookup->addresses)
		freeaddrinfo(lookup->addresses);
	if (lookup->fd >= 0)
		close(lookup->fd);
	free(lookup->host);
	free(lookup);
}

static void *look_up(void *ctx)
{
	struct lookup *lookup = ctx;
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	lookup->code = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->addresses);
	eventfd_write(lookup->fd, 1); /* room for one is always there */
	let_go(lookup);
	return NULL;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	loop_watch_free(resolver->watch);
	let_go(resolver->lookup);
	free(resolver);
}

static void on_done(void *ctx)
{
	struct resolver *resolver = ctx;
	struct lookup *lookup = resolver->lookup;
	resolver_done *done = resolver->done;
	struct addrinfo *addresses = lookup->addresses;
	struct err err = {0};
	void *their = resolver->ctx;
	eventfd_t value;
	eventfd_read(lookup->fd, &value); /* also a fence: what the thread wrote is there */
	lookup->addresses = NULL;
	if (lookup->code || !addresses)
		ignore(err_set(&err, ERR_IO, "looking up %s: %s", lookup->host,
			lookup->code ? gai_strerror(lookup->code) : "no address"));
	resolver_free(resolver);
	done(addresses, &err, their);
}

static struct lookup *lookup_new(const char *host, unsigned port)
{
	struct lookup *lookup = calloc(1, sizeof *lookup);
	if (!lookup)
		return NULL;
	lookup->n_owners = 1;
	lookup->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	lookup->host = strdup(host);
	text_format(lookup->port, sizeof lookup->port, "%u", port);
	if (lookup->fd >= 0 && lookup->host)
		return lookup;
	let_go(lookup);
	return NULL;
}

static bool start_thread(struct lookup *lookup)
{
	pthread_attr_t attributes;
	pthread_t thread;
	if (pthread_attr_init(&attributes))
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	atomic_fetch_add(&lookup->n_owners, 1);
	int code = pthread_create(&thread, &attributes, look_up, lookup);
	pthread_attr_destroy(&attributes);
	if (code)
		atomic_fetch_sub(&lookup->n_owners, 1);
	return code == 0;
}

int resolver_start(struct resolver **out, const struct resolver_options *options, struct err *err)
{
	struct resolver *resolver = calloc(1, sizeof *resolver);
	struct lookup *lookup = resolver ? lookup_new(options->host, options->port) : NULL;
	if (!lookup) {
		free(resolver);
		return err_set(err, ERR_MEMORY, "no memory to look up %s", options->host);
	}
	*resolver = (struct resolver){.lookup = lookup, .done = options->done, .ctx = options->ctx};
	resolver->watch = loop_watch_new(options->loop, lookup->fd, on_done, resolver);
	if (!resolver->watch || !start_thread(lookup)) {
		resolver_free(resolver);
		return err_set(err, ERR_MEMORY, "no memory or thread to look up %s", options->host);
	}
	*out = resolver;
	return 0;
}
