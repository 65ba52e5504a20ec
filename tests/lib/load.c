/* SPDX-License-Identifier: Apache-2.0 */

/*
 * tocsin-load: sends alerts over many kept connections and records which were answered with 200.
 *
 * For benches and crash tests. It outlives the server: what got no answer is reported, and a second
 * run with --resume-from sends it again. Alert numbers are the same in every run with the same
 * file, seed (or first time) and step.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tests/lib/load_alerts.h"

enum {
	REQUEST_BYTES = 64 * 1024 * 1024,
	ANSWER_BYTES = 8192,
	EVENTS = 256,
	CONNECTIONS_MAX = 4096,
	GIVE_UP_MS = 120000, /* without any answer */
};

struct options {
	uint64_t n_connections, n_alerts, batch, seed, step_ns, first_ns, again_percent;
	const char *host;
	uint64_t port;
	const char *path, *file, *record, *resume;
	bool print;
};

struct connection {
	int fd;
	uint64_t *numbers; /* of the alerts in flight; `batch` of them */
	size_t n_numbers;
	struct buf out;
	size_t n_sent;
	char in[ANSWER_BYTES];
	size_t n_in;
	int64_t started_ns;
	bool was_answered; /* since it was opened: then it may be opened again */
};

struct load {
	struct options options;
	struct load_alerts *alerts;
	struct sockaddr_in address;
	struct connection *connections;
	int epoll_fd;
	size_t n_open;
	uint64_t next;
	unsigned char *answered; /* by an earlier run; one byte per alert */
	FILE *record;
	uint32_t *latencies_us;
	size_t n_latencies;
	uint64_t n_requests, n_sent, n_answered, n_errors;
	uint64_t n_accepted, n_duplicate, n_quarantined;
};

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "tocsin-load: %s\n", text);
	exit(EXIT_FAILURE);
}

static void *must(void *memory)
{
	if (!memory)
		die("out of memory");
	return memory;
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* A fixed choice per alert number and seed (splitmix64). */
static uint64_t mixed(uint64_t seed, uint64_t i)
{
	uint64_t x = seed * 0x9E3779B97F4A7C15U + i;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9U;
	x = (x ^ x >> 27) * 0x94D049BB133111EBU;
	return x ^ x >> 31;
}

/* The next alert that this run sends; false at the end. */
static bool next_number(struct load *load, uint64_t *out)
{
	const struct options *options = &load->options;
	while (load->next < options->n_alerts) {
		uint64_t i = load->next++;
		if (load->answered && load->answered[i] &&
			mixed(options->seed, i) % 100 >= options->again_percent)
			continue;
		*out = i;
		return true;
	}
	return false;
}

static bool prepare(struct load *load, struct connection *connection)
{
	const struct options *options = &load->options;
	struct buf body;
	uint64_t number;
	buf_init(&body, REQUEST_BYTES);
	connection->n_numbers = 0;
	while (connection->n_numbers < options->batch && next_number(load, &number)) {
		connection->numbers[connection->n_numbers++] = number;
		load_alert_write(load->alerts, number, &body);
		if (options->batch > 1)
			buf_add_byte(&body, '\n');
	}
	if (connection->n_numbers == 0) {
		buf_done(&body);
		return false;
	}
	buf_clear(&connection->out);
	buf_addf(&connection->out,
		"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n",
		options->path, options->host, body.size);
	buf_add(&connection->out, buf_text(&body));
	if (!buf_ok(&connection->out))
		die("the batch is too large");
	buf_done(&body);
	connection->n_sent = 0;
	connection->n_in = 0;
	connection->started_ns = now_ns();
	load->n_requests++;
	load->n_sent += connection->n_numbers;
	return true;
}

static void watch(struct load *load, struct connection *connection, int operation, bool writes)
{
	struct epoll_event event = {
		.events = EPOLLIN | (writes ? (uint32_t)EPOLLOUT : 0U), .data.ptr = connection};
	if (epoll_ctl(load->epoll_fd, operation, connection->fd, &event) < 0)
		die("epoll_ctl failed");
}

static void hang_up(struct load *load, struct connection *connection)
{
	close(connection->fd);
	connection->fd = -1;
	load->n_open--;
}

static bool dial(struct load *load, struct connection *connection)
{
	int yes = 1;
	connection->was_answered = false;
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->fd < 0)
		die("no more sockets");
	if (connect(connection->fd, (struct sockaddr *)&load->address, sizeof load->address) < 0) {
		close(connection->fd);
		connection->fd = -1;
		return false;
	}
	ignore(setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes)); /* slower */
	load->n_open++;
	watch(load, connection, EPOLL_CTL_ADD, false);
	return true;
}

