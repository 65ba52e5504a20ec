/* SPDX-License-Identifier: Apache-2.0 */

/*
 * tocsin-push: sends alerts over gRPC as agents do (Push) or one call a batch (PushBatch), and says
 * how long it took. For benches: the alerts are tocsin-load's, so that figures go together.
 *
 * With --rate each connection sends so many alerts a second, in batches of whatever came, and what
 * is said is how long each waited from when it was due.
 *
 * With --until-cut the collector ends the streams, not we: of each its spool, and the last number
 * that came down.
 */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/wire.h"
#include "net/grpc_client.h"
#include "tests/lib/load_alerts.h"
#include "tests/lib/push_pace.h"

enum {
	FLYING_MAX = 4,        /* batches of one connection that are not acknowledged */
	UNANSWERED_MAX = 2000, /* alerts of one connection at a fixed rate: more wait here */
	BATCH_BYTES_MAX = 4 * 1024 * 1024,
	CONNECTIONS_MAX = 4096,
	GIVE_UP_MS = 120000,
	SPOOL_BYTES = 16,
};

struct options {
	uint64_t port, n_connections, n_alerts, batch, rate, first_ns, step_ns;
	const char *file, *token;
	bool is_unary, until_cut;
};

struct load;

struct connection {
	struct load *load;
	struct grpc_channel *channel;
	struct grpc_exchange *exchange;
	uint64_t sent, acknowledged; /* records */
	bool is_ready;               /* hello is answered */
	struct pace_sender pace;
	struct loop_timer *due; /* NULL: no --rate */
	unsigned char spool[SPOOL_BYTES];
};

struct load {
	struct options options;
	struct loop *loop;
	struct loop_timer *guard;
	struct load_alerts *alerts;
	struct pace pace; /* of --rate */
	struct connection *connections;
	struct buf alert, record, records, message;
	const char *metadata[3];
	char authorization[300];
	uint64_t next, n_done;
	size_t n_cut; /* connections */
};

static void begin(struct connection *connection);

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "tocsin-push: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	exit(EXIT_FAILURE);
}

static void give_up(void *ctx)
{
	(void)ctx;
	die("nothing was acknowledged for two minutes", NULL);
}

static void progress(struct load *load, uint64_t n)
{
	load->n_done += n;
	loop_timer_start(load->guard, GIVE_UP_MS);
	if (load->n_done == load->options.n_alerts)
		loop_stop(load->loop);
}

/* At most @max records from load->next on, into load->records; -> how many. */
static uint64_t add_records(struct load *load, uint64_t max)
{
	uint64_t n = 0;
	buf_clear(&load->records);
	for (; n < max && load->next < load->options.n_alerts; n++) {
		buf_clear(&load->alert);
		load_alert_write(load->alerts, load->next++, &load->alert);
		buf_clear(&load->record);
		wire_add_bytes(&load->record, 1, n ? TEXT_NONE : TEXT("falco"));
		wire_add_bytes(&load->record, 2, buf_text(&load->alert));
		wire_add_fixed64(&load->record, 3, (uint64_t)clock_wall_ns(&clock_system));
		wire_add_member(&load->records, 2, buf_text(&load->record));
	}
	return n;
}

static void send(struct connection *connection)
{
	struct err err;
	if (grpc_exchange_send(connection->exchange, buf_text(&connection->load->message), &err) <
		0)
		die("sending", err.text);
}

/* ---- a stream ---- */

static void send_hello(struct connection *connection, size_t i)
{
	struct load *load = connection->load;
	char node[32];
	digest_random(connection->spool, sizeof connection->spool);
	size_t size = text_format(node, sizeof node, "node-%zu", i);
	buf_clear(&load->record);
	wire_add_bytes(&load->record, 1,
		(struct text){(const char *)connection->spool, sizeof connection->spool});
	wire_add_bytes(&load->record, 2, (struct text){node, size});
	wire_add_bytes(&load->record, 3, TEXT("boot"));
	wire_add_bytes(&load->record, 4, TEXT("load"));
	wire_add_varint(&load->record, 5, 1);
	buf_clear(&load->message);
	wire_add_member(&load->message, 1, buf_text(&load->record));
	send(connection);
}

static bool send_batch(struct connection *connection, uint64_t max)
{
	struct load *load = connection->load;
	uint64_t n = add_records(load, max);
	if (n == 0)
		return false;
	buf_clear(&load->record);
	wire_add_varint(&load->record, 1, connection->sent + 1);
	buf_add(&load->record, buf_text(&load->records));
	buf_clear(&load->message);
	wire_add_member(&load->message, 2, buf_text(&load->record));
	connection->sent += n;
	send(connection);
	return true;
}

static void fill(struct connection *connection)
{
	const struct options *options = &connection->load->options;
	while (connection->sent - connection->acknowledged <= (FLYING_MAX - 1) * options->batch &&
		send_batch(connection, options->batch))
		;
}

