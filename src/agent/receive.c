/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/receive.h"

#include <stdlib.h>
#include <string.h>

#include "decode/body.h"
#include "intake/encoding.h"

enum {
	OPEN_BYTES_MAX = 64 * 1024 * 1024,    /* of bodies that are not stored yet: memory ends */
	AGAIN_BYTES_MAX = OPEN_BYTES_MAX / 2, /* from where who can come again has to */
	LOOK_MS = 500,
	ANSWER_BYTES = 128,
	RETRY_AFTER_S = 5,
};

enum outcome { ACCEPTED, QUARANTINED, REFUSED, N_OUTCOMES };

/* From the header of a request to its answer. */
struct receipt {
	struct receipt *next, *previous; /* with the keeper */
	struct receive *receive;
	struct http_request *request; /* NULL: nobody waits for the answer */
	struct work *work;            /* the keeper's, but for its is_unwanted */
	void (*done)(bool is_stored, void *ctx);
	void *ctx;
	enum source source;
	enum encoding encoding;
	size_t n_bytes; /* counted in open_bytes */
	int64_t arrived_after_ms;
};

struct receive {
	struct receive_options options;
	struct queue *reply;
	struct loop_watch *watch;
	struct loop_timer *timer;
	struct receipt *first;
	size_t n_waiting, open_bytes;
	struct metric_series *alerts[N_SOURCES][N_OUTCOMES];
	struct http_route routes[2];
};

static struct metric_family alerts_family = {
	.name = "tocsin_agent_alerts_total",
	.help = "Alerts that the agent took, by what became of them; refused counts requests.",
	.type = METRIC_COUNTER,
	.n_labels = 2,
	.labels = {"source", "outcome"},
	.max_series = N_SOURCES * N_OUTCOMES,
};

static struct metric_family *const families[] = {&alerts_family, NULL};

struct metric_family *const *receive_metrics(void)
{
	return families;
}

static void count(struct receive *receive, enum source source, enum outcome outcome, uint64_t n)
{
	if (source != SOURCE_NONE && n)
		metric_add(receive->alerts[source][outcome], n);
}

/* ---- answers ---- */

/* From its arrival until now its sensor could not go on. */
static void note_throttled(const struct receipt *receipt, uint64_t n)
{
	const struct receive_options *options = &receipt->receive->options;
	int64_t now_ns = clock_wall_ns(options->clock);
	int64_t held_ms = clock_monotonic_ms(options->clock) - receipt->arrived_after_ms;
	agent_coverage_throttled(
		options->coverage, receipt->source, now_ns - held_ms * 1000000, now_ns, n);
}

static bool is_held_long(const struct receipt *receipt)
{
	return receipt->request &&
	       clock_monotonic_ms(receipt->receive->options.clock) - receipt->arrived_after_ms >=
		       SOURCE_WAIT_MS;
}

static void refuse(struct receipt *receipt, struct http_request *request, unsigned status,
	const char *title, struct text detail)
{
	count(receipt->receive, receipt->source, REFUSED, 1);
	http_set_owner(request, NULL);
	if (status != 429 && status != 503) {
		http_respond_problem(request, status, title, detail);
		return;
	}
	note_throttled(receipt, 1);
	http_respond_retry(request, status, title, detail, RETRY_AFTER_S);
}

static void answer(struct http_request *request, size_t n_accepted, size_t n_quarantined)
{
	struct http_response response = {.status = 200, .content_type = "application/json"};
	http_set_owner(request, NULL);
	response.body = malloc(ANSWER_BYTES);
	if (response.body)
		response.body_size = text_format(response.body, ANSWER_BYTES,
			"{\"accepted\":%zu,\"duplicate\":0,\"quarantined\":%zu}", n_accepted,
			n_quarantined);
	http_respond(request, &response);
}

static void unlink_receipt(struct receipt *receipt)
{
	struct receive *receive = receipt->receive;
	if (receipt->previous)
		receipt->previous->next = receipt->next;
	else
		receive->first = receipt->next;
	if (receipt->next)
		receipt->next->previous = receipt->previous;
	receive->n_waiting--;
	receive->open_bytes -= receipt->n_bytes;
}

static size_t count_quarantined(const struct batch *batch)
{
	size_t n = 0;
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		n += alert->kind == LEAF_QUARANTINED;
	return n;
}

