/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "base/yaml.h"
#include "settings/table.h"

enum { NAME_BYTES = 64, VALUE_BYTES = 1024 };

const struct setting_list daemon_settings = {settings_table, "TOCSIN"};

static void *place_of(void *place, const struct setting *setting)
{
	return (char *)place + setting->offset;
}

static const void *value_of(const struct settings *settings, const struct setting *setting)
{
	return (const char *)settings + setting->offset;
}

static const struct setting *find(const struct setting_list *list, struct text name)
{
	for (const struct setting *setting = list->rows; setting->name; setting++)
		if (text_is(name, setting->name))
			return setting;
	return NULL;
}

static int not_allowed(
	const struct setting *setting, struct text value, const char *allowed, struct err *err)
{
	return err_set(err, ERR_INPUT, "%s: '%.*s' is not allowed: %s", setting->name,
		(int)(value.size < 60 ? value.size : 60), value.data ? value.data : "", allowed);
}

/* A number with a unit: "30d" with {"s", 1} … */
static bool read_unit(struct text value, const struct unit *units, int64_t *out)
{
	size_t digits = 0;
	uint64_t number;
	while (digits < value.size && value.data[digits] >= '0' && value.data[digits] <= '9')
		digits++;
	struct text suffix = text_trim(text_part(value, digits, value.size));
	if (!text_to_u64(text_part(value, 0, digits), &number))
		return false;
	for (; units->name; units++)
		if (text_is(suffix, units->name))
			return number <= INT64_MAX &&
			       !__builtin_mul_overflow((int64_t)number, units->factor, out);
	return false;
}

static int set_number(
	const struct setting *setting, struct text value, int64_t *place, struct err *err)
{
	char allowed[160];
	int64_t number;
	text_format(allowed, sizeof allowed, "must be %lld to %lld%s%s", (long long)setting->least,
		(long long)setting->most,
		setting->units == plain_units ? "" : " in base units, as ",
		setting->units == plain_units ? "" : setting->fallback);
	if (!read_unit(value, setting->units, &number) || number < setting->least ||
		number > setting->most)
		return not_allowed(setting, value, allowed, err);
	*place = number;
	return 0;
}

static int set_choice(
	const struct setting *setting, struct text value, int64_t *place, struct err *err)
{
	char allowed[160] = "must be";
	size_t size = strlen(allowed);
	for (int64_t i = 0; setting->choices[i]; i++) {
		if (text_is(value, setting->choices[i])) {
			*place = i;
			return 0;
		}
		size += text_format(allowed + size, sizeof allowed - size, "%s %s", i ? "," : "",
			setting->choices[i]);
	}
	return not_allowed(setting, value, allowed, err);
}

static int set_text(
	const struct setting *setting, struct text value, char *place, size_t size, struct err *err)
{
	if (value.size >= size)
		return not_allowed(setting, value, "it is too long", err);
	text_format(place, size, "%.*s", TEXT_ARG(value));
	return 0;
}

/* ADDR:PORT into two members that stand one after the other. */
static int set_address(
	const struct setting *setting, struct text value, char *address, struct err *err)
{
	uint64_t port = 0;
	size_t colon = value.size;
	int64_t *place = (int64_t *)(void *)(address + ADDRESS_BYTES);
	if (value.size == 0 && !setting->fallback[0]) {
		address[0] = '\0';
		return 0;
	}
	while (colon > 0 && value.data[colon - 1] != ':')
		colon--;
	struct text host = text_part(value, 0, colon ? colon - 1 : 0);
	if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
		host = text_part(host, 1, host.size - 2);
	if (host.size == 0 || !text_to_u64(text_part(value, colon, value.size), &port) ||
		port > 65535)
		return not_allowed(setting, value, "must be ADDR:PORT, as 127.0.0.1:8789", err);
	*place = (int64_t)port;
	return set_text(setting, host, address, ADDRESS_BYTES, err);
}

int setting_list_set(const struct setting_list *list, void *settings, struct text name,
	struct text value, struct err *err)
{
	const struct setting *setting = find(list, text_is(name, "tls") ? TEXT("tls.mode") : name);
	if (!setting) {
		err_set(err, ERR_INPUT, "there is no setting '%.*s'; there are",
			(int)(name.size < 40 ? name.size : 40), name.data ? name.data : "");
		for (setting = list->rows; setting->name; setting++) {
			size_t size = strlen(err->text);
			text_format(
				err->text + size, sizeof err->text - size, " %s", setting->name);
		}
		return -1;
	}
	void *place = place_of(settings, setting);
	switch (setting->type) {
	case SETTING_TEXT:
		return set_text(setting, value, place, setting->size, err);
	case SETTING_ADDRESS:
		return set_address(setting, value, place, err);
	case SETTING_NUMBER:
		return set_number(setting, value, place, err);
	case SETTING_CHOICE:
		return set_choice(setting, value, place, err);
	}
	return 0;
}