/* false: the connection is gone. */
static bool send_more(struct load *load, struct connection *connection)
{
	bool was_waiting = connection->n_sent > 0;
	while (connection->n_sent < connection->out.size) {
		ssize_t n = send(connection->fd, connection->out.data + connection->n_sent,
			connection->out.size - connection->n_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			watch(load, connection, EPOLL_CTL_MOD, true);
			return true;
		}
		if (n < 0)
			return false;
		connection->n_sent += (size_t)n;
	}
	if (was_waiting)
		watch(load, connection, EPOLL_CTL_MOD, false);
	return true;
}

static void start_request(struct load *load, struct connection *connection)
{
	if (!prepare(load, connection)) {
		hang_up(load, connection);
		return;
	}
	if (!send_more(load, connection)) {
		load->n_errors++;
		hang_up(load, connection);
	}
}

/* Opens it again if it ever worked; a server that is gone refuses, and this connection ends. */
static void lose(struct load *load, struct connection *connection)
{
	bool may_return = connection->was_answered;
	load->n_errors++;
	hang_up(load, connection);
	if (may_return && dial(load, connection))
		start_request(load, connection);
}

static uint64_t number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void take_answer(struct load *load, struct connection *connection, unsigned long status)
{
	const char *body = connection->in;
	load->latencies_us[load->n_latencies++] =
		(uint32_t)((now_ns() - connection->started_ns) / 1000);
	if (status != 200) {
		load->n_errors++;
		return;
	}
	for (size_t i = 0; i < connection->n_numbers && load->record; i++)
		fprintf(load->record, "%llu\n", (unsigned long long)connection->numbers[i]);
	load->n_answered += connection->n_numbers;
	load->n_accepted += number_after(body, "\"accepted\":");
	load->n_duplicate += number_after(body, "\"duplicate\":");
	load->n_quarantined += number_after(body, "\"quarantined\":");
}

/* A whole answer in `in`? Its status, else 0. */
static unsigned long whole_answer(const struct connection *connection)
{
	const char *end = strstr(connection->in, "\r\n\r\n");
	const char *length = strcasestr(connection->in, "\r\nContent-Length:");
	if (!end || !length || length > end || strncmp(connection->in, "HTTP/1.1 ", 9) != 0)
		return 0;
	size_t size = (size_t)(end + 4 - connection->in) + strtoul(length + 17, NULL, 10);
	return connection->n_in >= size ? strtoul(connection->in + 9, NULL, 10) : 0;
}

static void on_input(struct load *load, struct connection *connection)
{
	ssize_t n = recv(connection->fd, connection->in + connection->n_in,
		ANSWER_BYTES - 1 - connection->n_in, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		lose(load, connection);
		return;
	}
	connection->n_in += (size_t)n;
	connection->in[connection->n_in] = '\0';
	unsigned long status = whole_answer(connection);
	if (status == 0)
		return;
	connection->was_answered = true;
	take_answer(load, connection, status);
	if (strcasestr(connection->in, "\r\nConnection: close")) {
		hang_up(load, connection);
		if (!dial(load, connection))
			return;
	}
	start_request(load, connection);
}

