/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/push_wire.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/log.h"

enum {
	WINDOW_BYTES = 4 * 1024 * 1024, /* sent and not acknowledged */
	FLIGHTS_MAX = 1024,             /* batches */
	REPORT_MS = 10000,
	BACK_OFF_MIN_MS = 500,
	BACK_OFF_MAX_MS = 30000,
	TOKEN_BYTES_MAX = 512,
	MESSAGE_BYTES_MAX = 16 * 1024 * 1024,
	PODS_BYTES_MAX = 64 * 1024,
	BOOT_BYTES = 64,
	WHY_BYTES = 400,
};

static const char push_path[] = "/tocsin.intake.v1.Intake/Push";

enum state {
	AWAY,      /* no connection, or it waits for its turn */
	ASKING,    /* the keeper is asked where to begin */
	GREETING,  /* hello was sent */
	REWINDING, /* the collector said where to begin */
	OPEN,
	CLOSING, /* the stream ends as soon as all is acknowledged: numbers are missing */
};

/* One batch that is not acknowledged. */
struct flight {
	uint64_t last;
	size_t n_bytes;
};

struct forward {
	struct forward_options options;
	struct grpc_channel *channel;
	struct grpc_exchange *exchange;
	struct queue *reply;
	struct loop_watch *watch;
	struct loop_timer *retry_timer, *report_timer;
	enum state state;
	int64_t back_off_ms;
	bool is_connecting;
	bool is_stranger;     /* to the collector: a new connection shows a renewed certificate */
	char told[WHY_BYTES]; /* why there is no stream, as it was logged last; "": it works */
	char boot[BOOT_BYTES];

	uint64_t expected; /* number of the next record to be sent */
	uint64_t acknowledged;
	struct flight flights[FLIGHTS_MAX]; /* a ring */
	size_t first_flight, n_flights, flying_bytes;
	bool is_reading, is_reporting, is_acknowledging;
	bool is_woken;              /* since the last read was asked for */
	bool is_dry;                /* that read found nothing, and nothing came since */
	uint64_t sent_after_report; /* the first number that is sent behind the last report */
	bool is_report_out;         /* it is not known to be stored */
	uint64_t turn;              /* of the stream: what belongs to an older one is dropped */
	struct forward_status status;
};

struct forward_status forward_status(const struct forward *forward)
{
	return forward->status;
}

/* ---- work for the keeper ---- */

static bool ask(struct forward *forward, enum work_kind kind, uint64_t number)
{
	struct work *work = work_new(kind);
	if (!work)
		return false;
	work->reply = forward->reply;
	work->owner = (void *)(uintptr_t)forward->turn;
	work->number = number;
	keeper_do(forward->options.keeper, work);
	return true;
}

int64_t forward_wait_ms(int64_t *back_off_ms, uint32_t chance)
{
	int64_t half_ms = *back_off_ms / 2;
	*back_off_ms = *back_off_ms * 2 < BACK_OFF_MAX_MS ? *back_off_ms * 2 : BACK_OFF_MAX_MS;
	return half_ms + chance % (half_ms + 1);
}

static void back_off(struct forward *forward)
{
	uint32_t chance;
	digest_random(&chance, sizeof chance);
	loop_timer_start(forward->retry_timer, forward_wait_ms(&forward->back_off_ms, chance));
}

static void go_away(struct forward *forward, const char *why)
{
	if (strcmp(forward->told, why) != 0)
		log_warning("forward", "%s; alerts wait in the spool", why);
	text_format(forward->told, sizeof forward->told, "%s", why);
	forward->status.is_connected = false;
	forward->state = AWAY;
	forward->turn++;
	back_off(forward);
}

/* ---- the stream ---- */

static bool send(struct forward *forward, struct buf *message)
{
	struct err err = {0};
	bool sent = buf_ok(message) && forward->exchange &&
		    grpc_exchange_send(forward->exchange, buf_text(message), &err) == 0;
	buf_done(message);
	if (!sent && forward->exchange)
		grpc_exchange_cancel(forward->exchange);
	return sent;
}

static void settle_flights(struct forward *forward)
{
	while (forward->n_flights &&
		forward->flights[forward->first_flight].last <= forward->acknowledged) {
		forward->flying_bytes -= forward->flights[forward->first_flight].n_bytes;
		forward->first_flight = (forward->first_flight + 1) % FLIGHTS_MAX;
		forward->n_flights--;
	}
}

