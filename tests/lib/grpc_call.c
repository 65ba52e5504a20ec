/* SPDX-License-Identifier: Apache-2.0 */

/*
 * grpc-call: our gRPC client against servers of other makes. Makes one or more calls at once and
 * prints how each ended, one line of JSON each; texts are hexadecimal. With --hold each call sends
 * one message, says "begun" when it is answered, and goes on when standard input ends.
 */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/grpc_client.h"

enum {
	MESSAGE_BYTES_MAX = 64 * 1024 * 1024,
	METADATA_MAX = 20,
	CALLS_MAX = 1000,
	SHOWN_BYTES = 256,
	GIVE_UP_MS = 50000,
};

struct options {
	struct grpc_channel_options channel;
	struct grpc_exchange_options exchange;
	const char *metadata[2 * METADATA_MAX + 1];
	uint64_t count, calls, cancel_after;
	struct text message;
	bool is_cancelled, stays_open, holds, until_lost;
};

struct call {
	struct grpc_exchange *exchange;
	uint64_t n_sent, n_received, n_bytes, n_same;
	struct buf last;
};

static struct options options;
static struct loop *loop;
static struct grpc_channel *channel;
static struct call calls[CALLS_MAX];
static uint64_t n_finished;
static struct loop_watch *input; /* of --hold */
static bool is_released;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "grpc-call: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	exit(EXIT_FAILURE);
}

static void give_up(void *ctx)
{
	(void)ctx;
	die("nothing for too long", NULL);
}

/* ---- a call ---- */

static void cancel(struct call *call)
{
	if (options.is_cancelled && call->exchange && call->n_received >= options.cancel_after)
		grpc_exchange_cancel(call->exchange);
}

static void send_more(struct call *call)
{
	struct err err;
	uint64_t until = options.holds && !is_released ? 1 : options.count;
	while (call->exchange && call->n_sent < until) {
		if (grpc_exchange_send(call->exchange, options.message, &err) < 0)
			return; /* goes on when there is room; the end is told else */
		call->n_sent++;
	}
	if (call->exchange && call->n_sent == options.count && !options.stays_open &&
		(!options.holds || is_released))
		grpc_exchange_close_send(call->exchange);
}

static void on_message(struct grpc_exchange *exchange, struct text message, void *ctx)
{
	struct call *call = ctx;
	(void)exchange;
	call->n_received++;
	call->n_bytes += message.size;
	call->n_same += text_equal(message, options.message);
	buf_clear(&call->last);
	buf_add(&call->last, text_part(message, 0, SHOWN_BYTES));
	if (options.holds && call->n_received == 1) {
		printf("begun\n");
		fflush(stdout);
	}
	cancel(call);
}

static void on_writable(struct grpc_exchange *exchange, void *ctx)
{
	(void)exchange;
	send_more(ctx);
}

static void print_text(const char *name, struct text text)
{
	struct buf hex;
	buf_init(&hex, MESSAGE_BYTES_MAX);
	buf_add_hex(&hex, text.data, text.size);
	printf(", \"%s\": \"%s\"", name, buf_string(&hex));
	buf_done(&hex);
}

static void on_finished(struct grpc_exchange *exchange, const struct grpc_status *status, void *ctx)
{
	struct call *call = ctx;
	(void)exchange;
	call->exchange = NULL;
	printf("{\"code\": \"%s\", \"n\": %llu, \"bytes\": %llu, \"same\": %llu",
		grpc_code_name(status->code), (unsigned long long)call->n_received,
		(unsigned long long)call->n_bytes, (unsigned long long)call->n_same);
	print_text("message", status->message);
	print_text("details", status->details);
	print_text("last", buf_text(&call->last));
	printf("}\n");
	fflush(stdout);
	if (++n_finished == options.calls && !options.until_lost)
		loop_stop(loop);
}

static void begin(struct call *call)
{
	struct err err;
	struct grpc_exchange_options exchange = options.exchange;
	exchange.metadata = options.metadata;
	exchange.message = on_message;
	exchange.writable = on_writable;
	exchange.finished = on_finished;
	exchange.ctx = call;
	buf_init(&call->last, SHOWN_BYTES);
	if (grpc_exchange_new(&call->exchange, channel, &exchange, &err) < 0)
		die("a call", err.text);
	send_more(call);
	if (options.cancel_after == 0)
		cancel(call);
}

/* ---- the channel ---- */

static void on_input(void *ctx)
{
	(void)ctx;
	if (getchar() != EOF)
		return;
	is_released = true;
	loop_watch_free(input);
	input = NULL;
	for (uint64_t i = 0; i < options.calls; i++)
		send_more(&calls[i]);
}

static void on_up(void *ctx)
{
	(void)ctx;
	for (uint64_t i = 0; i < options.calls; i++)
		begin(&calls[i]);
}

static void on_lost(const struct err *err, void *ctx)
{
	(void)ctx;
	printf("{\"lost\": \"1\"");
	print_text("message", text_of(err->text));
	printf("}\n");
	loop_stop(loop);
}

