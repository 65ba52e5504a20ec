/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "config.h"
#include "console/console.h"
#include "daemon/first_start.h"
#include "daemon/options.h"
#include "intake/intake.h"
#include "net/grpc_metrics.h"
#include "net/grpc_server.h"
#include "net/http_server.h"
#include "pipeline/checkpointer.h"
#include "pipeline/previewer.h"
#include "pipeline/recorrelator.h"
#include "pipeline/trainer.h"
#include "pipeline/writer.h"

enum {
	PATH_BYTES = 4096,
	DRAIN_STEP_MS = 20,
	DRAIN_MS = 30000,
	FLUSH_MS = 2000, /* for the last answers; a peer that does not read gets no more */
	MEMORY_LOOK_MS = 5000,
	MEMORY_IDLE_BYTES = 32 * 1024 * 1024, /* more than that goes back to the system */
};

struct daemon {
	struct options options;
	char database[PATH_BYTES];
	int lock_fd;
	struct status status;
	struct loop *loop;
	struct queue *queue;
	struct queue *events; /* wishes to the feed of events, woken by the writer */
	struct snapshot_slot *credentials, *senders;
	struct store *store;
	struct writer *writer;
	struct checkpointer *checkpointer;
	struct trainer *trainer;
	struct queue *recorrelations;
	struct snapshot_slot *recorrelation;
	struct recorrelator *recorrelator;
	struct queue *previews;
	struct previewer *previewer;
	struct intake *intake;
	struct console *console;
	struct tls_server *tls;
	struct http_server *http, *metrics;
	struct grpc_server *grpc;
	struct grpc_health *health;
	const struct grpc_method *methods[3]; /* ended by NULL; the gRPC server's */
	const struct http_route *routes[4], *metrics_routes[2]; /* ended by NULL; the servers' */
	struct criticality_rule criticality[CRITICALITY_RULES_MAX]; /* point into the settings */
	size_t n_criticality;
	struct loop_timer *memory_timer;
	bool was_memory_idle;
	struct loop_timer *drain_timer;
	int64_t drain_until_ms;
	int64_t flush_until_ms; /* 0: not all is answered yet */
	int exit_code;
};