static void pump(struct forward *forward)
{
	if (forward->state == CLOSING && forward->n_flights == 0 && forward->exchange)
		grpc_exchange_close_send(forward->exchange);
	if (forward->state != OPEN || forward->is_reading || forward->is_dry ||
		forward->flying_bytes >= WINDOW_BYTES || forward->n_flights == FLIGHTS_MAX)
		return;
	forward->is_woken = false;
	forward->is_reading = ask(forward, WORK_READ, forward->expected);
}

void forward_wake(struct forward *forward)
{
	forward->is_woken = true;
	forward->is_dry = false;
	pump(forward);
}

static void report(void *ctx)
{
	struct forward *forward = ctx;
	if (!forward->is_reporting)
		forward->is_reporting = ask(forward, WORK_REPORT, 0);
	loop_timer_start(forward->report_timer, REPORT_MS);
	if (forward->state == OPEN)
		pump(forward); /* without memory it could not ask, and nobody else wakes it */
}

static void on_message(struct grpc_exchange *exchange, struct text message, void *ctx)
{
	struct forward *forward = ctx;
	uint64_t number;
	(void)exchange;
	if (!push_wire_read_acknowledged(message, &number))
		return;
	if (forward->state == GREETING) {
		forward->state = REWINDING;
		forward->acknowledged = number;
		if (!ask(forward, WORK_REWIND, number))
			grpc_exchange_cancel(forward->exchange);
		return;
	}
	if (number <= forward->acknowledged)
		return;
	/* What came behind the report on this stream is stored: so is the report. Until then all
	 * of it is said again each time, which changes nothing. */
	if (forward->is_report_out && number >= forward->sent_after_report) {
		agent_coverage_reported(forward->options.coverage);
		forward->is_report_out = false;
	}
	forward->status.n_acknowledged += number - forward->acknowledged;
	forward->acknowledged = number;
	forward->back_off_ms = BACK_OFF_MIN_MS;
	settle_flights(forward);
	if (!forward->is_acknowledging)
		forward->is_acknowledging = ask(forward, WORK_ACKNOWLEDGE, number);
	pump(forward);
}

static void begin(struct forward *forward)
{
	forward->turn++;
	forward->n_flights = forward->flying_bytes = 0;
	forward->is_reading = forward->is_dry = forward->is_report_out = false;
	forward->state = ASKING;
	if (!ask(forward, WORK_REWIND, forward->acknowledged))
		go_away(forward, "no memory for a stream");
}

static const char *advice(enum grpc_code code)
{
	if (code == GRPC_UNAUTHENTICATED)
		return "; give this agent a token (token_file) or a certificate (tls.certificate) "
		       "that is in force";
	if (code == GRPC_PERMISSION_DENIED)
		return "; give this agent a token or a certificate of the role source, for its "
		       "own node";
	return "";
}

static void on_finished(struct grpc_exchange *exchange, const struct grpc_status *status, void *ctx)
{
	struct forward *forward = ctx;
	char why[WHY_BYTES];
	bool is_planned = forward->state == CLOSING && status->code == GRPC_OK;
	(void)exchange;
	forward->exchange = NULL;
	forward->is_stranger |=
		status->code == GRPC_UNAUTHENTICATED || status->code == GRPC_PERMISSION_DENIED;
	if (forward->state == AWAY)
		return;
	if (is_planned && grpc_channel_is_up(forward->channel)) {
		begin(forward);
		return;
	}
	text_format(why, sizeof why, "the collector ended the stream: %s%s%.*s%s",
		grpc_code_name(status->code), status->message.size ? ": " : "",
		TEXT_ARG(text_part(status->message, 0, 240)), advice(status->code));
	go_away(forward, why);
}

/* "Bearer …" */
static int read_token(const char *path, char *out, size_t size, struct err *err)
{
	char room[TOKEN_BYTES_MAX];
	AUTO(file_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, room, sizeof room);
	if (n < 0)
		return err_errno(err, errno, "reading %s", path);
	if ((size_t)n == sizeof room)
		return err_set(err, ERR_INPUT, "%s has more than %d bytes: it is no token", path,
			TOKEN_BYTES_MAX - 1);
	struct text token = text_trim((struct text){room, (size_t)n});
	text_format(out, size, "Bearer %.*s", TEXT_ARG(token));
	bool is_empty = token.size == 0;
	explicit_bzero(room, sizeof room);
	return is_empty ? err_set(err, ERR_INPUT, "%s has no token", path) : 0;
}

