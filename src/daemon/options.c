/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <unistd.h>

const char options_usage[] =
	"usage: tocsind [--config FILE] [--data DIR] [--listen ADDR:PORT] [--listen-grpc "
	"ADDR:PORT]\n"
	"               [--listen-metrics ADDR:PORT] [--SETTING VALUE ...] [--check-config]\n"
	"               [--help] [--version]\n"
	"\n"
	"  --config FILE              settings (default " SYSTEM_CONFIG " if it is there)\n"
	"  --data DIR                 where the database and the tokens are (default "
	"/var/lib/tocsin)\n"
	"  --listen ADDR:PORT         HTTP: intake and API (default 127.0.0.1:8789)\n"
	"  --listen-grpc ADDR:PORT    gRPC: agents (default 127.0.0.1:8790)\n"
	"  --listen-metrics ADDR:PORT /metrics without a token (default: off)\n"
	"  --tls off                  plain HTTP beyond loopback; must be said\n"
	"  --check-config             checks what was said and ends\n"
	"\n"
	"Any setting of tocsin.yaml is a flag too: --tls.certificate FILE. tocsin config schema "
	"lists them.\n"
	"Environment: TOCSIN_DATA, TOCSIN_LISTEN, TOCSIN_TLS_CERTIFICATE ... Flags beat it.\n";

/* A flag without a value; false if it is none. */
static bool set_switch(struct options *options, struct text name)
{
	if (text_is(name, "check-config"))
		options->check_only = true;
	else if (text_is(name, "help"))
		options->help = true;
	else if (text_is(name, "version"))
		options->version = true;
	else
		return false;
	return true;
}

/* One flag, with its value behind '=' or in the next word. */
struct flag {
	struct text name;
	const char *value; /* NULL: there is none */
};

static int read_flag(struct flag *flag, int argc, char **argv, int *i, struct err *err)
{
	struct options switches = {0};
	struct text word = text_of(argv[*i]);
	if (!text_starts(word, TEXT("--")))
		return err_set(err, ERR_INPUT, "'%s' is no option: see tocsind --help", argv[*i]);
	struct text rest = text_part(word, 2, word.size);
	flag->name = TEXT_NONE; /* "--" alone */
	text_split(&rest, '=', &flag->name);
	flag->value = rest.data;
	if (flag->value || set_switch(&switches, flag->name))
		return 0;
	if (*i + 1 == argc)
		return err_set(err, ERR_INPUT, "--%.*s needs a value", TEXT_ARG(flag->name));
	flag->value = argv[++*i];
	return 0;
}

/* The file that a flag names; NULL: none does. */
static int find_config(const char **config, int argc, char **argv, struct err *err)
{
	struct flag flag = {0};
	*config = NULL;
	for (int i = 1; i < argc; i++) {
		if (read_flag(&flag, argc, argv, &i, err) < 0)
			return -1;
		if (text_is(flag.name, "config"))
			*config = flag.value;
	}
	return 0;
}

/* Flags have hyphens where settings have underscores. */
static struct text setting_name(struct text flag)
{
	if (text_is(flag, "listen-metrics"))
		return TEXT("listen_metrics");
	return text_is(flag, "listen-grpc") ? TEXT("listen_grpc") : flag;
}

static int apply_flags(struct options *options, int argc, char **argv, struct err *err)
{
	struct flag flag = {0};
	for (int i = 1; i < argc; i++) {
		if (read_flag(&flag, argc, argv, &i, err) < 0)
			return -1;
		if (set_switch(options, flag.name) || text_is(flag.name, "config"))
			continue;
		if (settings_set(&options->settings, setting_name(flag.name), text_of(flag.value),
			    err) < 0)
			return -1;
	}
	return 0;
}

static int read_file_and_environment(struct settings *settings, const char *config, struct err *err)
{
	if (!config && access(SYSTEM_CONFIG, R_OK) == 0)
		config = SYSTEM_CONFIG;
	if (config && settings_read_file(settings, config, err) < 0)
		return -1;
	return settings_read_environment(settings, err);
}

int options_read(struct options *options, int argc, char **argv, struct err *err)
{
	const char *config;
	*options = (struct options){0};
	settings_defaults(&options->settings);
	if (find_config(&config, argc, argv, err) < 0)
		return -1;
	if (read_file_and_environment(&options->settings, config, err) < 0) {
		err->kind = ERR_DENIED;
		return -1;
	}
	if (apply_flags(options, argc, argv, err) < 0)
		return -1;
	return settings_check(&options->settings, err);
}