int settings_set(struct settings *settings, struct text name, struct text value, struct err *err)
{
	return setting_list_set(&daemon_settings, settings, name, value, err);
}

void setting_list_defaults(const struct setting_list *list, void *place)
{
	struct err err;
	for (const struct setting *setting = list->rows; setting->name; setting++)
		if (setting_list_set(list, place, text_of(setting->name),
			    text_of(setting->fallback), &err) < 0)
			abort(); /* the table itself is wrong: a test would have said so */
}

void settings_defaults(struct settings *settings)
{
	*settings = (struct settings){0};
	setting_list_defaults(&daemon_settings, settings);
}

/* What a file is read into. */
struct reading {
	const struct setting_list *list;
	void *place;
};

static int set_from_file(void *ctx, struct text path, struct text value, struct err *err)
{
	const struct reading *reading = ctx;
	return setting_list_set(reading->list, reading->place, path, value, err);
}

int setting_list_read_file(
	const struct setting_list *list, void *place, const char *path, struct err *err)
{
	struct reading reading = {list, place};
	AUTO(buf_done) struct buf source;
	size_t n;
	buf_init(&source, YAML_BYTES_MAX + VALUE_BYTES);
	FILE *file = fopen(path, "re");
	if (!file)
		return err_errno(err, errno, "opening %s", path);
	do {
		char *room = buf_reserve(&source, VALUE_BYTES);
		n = room ? fread(room, 1, VALUE_BYTES, file) : 0;
		if (room)
			buf_commit(&source, n);
	} while (n > 0);
	bool failed = ferror(file) != 0;
	(void)fclose(file); /* was only read */
	if (failed)
		return err_errno(err, EIO, "reading %s", path);
	/* Half a file is no file; one that is too long is the reader's to refuse. */
	if (!buf_ok(&source) && source.size <= YAML_BYTES_MAX)
		return err_set(err, ERR_MEMORY, "out of memory reading %s", path);
	if (yaml_read(buf_text(&source), set_from_file, &reading, err) == 0)
		return 0;
	struct err inner = *err; /* "LINE:COLUMN: what" */
	return err_set(err, inner.kind, "%.80s:%.150s", path, inner.text);
}

int settings_read_file(struct settings *settings, const char *path, struct err *err)
{
	return setting_list_read_file(&daemon_settings, settings, path, err);
}

static void environment_name(const char *prefix, const char *name, char out[NAME_BYTES])
{
	size_t size = text_format(out, NAME_BYTES, "%s_%s", prefix, name);
	for (size_t i = 0; i < size; i++)
		if (out[i] == '.')
			out[i] = '_';
		else if (out[i] >= 'a' && out[i] <= 'z')
			out[i] = (char)(out[i] - 'a' + 'A');
}

int setting_list_read_environment(const struct setting_list *list, void *place, struct err *err)
{
	for (const struct setting *setting = list->rows; setting->name; setting++) {
		char name[NAME_BYTES];
		environment_name(list->prefix, setting->name, name);
		const char *value =
			getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
		if (value && *value &&
			setting_list_set(list, place, text_of(setting->name), text_of(value), err) <
				0)
			return err_prefix(err, "%s", name);
	}
	return 0;
}

