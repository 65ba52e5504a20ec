/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_settings.h"
#include "agent/follow.h"
#include "agent/forward.h"
#include "agent/pods.h"
#include "agent/receive.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/process.h"
#include "config.h"

enum {
	FOLLOWS_MAX = AGENT_FOLLOWS_MAX + 1, /* and standard input */
	DRAIN_STEP_MS = 20,
	DRAIN_MS = 5000,
	TOLD_BYTES = 1024,
	METRICS_BYTES = 1024 * 1024,
	HTTP_CONNECTIONS_MAX = 256,
	HTTP_BODIES_BYTES = 64 * 1024 * 1024,
};

struct agent {
	struct agent_options options;
	struct loop *loop;
	struct spool *spool;
	struct keeper *keeper;
	struct keeper_status status;
	struct agent_coverage *coverage;
	struct receive *receive;
	struct pods *pods;
	struct forward *forward;
	struct http_server *http; /* NULL: nobody sends to it */
	struct follow *follows[FOLLOWS_MAX];
	size_t n_follows;
	struct http_route own_routes[4];
	const struct http_route *routes[3];
	struct loop_timer *drain_timer;
	int64_t drain_until_ms;
	int exit_code;
};

/* ---- what it tells of itself ---- */

static void respond_text(
	struct http_request *request, unsigned status, const char *type, struct buf *text)
{
	struct http_response response = {.status = status, .content_type = type};
	response.body = buf_take(text, &response.body_size);
	http_respond(request, &response);
}

static size_t answer_live(struct http_request *request, void *ctx)
{
	struct buf text;
	(void)ctx;
	buf_init(&text, TOLD_BYTES);
	buf_add_string(&text, "ok\n");
	respond_text(request, 200, "text/plain; charset=utf-8", &text);
	return 0;
}

/* Ready: alerts are taken. Whether the collector is there does not matter for that. */
static size_t answer_ready(struct http_request *request, void *ctx)
{
	struct agent *agent = ctx;
	struct buf text;
	bool is_stuck = atomic_load(&agent->status.is_stuck);
	buf_init(&text, TOLD_BYTES);
	buf_add_string(&text, is_stuck ? "the spool takes nothing\n" : "ok\n");
	respond_text(request, is_stuck ? 503 : 200, "text/plain; charset=utf-8", &text);
	return 0;
}

static struct metric_family waiting_family = {
	.name = "tocsin_agent_waiting_records",
	.help = "Records in the agent's spool that the collector has not stored.",
	.type = METRIC_GAUGE,
};

static struct metric_family spool_family = {
	.name = "tocsin_agent_spool_bytes",
	.help = "Bytes of the agent's spool.",
	.type = METRIC_GAUGE,
};

static struct metric_family connected_family = {
	.name = "tocsin_agent_connected",
	.help = "1 while the agent's stream to the collector works.",
	.type = METRIC_GAUGE,
};

static struct metric_family told_family = {
	.name = "tocsin_agent_records",
	.help = "Records since the agent's start: sent and stored, shed for want of room, lost to "
		"a damaged disk.",
	.type = METRIC_GAUGE,
	.n_labels = 1,
	.labels = {"outcome"},
};

static struct metric_family syncs_family = {
	.name = "tocsin_agent_sync_failures",
	.help = "Times that the disk refused to keep what was written, since the agent's start.",
	.type = METRIC_GAUGE,
};

static void write_one(struct buf *out, const struct metric_family *family, uint64_t value)
{
	metric_write_head(out, family);
	metric_write_sample(out, family, NULL, (int64_t)value);
}

static size_t answer_metrics(struct http_request *request, void *ctx)
{
	struct agent *agent = ctx;
	struct forward_status forward = forward_status(agent->forward);
	const struct text sent = TEXT("stored"), shed = TEXT("shed"), lost = TEXT("lost");
	struct buf out;
	buf_init(&out, METRICS_BYTES);
	metric_write(&out, receive_metrics(), &clock_system);
	write_one(&out, &waiting_family, atomic_load(&agent->status.n_waiting));
	write_one(&out, &spool_family, atomic_load(&agent->status.size_bytes));
	write_one(&out, &connected_family, forward.is_connected);
	write_one(&out, &syncs_family, atomic_load(&agent->status.n_sync_failures));
	metric_write_head(&out, &told_family);
	metric_write_sample(&out, &told_family, &sent, (int64_t)forward.n_acknowledged);
	metric_write_sample(&out, &told_family, &shed, (int64_t)atomic_load(&agent->status.n_shed));
	metric_write_sample(&out, &told_family, &lost, (int64_t)atomic_load(&agent->status.n_lost));
	respond_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
	return 0;
}

