/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent_settings.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_FILE "/etc/tocsin/tocsin-agent.yaml"

#define LISTEN_USUAL "127.0.0.1:8788"

#define PLACE(member)                                                                              \
	offsetof(struct agent_settings, member), sizeof(((struct agent_settings *)0)->member)
#define NONE 0, 0, NULL, NULL

static const char *const compression_names[] = {"off", "gzip", NULL};

static const struct setting rows[] = {
	{"server", SETTING_TEXT, PLACE(server), "", NONE,
		"the collector's gRPC port, as HOST:PORT"},
	{"listen", SETTING_TEXT, PLACE(listen), "", NONE,
		"where sensors of this node send to: ADDR:PORT, as 127.0.0.1 or [::1], or "
		"unix:PATH; empty: " LISTEN_USUAL ", with stdin nowhere"},
	{"spool", SETTING_TEXT, PLACE(spool), "/var/lib/tocsin-agent", NONE,
		"folder of what the collector has not stored yet"},
	{"spool_size", SETTING_NUMBER, PLACE(spool_size_bytes), "1GiB", 1 << 20, INT64_C(1) << 44,
		size_units, NULL,
		"of the spool; above it the oldest of the lowest severity are shed, and told of"},
	{"spool_age", SETTING_NUMBER, PLACE(spool_age_s), "7d", 60, 3650 * INT64_C(86400),
		time_units, NULL, "in which a record is shed, counted while the agent runs"},
	{"node", SETTING_TEXT, PLACE(node), "", NONE,
		"the node's name in Kubernetes; empty: $NODE_NAME, else the host's name"},
	{"token_file", SETTING_TEXT, PLACE(token_file), "", NONE,
		"file with the token for the collector; empty: none, the certificate says who it "
		"is"},
	{"tls.mode", SETTING_CHOICE, PLACE(tls_mode), "auto", 0, 0, NULL, tls_mode_names,
		"off: the collector is asked in the clear, which must be said"},
	{"tls.ca", SETTING_TEXT, PLACE(tls_ca), "", NONE,
		"PEM file of who signed the collector's certificate; empty: the system's"},
	{"tls.certificate", SETTING_TEXT, PLACE(tls_certificate), "", NONE,
		"PEM file of this agent's own certificate"},
	{"tls.key", SETTING_TEXT, PLACE(tls_key), "", NONE, "PEM file of its key"},
	{"compression", SETTING_CHOICE, PLACE(compression), "off", 0, 0, NULL, compression_names,
		"gzip: what goes to the collector is packed: fewer bytes, more work for the "
		"collector"},
	{"follow", SETTING_TEXT, PLACE(follow), "", NONE,
		"files that sensors write to, as /var/log/falco.json=falco, separated by commas"},
	{"stdin", SETTING_TEXT, PLACE(input), "", NONE,
		"source of the lines on standard input, as falco; the agent ends with them"},
	{"cgroup", SETTING_TEXT, PLACE(cgroup), "/sys/fs/cgroup", NONE,
		"where the control groups are: which container is in which pod; empty: not looked"},
	{"log.level", SETTING_CHOICE, PLACE(log_level), "info", 0, 0, NULL, log_level_names,
		"what is logged on standard error"},
	{0},
};

const struct setting_list agent_setting_list = {rows, "TOCSIN_AGENT"};