int settings_read_environment(struct settings *settings, struct err *err)
{
	return setting_list_read_environment(&daemon_settings, settings, err);
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

enum { RETENTION_SIZE_MIN = 64 << 20 };

/* "https://host:port": what browsers call an origin. */
static int check_url(const char *name, const char *url, struct err *err)
{
	struct text rest = text_of(url);
	if (!url[0])
		return 0;
	if (text_starts(rest, TEXT("https://")))
		rest = text_part(rest, 8, rest.size);
	else if (text_starts(rest, TEXT("http://")))
		rest = text_part(rest, 7, rest.size);
	else
		rest = TEXT_NONE;
	bool good = rest.size > 0;
	for (size_t i = 0; i < rest.size; i++)
		good = good && rest.data[i] > ' ' && rest.data[i] <= '~' && rest.data[i] != '/';
	if (good)
		return 0;
	return err_set(err, ERR_DENIED,
		"%s: '%.100s' must be http:// or https:// and a host, without a path, as "
		"https://tocsin.example.com",
		name, url);
}

static bool is_safe_url(const char *url)
{
	return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://127.", 11) == 0 ||
	       strncmp(url, "http://localhost", 16) == 0 || strncmp(url, "http://[::1]", 12) == 0;
}

/* What a provider says decides who may do what: it is asked in the clear on this machine only. */
static int check_oidc(const struct settings *settings, struct err *err)
{
	if (!settings->oidc_issuer[0])
		return 0;
	if (!is_safe_url(settings->oidc_issuer))
		return err_set(err, ERR_DENIED, "oidc.issuer: '%.100s' must begin with https://",
			settings->oidc_issuer);
	if (!settings->oidc_client_id[0] || !settings->oidc_roles[0])
		return err_set(err, ERR_DENIED,
			"oidc.issuer goes with oidc.client_id and oidc.roles (as ops=admin)");
	if (!settings->oidc_redirect_url[0] && !settings->console_url[0])
		return err_set(err, ERR_DENIED,
			"oidc.issuer needs oidc.redirect_url or console.url: where browsers come "
			"back to");
	if (settings->oidc_redirect_url[0] && !is_safe_url(settings->oidc_redirect_url))
		return err_set(err, ERR_DENIED,
			"oidc.redirect_url: '%.100s' must begin with https://",
			settings->oidc_redirect_url);
	return 0;
}

int settings_check(const struct settings *settings, struct err *err)
{
	bool tls = settings->tls_certificate[0] && settings->tls_key[0];
	if (!settings->tls_certificate[0] != !settings->tls_key[0])
		return err_set(err, ERR_DENIED, "tls.certificate and tls.key go together");
	const char *const addresses[] = {settings->listen_address, settings->grpc_address};
	for (int i = 0; i < 2; i++)
		if (!tls && settings->tls_mode != TLS_OFF && !is_loopback(addresses[i]))
			return err_set(err, ERR_DENIED,
				"listening on %s without TLS: give tls.certificate and tls.key, or "
				"say tls: off",
				addresses[i]);
	if (check_url("console.url", settings->console_url, err) < 0 ||
		check_oidc(settings, err) < 0)
		return -1;
	if (settings->retention_size_bytes && settings->retention_size_bytes < RETENTION_SIZE_MIN)
		return err_set(err, ERR_DENIED,
			"retention.size: %lld bytes are not enough: give 64MiB or more, or 0 for "
			"no limit",
			(long long)settings->retention_size_bytes);
	return 0;
}

static void write_value(const struct setting *setting, const void *place, struct buf *out)
{
	const int64_t *number = place;
	switch (setting->type) {
	case SETTING_TEXT:
		buf_addf(out, "\"%s\"", (const char *)place);
		break;
	case SETTING_ADDRESS:
		number = (const int64_t *)(const void *)((const char *)place + ADDRESS_BYTES);
		if (*(const char *)place)
			buf_addf(out, "\"%s:%lld\"", (const char *)place, (long long)*number);
		else
			buf_add_string(out, "\"\"");
		break;
	case SETTING_NUMBER:
		buf_addf(out, "%lld%s", (long long)*number, setting->units[0].name);
		break;
	case SETTING_CHOICE:
		buf_add_string(out, setting->choices[*number]);
		break;
	}
}

/* "tls.key" under "tls:"; the group's line is written when it changes. */
static const char *write_name(const char *name, struct text *group, struct buf *out)
{
	struct text rest = text_of(name), head;
	text_split(&rest, '.', &head);
	if (!rest.data) {
		*group = TEXT_NONE;
		buf_addf(out, "%s: ", name);
		return name;
	}
	if (!text_equal(*group, head))
		buf_addf(out, "%.*s:\n", TEXT_ARG(head));
	*group = head;
	buf_addf(out, "  %.*s: ", TEXT_ARG(rest));
	return rest.data;
}

void settings_show(const struct settings *settings, struct buf *out)
{
	struct text group = TEXT_NONE;
	for (const struct setting *setting = settings_table; setting->name; setting++) {
		write_name(setting->name, &group, out);
		write_value(setting, value_of(settings, setting), out);
		buf_add_byte(out, '\n');
	}
}

static void emit_value(const struct setting *setting, const void *place, struct emitter *out)
{
	AUTO(buf_done) struct buf words = {0};
	if (setting->type == SETTING_TEXT) {
		emit_text(out, text_of(place));
		return;
	}
	if (setting->type == SETTING_CHOICE) {
		emit_text(out, text_of(setting->choices[*(const int64_t *)place]));
		return;
	}
	buf_init(&words, VALUE_BYTES);
	write_value(setting, place, &words);
	struct text value = buf_text(&words);
	/* Addresses are quoted already; a number with a unit is a word. */
	if (setting->type == SETTING_NUMBER && setting->units[0].name[0])
		emit_text(out, value);
	else
		emit_raw(out, value);
}

void settings_write_json(const struct settings *settings, struct buf *out)
{
	struct emitter emitter;
	struct text group = TEXT_NONE;
	emit_init(&emitter, out);
	emit_object(&emitter);
	for (const struct setting *setting = settings_table; setting->name; setting++) {
		struct text rest = text_of(setting->name), head;
		text_split(&rest, '.', &head);
		struct text now = rest.data ? head : TEXT_NONE;
		bool is_same = group.data && now.data && text_equal(group, now);
		if (group.data && !is_same)
			emit_object_end(&emitter);
		if (now.data && !is_same) {
			emit_key_text(&emitter, now);
			emit_object(&emitter);
		}
		group = now;
		emit_key_text(&emitter, rest.data ? rest : head);
		emit_value(setting, value_of(settings, setting), &emitter);
	}
	if (group.data)
		emit_object_end(&emitter);
	emit_object_end(&emitter);
}

void settings_write_sample(struct buf *out)
{
	setting_list_write_sample(&daemon_settings, out);
}

void setting_list_write_sample(const struct setting_list *list, struct buf *out)
{
	struct text group = TEXT_NONE;
	for (const struct setting *setting = list->rows; setting->name; setting++) {
		buf_addf(out, "# %s\n", setting->text);
		write_name(setting->name, &group, out);
		buf_addf(out, "%s\n", setting->fallback[0] ? setting->fallback : "\"\"");
	}
}

void settings_write_reference(struct buf *out)
{
	buf_add_string(out, "# Settings\n\n"
			    "In `/etc/tocsin/tocsin.yaml`, or the environment (the name in capitals"
			    " after `TOCSIN_`,\n`.` as `_`), or flags. Flags beat the environment,"
			    " which beats the file.\n\n| name | default | what |\n|---|---|---|\n");
	for (const struct setting *setting = settings_table; setting->name; setting++)
		buf_addf(out, "| `%s` | %s%s%s | %s |\n", setting->name,
			setting->fallback[0] ? "`" : "none", setting->fallback,
			setting->fallback[0] ? "`" : "", setting->text);
}

static void write_property(struct emitter *emitter, const struct setting *setting, const char *name)
{
	emit_key(emitter, name);
	emit_object(emitter);
	emit_member_string(emitter, "description", setting->text);
	emit_member_string(emitter, "default", setting->fallback);
	if (setting->type == SETTING_CHOICE) {
		emit_key(emitter, "enum");
		emit_array(emitter);
		for (size_t i = 0; setting->choices[i]; i++)
			emit_text(emitter, text_of(setting->choices[i]));
		emit_array_end(emitter);
	}
	emit_object_end(emitter);
}

void settings_write_schema(struct buf *out)
{
	struct emitter emitter;
	struct text group = TEXT_NONE;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_member_string(&emitter, "$schema", "https://json-schema.org/draft/2020-12/schema");
	emit_member_string(&emitter, "title", "tocsin.yaml");
	emit_member_string(&emitter, "type", "object");
	emit_key(&emitter, "properties");
	emit_object(&emitter);
	for (const struct setting *setting = settings_table; setting->name; setting++) {
		struct text rest = text_of(setting->name), head;
		text_split(&rest, '.', &head);
		if (!rest.data)
			head = TEXT_NONE;
		if (group.size && !text_equal(group, head)) {
			emit_object_end(&emitter);
			emit_object_end(&emitter);
		}
		if (head.size && !text_equal(group, head)) {
			emit_key_text(&emitter, head);
			emit_object(&emitter);
			emit_member_string(&emitter, "type", "object");
			emit_key(&emitter, "properties");
			emit_object(&emitter);
		}
		group = head;
		write_property(&emitter, setting, rest.data ? rest.data : setting->name);
	}
	if (group.size) {
		emit_object_end(&emitter);
		emit_object_end(&emitter);
	}
	emit_object_end(&emitter);
	emit_member_bool(&emitter, "additionalProperties", false);
	emit_object_end(&emitter);
}
