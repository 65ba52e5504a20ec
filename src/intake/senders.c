/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/senders.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

enum { KEY_BYTES = 64 };

struct senders {
	struct table *index; /* "2 192.0.2.7" → struct sender_entry */
	struct sender_entry *entries[SENDERS_MAX];
	size_t n;
	uint64_t n_overflow;
};

struct senders *senders_new(void)
{
	struct senders *senders = calloc(1, sizeof *senders);
	if (!senders || !(senders->index = table_new(NULL))) {
		free(senders);
		return NULL;
	}
	return senders;
}

void senders_free(struct senders *senders)
{
	if (!senders)
		return;
	for (size_t i = 0; i < senders->n; i++)
		free(senders->entries[i]);
	table_free(senders->index);
	free(senders);
}

/* The address lies behind the entry. */
static struct sender_entry *entry_new(struct text address, enum source source)
{
	struct sender_entry *entry = calloc(1, sizeof *entry + address.size + 1);
	if (!entry)
		return NULL;
	char *copy = (char *)(entry + 1);
	memcpy(copy, address.data, address.size);
	entry->sender.address = (struct text){copy, address.size};
	entry->sender.source = source;
	return entry;
}

struct sender_entry *senders_get(
	struct senders *senders, struct text address, enum source source, bool is_stranger)
{
	char key[KEY_BYTES];
	size_t size = text_format(key, sizeof key, "%u %.*s", (unsigned)source, TEXT_ARG(address));
	union table_value *found = table_get(senders->index, (struct text){key, size});
	if (found)
		return found->pointer;
	size_t max = is_stranger ? SENDERS_MAX / 2 : SENDERS_MAX;
	struct sender_entry *entry = senders->n < max ? entry_new(address, source) : NULL;
	union table_value *place =
		entry ? table_put(senders->index, (struct text){key, size}) : NULL;
	if (!place) {
		free(entry);
		senders->n_overflow++;
		return NULL;
	}
	place->pointer = entry;
	senders->entries[senders->n++] = entry;
	return entry;
}

void sender_set_agent(struct sender_entry *entry, struct text node)
{
	struct text kept = text_part(node, 0, sizeof entry->agent);
	if (text_equal(entry->sender.agent, kept))
		return;
	if (kept.size)
		memcpy(entry->agent, kept.data, kept.size);
	entry->sender.agent = (struct text){entry->agent, kept.size};
}

struct sender_entry *senders_at(struct senders *senders, size_t i)
{
	return i < senders->n ? senders->entries[i] : NULL;
}

struct sender_set *senders_copy(const struct senders *senders)
{
	struct sender *items = calloc(senders->n ? senders->n : 1, sizeof *items);
	if (!items)
		return NULL;
	for (size_t i = 0; i < senders->n; i++)
		items[i] = senders->entries[i]->sender;
	struct sender_set *set = sender_set_new(items, senders->n, senders->n_overflow);
	free(items);
	return set;
}