/* Only one daemon may write a database. */
static int lock_directory(struct daemon *daemon, struct err *err)
{
	char path[PATH_BYTES];
	const char *data = daemon->options.settings.data;
	if (mkdir(data, 0700) < 0 && errno != EEXIST)
		return err_errno(err, errno, "making %s", data);
	text_format(path, sizeof path, "%s/lock", data);
	text_format(daemon->database, sizeof daemon->database, "%s/tocsin.db", data);
	daemon->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (daemon->lock_fd < 0)
		return err_errno(err, errno, "opening %s", path);
	if (flock(daemon->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_BUSY, "another tocsind uses %s", data);
	return 0;
}

static int open_store(struct daemon *daemon, struct err *err)
{
	bool made;
	struct store_options options = {
		.path = daemon->database,
		.clock = &clock_system,
		.horizon_s = daemon->options.settings.retention_horizon_s,
		.raw_s = daemon->options.settings.retention_raw_s,
		.size_bytes = (uint64_t)daemon->options.settings.retention_size_bytes,
	};
	if (store_open(&daemon->store, &options, err) < 0 ||
		first_tokens_make(daemon->store, daemon->options.settings.data, &clock_system,
			&made, err) < 0 ||
		writer_publish_credentials(daemon->store, daemon->credentials, err) < 0)
		return -1;
	if (made)
		log_info("start", "made tokens: %s/admin.token, %s/ingest.token",
			daemon->options.settings.data, daemon->options.settings.data);
	return 0;
}

/* On the writer's thread: the store cannot be trusted any more. */
static void store_failed(void *ctx)
{
	struct daemon *daemon = ctx;
	daemon->exit_code = EXIT_IO;
	loop_stop(daemon->loop);
}

static int read_criticality(struct daemon *daemon, struct err *err)
{
	const struct settings *settings = &daemon->options.settings;
	struct criticality_rule *rules = daemon->criticality;
	size_t *n = &daemon->n_criticality;
	if (criticality_add(rules, n, text_of(settings->criticality_extreme), CRITICALITY_EXTREME,
		    err) < 0 ||
		criticality_add(
			rules, n, text_of(settings->criticality_high), CRITICALITY_HIGH, err) < 0)
		return -1;
	return criticality_add(rules, n, text_of(settings->criticality_low), CRITICALITY_LOW, err);
}

static int start_threads(struct daemon *daemon, struct err *err)
{
	if (read_criticality(daemon, err) < 0)
		return -1;
	struct writer_options writer = {
		.store = daemon->store,
		.queue = daemon->queue,
		.credentials = daemon->credentials,
		.status = &daemon->status,
		.events = daemon->events,
		.clock = &clock_system,
		.criticality = {daemon->criticality, daemon->n_criticality},
		.failed = store_failed,
		.ctx = daemon,
	};
	atomic_store(&daemon->status.n_leaves, store_leaves(daemon->store));
	if (writer_start(&daemon->writer, &writer, err) < 0)
		return -1;
	struct trainer_options trainer = {
		.database = daemon->database,
		.writer = daemon->queue,
		.status = &daemon->status,
		.clock = &clock_system,
	};
	struct recorrelator_options recorrelator = {
		.database = daemon->database,
		.requests = daemon->recorrelations,
		.writer = daemon->queue,
		.report = daemon->recorrelation,
		.clock = &clock_system,
		.criticality = {daemon->criticality, daemon->n_criticality},
	};
	struct previewer_options previewer = {
		.database = daemon->database,
		.requests = daemon->previews,
		.clock = &clock_system,
		.criticality = {daemon->criticality, daemon->n_criticality},
	};
	if (recorrelator_start(&daemon->recorrelator, &recorrelator, err) < 0 ||
		previewer_start(&daemon->previewer, &previewer, err) < 0)
		return -1;
	if (trainer_start(&daemon->trainer, &trainer, err) < 0)
		return -1;
	return checkpointer_start(&daemon->checkpointer, daemon->database, &daemon->status, err);
}

static struct oidc_options oidc_options_of(const struct settings *settings)
{
	return (struct oidc_options){
		.issuer = settings->oidc_issuer,
		.client_id = settings->oidc_client_id,
		.client_secret_file = settings->oidc_client_secret_file,
		.redirect_url = settings->oidc_redirect_url,
		.scopes = settings->oidc_scopes,
		.name_claim = settings->oidc_name_claim,
		.roles_claim = settings->oidc_roles_claim,
		.roles = settings->oidc_roles,
		.ca_file = settings->oidc_ca_file,
	};
}

static int make_services(struct daemon *daemon, struct err *err)
{
	struct intake_options intake = {
		.loop = daemon->loop,
		.writer = daemon->queue,
		.credentials = daemon->credentials,
		.senders = daemon->senders,
		.status = &daemon->status,
		.clock = &clock_system,
	};
	if (intake_new(&daemon->intake, &intake, err) < 0)
		return -1;
	struct console_options console = {
		.database = daemon->database,
		.clock = &clock_system,
		.writer = daemon->queue,
		.credentials = daemon->credentials,
		.senders = daemon->senders,
		.recorrelations = daemon->recorrelations,
		.recorrelation = daemon->recorrelation,
		.previews = daemon->previews,
		.status = &daemon->status,
		.loop = daemon->loop,
		.sign_in = {.url = daemon->options.settings.console_url,
			.tls = daemon->options.settings.tls_certificate[0] != '\0',
			.idle_ns = daemon->options.settings.session_idle_s * NS_PER_S,
			.life_ns = daemon->options.settings.session_life_s * NS_PER_S,
			.oidc = oidc_options_of(&daemon->options.settings)},
		.events = daemon->events,
		.metrics = {intake_metrics(), writer_metrics(), grpc_metrics()},
	};
	return console_new(&daemon->console, &console, err);
}

static int listen_metrics(struct daemon *daemon, struct err *err)
{
	daemon->metrics_routes[0] = console_metrics_routes(daemon->console);
	struct http_server_options options = {
		.address = daemon->options.settings.metrics_address,
		.port = (unsigned)daemon->options.settings.metrics_port,
		.clock = &clock_system,
		.routes = daemon->metrics_routes,
	};
	if (!daemon->options.settings.metrics_address[0])
		return 0;
	return http_server_start(&daemon->metrics, daemon->loop, &options, err);
}

static int listen_grpc(struct daemon *daemon, struct err *err)
{
	const struct settings *given = &daemon->options.settings;
	daemon->health = grpc_health_new();
	if (!daemon->health)
		return err_set(err, ERR_MEMORY, "out of memory at start");
	daemon->methods[0] = intake_grpc_methods(daemon->intake);
	daemon->methods[1] = grpc_health_methods(daemon->health);
	struct grpc_server_options options = {
		.address = given->grpc_address,
		.port = (unsigned)given->grpc_port,
		.tls = daemon->tls,
		.clock = &clock_system,
		.methods = daemon->methods,
	};
	if (grpc_server_start(&daemon->grpc, daemon->loop, &options, err) < 0)
		return err_prefix(err, "gRPC (listen_grpc)");
	grpc_health_set(daemon->health, true);
	log_info("start", "gRPC%s on %s:%u", daemon->tls ? " with TLS" : "", given->grpc_address,
		grpc_server_port(daemon->grpc));
	return 0;
}

static int listen_http(struct daemon *daemon, struct err *err)
{
	const struct settings *given = &daemon->options.settings;
	daemon->routes[0] = intake_routes(daemon->intake);
	daemon->routes[1] = console_routes(daemon->console);
	daemon->routes[2] = console_page_routes(daemon->console);
	struct tls_server_options tls = {given->tls_certificate, given->tls_key,
		given->tls_client_ca[0] ? given->tls_client_ca : NULL};
	if (given->tls_certificate[0] && tls_server_new(&daemon->tls, &tls, err) < 0)
		return -1;
	struct http_server_options options = {
		.address = given->listen_address,
		.port = (unsigned)given->listen_port,
		.tls = daemon->tls,
		.clock = &clock_system,
		.routes = daemon->routes,
		.missing = console_missing_route(daemon->console),
	};
	if (http_server_start(&daemon->http, daemon->loop, &options, err) < 0)
		return -1;
	log_info("start", "listening on %s://%s:%u", daemon->tls ? "https" : "http",
		given->listen_address, http_server_port(daemon->http));
	return listen_grpc(daemon, err) < 0 ? -1 : listen_metrics(daemon, err);
}

/* Everything that was accepted is answered, and the answers have arrived. Streams are told in the
 * turn of the loop that hears of the COMMIT, but sent to in the next. */
static bool is_drained(struct daemon *daemon, int64_t now_ms)
{
	if (intake_waiting(daemon->intake) > 0)
		return false;
	if (!daemon->flush_until_ms)
		daemon->flush_until_ms = now_ms + FLUSH_MS;
	return grpc_server_is_flushed(daemon->grpc) || now_ms > daemon->flush_until_ms;
}

static void drain(void *ctx)
{
	struct daemon *daemon = ctx;
	int64_t now_ms = clock_monotonic_ms(&clock_system);
	if (is_drained(daemon, now_ms) || now_ms > daemon->drain_until_ms)
		loop_stop(daemon->loop);
	else
		loop_timer_start(daemon->drain_timer, DRAIN_STEP_MS);
}

static void on_terminate(void *ctx)
{
	struct daemon *daemon = ctx;
	if (daemon->drain_until_ms)
		return;
	log_info("stop", "draining: no new requests, answering those that wait");
	daemon->drain_until_ms = clock_monotonic_ms(&clock_system) + DRAIN_MS;
	http_server_quiesce(daemon->http);
	grpc_health_set(daemon->health, false);
	intake_quiesce(daemon->intake);
	grpc_server_quiesce(daemon->grpc);
	loop_timer_start(daemon->drain_timer, 0);
}

static void on_reload(void *ctx)
{
	struct daemon *daemon = ctx;
	struct err err;
	if (daemon->tls && tls_server_reload(daemon->tls, &err) < 0)
		log_error("reload", "certificates stay as they were: %s", err.text);
	else
		log_info("reload", "done");
}

/* After a burst, not in it: what is idle twice in a row is not soon needed again. */
static void look_at_memory(void *ctx)
{
	struct daemon *daemon = ctx;
	bool is_idle = memory_idle_bytes() > MEMORY_IDLE_BYTES;
	if (is_idle && daemon->was_memory_idle)
		memory_give_back();
	daemon->was_memory_idle = is_idle;
	loop_timer_start(daemon->memory_timer, MEMORY_LOOK_MS);
}

static int make_parts(struct daemon *daemon, struct err *err)
{
	if (loop_new(&daemon->loop, err) < 0)
		return -1;
	daemon->queue = queue_new((size_t)daemon->options.settings.intake_queue_bytes);
	daemon->events = queue_new(SIZE_MAX);
	daemon->credentials = snapshot_slot_new();
	daemon->senders = snapshot_slot_new();
	daemon->recorrelations = queue_new(1);
	daemon->recorrelation = snapshot_slot_new();
	daemon->previews = queue_new(PREVIEWS_WAITING_MAX);
	daemon->drain_timer = loop_timer_new(daemon->loop, drain, daemon);
	daemon->memory_timer = loop_timer_new(daemon->loop, look_at_memory, daemon);
	if (!daemon->queue || !daemon->events || !daemon->credentials || !daemon->senders ||
		!daemon->drain_timer || !daemon->memory_timer || !daemon->recorrelations ||
		!daemon->recorrelation || !daemon->previews)
		return err_set(err, ERR_MEMORY, "out of memory at start");
	loop_timer_start(daemon->memory_timer, MEMORY_LOOK_MS);
	return 0;
}

static int start(struct daemon *daemon, struct err *err)
{
	if (make_parts(daemon, err) < 0 || lock_directory(daemon, err) < 0 ||
		open_store(daemon, err) < 0 || start_threads(daemon, err) < 0 ||
		make_services(daemon, err) < 0 || listen_http(daemon, err) < 0)
		return -1;
	if (loop_signal(daemon->loop, SIGTERM, on_terminate, daemon, err) < 0 ||
		loop_signal(daemon->loop, SIGINT, on_terminate, daemon, err) < 0)
		return -1;
	return loop_signal(daemon->loop, SIGHUP, on_reload, daemon, err);
}

/* In the order of dependence: who gives work first, who works, what is worked on. */
static void stop(struct daemon *daemon)
{
	trainer_stop(daemon->trainer);
	if (daemon->recorrelations)
		queue_close(daemon->recorrelations);
	recorrelator_stop(daemon->recorrelator);
	if (daemon->previews)
		queue_close(daemon->previews);
	previewer_stop(daemon->previewer);
	if (daemon->queue)
		queue_close(daemon->queue);
	writer_stop(daemon->writer);
	recorrelator_free(daemon->recorrelator);
	checkpointer_stop(daemon->checkpointer);
	console_stop(daemon->console);
	http_server_stop(daemon->metrics);
	http_server_stop(daemon->http);
	grpc_server_stop(daemon->grpc);
	grpc_health_free(daemon->health);
	console_free(daemon->console);
	intake_free(daemon->intake);
	tls_server_free(daemon->tls);
	store_close(daemon->store);
	loop_timer_free(daemon->memory_timer);
	loop_timer_free(daemon->drain_timer);
	loop_free(daemon->loop);
	queue_free(daemon->queue);
	queue_free(daemon->events);
	queue_free(daemon->recorrelations);
	queue_free(daemon->previews);
	snapshot_slot_free(daemon->recorrelation);
	snapshot_slot_free(daemon->credentials);
	snapshot_slot_free(daemon->senders);
	if (daemon->lock_fd >= 0)
		close(daemon->lock_fd);
}

static int run(struct daemon *daemon)
{
	struct err err;
	process_harden();
	process_raise_files();
	daemon->status.started_at_ns = clock_wall_ns(&clock_system);
	if (start(daemon, &err) < 0 || loop_run(daemon->loop, &err) < 0) {
		log_error("tocsind", "%s", err.text);
		daemon->exit_code = process_exit_code(&err);
	}
	stop(daemon);
	log_info("stop", "ended with %d", daemon->exit_code);
	return daemon->exit_code;
}

int daemon_main(int argc, char **argv)
{
	static struct daemon daemon = {.lock_fd = -1};
	struct err err;
	if (options_read(&daemon.options, argc, argv, &err) < 0) {
		fprintf(stderr, "tocsind: %s\n", err.text);
		return err.kind == ERR_DENIED ? EXIT_CONFIG : EXIT_USAGE;
	}
	if (daemon.options.switches.help || daemon.options.switches.version) {
		fputs(daemon.options.switches.help ? options_usage : PACKAGE_STRING "\n", stdout);
		return 0;
	}
	log_set_level((enum log_level)daemon.options.settings.log_level);
	return daemon.options.switches.check_only ? 0 : run(&daemon);
}