/* ---- its parts ---- */

static void on_stored(void *ctx)
{
	struct agent *agent = ctx;
	if (agent->forward)
		forward_wake(agent->forward);
}

static int open_spool(struct agent *agent, struct err *err)
{
	char told[TOLD_BYTES];
	const struct agent_settings *settings = &agent->options.settings;
	const struct spool_options options = {
		.folder = settings->spool,
		.size_bytes = (size_t)settings->spool_size_bytes,
		.age_s = settings->spool_age_s,
		.clock = &clock_system,
	};
	if (spool_open(&agent->spool, &options, told, sizeof told, err) < 0)
		return -1;
	if (told[0])
		log_warning("spool", "%s", told);
	const struct keeper_options keeper = {agent->spool, &agent->status, &clock_system};
	return keeper_start(&agent->keeper, &keeper, err);
}

static int make_receive(struct agent *agent, struct err *err)
{
	agent->coverage = agent_coverage_new(&clock_system);
	if (!agent->coverage)
		return err_set(err, ERR_MEMORY, "no memory at start");
	const struct receive_options options = {
		.loop = agent->loop,
		.keeper = agent->keeper,
		.coverage = agent->coverage,
		.clock = &clock_system,
		.stored = on_stored,
		.ctx = agent,
	};
	return receive_new(&agent->receive, &options, err);
}

static const char *or_none(const char *text)
{
	return text[0] ? text : NULL;
}

static int make_forward(struct agent *agent, struct err *err)
{
	const struct agent_settings *settings = &agent->options.settings;
	if (settings->cgroup[0] && pods_new(&agent->pods, agent->loop, settings->cgroup, err) < 0)
		return -1;
	const struct forward_options options = {
		.loop = agent->loop,
		.keeper = agent->keeper,
		.coverage = agent->coverage,
		.pods = agent->pods,
		.clock = &clock_system,
		.spool = spool_id(agent->spool),
		.node = settings->node,
		.version = PACKAGE_VERSION,
		.token_file = settings->token_file,
		.is_compressed = settings->compression == COMPRESSION_GZIP,
		.channel = {.host = agent->options.host,
			.port = agent->options.port,
			.is_plain = settings->tls_mode == TLS_OFF,
			.ca_file = or_none(settings->tls_ca),
			.certificate = or_none(settings->tls_certificate),
			.key = or_none(settings->tls_key),
			.clock = &clock_system},
	};
	return forward_new(&agent->forward, &options, err);
}

static void make_routes(struct agent *agent)
{
	const struct http_route own[] = {
		{.method = HTTP_GET, .path = "/livez", .admit = answer_live, .ctx = agent},
		{.method = HTTP_GET, .path = "/readyz", .admit = answer_ready, .ctx = agent},
		{.method = HTTP_GET, .path = "/metrics", .admit = answer_metrics, .ctx = agent},
		{0},
	};
	memcpy(agent->own_routes, own, sizeof own);
	agent->routes[0] = receive_routes(agent->receive);
	agent->routes[1] = agent->own_routes;
}

static int listen_http(struct agent *agent, struct err *err)
{
	static const struct http_limits limits = {
		.max_connections = HTTP_CONNECTIONS_MAX,
		.header_bytes = 16 * 1024,
		.header_after_ms = 10000,
		.body_after_ms = 60000,
		.idle_after_ms = 600000,
		.body_bytes_all = HTTP_BODIES_BYTES,
	};
	const char *place = agent->options.settings.listen;
	char address[64];
	if (!place[0]) {
		log_info("start", "listening nowhere: standard input is read");
		return 0;
	}
	make_routes(agent);
	struct http_server_options options = {
		.limits = &limits,
		.clock = &clock_system,
		.routes = agent->routes,
	};
	if (text_starts(text_of(place), TEXT("unix:")))
		options.unix_path = place + 5;
	else if (agent_split_address(place, address, sizeof address, &options.port))
		options.address = address;
	else
		return err_set(
			err, ERR_DENIED, "listen: '%s' must be ADDR:PORT or unix:PATH", place);
	if (http_server_start(&agent->http, agent->loop, &options, err) < 0)
		return -1;
	if (options.unix_path)
		log_info("start", "listening on %s", place);
	else
		log_info("start", "listening on http://%s:%u", address,
			http_server_port(agent->http));
	return 0;
}

static void on_terminate(void *ctx);

