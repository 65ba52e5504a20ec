/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/normalise.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/utf8.h"

enum { CONTAINER_DIGITS = 12, PATTERN_BYTES = 8192 };

bool word_is_absent(struct text word)
{
	return word.size == 0 || text_is(word, "<NA>") || text_is(word, "null") ||
	       text_is(word, "host");
}

static struct text present(struct text word)
{
	return word_is_absent(word) ? TEXT_NONE : word;
}

static void cut(struct alert *alert, struct text *field, size_t max)
{
	if (field->size <= max)
		return;
	*field = utf8_prefix(*field, max);
	alert->flags |= ALERT_TRUNCATED;
}

static void limit_fields(struct alert *alert)
{
	struct text *names[] = {&alert->rule, &alert->node, &alert->namespace, &alert->pod,
		&alert->pod_uid, &alert->container, &alert->image, &alert->image_digest,
		&alert->operation, &alert->process.name, &alert->process.user,
		&alert->process.parent, &alert->sensor_source, &alert->severity_reported,
		&alert->runtime_class};
	struct text *texts[] = {&alert->message, &alert->resource, &alert->process.exe,
		&alert->process.cmdline, &alert->process.parent_exe, &alert->process.exec_id};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		cut(alert, names[i], NAME_BYTES_MAX);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		cut(alert, texts[i], FIELD_BYTES_MAX);
}

static void drop_absent(struct alert *alert)
{
	struct text *fields[] = {&alert->node, &alert->namespace, &alert->pod, &alert->pod_uid,
		&alert->container, &alert->image, &alert->image_digest, &alert->process.name,
		&alert->process.exe, &alert->process.cmdline, &alert->process.parent,
		&alert->process.parent_exe, &alert->process.user, &alert->resource,
		&alert->operation};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		*fields[i] = present(*fields[i]);
}

static struct text after_scheme(struct text id)
{
	size_t at = text_find(id, TEXT("://"), 0);
	return at == SIZE_MAX ? id : text_part(id, at + 3, id.size);
}

/* Twelve or more hex digits: the first twelve. Anything else is a name of its node's. */
static struct text canonical_container(
	struct arena *arena, const struct alert *alert, struct text id)
{
	id = text_part(after_scheme(present(text_trim(id))), 0, NAME_BYTES_MAX);
	if (word_is_absent(id))
		return TEXT_NONE;
	struct text head = text_part(id, 0, CONTAINER_DIGITS);
	if (head.size == CONTAINER_DIGITS && text_is_hex(id))
		return head;
	return arena_format(arena, "%.*s/%.*s", TEXT_ARG(alert->node), TEXT_ARG(id));
}

static bool is_template_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

static bool is_suffix(struct text word, size_t low, size_t high)
{
	if (word.size < low || word.size > high)
		return false;
	for (size_t i = 0; i < word.size; i++)
		if (!is_template_letter(word.data[i]))
			return false;
	return true;
}

static size_t last_dash(struct text name)
{
	size_t at = name.size;
	while (at > 0 && name.data[at - 1] != '-')
		at--;
	return at;
}

/* web-755f25fcf-799fh → Deployment web; ds-x7k2q → web; web-0 → StatefulSet web. */
static void infer_workload(struct alert *alert)
{
	struct text name = alert->pod;
	size_t at = last_dash(name);
	if (alert->workload.name.size || at < 2)
		return;
	struct text suffix = text_part(name, at, name.size);
	struct text stem = text_part(name, 0, at - 1);
	uint64_t ordinal;
	if (text_to_u64(suffix, &ordinal) && suffix.size <= 4) {
		alert->workload = (struct workload){TEXT("StatefulSet"), stem, true};
		return;
	}
	if (!is_suffix(suffix, 5, 5))
		return;
	at = last_dash(stem);
	if (at >= 2 && is_suffix(text_part(stem, at, stem.size), 8, 10))
		alert->workload =
			(struct workload){TEXT("Deployment"), text_part(stem, 0, at - 1), true};
	else
		alert->workload = (struct workload){TEXT("DaemonSet"), stem, true};
}

static void read_tags(struct arena *arena, struct alert *alert)
{
	struct text_list *reported = &alert->attack_reported;
	reported->items = arena_array(arena, alert->tags.n + 1, sizeof *reported->items);
	for (size_t i = 0; i < alert->tags.n && reported->items; i++) {
		struct attack_tag tag = attack_tag_parse(alert->tags.items[i]);
		if (!tag.about_attack)
			continue;
		reported->items[reported->n++] = alert->tags.items[i];
		alert->tactics |= tag.tactics;
		alert_add_technique(alert, tag.technique);
	}
}