static int by_size(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

static void report(struct load *load, double seconds)
{
	size_t n_latencies = load->n_latencies;
	struct rusage usage;
	double p50 = 0, p99 = 0;
	getrusage(RUSAGE_SELF, &usage);
	double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	if (n_latencies) {
		qsort(load->latencies_us, n_latencies, sizeof *load->latencies_us, by_size);
		p50 = load->latencies_us[n_latencies / 2] / 1e3;
		p99 = load->latencies_us[n_latencies - 1 - n_latencies / 100] / 1e3;
	}
	printf("{\"requests\":%llu,\"alerts\":%llu,\"answered\":%llu,\"unanswered\":%llu,"
	       "\"accepted\":%llu,\"duplicate\":%llu,\"quarantined\":%llu,\"errors\":%llu,"
	       "\"seconds\":%.3f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"cpu_seconds\":%.3f}\n",
		(unsigned long long)load->n_requests, (unsigned long long)load->n_sent,
		(unsigned long long)load->n_answered,
		(unsigned long long)(load->n_sent - load->n_answered),
		(unsigned long long)load->n_accepted, (unsigned long long)load->n_duplicate,
		(unsigned long long)load->n_quarantined, (unsigned long long)load->n_errors,
		seconds, p50, p99, cpu);
}

static void run(struct load *load)
{
	struct epoll_event events[EVENTS];
	for (size_t i = 0; i < load->options.n_connections; i++)
		if (!dial(load, &load->connections[i]))
			break; /* the others would be refused too */
	for (size_t i = 0; i < load->options.n_connections; i++)
		if (load->connections[i].fd >= 0)
			start_request(load, &load->connections[i]);
	while (load->n_open > 0) {
		int n = epoll_wait(load->epoll_fd, events, EVENTS, GIVE_UP_MS);
		if (n == 0)
			return;
		for (int i = 0; i < n; i++) {
			struct connection *connection = events[i].data.ptr;
			if (connection->fd < 0)
				continue; /* closed earlier in this turn */
			if (events[i].events & EPOLLOUT && !send_more(load, connection))
				lose(load, connection);
			else if (events[i].events & ~(uint32_t)EPOLLOUT)
				on_input(load, connection);
		}
	}
}

/* The record of an earlier run: one alert number a line. */
static void read_resume(struct load *load)
{
	AUTO(free) char *line = NULL;
	size_t capacity = 0;
	FILE *file = fopen(load->options.resume, "re");
	if (!file)
		die("cannot read the record to resume from");
	load->answered = must(calloc(load->options.n_alerts, 1));
	while (getline(&line, &capacity, file) > 0) {
		uint64_t number = strtoull(line, NULL, 10);
		if (number < load->options.n_alerts)
			load->answered[number] = 1;
	}
	fclose(file);
}

static void print_alerts(const struct load *load)
{
	struct buf line;
	buf_init(&line, REQUEST_BYTES);
	for (uint64_t i = 0; i < load->options.n_alerts; i++) {
		buf_clear(&line);
		load_alert_write(load->alerts, i, &line);
		buf_add_byte(&line, '\n');
		fwrite(line.data, 1, line.size, stdout);
	}
	buf_done(&line);
}

static uint64_t number_of(const char *text)
{
	uint64_t number;
	if (!text_to_u64(text_of(text), &number))
		die("an option wants a number");
	return number;
}

static void parse_url(struct options *options, char *url)
{
	char *colon = strrchr(url, ':');
	if (!colon)
		die("--url wants HOST:PORT (an IPv4 address)");
	*colon = '\0';
	options->host = url;
	options->port = number_of(colon + 1);
}

static const struct option long_options[] = {
	{"connections", required_argument, NULL, 'c'},
	{"alerts", required_argument, NULL, 'n'},
	{"batch", required_argument, NULL, 'b'},
	{"url", required_argument, NULL, 'u'},
	{"path", required_argument, NULL, 'p'},
	{"file", required_argument, NULL, 'f'},
	{"seed", required_argument, NULL, 's'},
	{"step", required_argument, NULL, 't'},
	{"first", required_argument, NULL, 'F'},
	{"record", required_argument, NULL, 'r'},
	{"resume-from", required_argument, NULL, 'R'},
	{"again", required_argument, NULL, 'a'},
	{"print", no_argument, NULL, 'P'},
	{0},
};

static void set_option(struct options *options, int option, char *value)
{
	switch (option) {
	case 'c':
		options->n_connections = number_of(value);
		return;
	case 'n':
		options->n_alerts = number_of(value);
		return;
	case 'b':
		options->batch = number_of(value);
		return;
	case 'u':
		parse_url(options, value);
		return;
	case 's':
		options->seed = number_of(value);
		return;
	case 't':
		options->step_ns = number_of(value);
		return;
	case 'F':
		options->first_ns = number_of(value);
		return;
	case 'a':
		options->again_percent = number_of(value);
		return;
	default:
		return;
	}
}

static bool set_name(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'p':
		options->path = value;
		return true;
	case 'f':
		options->file = value;
		return true;
	case 'r':
		options->record = value;
		return true;
	case 'R':
		options->resume = value;
		return true;
	case 'P':
		options->print = true;
		return true;
	default:
		return false;
	}
}