/* What is due by now, in one batch, and then what comes next. */
static void send_due(void *ctx)
{
	struct connection *connection = ctx;
	struct load *load = connection->load;
	const struct pace *pace = &load->pace;
	int64_t now_ns = pace_now_ns();
	uint64_t n = pace_due(pace, &connection->pace, now_ns) - connection->sent;
	uint64_t unanswered = connection->sent - connection->acknowledged;
	n = n < load->options.batch ? n : load->options.batch;
	if (n && unanswered < UNANSWERED_MAX)
		send_batch(connection, n);
	if (connection->sent < pace->n_each)
		loop_timer_start(connection->due,
			pace_wait_ms(pace, &connection->pace, connection->sent, now_ns));
}

/* The first answer is that to hello. */
static void keep_pace(struct connection *connection, uint64_t acknowledged)
{
	struct load *load = connection->load;
	int64_t now_ns = pace_now_ns();
	size_t i = (size_t)(connection - load->connections);
	if (!connection->is_ready) {
		pace_begin(&load->pace, &connection->pace, i, load->options.n_connections, now_ns);
		connection->is_ready = true;
		send_due(connection);
		return;
	}
	pace_acknowledged(
		&load->pace, &connection->pace, connection->acknowledged, acknowledged, now_ns);
}

static void on_acknowledged(struct connection *connection, struct text message)
{
	struct wire reader = wire_of(message);
	uint64_t acknowledged = connection->acknowledged;
	while (wire_next(&reader))
		if (reader.field == 1)
			acknowledged = reader.number;
	if (connection->due)
		keep_pace(connection, acknowledged);
	progress(connection->load, acknowledged - connection->acknowledged);
	connection->acknowledged = acknowledged;
	if (!connection->due)
		fill(connection);
}

/* ---- one call a batch ---- */

static void send_once(struct connection *connection)
{
	struct load *load = connection->load;
	uint64_t n = add_records(load, load->options.batch);
	if (n == 0)
		return;
	connection->sent = n;
	begin(connection);
	buf_clear(&load->message);
	buf_add(&load->message, buf_text(&load->records));
	send(connection);
	grpc_exchange_close_send(connection->exchange);
}

/* ---- both ---- */

static void on_message(struct grpc_exchange *exchange, struct text message, void *ctx)
{
	struct connection *connection = ctx;
	(void)exchange;
	if (!connection->load->options.is_unary)
		on_acknowledged(connection, message);
}

/* The collector has ended it: on the wire there was this, and no more. */
static void tell_cut(struct connection *connection, const struct grpc_status *status)
{
	struct load *load = connection->load;
	if (status->code != GRPC_UNAVAILABLE)
		die("a stream ended otherwise", grpc_code_name(status->code));
	for (size_t i = 0; i < sizeof connection->spool; i++)
		printf("%02X", connection->spool[i]);
	printf(" %llu %llu\n", (unsigned long long)connection->acknowledged,
		(unsigned long long)connection->sent);
	if (++load->n_cut == load->options.n_connections)
		loop_stop(load->loop);
}

static void on_finished(struct grpc_exchange *exchange, const struct grpc_status *status, void *ctx)
{
	struct connection *connection = ctx;
	struct load *load = connection->load;
	char text[256];
	(void)exchange;
	if (load->options.until_cut) {
		tell_cut(connection, status);
		return;
	}
	if (load->n_done == load->options.n_alerts)
		return;
	text_format(text, sizeof text, "%s %.*s", grpc_code_name(status->code),
		TEXT_ARG(status->message));
	if (!load->options.is_unary || status->code != GRPC_OK)
		die("a call ended", text);
	progress(load, connection->sent);
	send_once(connection);
}

static void begin(struct connection *connection)
{
	struct err err;
	const struct load *load = connection->load;
	const struct grpc_exchange_options options = {
		.path = load->options.is_unary ? "/tocsin.intake.v1.Intake/PushBatch"
					       : "/tocsin.intake.v1.Intake/Push",
		.metadata = load->metadata,
		.message = on_message,
		.finished = on_finished,
		.ctx = connection,
	};
	if (grpc_exchange_new(&connection->exchange, connection->channel, &options, &err) < 0)
		die("calling", err.text);
}

static void on_up(void *ctx)
{
	struct connection *connection = ctx;
	size_t i = (size_t)(connection - connection->load->connections);
	if (connection->load->options.is_unary) {
		send_once(connection);
		return;
	}
	begin(connection);
	send_hello(connection, i);
}

static void on_lost(const struct err *err, void *ctx)
{
	const struct connection *connection = ctx;
	if (!connection->load->options.until_cut || !connection->sent)
		die("the connection was lost", err->text);
}

