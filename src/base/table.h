/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A hash table from bytes to a pointer or number, and a bounded cache made of two of them.
 *
 * Keys are copied and hashed with SipHash-1-3 under a random key per process, so that an attacker
 * who chooses names cannot choose collisions. Iteration order is meaningless: nothing may depend on
 * it. One thread at a time.
 */

#include "base/err.h"
#include "base/text.h"

union table_value {
	void *pointer;
	int64_t number;
};

struct table;

/** NULL without memory. @free_value (may be NULL) is called for values that leave the table. */
struct table *table_new(void (*free_value)(void *pointer));
void table_free(struct table *table);

/** The value's place, or NULL. Valid until the next table_put or table_remove. */
union table_value *table_get(const struct table *table, struct text key);

/** The value's place, made (zero) if new; NULL without memory. */
union table_value *table_put(struct table *table, struct text key);

/** Removes every entry. Keeps the places, so that it needs no memory. */
void table_clear(struct table *table);

bool table_remove(struct table *table, struct text key);
size_t table_count(const struct table *table);

/** Visits each entry in no particular order: *at starts at 0; false at the end. */
bool table_next(const struct table *table, size_t *at, struct text *key, union table_value **value);

/*
 * A cache holds at most 2 * generation_size entries: when the young generation is full it becomes
 * the old one, and what the old one still held is freed. A hit in the old one moves back to the
 * young. Only for values that can be read again from their source.
 */
struct cache;

struct cache *cache_new(size_t generation_size, void (*free_value)(void *pointer));
void cache_free(struct cache *cache);
union table_value *cache_get(struct cache *cache, struct text key); /* valid until the next call */
union table_value *cache_put(struct cache *cache, struct text key);
void cache_remove(struct cache *cache, struct text key);
void cache_clear(struct cache *cache); /* needs no memory */

/** SipHash-1-3 under the process's key. */
uint64_t table_hash(struct text key);