static struct options parse(int argc, char **argv)
{
	struct options options = {.n_connections = 1,
		.n_alerts = 1000,
		.batch = 1,
		.step_ns = 1000000,
		.host = "127.0.0.1",
		.path = "/ingest/falco"};
	int option;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == '?')
			die("usage: tocsin-load --url HOST:PORT --path /ingest/falco/TOKEN --file "
			    "LINES "
			    "[--connections N] [--alerts N] [--batch N] [--seed N] [--first NS] "
			    "[--step NS] "
			    "[--record FILE] [--resume-from FILE [--again PERCENT]] [--print]");
		if (!set_name(&options, option, optarg))
			set_option(&options, option, optarg);
	}
	if (!options.file || options.batch == 0 || options.n_connections == 0 ||
		options.n_connections > CONNECTIONS_MAX)
		die("--file is needed, --batch at least 1, --connections 1 to 4096");
	return options;
}

/* Seed 0 begins on 2025-01-01; each seed has its own 10 000 s. That is before the horizon: such
 * alerts are stored and not correlated. For more, --first says a time. */
static int64_t first_ns(uint64_t seed)
{
	return (INT64_C(1735689600) + (int64_t)(seed % 2000) * 10000) * NS_PER_S;
}

static void prepare_run(struct load *load)
{
	const struct options *options = &load->options;
	load->address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)options->port)};
	if (inet_pton(AF_INET, options->host, &load->address.sin_addr) != 1)
		die("--url wants HOST:PORT (an IPv4 address)");
	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	load->connections = must(calloc(options->n_connections, sizeof *load->connections));
	load->latencies_us =
		must(calloc(options->n_alerts / options->batch + 2, sizeof *load->latencies_us));
	for (size_t i = 0; i < options->n_connections; i++) {
		load->connections[i].fd = -1;
		load->connections[i].numbers = must(calloc(options->batch, sizeof(uint64_t)));
		buf_init(&load->connections[i].out, REQUEST_BYTES);
	}
	if (options->resume)
		read_resume(load);
	if (options->record && !(load->record = fopen(options->record, "ae")))
		die("cannot write the record");
}

static void free_run(struct load *load)
{
	for (size_t i = 0; i < load->options.n_connections; i++) {
		free(load->connections[i].numbers);
		buf_done(&load->connections[i].out);
	}
	free(load->connections);
	free(load->latencies_us);
	free(load->answered);
	if (load->record && fclose(load->record) != 0)
		die("cannot write the record");
	close(load->epoll_fd);
}

int main(int argc, char **argv)
{
	struct load load = {.options = parse(argc, argv)};
	struct err err = {0};
	int64_t first = load.options.first_ns ? (int64_t)load.options.first_ns
					      : first_ns(load.options.seed);
	if (load_alerts_read(&load.alerts, load.options.file, first, (int64_t)load.options.step_ns,
		    &err) < 0)
		die(err.text);
	if (load.options.print) {
		print_alerts(&load);
		load_alerts_free(load.alerts);
		return EXIT_SUCCESS;
	}
	prepare_run(&load);
	int64_t started_ns = now_ns();
	run(&load);
	report(&load, (double)(now_ns() - started_ns) / 1e9);
	bool complete = load.n_answered == load.n_sent && load.next == load.options.n_alerts;
	free_run(&load);
	load_alerts_free(load.alerts);
	return complete ? EXIT_SUCCESS : EXIT_FAILURE;
}