static void finish(struct work *work)
{
	struct receipt *receipt = work->owner;
	struct receive *receive = receipt->receive;
	size_t n_quarantined = count_quarantined(work->batch);
	size_t n_accepted = work->batch->n_alerts - n_quarantined;
	bool is_stored = work->batch->err.kind == ERR_NONE;
	unlink_receipt(receipt);
	if (is_stored) {
		count(receive, receipt->source, ACCEPTED, n_accepted);
		count(receive, receipt->source, QUARANTINED, n_quarantined);
		receive->options.stored(receive->options.ctx);
	}
	if (receipt->request && is_stored)
		answer(receipt->request, n_accepted, n_quarantined);
	else if (receipt->request)
		refuse(receipt, receipt->request, 503, "Not now", text_of(work->batch->err.text));
	if (receipt->done)
		receipt->done(is_stored, receipt->ctx);
	free(receipt);
	work_free(work);
}

static void on_reply(void *ctx)
{
	struct receive *receive = ctx;
	struct queue_item *item = queue_take(receive->reply, SIZE_MAX, 0);
	while (item) {
		struct work *work = (struct work *)(void *)item;
		item = item->next;
		finish(work);
	}
}

/* Who can be told to come again is not held longer. What it sent is let go, unless it is in the
 * spool already: else each time that it comes again would cost the memory once more. */
static void look(void *ctx)
{
	struct receive *receive = ctx;
	for (struct receipt *receipt = receive->first; receipt; receipt = receipt->next) {
		enum push_back push_back = source_info(receipt->source)->push_back;
		if (!is_held_long(receipt))
			continue;
		if (push_back == PUSH_BACK_HOLD) {
			note_throttled(receipt, 0);
			continue;
		}
		struct http_request *request = receipt->request;
		receipt->request = NULL;
		refuse(receipt, request, push_back == PUSH_BACK_SLOW_DOWN ? 429 : 503, "Not now",
			TEXT("the node's disk takes nothing now"));
		atomic_store(&receipt->work->is_unwanted, true);
	}
	if (receive->first)
		loop_timer_start(receive->timer, LOOK_MS);
}

/* ---- requests ---- */

/* Who sent a request is told what is wrong with it. Lines were read, and nobody reads them again.
 */
static int decode(
	const struct receipt *receipt, struct text body, struct batch *batch, struct err *err)
{
	int64_t now_ns = clock_wall_ns(receipt->receive->options.clock);
	return receipt->done ? lines_decode(body, now_ns, batch, err)
			     : body_decode(body, now_ns, batch, err);
}

/* Takes the body; gives the receipt to the keeper. -1: it does not, and frees neither. */
static int store(struct receipt *receipt, char *body, size_t size, struct err *err)
{
	struct receive *receive = receipt->receive;
	struct work *work = work_new(WORK_STORE);
	struct batch *batch = work ? batch_new() : NULL;
	if (!batch) {
		free(body);
		work_free(work);
		return err_set(err, ERR_MEMORY, "no memory for a batch");
	}
	work->batch = batch;
	work->body = body;
	work->body_size = size;
	work->owner = receipt;
	receipt->work = work;
	work->reply = receive->reply;
	batch->source = receipt->source;
	if (text_trim((struct text){body, size}).size &&
		decode(receipt, (struct text){body, size}, batch, err) < 0) {
		work_free(work);
		return -1;
	}
	if (batch->arena.failed) {
		work_free(work);
		return err_set(err, ERR_MEMORY, "no memory for a batch");
	}
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		agent_coverage_heard(receive->options.coverage, alert);
	/* The body is kept as a whole, with what is no alert in it. */
	receipt->n_bytes = batch->item.weight_bytes > size ? batch->item.weight_bytes : size;
	work->item.weight_bytes = receipt->n_bytes;
	receipt->next = receive->first;
	if (receive->first)
		receive->first->previous = receipt;
	else
		loop_timer_start(receive->timer, LOOK_MS);
	receive->first = receipt;
	receive->n_waiting++;
	receive->open_bytes += receipt->n_bytes;
	keeper_do(receive->options.keeper, work);
	return 0;
}

static bool has_room(const struct receive *receive, enum source source)
{
	bool is_held = source_info(source)->push_back == PUSH_BACK_HOLD;
	return receive->open_bytes <= (is_held ? OPEN_BYTES_MAX : AGAIN_BYTES_MAX);
}

