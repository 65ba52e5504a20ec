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

static struct flags flags_of(int argc, char **argv)
{
	return (struct flags){.program = "tocsind", .argc = argc, .argv = argv};
}

/* The file that a flag names; NULL: none does. */
static int find_config(const char **config, int argc, char **argv, struct err *err)
{
	struct flags flags = flags_of(argc, argv);
	int result;
	*config = NULL;
	while ((result = flags_next(&flags, err)) > 0)
		if (text_is(flags.name, "config"))
			*config = flags.value;
	return result;
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
	struct flags flags = flags_of(argc, argv);
	int result;
	while ((result = flags_next(&flags, err)) > 0) {
		if (switches_set(&options->switches, flags.name) || text_is(flags.name, "config"))
			continue;
		if (settings_set(&options->settings, setting_name(flags.name), text_of(flags.value),
			    err) < 0)
			return -1;
	}
	return result;
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
