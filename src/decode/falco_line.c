/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/falco_line.h"

#include <string.h>

static const struct {
	const char *word;
	enum severity severity;
} priorities[] = {
	{"Emergency", SEVERITY_CRITICAL},
	{"Alert", SEVERITY_CRITICAL},
	{"Critical", SEVERITY_CRITICAL},
	{"Error", SEVERITY_HIGH},
	{"Warning", SEVERITY_MEDIUM},
	{"Notice", SEVERITY_LOW},
	{"Informational", SEVERITY_INFO},
	{"Debug", SEVERITY_INFO},
};

enum { N_PRIORITIES = sizeof priorities / sizeof priorities[0] };

bool falco_priority(struct text word, enum severity *out)
{
	uint64_t number = N_PRIORITIES;
	if (text_equal_nocase(word, TEXT("Info")))
		number = 6;
	else if (word.size == 1)
		ignore(text_to_u64(word, &number) ? 0 : -1); /* not a digit: no number, no word */
	for (size_t i = 0; i < N_PRIORITIES; i++)
		if (number == i || text_equal_nocase(word, text_of(priorities[i].word))) {
			*out = priorities[i].severity;
			return true;
		}
	return false;
}

/* Does @text begin with @pattern, where '0' stands for any digit? */
static bool looks_like(struct text text, size_t at, const char *pattern)
{
	size_t size = strlen(pattern);
	if (at > text.size || text.size - at < size)
		return false;
	for (size_t i = 0; i < size; i++) {
		char byte = text.data[at + i];
		if (pattern[i] == '0' ? byte < '0' || byte > '9' : byte != pattern[i])
			return false;
	}
	return true;
}

/* Where the time ends, or 0. */
static size_t time_size(struct text line, bool *has_date)
{
	*has_date = looks_like(line, 0, "0000-00-00T");
	size_t clock = *has_date ? 11 : 0;
	if (!looks_like(line, clock, "00:00:00.000000000"))
		return 0;
	size_t end = clock + 18;
	if (!*has_date)
		return end;
	return looks_like(line, end, "+0000") || looks_like(line, end, "-0000") ? end + 5 : 0;
}

bool falco_line_parse(struct text line, struct falco_line *out)
{
	enum severity severity;
	bool has_date;
	size_t end = time_size(line, &has_date);
	if (!end || !looks_like(line, end, ": "))
		return false;
	struct text rest = text_part(line, end + 2, line.size);
	size_t space = text_find_byte(rest, ' ', 0);
	struct text word = text_part(rest, 0, space == SIZE_MAX ? 0 : space);
	if (word.size < 4 || !falco_priority(word, &severity))
		return false;
	*out = (struct falco_line){
		text_part(line, 0, end), has_date, word, text_part(rest, space + 1, rest.size)};
	return true;
}

struct row {
	const char *key; /* with the space before and the '=' behind */
	enum falco_field field;
};

enum { ROW_FIELDS = 6 };

/* Falco 0.41 and later; 0.40 and earlier with -pk, inside the rule's parentheses. */
static const struct row rows[][ROW_FIELDS] = {
	{
		{" container_id=", FIELD_CONTAINER_ID},
		{" container_name=", FIELD_CONTAINER_NAME},
		{" container_image_repository=", FIELD_CONTAINER_IMAGE_REPOSITORY},
		{" container_image_tag=", FIELD_CONTAINER_IMAGE_TAG},
		{" k8s_pod_name=", FIELD_K8S_POD_NAME},
		{" k8s_ns_name=", FIELD_K8S_NS_NAME},
	},
	{
		{" container_id=", FIELD_CONTAINER_ID},
		{" container_image=", FIELD_CONTAINER_IMAGE_REPOSITORY},
		{" container_image_tag=", FIELD_CONTAINER_IMAGE_TAG},
		{" container_name=", FIELD_CONTAINER_NAME},
		{" k8s_ns=", FIELD_K8S_NS_NAME},
		{" k8s_pod_name=", FIELD_K8S_POD_NAME},
	},
};

/* Cuts " key=value" off the end of *text; a value has no space. */
static bool take_last(struct text *text, const char *key, struct text *value)
{
	size_t at = text->size;
	while (at > 0 && text->data[at - 1] != ' ')
		at--;
	struct text name = text_of(key);
	if (at == 0 || !text_starts(text_part(*text, at - 1, text->size), name))
		return false;
	*value = text_part(*text, at - 1 + name.size, text->size);
	text->size = at - 1;
	return true;
}

static bool take_row(struct text message, const struct row row[ROW_FIELDS], struct text *values)
{
	for (size_t i = ROW_FIELDS; i-- > 0;)
		if (!take_last(&message, row[i].key, &values[i]))
			return false;
	return true;
}

void falco_line_fields(struct text message, struct falco_event *event)
{
	struct text values[ROW_FIELDS];
	if (text_ends(message, TEXT(")")))
		message.size--;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!take_row(message, rows[i], values))
			continue;
		for (size_t j = 0; j < ROW_FIELDS; j++)
			event->fields[rows[i][j].field] = values[j];
		return;
	}
}