static int add_follow(struct agent *agent, enum source source, const char *path, struct err *err)
{
	const struct follow_options options = {
		.loop = agent->loop,
		.receive = agent->receive,
		.source = source,
		.path = path,
		.folder = agent->options.settings.spool,
		.coverage = agent->coverage,
		.clock = &clock_system,
		.ended = on_terminate,
		.ctx = agent,
	};
	if (agent->n_follows == FOLLOWS_MAX)
		return err_set(err, ERR_DENIED, "follow: at most %d files", FOLLOWS_MAX - 1);
	if (follow_new(&agent->follows[agent->n_follows], &options, err) < 0)
		return -1;
	agent->n_follows++;
	return 0;
}

static int make_follows(struct agent *agent, struct err *err)
{
	const struct agent_settings *settings = &agent->options.settings;
	struct text rest = text_of(settings->follow);
	struct agent_follow one;
	while (agent_follow_next(&rest, &one, err)) {
		char path[sizeof settings->follow];
		text_format(path, sizeof path, "%.*s", TEXT_ARG(one.path));
		if (add_follow(agent, one.source, path, err) < 0)
			return -1;
	}
	if (err->kind != ERR_NONE)
		return -1;
	if (!settings->input[0])
		return 0;
	return add_follow(agent, source_parse(text_of(settings->input)), NULL, err);
}

/* ---- its end ---- */

static void drain(void *ctx)
{
	struct agent *agent = ctx;
	bool late = clock_monotonic_ms(&clock_system) > agent->drain_until_ms;
	if (receive_waiting(agent->receive) == 0 || late)
		loop_stop(agent->loop);
	else
		loop_timer_start(agent->drain_timer, DRAIN_STEP_MS);
}

static void on_terminate(void *ctx)
{
	struct agent *agent = ctx;
	if (agent->drain_until_ms)
		return;
	log_info("stop", "no new requests; what the collector has not stored waits in the spool");
	agent->drain_until_ms = clock_monotonic_ms(&clock_system) + DRAIN_MS;
	if (agent->http)
		http_server_quiesce(agent->http);
	loop_timer_start(agent->drain_timer, 0);
}

static void on_hangup(void *ctx)
{
	(void)ctx; /* the token's file is read anew for each stream */
}

static int start(struct agent *agent, struct err *err)
{
	if (loop_new(&agent->loop, err) < 0)
		return -1;
	agent->drain_timer = loop_timer_new(agent->loop, drain, agent);
	if (!agent->drain_timer)
		return err_set(err, ERR_MEMORY, "no memory at start");
	if (open_spool(agent, err) < 0 || make_receive(agent, err) < 0 ||
		make_forward(agent, err) < 0 || listen_http(agent, err) < 0 ||
		make_follows(agent, err) < 0)
		return -1;
	if (loop_signal(agent->loop, SIGTERM, on_terminate, agent, err) < 0 ||
		loop_signal(agent->loop, SIGINT, on_terminate, agent, err) < 0)
		return -1;
	return loop_signal(agent->loop, SIGHUP, on_hangup, agent, err);
}

static void stop(struct agent *agent)
{
	http_server_stop(agent->http);
	for (size_t i = 0; i < agent->n_follows; i++)
		follow_free(agent->follows[i]);
	keeper_stop(agent->keeper);
	forward_free(agent->forward);
	receive_free(agent->receive);
	pods_free(agent->pods);
	agent_coverage_free(agent->coverage);
	spool_close(agent->spool);
	loop_timer_free(agent->drain_timer);
	loop_free(agent->loop);
}

static int run(struct agent *agent)
{
	struct err err = {0};
	process_harden();
	process_raise_files(); /* each of the spool's files is open */
	if (start(agent, &err) < 0 || loop_run(agent->loop, &err) < 0) {
		log_error("tocsin-agent", "%s", err.text);
		agent->exit_code = err.kind == ERR_DENIED ? EXIT_CONFIG : process_exit_code(&err);
	}
	stop(agent);
	log_info("stop", "ended with %d", agent->exit_code);
	return agent->exit_code;
}

int agent_main(int argc, char **argv)
{
	static struct agent agent;
	struct err err;
	if (agent_options_read(&agent.options, argc, argv, &err) < 0) {
		fprintf(stderr, "tocsin-agent: %s\n", err.text);
		return err.kind == ERR_DENIED ? EXIT_CONFIG : EXIT_USAGE;
	}
	if (agent.options.switches.help || agent.options.switches.version) {
		fputs(agent.options.switches.help ? agent_usage : PACKAGE_STRING "\n", stdout);
		return 0;
	}
	log_set_level((enum log_level)agent.options.settings.log_level);
	return agent.options.switches.check_only ? 0 : run(&agent);
}
