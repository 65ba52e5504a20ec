/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

const char options_usage[] =
	"usage: tocsind [--data DIR] [--listen ADDR:PORT] [--listen-metrics ADDR:PORT]\n"
	"               [--tls-certificate FILE --tls-key FILE [--tls-client-ca FILE] | --tls "
	"off]\n"
	"               [--check-config] [--help] [--version]\n"
	"\n"
	"  --data DIR                 where the database and the tokens are (default "
	"/var/lib/tocsin)\n"
	"  --listen ADDR:PORT         HTTP: intake and API (default 127.0.0.1:8789)\n"
	"  --listen-metrics ADDR:PORT /metrics without a token (default: off)\n"
	"  --tls off                  plain HTTP beyond loopback; must be said\n"
	"  --check-config             checks what was said and ends\n"
	"\n"
	"Environment: TOCSIN_DATA, TOCSIN_LISTEN, TOCSIN_LISTEN_METRICS. Flags beat it.\n";

static int read_listen(
	const char *value, char *address, size_t size, unsigned *port, struct err *err)
{
	struct text text = text_of(value);
	size_t colon = text.size;
	uint64_t number;
	while (colon > 0 && text.data[colon - 1] != ':')
		colon--;
	if (colon < 2 || !text_to_u64(text_part(text, colon, text.size), &number) ||
		number > 65535 || colon - 1 >= size)
		return err_set(err, ERR_INPUT,
			"'%s' is no ADDR:PORT: give for example 127.0.0.1:8789 or [::1]:8789",
			value);
	struct text host = text_part(text, 0, colon - 1);
	if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
		host = text_part(host, 1, host.size - 2);
	text_format(address, size, "%.*s", TEXT_ARG(host));
	*port = (unsigned)number;
	return 0;
}

static int set(struct options *options, struct text name, const char *value, struct err *err)
{
	if (text_is(name, "data")) {
		options->data = value;
		return 0;
	}
	if (text_is(name, "listen"))
		return read_listen(
			value, options->address, sizeof options->address, &options->port, err);
	if (text_is(name, "listen-metrics"))
		return read_listen(value, options->metrics_address, sizeof options->metrics_address,
			&options->metrics_port, err);
	if (text_is(name, "tls-certificate"))
		options->tls_certificate = value;
	else if (text_is(name, "tls-key"))
		options->tls_key = value;
	else if (text_is(name, "tls-client-ca"))
		options->tls_client_ca = value;
	else if (text_is(name, "tls") && strcmp(value, "off") == 0)
		options->tls_off = true;
	else
		return err_set(err, ERR_INPUT, "unknown option --%.*s %s: see tocsind --help",
			TEXT_ARG(name), value);
	return 0;
}

static int read_environment(struct options *options, struct err *err)
{
	static const char *const names[][2] = {{"TOCSIN_DATA", "data"}, {"TOCSIN_LISTEN", "listen"},
		{"TOCSIN_LISTEN_METRICS", "listen-metrics"}};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *value = getenv(names[i][0]);
		if (value && *value && set(options, text_of(names[i][1]), value, err) < 0)
			return err_prefix(err, "%s", names[i][0]);
	}
	return 0;
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static int check(const struct options *options, struct err *err)
{
	if (!options->tls_certificate != !options->tls_key)
		return err_set(err, ERR_DENIED, "--tls-certificate and --tls-key go together");
	if (!options->tls_certificate && !options->tls_off && !is_loopback(options->address))
		return err_set(err, ERR_DENIED,
			"listening on %s without TLS: give --tls-certificate and --tls-key, or say"
			" --tls off",
			options->address);
	return 0;
}

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

int options_read(struct options *options, int argc, char **argv, struct err *err)
{
	*options =
		(struct options){.data = "/var/lib/tocsin", .address = "127.0.0.1", .port = 8789};
	if (read_environment(options, err) < 0)
		return -1;
	for (int i = 1; i < argc; i++) {
		struct text word = text_of(argv[i]);
		if (!text_starts(word, TEXT("--")))
			return err_set(
				err, ERR_INPUT, "'%s' is no option: see tocsind --help", argv[i]);
		struct text rest = text_part(word, 2, word.size);
		if (set_switch(options, rest))
			continue;
		struct text name;
		text_split(&rest, '=', &name);
		const char *value = rest.data ? rest.data : i + 1 < argc ? argv[++i] : NULL;
		if (!value)
			return err_set(err, ERR_INPUT, "%s needs a value", argv[i]);
		if (set(options, name, value, err) < 0)
			return -1;
	}
	return check(options, err);
}
