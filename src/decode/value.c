/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/value.h"

#include "model/alert.h"

static bool is_scalar(enum pull_event what)
{
	return what == PULL_STRING || what == PULL_NUMBER || what == PULL_TRUE ||
	       what == PULL_FALSE;
}

static struct text scalar(const struct pull *reader, enum pull_event what)
{
	if (what == PULL_TRUE)
		return TEXT("true");
	return what == PULL_FALSE ? TEXT("false") : reader->value;
}

bool value_read_text(struct pull *reader, struct text *out)
{
	enum pull_event what = pull_next(reader);
	*out = TEXT_NONE;
	if (is_scalar(what))
		*out = scalar(reader, what);
	if (what != PULL_ARRAY)
		return pull_finish(reader, what);
	what = pull_next(reader);
	if (is_scalar(what))
		*out = scalar(reader, what);
	while (what != PULL_ARRAY_END) {
		if (!pull_finish(reader, what))
			return false;
		what = pull_next(reader);
	}
	return true;
}

static void add_item(struct text_list *list, struct arena *arena, struct text item)
{
	if (list->n < ALERT_TAGS_MAX && item.size)
		arena_list_add(arena, list, item);
}

bool value_read_list(struct pull *reader, struct text_list *list)
{
	enum pull_event what = pull_next(reader);
	struct text part;
	list->n = 0;
	if (what == PULL_STRING) {
		struct text rest = reader->value;
		while (text_split(&rest, ',', &part))
			add_item(list, reader->arena, text_trim(part));
		return true;
	}
	if (what != PULL_ARRAY)
		return pull_finish(reader, what);
	while ((what = pull_next(reader)) != PULL_ARRAY_END) {
		if (what == PULL_STRING)
			add_item(list, reader->arena, reader->value);
		else if (!pull_finish(reader, what))
			return false;
	}
	return true;
}