static void connect_all(struct load *load)
{
	struct err err;
	load->connections = calloc(load->options.n_connections, sizeof *load->connections);
	if (!load->connections)
		die("out of memory", NULL);
	for (size_t i = 0; i < load->options.n_connections; i++) {
		struct connection *connection = &load->connections[i];
		const struct grpc_channel_options options = {.host = "127.0.0.1",
			.port = (unsigned)load->options.port,
			.is_plain = true,
			.clock = &clock_system,
			.up = on_up,
			.lost = on_lost,
			.ctx = connection};
		connection->load = load;
		if (load->options.rate)
			connection->due = loop_timer_new(load->loop, send_due, connection);
		if (grpc_channel_new(&connection->channel, load->loop, &options, &err) < 0)
			die("a channel", err.text);
		grpc_channel_connect(connection->channel);
	}
}

static uint64_t number(const char *word)
{
	uint64_t value;
	if (!text_to_u64(text_of(word), &value))
		die("not a number", word);
	return value;
}

static void read_options(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {{"port", 1, NULL, 'p'}, {"connections", 1, NULL, 'c'},
		{"alerts", 1, NULL, 'n'}, {"batch", 1, NULL, 'b'}, {"file", 1, NULL, 'f'},
		{"token", 1, NULL, 't'}, {"first", 1, NULL, '1'}, {"unary", 0, NULL, 'u'},
		{"until-cut", 0, NULL, 'x'}, {"rate", 1, NULL, 'r'}, {NULL, 0, NULL, 0}};
	int name;
	*options = (struct options){
		.n_connections = 1, .n_alerts = 1000, .batch = 1, .step_ns = 1000000, .token = ""};
	while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (name) {
		case 'p':
			options->port = number(optarg);
			break;
		case 'c':
			options->n_connections = number(optarg);
			break;
		case 'n':
			options->n_alerts = number(optarg);
			break;
		case 'b':
			options->batch = number(optarg);
			break;
		case 'r':
			options->rate = number(optarg);
			break;
		case 'f':
			options->file = optarg;
			break;
		case 't':
			options->token = optarg;
			break;
		case '1':
			options->first_ns = number(optarg);
			break;
		case 'u':
			options->is_unary = true;
			break;
		case 'x':
			options->until_cut = true;
			break;
		default:
			die("usage: tocsin-push --port N --file LINES --first NS [--token T] "
			    "[--connections N] [--alerts N] [--batch N] [--rate "
			    "N|--unary|--until-cut]",
				NULL);
		}
	}
	if (!options->file || !options->port || options->n_connections > CONNECTIONS_MAX ||
		options->n_connections == 0 || options->batch == 0)
		die("--port and --file are needed, and some connections", NULL);
}

/* All connections send the same number. */
static void begin_pace(struct load *load)
{
	struct options *options = &load->options;
	uint64_t n_each = options->n_alerts / options->n_connections;
	options->n_alerts = n_each * options->n_connections;
	if (n_each == 0 || !pace_init(&load->pace, options->rate, n_each, options->n_connections))
		die("too few alerts, or no memory", NULL);
}

static void tell(struct load *load, const struct timespec *began)
{
	struct timespec ended;
	clock_gettime(CLOCK_MONOTONIC, &ended);
	if (load->options.rate)
		pace_print(&load->pace);
	else if (!load->options.until_cut)
		printf("{\"alerts\":%llu,\"seconds\":%.6f}\n", (unsigned long long)load->n_done,
			(double)(ended.tv_sec - began->tv_sec) +
				(double)(ended.tv_nsec - began->tv_nsec) / 1e9);
	pace_done(&load->pace);
}

int main(int argc, char **argv)
{
	static struct load load;
	struct err err;
	struct timespec began;
	read_options(&load.options, argc, argv);
	if (load_alerts_read(&load.alerts, load.options.file, (int64_t)load.options.first_ns,
		    (int64_t)load.options.step_ns, &err) < 0 ||
		loop_new(&load.loop, &err) < 0)
		die("starting", err.text);
	struct buf *const bufs[] = {&load.alert, &load.record, &load.records, &load.message};
	for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
		buf_init(bufs[i], BATCH_BYTES_MAX);
	text_format(load.authorization, sizeof load.authorization, "Bearer %s", load.options.token);
	if (load.options.token[0]) /* a value must not end in a space */
		load.metadata[0] = "authorization";
	load.metadata[1] = load.authorization;
	if (load.options.rate)
		begin_pace(&load);
	load.guard = loop_timer_new(load.loop, give_up, NULL);
	if (!load.guard)
		die("out of memory", NULL);
	loop_timer_start(load.guard, GIVE_UP_MS);
	clock_gettime(CLOCK_MONOTONIC, &began);
	connect_all(&load);
	if (loop_run(load.loop, &err) < 0)
		die("waiting", err.text);
	tell(&load, &began);
	return 0;
}