static int open_stream(struct forward *forward, struct err *err)
{
	char token[TOKEN_BYTES_MAX + 16] = "";
	const char *path = forward->options.token_file;
	if (path[0] && read_token(path, token, sizeof token, err) < 0)
		return -1;
	const char *const metadata[] = {token[0] ? "authorization" : NULL, token, NULL};
	const struct grpc_exchange_options options = {
		.path = push_path,
		.metadata = metadata,
		.is_compressed = forward->options.is_compressed,
		.message = on_message,
		.finished = on_finished,
		.ctx = forward,
	};
	int result = grpc_exchange_new(&forward->exchange, forward->channel, &options, err);
	explicit_bzero(token, sizeof token);
	return result;
}

/* The keeper said what is next. Only of what is known to be gone the collector may be told that it
 * does not come: what it has heard so is let go of. */
static void greet(struct forward *forward, const struct work *work)
{
	struct err err;
	struct buf message;
	if (work->err.kind != ERR_NONE) {
		go_away(forward, work->err.text);
		return;
	}
	if (!grpc_channel_is_up(forward->channel)) {
		go_away(forward, "the collector is going away");
		return;
	}
	forward->state = GREETING;
	if (open_stream(forward, &err) < 0) {
		go_away(forward, err.text);
		return;
	}
	const struct push_wire_hello hello = {
		.spool = forward->options.spool,
		.node = text_of(forward->options.node),
		.boot = text_of(forward->boot),
		.version = text_of(forward->options.version),
		.next = work->next,
		.released = work->released,
	};
	buf_init(&message, MESSAGE_BYTES_MAX);
	push_wire_hello(&hello, &message);
	send(forward, &message);
}

/* The keeper has gone to where the collector wants to go on. */
static void open_up(struct forward *forward, const struct work *work)
{
	if (work->err.kind != ERR_NONE) {
		if (forward->exchange)
			grpc_exchange_cancel(forward->exchange);
		return;
	}
	forward->expected = forward->acknowledged + 1;
	forward->state = OPEN;
	forward->status.n_streams++;
	if (!forward->status.is_connected)
		log_info("forward", "connected, from record %llu on",
			(unsigned long long)work->next);
	forward->status.is_connected = true;
	forward->told[0] = '\0';
	if (forward->options.pods)
		pods_tell_again(forward->options.pods);
	report(forward);
}

/* ---- what the keeper gives back ---- */

static void send_batch(struct forward *forward, struct work *work)
{
	struct buf message, pods;
	buf_init(&message, MESSAGE_BYTES_MAX);
	buf_init(&pods, PODS_BYTES_MAX);
	if (forward->options.pods)
		pods_take_news(forward->options.pods, &pods);
	push_wire_batch(work->number, buf_text(&work->records), buf_text(&pods), &message);
	size_t n_bytes = message.size;
	buf_done(&pods);
	if (!send(forward, &message) || !work->n_records)
		return;
	forward->expected = work->number + work->n_records;
	size_t place = (forward->first_flight + forward->n_flights++) % FLIGHTS_MAX;
	forward->flights[place] = (struct flight){forward->expected - 1, n_bytes};
	forward->flying_bytes += n_bytes;
}

static void take_read(struct forward *forward, struct work *work)
{
	forward->is_reading = false;
	if (forward->state != OPEN)
		return;
	if (work->n_records)
		send_batch(forward, work);
	else if (work->err.kind != ERR_NONE)
		forward->state = CLOSING; /* the next stream begins, or waits, with its greeting */
	else if (!work->has_more)
		forward->is_dry = !forward->is_woken;
	if (forward->state == OPEN && work->has_more && work->next != forward->expected)
		forward->state = CLOSING;
	pump(forward);
}

static void send_report(struct forward *forward, const struct work *work)
{
	struct buf message;
	if (forward->state != OPEN && forward->state != CLOSING)
		return;
	buf_init(&message, MESSAGE_BYTES_MAX);
	push_wire_report(
		&work->waiting, agent_coverage_report(forward->options.coverage), &message);
	forward->is_report_out = send(forward, &message);
	forward->sent_after_report = forward->expected;
	struct work pods_only = {.number = forward->expected};
	if (forward->state == OPEN && forward->options.pods &&
		pods_have_news(forward->options.pods))
		send_batch(forward, &pods_only);
}

static void take_report(struct forward *forward, const struct work *work)
{
	forward->is_reporting = false;
	if (work->loss.n)
		agent_coverage_lost(forward->options.coverage, work->loss.source,
			work->loss.from_ns, work->loss.until_ns, work->loss.n);
	send_report(forward, work);
}

