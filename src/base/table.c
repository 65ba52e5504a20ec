/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct entry {
	uint64_t hash; /* 0 is an empty place; real hashes have the lowest bit set */
	size_t key_size;
	char *key;
	union table_value value;
};

struct table {
	struct entry *entries;
	size_t n_places; /* a power of two */
	size_t n_used;
	void (*free_value)(void *pointer);
};

static uint64_t hash_key[2];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void make_hash_key(void)
{
	ssize_t n = getrandom(hash_key, sizeof hash_key, 0);
	assert(n == (ssize_t)sizeof hash_key);
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

/* Inline, so that the state stays in registers. */
static inline __attribute__((always_inline)) void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t table_hash(struct text key)
{
	pthread_once(&hash_key_once, make_hash_key);
	uint64_t v[4] = {hash_key[0] ^ UINT64_C(0x736f6d6570736575),
		hash_key[1] ^ UINT64_C(0x646f72616e646f6d),
		hash_key[0] ^ UINT64_C(0x6c7967656e657261),
		hash_key[1] ^ UINT64_C(0x7465646279746573)};
	size_t at = 0;
	for (; key.size - at >= 8; at += 8) {
		uint64_t word;
		memcpy(&word, key.data + at, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	uint64_t last = (uint64_t)key.size << 56;
	for (unsigned i = 0; at + i < key.size; i++)
		last |= (uint64_t)(uint8_t)key.data[at + i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct table *table_new(void (*free_value)(void *pointer))
{
	struct table *table = calloc(1, sizeof *table);
	if (!table)
		return NULL;
	table->n_places = 64;
	table->entries = calloc(table->n_places, sizeof *table->entries);
	table->free_value = free_value;
	if (!table->entries) {
		free(table);
		return NULL;
	}
	return table;
}

void table_clear(struct table *table)
{
	for (size_t i = 0; i < table->n_places; i++) {
		struct entry *entry = &table->entries[i];
		if (!entry->hash)
			continue;
		if (table->free_value)
			table->free_value(entry->value.pointer);
		free(entry->key);
		*entry = (struct entry){0};
	}
	table->n_used = 0;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	table_clear(table);
	free(table->entries);
	free(table);
}

/* The entry of @key, or the empty place where it belongs. */
static struct entry *find(const struct table *table, struct text key, uint64_t hash)
{
	size_t mask = table->n_places - 1;
	for (size_t i = (size_t)(hash >> 1) & mask;; i = (i + 1) & mask) {
		struct entry *entry = &table->entries[i];
		if (!entry->hash)
			return entry;
		if (entry->hash == hash &&
			text_equal((struct text){entry->key, entry->key_size}, key))
			return entry;
	}
}

union table_value *table_get(const struct table *table, struct text key)
{
	struct entry *entry = find(table, key, table_hash(key) | 1);
	return entry->hash ? &entry->value : NULL;
}

static bool grow(struct table *table)
{
	struct entry *old = table->entries;
	size_t n_old = table->n_places;
	struct entry *entries = calloc(n_old * 2, sizeof *entries);
	if (!entries)
		return false;
	table->entries = entries;
	table->n_places = n_old * 2;
	size_t mask = table->n_places - 1;
	for (size_t i = 0; i < n_old; i++) {
		if (!old[i].hash)
			continue;
		size_t at = (size_t)(old[i].hash >> 1) & mask;
		while (entries[at].hash)
			at = (at + 1) & mask;
		entries[at] = old[i];
	}
	free(old);
	return true;
}

union table_value *table_put(struct table *table, struct text key)
{
	uint64_t hash = table_hash(key) | 1;
	struct entry *entry = find(table, key, hash);
	if (entry->hash)
		return &entry->value;
	if ((table->n_used + 1) * 4 > table->n_places * 3) {
		if (!grow(table))
			return NULL;
		entry = find(table, key, hash);
	}
	char *copy = malloc(key.size + 1);
	if (!copy)
		return NULL;
	if (key.size)
		memcpy(copy, key.data, key.size);
	*entry = (struct entry){.hash = hash, .key = copy, .key_size = key.size};
	table->n_used++;
	return &entry->value;
}

/* Takes the entry out without freeing its value, and closes the gap behind it. */
static union table_value take_entry(struct table *table, struct entry *entry)
{
	union table_value value = entry->value;
	size_t mask = table->n_places - 1;
	size_t hole = (size_t)(entry - table->entries);
	free(entry->key);
	for (size_t i = (hole + 1) & mask; table->entries[i].hash; i = (i + 1) & mask) {
		size_t home = (size_t)(table->entries[i].hash >> 1) & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			table->entries[hole] = table->entries[i];
			hole = i;
		}
	}
	table->entries[hole] = (struct entry){0};
	table->n_used--;
	return value;
}

bool table_remove(struct table *table, struct text key)
{
	struct entry *entry = find(table, key, table_hash(key) | 1);
	if (!entry->hash)
		return false;
	union table_value value = take_entry(table, entry);
	if (table->free_value)
		table->free_value(value.pointer);
	return true;
}

size_t table_count(const struct table *table)
{
	return table->n_used;
}

bool table_next(const struct table *table, size_t *at, struct text *key, union table_value **value)
{
	for (; *at < table->n_places; ++*at) {
		struct entry *entry = &table->entries[*at];
		if (!entry->hash)
			continue;
		*key = (struct text){entry->key, entry->key_size};
		*value = &entry->value;
		++*at;
		return true;
	}
	return false;
}

struct cache {
	struct table *young;
	struct table *old;
	size_t generation_size;
};

struct cache *cache_new(size_t generation_size, void (*free_value)(void *pointer))
{
	struct cache *cache = calloc(1, sizeof *cache);
	if (!cache)
		return NULL;
	cache->young = table_new(free_value);
	cache->old = table_new(free_value);
	cache->generation_size = generation_size;
	if (!cache->young || !cache->old) {
		cache_free(cache);
		return NULL;
	}
	return cache;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	table_free(cache->young);
	table_free(cache->old);
	free(cache);
}

static bool turn_over(struct cache *cache)
{
	if (cache->young->n_used < cache->generation_size)
		return true;
	struct table *fresh = table_new(cache->young->free_value);
	if (!fresh)
		return false;
	table_free(cache->old);
	cache->old = cache->young;
	cache->young = fresh;
	return true;
}

union table_value *cache_get(struct cache *cache, struct text key)
{
	union table_value *value = table_get(cache->young, key);
	if (value)
		return value;
	uint64_t hash = table_hash(key) | 1;
	struct entry *entry = find(cache->old, key, hash);
	if (!entry->hash)
		return NULL;
	union table_value moved = take_entry(cache->old, entry);
	value = turn_over(cache) ? table_put(cache->young, key) : NULL;
	if (value)
		*value = moved;
	else if (cache->old->free_value)
		cache->old->free_value(moved.pointer);
	return value;
}

union table_value *cache_put(struct cache *cache, struct text key)
{
	union table_value *value = cache_get(cache, key);
	if (value)
		return value;
	return turn_over(cache) ? table_put(cache->young, key) : NULL;
}

void cache_remove(struct cache *cache, struct text key)
{
	if (!table_remove(cache->young, key))
		table_remove(cache->old, key);
}

void cache_clear(struct cache *cache)
{
	table_clear(cache->young);
	table_clear(cache->old);
}