static void check_time(struct alert *alert)
{
	if (alert->time_ns >= TIME_MIN_NS && alert->time_ns <= alert->received_ns + TIME_AHEAD_NS)
		return;
	alert->time_ns = alert->received_ns;
	alert->flags |= ALERT_TIME_UNTRUSTED;
}

static bool is_word_byte(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z');
}

static bool has_digit(struct text word)
{
	for (size_t i = 0; i < word.size; i++)
		if (word.data[i] >= '0' && word.data[i] <= '9')
			return true;
	return false;
}

static bool is_uuid(struct text text, size_t at)
{
	static const size_t groups[] = {8, 4, 4, 4, 12};
	for (size_t i = 0; i < 5; i++) {
		struct text group = text_part(text, at, groups[i]);
		at += groups[i];
		if (group.size != groups[i] || !text_is_hex(group))
			return false;
		if (i < 4 && !(at < text.size && text.data[at++] == '-'))
			return false;
	}
	return at == text.size || !is_word_byte(text.data[at]);
}

/* Digits of one word become '#', long hex words 'H'. */
static void add_word(struct buf *out, struct text word)
{
	if (word.size >= 8 && text_is_hex(word) && has_digit(word)) {
		buf_add_byte(out, 'H');
		return;
	}
	bool in_digits = false;
	for (size_t i = 0; i < word.size; i++) {
		bool digit = word.data[i] >= '0' && word.data[i] <= '9';
		if (!digit)
			buf_add_byte(out, (unsigned char)word.data[i]);
		else if (!in_digits)
			buf_add_byte(out, '#');
		in_digits = digit;
	}
}

/* An IPv4 address is an indicator: it stays. */
static size_t address_length(struct text text, size_t at)
{
	unsigned dots = 0;
	size_t end = at;
	while (end < text.size &&
		((text.data[end] >= '0' && text.data[end] <= '9') || text.data[end] == '.'))
		dots += text.data[end++] == '.';
	return dots == 3 && end - at >= 7 && end - at <= 15 ? end - at : 0;
}

/* What is the same for every container and process: uuid → U, hex → H, digits → #. */
static void add_pattern(struct buf *out, struct text resource)
{
	for (size_t at = 0; at < resource.size;) {
		if (!is_word_byte(resource.data[at])) {
			buf_add_byte(out, (unsigned char)resource.data[at++]);
			continue;
		}
		size_t address = address_length(resource, at);
		if (address) {
			buf_add(out, text_part(resource, at, address));
			at += address;
			continue;
		}
		if (is_uuid(resource, at)) {
			buf_add_byte(out, 'U');
			at += 36;
			continue;
		}
		size_t end = at;
		while (end < resource.size && is_word_byte(resource.data[end]))
			end++;
		add_word(out, text_part(resource, at, end - at));
		at = end;
	}
}

static struct digest hash_parts(const struct text *parts, size_t n)
{
	struct digest_state *state = digest_start();
	for (size_t i = 0; i < n; i++)
		digest_add_part(state, parts[i]);
	return digest_end(state);
}

void normalise_occurrence(struct alert *alert, const struct text *parts, size_t n)
{
	struct digest digest = hash_parts(parts, n);
	memcpy(alert->occ, digest.bytes, OCCURRENCE_BYTES);
}

/* The resource is stored as its pattern's class in the fingerprint row; the alert keeps its own. */
static void make_fingerprint(struct alert *alert)
{
	AUTO(buf_done) struct buf pattern;
	buf_init(&pattern, PATTERN_BYTES);
	add_pattern(&pattern, alert->resource);
	struct text parts[] = {alert->sensor, alert->rule, alert->process.exe,
		alert->process.parent_exe.size ? alert->process.parent_exe : alert->process.parent,
		alert->operation, buf_text(&pattern)};
	struct digest digest = hash_parts(parts, sizeof parts / sizeof parts[0]);
	memcpy(alert->fingerprint, digest.bytes, FINGERPRINT_BYTES);
}

void normalise_alert(struct arena *arena, struct alert *alert, struct text container)
{
	drop_absent(alert);
	limit_fields(alert);
	alert->container_id = canonical_container(arena, alert, container);
	infer_workload(alert);
	read_tags(arena, alert);
	if (alert->action == ACTION_BLOCKED)
		alert->flags |= ALERT_PREVENTED;
	check_time(alert);
	make_fingerprint(alert);
}