const char agent_usage[] =
	"usage: tocsin-agent --server HOST:PORT [--config FILE] [--listen ADDR:PORT|unix:PATH]\n"
	"                    [--spool DIR] [--node NAME] [--token-file FILE] [--tls FILE...|off]\n"
	"                    [--SETTING VALUE ...] [--check-config] [--help] [--version]\n"
	"\n"
	"  --server HOST:PORT     the collector's gRPC port\n"
	"  --config FILE          settings (default " CONFIG_FILE " if it is there)\n"
	"  --listen ADDR:PORT     where sensors send to, or unix:PATH (default " LISTEN_USUAL ";\n"
	"                         with --stdin nowhere)\n"
	"  --spool DIR            what the collector has not stored yet (default\n"
	"                         /var/lib/tocsin-agent)\n"
	"  --node NAME            the node's name in Kubernetes (default $NODE_NAME, else the "
	"host's)\n"
	"  --token-file FILE      the token for the collector\n"
	"  --tls CA               file of who signed the collector's certificate; or CERT KEY CA:\n"
	"                         and this agent's certificate; or off\n"
	"  --compression gzip     packs what goes to the collector; default off\n"
	"  --stdin SOURCE         takes lines from standard input, as Falco's program_output;\n"
	"                         beside another agent it needs a --spool of its own\n"
	"  --check-config         checks what was said and ends\n"
	"\n"
	"Any setting is a flag too: --spool_size 2GiB. Environment: TOCSIN_AGENT_SERVER ...\n";

bool agent_split_address(const char *address, char *host, size_t size, unsigned *port)
{
	uint64_t number;
	const char *colon = strrchr(address, ':');
	if (!colon || colon == address || !text_to_u64(text_of(colon + 1), &number) ||
		number > 65535)
		return false;
	struct text name = {address, (size_t)(colon - address)};
	if (name.size > 2 && name.data[0] == '[' && name.data[name.size - 1] == ']')
		name = text_part(name, 1, name.size - 2);
	if (name.size >= size)
		return false;
	text_format(host, size, "%.*s", TEXT_ARG(name));
	*port = (unsigned)number;
	return true;
}

bool agent_follow_next(struct text *rest, struct agent_follow *out, struct err *err)
{
	struct text one;
	*err = (struct err){0};
	while (text_split(rest, ',', &one)) {
		struct text source = text_trim(one);
		if (!source.size)
			continue;
		text_split(&source, '=', &out->path);
		out->source = source_parse(source);
		if (out->source != SOURCE_NONE && out->path.size)
			return true;
		ignore(err_set(err, ERR_DENIED,
			"follow: '%.*s' must be PATH=SOURCE; sources are %s",
			TEXT_ARG(text_part(one, 0, 80)), source_names()));
		return false;
	}
	return false;
}

/* ---- the command line ---- */

static int set(struct agent_options *options, const char *name, const char *value, struct err *err)
{
	return setting_list_set(
		&agent_setting_list, &options->settings, text_of(name), text_of(value), err);
}

static bool is_value(const struct flags *flags, int ahead)
{
	return flags->at + ahead < flags->argc &&
	       strncmp(flags->argv[flags->at + ahead], "--", 2) != 0;
}

/* off, auto; CA; or CERT KEY CA. */
static int set_tls(struct agent_options *options, struct flags *flags, struct err *err)
{
	struct text value = text_of(flags->value);
	if (text_is(value, "off") || text_is(value, "auto"))
		return set(options, "tls.mode", flags->value, err);
	if (!is_value(flags, 1))
		return set(options, "tls.ca", flags->value, err);
	if (!is_value(flags, 2))
		return err_set(err, ERR_INPUT, "--tls: off, or CA, or CERT KEY CA");
	if (set(options, "tls.certificate", flags->value, err) < 0 ||
		set(options, "tls.key", flags->argv[flags->at + 1], err) < 0 ||
		set(options, "tls.ca", flags->argv[flags->at + 2], err) < 0)
		return -1;
	flags->at += 2;
	return 0;
}

static int apply(struct agent_options *options, struct flags *flags, struct err *err)
{
	if (switches_set(&options->switches, flags->name) || text_is(flags->name, "config"))
		return 0;
	if (text_is(flags->name, "tls"))
		return set_tls(options, flags, err);
	struct text name = text_is(flags->name, "token-file") ? TEXT("token_file") : flags->name;
	return setting_list_set(
		&agent_setting_list, &options->settings, name, text_of(flags->value), err);
}