static size_t admit(struct http_request *request, void *ctx)
{
	struct receive *receive = ctx;
	struct receipt *receipt = calloc(1, sizeof *receipt);
	if (!receipt) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, RETRY_AFTER_S);
		return 0;
	}
	receipt->receive = receive;
	receipt->request = request;
	receipt->arrived_after_ms = http_arrived_after_ms(request);
	receipt->source = source_parse(http_path_part(request, 0));
	http_set_owner(request, receipt);
	if (receipt->source == SOURCE_NONE)
		refuse(receipt, request, 404, "Not found",
			arena_format(http_arena(request), "no such source; known are %s",
				source_names()));
	else if (!encoding_parse(http_header(request, "Content-Encoding"), &receipt->encoding))
		refuse(receipt, request, 415, "Unsupported media type",
			TEXT("Content-Encoding may be gzip, zstd or identity"));
	else if (!has_room(receive, receipt->source))
		refuse(receipt, request, 503, "Not now", TEXT("too much waits for the disk"));
	else
		return source_info(receipt->source)->max_body_bytes;
	free(receipt);
	return 0;
}

static unsigned status_of(enum err_kind kind)
{
	if (kind == ERR_LIMIT)
		return 413;
	return kind == ERR_INPUT ? 400 : 503;
}

static int take(struct receipt *receipt, struct http_request *request, struct err *err)
{
	char *body = NULL;
	size_t size = 0;
	const struct source_info *info = source_info(receipt->source);
	if (encoding_take_body(
		    request, receipt->encoding, info->max_body_bytes, &body, &size, err) < 0)
		return -1;
	if (text_trim((struct text){body, size}).size == 0 && !info->text_lines) {
		free(body);
		return err_set(err, ERR_INPUT, "the body is empty");
	}
	return store(receipt, body, size, err);
}

static void handle(struct http_request *request, void *ctx)
{
	struct receipt *receipt = http_owner(request);
	struct err err = {0};
	(void)ctx;
	if (take(receipt, request, &err) == 0)
		return;
	unsigned status = status_of(err.kind);
	refuse(receipt, request, status, status == 400 ? "Bad request" : "Not taken",
		text_of(err.text));
	free(receipt);
}

static void aborted(struct http_request *request, void *ctx)
{
	struct receipt *receipt = http_owner(request);
	(void)ctx;
	if (!receipt)
		return;
	if (receipt->n_bytes)
		receipt->request = NULL;
	else
		free(receipt);
}

void receive_lines(struct receive *receive, enum source source, char *body, size_t size,
	void (*done)(bool is_stored, void *ctx), void *ctx)
{
	struct err err;
	struct receipt *receipt = calloc(1, sizeof *receipt);
	if (!receipt) {
		free(body);
		done(false, ctx);
		return;
	}
	receipt->receive = receive;
	receipt->source = source;
	receipt->done = done;
	receipt->ctx = ctx;
	if (store(receipt, body, size, &err) == 0)
		return;
	free(receipt);
	done(false, ctx);
}

/* ---- life ---- */

int receive_new(struct receive **out, const struct receive_options *options, struct err *err)
{
	static const char *const outcomes[] = {"accepted", "quarantined", "refused"};
	struct receive *receive = calloc(1, sizeof *receive);
	if (!receive)
		return err_set(err, ERR_MEMORY, "no memory for receiving");
	receive->options = *options;
	receive->reply = queue_new(SIZE_MAX);
	receive->timer = loop_timer_new(options->loop, look, receive);
	if (receive->reply)
		receive->watch =
			loop_watch_new(options->loop, queue_fd(receive->reply), on_reply, receive);
	if (!receive->watch || !receive->timer) {
		receive_free(receive);
		return err_set(err, ERR_MEMORY, "no memory for receiving");
	}
	for (unsigned i = 1; i < N_SOURCES; i++)
		for (unsigned j = 0; j < N_OUTCOMES; j++) {
			struct text values[] = {
				text_of(source_info((enum source)i)->name), text_of(outcomes[j])};
			receive->alerts[i][j] =
				metric_series(&alerts_family, options->clock, values);
		}
	receive->routes[0] = (struct http_route){
		.method = HTTP_POST,
		.path = "/ingest/{source}",
		.admit = admit,
		.handle = handle,
		.ctx = receive,
		.aborted = aborted,
	};
	*out = receive;
	return 0;
}

void receive_free(struct receive *receive)
{
	if (!receive)
		return;
	struct queue_item *item = receive->reply ? queue_take(receive->reply, SIZE_MAX, 0) : NULL;
	while (item) {
		struct work *work = (struct work *)(void *)item;
		struct receipt *receipt = work->owner;
		item = item->next;
		unlink_receipt(receipt);
		free(receipt);
		work_free(work);
	}
	loop_watch_free(receive->watch);
	loop_timer_free(receive->timer);
	queue_free(receive->reply);
	metric_family_done(&alerts_family);
	free(receive);
}

const struct http_route *receive_routes(struct receive *receive)
{
	return receive->routes;
}

size_t receive_waiting(const struct receive *receive)
{
	return receive->n_waiting;
}