/* ---- the program ---- */

static uint64_t number(const char *word, uint64_t max)
{
	uint64_t value;
	if (!text_to_u64(text_of(word), &value) || value > max)
		die("not a number, or too large", word);
	return value;
}

/* Does not repeat within a piece of DATA, so that what is lost or doubled shows. */
static void make_message(uint64_t size)
{
	char *bytes = malloc(size + 1);
	if (!bytes)
		die("out of memory", NULL);
	for (uint64_t i = 0; i < size; i++)
		bytes[i] = (char)((i * 2654435761U) >> 13);
	options.message = (struct text){bytes, size};
}

static void add_metadata(char *word)
{
	size_t n = 0;
	char *value = strchr(word, '=');
	while (options.metadata[n])
		n += 2;
	if (!value || n == (size_t)2 * METADATA_MAX)
		die("metadata is NAME=VALUE, at most 20 of them", word);
	*value = '\0';
	options.metadata[n] = word;
	options.metadata[n + 1] = value + 1;
}

static const struct option names[] = {{"host", 1, NULL, 'h'}, {"port", 1, NULL, 'p'},
	{"unix", 1, NULL, 'u'}, {"ca", 1, NULL, 'a'}, {"certificate", 1, NULL, 'c'},
	{"key", 1, NULL, 'k'}, {"path", 1, NULL, 'P'}, {"size", 1, NULL, 's'},
	{"text", 1, NULL, 't'}, {"count", 1, NULL, 'n'}, {"calls", 1, NULL, 'C'},
	{"timeout", 1, NULL, 'T'}, {"metadata", 1, NULL, 'm'}, {"cancel-after", 1, NULL, 'x'},
	{"gzip", 0, NULL, 'g'}, {"stay-open", 0, NULL, 'o'}, {"hold", 0, NULL, 'H'},
	{"until-lost", 0, NULL, 'l'}, {NULL, 0, NULL, 0}};

static bool take_flag(int name)
{
	if (name == 'g')
		options.exchange.is_compressed = true;
	else if (name == 'o')
		options.stays_open = true;
	else if (name == 'H')
		options.holds = true;
	else if (name == 'l')
		options.until_lost = true;
	else
		return false;
	return true;
}

static bool take_place(int name, char *word)
{
	struct grpc_channel_options *to = &options.channel;
	if (name == 'h')
		to->host = word;
	else if (name == 'p')
		to->port = (unsigned)number(word, 65535);
	else if (name == 'u')
		to->unix_path = word;
	else if (name == 'a')
		to->ca_file = word;
	else if (name == 'c')
		to->certificate = word;
	else if (name == 'k')
		to->key = word;
	else
		return false;
	return true;
}

static bool take_call(int name, char *word)
{
	if (name == 'P')
		options.exchange.path = word;
	else if (name == 's')
		make_message(number(word, MESSAGE_BYTES_MAX));
	else if (name == 't')
		options.message = text_of(word);
	else if (name == 'n')
		options.count = number(word, UINT64_MAX);
	else if (name == 'C')
		options.calls = number(word, CALLS_MAX);
	else if (name == 'T')
		options.exchange.timeout_ms = (int64_t)number(word, GIVE_UP_MS);
	else if (name == 'm')
		add_metadata(word);
	else
		return false;
	return true;
}

static void read_options(int argc, char **argv)
{
	int name;
	options.count = options.calls = 1;
	options.channel.host = "127.0.0.1";
	while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (name == 'x') {
			options.is_cancelled = true;
			options.cancel_after = number(optarg, UINT64_MAX);
		} else if (name == '?' || !(take_flag(name) || take_place(name, optarg) ||
						  take_call(name, optarg)))
			die("see its source for the options", NULL);
	}
	if (!options.exchange.path)
		die("--path is needed", NULL);
	options.channel.is_plain = !options.channel.ca_file;
	options.channel.message_bytes_max = MESSAGE_BYTES_MAX;
	options.channel.clock = &clock_system;
	options.channel.up = on_up;
	options.channel.lost = on_lost;
}

int main(int argc, char **argv)
{
	struct err err;
	read_options(argc, argv);
	if (loop_new(&loop, &err) < 0 ||
		grpc_channel_new(&channel, loop, &options.channel, &err) < 0)
		die("starting", err.text);
	struct loop_timer *guard = loop_timer_new(loop, give_up, NULL);
	if (options.holds)
		input = loop_watch_new(loop, 0, on_input, NULL);
	if (!guard || (options.holds && !input))
		die("out of memory", NULL);
	loop_timer_start(guard, GIVE_UP_MS);
	grpc_channel_connect(channel);
	if (loop_run(loop, &err) < 0)
		die("running", err.text);
	grpc_channel_free(channel);
	loop_watch_free(input);
	loop_timer_free(guard);
	loop_free(loop);
	for (uint64_t i = 0; i < options.calls; i++)
		buf_done(&calls[i].last);
	return 0;
}