static int read_flags(struct agent_options *options, int argc, char **argv, struct err *err)
{
	struct flags flags = {.program = "tocsin-agent", .argc = argc, .argv = argv};
	const char *config = access(CONFIG_FILE, R_OK) == 0 ? CONFIG_FILE : NULL;
	int result;
	while ((result = flags_next(&flags, err)) > 0) {
		if (text_is(flags.name, "config"))
			config = flags.value;
		while (text_is(flags.name, "tls") && is_value(&flags, 1))
			flags.at++;
	}
	if (result < 0)
		return -1;
	if ((config && setting_list_read_file(
			       &agent_setting_list, &options->settings, config, err) < 0) ||
		setting_list_read_environment(&agent_setting_list, &options->settings, err) < 0) {
		err->kind = ERR_DENIED;
		return -1;
	}
	flags.at = 0;
	while ((result = flags_next(&flags, err)) > 0)
		if (apply(options, &flags, err) < 0)
			return -1;
	return result;
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* Senders say no token: who can reach it can send as any sensor of this node. */
static int check_listen(const char *listen, struct err *err)
{
	char host[64];
	unsigned port;
	if (!listen[0] || (text_starts(text_of(listen), TEXT("unix:")) && listen[5]))
		return 0;
	if (!agent_split_address(listen, host, sizeof host, &port))
		return err_set(
			err, ERR_DENIED, "listen: '%s' must be ADDR:PORT or unix:PATH", listen);
	if (!is_loopback(host))
		return err_set(err, ERR_DENIED,
			"listen: '%s' can be reached from elsewhere, and senders say no token: use "
			"127.0.0.1:PORT, [::1]:PORT or unix:PATH",
			listen);
	return 0;
}

static int check_follow(const char *follow, struct err *err)
{
	struct text rest = text_of(follow);
	struct agent_follow one;
	size_t n = 0;
	while (agent_follow_next(&rest, &one, err))
		if (++n > AGENT_FOLLOWS_MAX)
			return err_set(
				err, ERR_DENIED, "follow: at most %d files", AGENT_FOLLOWS_MAX);
	return err->kind == ERR_NONE ? 0 : -1;
}

static int check(struct agent_options *options, struct err *err)
{
	struct agent_settings *settings = &options->settings;
	if (!settings->server[0])
		return err_set(err, ERR_INPUT, "--server HOST:PORT is needed");
	if (!agent_split_address(
		    settings->server, options->host, sizeof options->host, &options->port))
		return err_set(err, ERR_DENIED, "server: '%s' must be HOST:PORT, as tocsin:8790",
			settings->server);
	if (!settings->tls_certificate[0] != !settings->tls_key[0])
		return err_set(err, ERR_DENIED, "tls.certificate and tls.key go together");
	if (settings->tls_mode == TLS_OFF && settings->tls_certificate[0])
		return err_set(err, ERR_DENIED, "tls: off goes without certificates");
	if (settings->input[0] && source_parse(text_of(settings->input)) == SOURCE_NONE)
		return err_set(err, ERR_DENIED, "stdin: no source '%s'; known are %s",
			settings->input, source_names());
	if (check_listen(settings->listen, err) < 0)
		return -1;
	return check_follow(settings->follow, err);
}

/* Who reads standard input may be beside the node's own agent, and does not take its port. */
static void find_listen(struct agent_settings *settings)
{
	if (!settings->listen[0] && !settings->input[0])
		text_format(settings->listen, sizeof settings->listen, LISTEN_USUAL);
}

static void find_node(struct agent_settings *settings)
{
	const char *given = getenv("NODE_NAME"); /* NOLINT(concurrency-mt-unsafe) */
	char host[256] = "";
	if (settings->node[0])
		return;
	if (!given || !*given) {
		gethostname(host, sizeof host - 1);
		given = host;
	}
	text_format(settings->node, sizeof settings->node, "%s", given);
}

int agent_options_read(struct agent_options *options, int argc, char **argv, struct err *err)
{
	*options = (struct agent_options){0};
	setting_list_defaults(&agent_setting_list, &options->settings);
	if (read_flags(options, argc, argv, err) < 0)
		return -1;
	if (options->switches.help || options->switches.version)
		return 0;
	find_node(&options->settings);
	find_listen(&options->settings);
	return check(options, err);
}