static void take_work(struct forward *forward, struct work *work)
{
	bool is_current = (uintptr_t)work->owner == forward->turn;
	switch (work->kind) {
	case WORK_READ:
		if (is_current)
			take_read(forward, work);
		break;
	case WORK_REWIND:
		if (is_current && forward->state == ASKING)
			greet(forward, work);
		else if (is_current && forward->state == REWINDING)
			open_up(forward, work);
		break;
	case WORK_ACKNOWLEDGE:
		forward->is_acknowledging = false;
		if (work->number < forward->acknowledged)
			forward->is_acknowledging =
				ask(forward, WORK_ACKNOWLEDGE, forward->acknowledged);
		break;
	case WORK_REPORT:
		take_report(forward, work);
		break;
	case WORK_STORE:
		break;
	}
	work_free(work);
}

static void on_reply(void *ctx)
{
	struct forward *forward = ctx;
	struct queue_item *item = queue_take(forward->reply, SIZE_MAX, 0);
	while (item) {
		struct work *work = (struct work *)(void *)item;
		item = item->next;
		take_work(forward, work);
	}
}

/* ---- the connection ---- */

static void on_up(void *ctx)
{
	struct forward *forward = ctx;
	forward->is_connecting = false;
	begin(forward);
}

static void on_lost(const struct err *err, void *ctx)
{
	struct forward *forward = ctx;
	/* Its stream ended before, and that began to wait already. */
	bool is_news = forward->is_connecting || forward->state != AWAY;
	bool is_hint_due = forward->is_connecting && forward->options.channel.is_plain;
	char why[WHY_BYTES];
	forward->is_connecting = false;
	text_format(why, sizeof why, "%s%s", err->text,
		is_hint_due ? " (in the clear: tls.mode is off)" : "");
	if (is_news)
		go_away(forward, why);
}

static int make_channel(struct forward *forward, struct err *err)
{
	forward->options.channel.up = on_up;
	forward->options.channel.lost = on_lost;
	forward->options.channel.ctx = forward;
	return grpc_channel_new(
		&forward->channel, forward->options.loop, &forward->options.channel, err);
}

static void retry(void *ctx)
{
	struct forward *forward = ctx;
	struct err err;
	if (forward->exchange || forward->is_connecting)
		return;
	if (forward->is_stranger) {
		grpc_channel_free(forward->channel);
		forward->channel = NULL;
		forward->is_stranger = false;
	}
	if (!forward->channel && make_channel(forward, &err) < 0) {
		go_away(forward, err.text);
		return;
	}
	if (grpc_channel_is_up(forward->channel)) {
		begin(forward);
		return;
	}
	forward->is_connecting = true;
	grpc_channel_connect(forward->channel);
}

static void read_boot(struct forward *forward)
{
	AUTO(file_close) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, forward->boot, sizeof forward->boot - 1);
	while (n > 0 && forward->boot[n - 1] == '\n')
		n--;
	forward->boot[n > 0 ? n : 0] = '\0';
}

static int make_parts(struct forward *forward, struct err *err)
{
	struct loop *loop = forward->options.loop;
	forward->reply = queue_new(SIZE_MAX);
	if (forward->reply)
		forward->watch = loop_watch_new(loop, queue_fd(forward->reply), on_reply, forward);
	forward->retry_timer = loop_timer_new(loop, retry, forward);
	forward->report_timer = loop_timer_new(loop, report, forward);
	if (!forward->watch || !forward->retry_timer || !forward->report_timer)
		return err_set(err, ERR_MEMORY, "no memory for forwarding");
	return make_channel(forward, err);
}

int forward_new(struct forward **out, const struct forward_options *options, struct err *err)
{
	struct forward *forward = calloc(1, sizeof *forward);
	if (!forward)
		return err_set(err, ERR_MEMORY, "no memory for forwarding");
	forward->options = *options;
	forward->back_off_ms = BACK_OFF_MIN_MS;
	read_boot(forward);
	if (make_parts(forward, err) < 0) {
		forward_free(forward);
		return -1;
	}
	loop_timer_start(forward->retry_timer, 0);
	loop_timer_start(forward->report_timer, REPORT_MS);
	*out = forward;
	return 0;
}

void forward_free(struct forward *forward)
{
	if (!forward)
		return;
	forward->state = AWAY;
	grpc_channel_free(forward->channel);
	struct queue_item *item = forward->reply ? queue_take(forward->reply, SIZE_MAX, 0) : NULL;
	while (item) {
		struct work *work = (struct work *)(void *)item;
		item = item->next;
		work_free(work);
	}
	loop_watch_free(forward->watch);
	loop_timer_free(forward->retry_timer);
	loop_timer_free(forward->report_timer);
	queue_free(forward->reply);
	free(forward);
}
