/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/load_alerts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { LINE_BYTES = 1024 * 1024, PIECES_MAX = 8 };

enum slot { SLOT_NONE, SLOT_TIME, SLOT_EVT_TIME };

/* Verbatim text, then perhaps a time. */
struct piece {
	struct text text;
	enum slot slot;
};

struct template
{
	char *line;
	struct piece pieces[PIECES_MAX];
	size_t n_pieces;
};

struct load_alerts {
	struct template *templates;
	size_t n;
	int64_t first_ns;
	int64_t step_ns;
};

/* Where the next time value stands in @rest: from *at, *size bytes; SLOT_NONE if there is none. */
static enum slot next_slot(struct text rest, size_t *at, size_t *size)
{
	static const struct text keys[] = {
		[SLOT_TIME] = {"\"time\":\"", 8}, [SLOT_EVT_TIME] = {"\"evt.time\":", 11}};
	enum slot found = SLOT_NONE;
	*at = SIZE_MAX;
	for (unsigned i = SLOT_TIME; i <= SLOT_EVT_TIME; i++) {
		size_t start = text_find(rest, keys[i], 0);
		if (start == SIZE_MAX || start + keys[i].size >= *at)
			continue;
		*at = start + keys[i].size;
		found = (enum slot)i;
	}
	*size = 0;
	while (found && *at + *size < rest.size) {
		char byte = rest.data[*at + *size];
		bool is_value = found == SLOT_TIME ? byte != '"' : byte >= '0' && byte <= '9';
		if (!is_value)
			break;
		++*size;
	}
	return found;
}

static void template_split(struct template *template, size_t length)
{
	struct text rest = {template->line, length};
	while (template->n_pieces < PIECES_MAX - 1) {
		size_t at, size;
		enum slot slot = next_slot(rest, &at, &size);
		if (!slot)
			break;
		bool is_used = size > 0; /* "evt.time":null stays */
		size_t kept = is_used ? at : at + size;
		template->pieces[template->n_pieces++] =
			(struct piece){text_part(rest, 0, kept), is_used ? slot : SLOT_NONE};
		rest = text_part(rest, at + size, rest.size);
	}
	template->pieces[template->n_pieces++] = (struct piece){rest, SLOT_NONE};
}

static bool add_line(struct load_alerts *alerts, const char *line, size_t length)
{
	struct template *grown = reallocarray(alerts->templates, alerts->n + 1, sizeof *grown);
	if (!grown)
		return false;
	alerts->templates = grown;
	struct template *template = &grown[alerts->n];
	*template = (struct template){.line = strndup(line, length)};
	if (!template->line)
		return false;
	template_split(template, length);
	if (template->n_pieces > 1)
		alerts->n++;
	else
		free(template->line); /* without a time it would be the same alert every time */
	return true;
}

int load_alerts_read(struct load_alerts **out, const char *path, int64_t first_ns, int64_t step_ns,
	struct err *err)
{
	AUTO(free) char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	struct load_alerts *alerts = calloc(1, sizeof *alerts);
	FILE *file = fopen(path, "re");
	if (!file || !alerts) {
		free(alerts);
		return err_errno(err, errno, "%s", path);
	}
	alerts->first_ns = first_ns;
	alerts->step_ns = step_ns;
	bool ok = true;
	while (ok && (length = getline(&line, &capacity, file)) > 0) {
		while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
			length--;
		if (length > 0)
			ok = add_line(alerts, line, (size_t)length);
	}
	fclose(file);
	if (!ok || alerts->n == 0) {
		load_alerts_free(alerts);
		return err_set(err, ERR_INPUT, "%s: no alerts, or no memory", path);
	}
	*out = alerts;
	return 0;
}

void load_alerts_free(struct load_alerts *alerts)
{
	if (!alerts)
		return;
	for (size_t i = 0; i < alerts->n; i++)
		free(alerts->templates[i].line);
	free(alerts->templates);
	free(alerts);
}

void load_alert_write(const struct load_alerts *alerts, uint64_t i, struct buf *out)
{
	const struct template *template = &alerts->templates[i % alerts->n];
	int64_t time_ns = alerts->first_ns + (int64_t)i * alerts->step_ns;
	char text[CLOCK_TEXT_BYTES];
	for (size_t j = 0; j < template->n_pieces; j++) {
		buf_add(out, template->pieces[j].text);
		if (template->pieces[j].slot == SLOT_TIME)
			buf_add_string(out, clock_format(time_ns, text));
		else if (template->pieces[j].slot == SLOT_EVT_TIME)
			buf_add_i64(out, time_ns);
	}
}
