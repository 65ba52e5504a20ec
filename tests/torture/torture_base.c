/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/compress.h"
#include "base/emit.h"
#include "base/metric.h"
#include "base/queue.h"
#include "base/snapshot.h"
#include "base/table.h"
#include "base/tree.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "tests/lib/torture.h"

enum { N_KEYS = 200 };

static bool fills_a_buf(void)
{
	static const char expected[] = "text-7\x1"
				       "0a0b";
	AUTO(buf_done) struct buf buf;
	buf_init(&buf, 1 << 20);
	for (unsigned i = 0; i < 1000; i++) {
		buf_add_string(&buf, "text");
		buf_add_i64(&buf, -7);
		buf_add_varint(&buf, 1);
		buf_add_hex(&buf, "\x0a\x0b", 2);
		buf_addf(&buf, "%s", "");
	}
	torture_end();
	if (!buf_ok(&buf)) {
		/* What is there is whole: a failed addition adds nothing. */
		assert(strlen(buf_string(&buf)) == buf.size);
		return false;
	}
	assert(buf.size == 1000 * (sizeof expected - 1));
	assert(text_ends(buf_text(&buf), TEXT("text-7\x1"
					      "0a0b")));
	return true;
}

static bool fills_an_arena(void)
{
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, 1 << 24);
	for (unsigned i = 0; i < 100; i++) {
		char *zeros = arena_alloc(&arena, 300);
		uint64_t *array = arena_array(&arena, 30, sizeof *array);
		struct text copy = arena_copy(&arena, TEXT("some text"));
		const char *string = arena_string(&arena, copy);
		struct text made = arena_format(&arena, "%u", i);
		if (arena.failed)
			return false;
		assert(zeros[299] == 0 && array[29] == 0 && strcmp(string, "some text") == 0);
		assert(made.size > 0);
	}
	return true;
}

static struct text key_of(unsigned i, char out[16])
{
	return (struct text){out, text_format(out, 16, "key %u", i)};
}

static bool fill(struct table *table)
{
	char name[16];
	for (unsigned i = 0; i < N_KEYS; i++) {
		union table_value *value = table_put(table, key_of(i, name));
		if (!value)
			return false;
		value->pointer = strdup(name);
	}
	return true;
}

static bool fills_a_table(void)
{
	char name[16];
	struct table *table = table_new(free);
	bool good = table && fill(table);
	torture_end();
	/* Whatever is in it can be found and removed. */
	size_t n = table ? table_count(table) : 0;
	for (unsigned i = 0; i < n; i += 2)
		assert(table_remove(table, key_of(i, name)));
	for (unsigned i = 1; i < n; i += 2)
		assert(table_get(table, key_of(i, name)));
	assert(!good || n == N_KEYS);
	table_free(table);
	return good;
}

static bool fills_a_cache(void)
{
	char name[16];
	struct cache *cache = cache_new(16, free);
	bool good = cache != NULL;
	for (unsigned i = 0; cache && i < N_KEYS; i++) {
		union table_value *value = cache_put(cache, key_of(i % 3 ? i : i / 2, name));
		good &= value != NULL;
		if (value && !value->pointer)
			value->pointer = strdup(name);
	}
	torture_end();
	if (cache && good)
		assert(cache_get(cache, key_of(N_KEYS - 1, name)));
	cache_free(cache);
	return good;
}

static bool reads_a_tree(void)
{
	AUTO(arena_done) struct arena arena;
	struct node *root;
	struct err err;
	arena_init(&arena, 1 << 20);
	int failed = tree_read(TEXT("{\"a\\n\":[1,{\"b\":\"\xff\"},true],\"\\u0063\":\"\\ud83d\"}"),
		&arena, &root, &err);
	assert(!failed || !root);
	if (failed)
		return torture_reported(&err);
	assert(text_is(tree_member_text(root, "c"), "\xef\xbf\xbd"));
	return true;
}

static int count_scalar(void *ctx, struct text path, struct text value, struct err *err)
{
	(void)err;
	*(unsigned *)ctx += path.size > 0 && value.size > 0;
	return 0;
}

static bool reads_yaml(void)
{
	struct err err;
	unsigned n = 0;
	if (yaml_read(TEXT("a: 1\nb: {c: 2, d: 'x'}\n"), count_scalar, &n, &err) < 0)
		return torture_reported(&err);
	assert(n == 3);
	return true;
}

static bool writes_json(void)
{
	AUTO(buf_done) struct buf out;
	struct emitter writer;
	buf_init(&out, 1 << 20);
	emit_init(&writer, &out);
	emit_array(&writer);
	for (unsigned i = 0; i < 60; i++)
		emit_text(&writer, TEXT("\xff<\xe2\x80\xa8>"));
	emit_array_end(&writer);
	if (!buf_ok(&out))
		return false;
	assert(text_starts(buf_text(&out), TEXT("[\"\xef\xbf\xbd\\u003c\\u2028\\u003e\",")));
	return true;
}

static bool makes_queue_and_slot(void)
{
	struct queue *queue = queue_new(1);
	struct snapshot_slot *slot = snapshot_slot_new();
	bool good = queue && slot;
	queue_free(queue);
	snapshot_slot_free(slot);
	return good;
}

static bool counts(void)
{
	struct metric_family family = {.name = "n",
		.help = "h",
		.type = METRIC_GAUGE,
		.n_labels = 1,
		.labels = {"l"},
		.max_series = 2};
	struct metric_family *const families[] = {&family, NULL};
	AUTO(buf_done) struct buf out;
	bool good = true;
	for (unsigned i = 0; i < 4; i++) {
		char name[16];
		struct text value = key_of(i, name);
		struct metric_series *series = metric_series(&family, &clock_system, &value);
		good &= series != NULL;
		metric_set(series, 7);
	}
	torture_end();
	buf_init(&out, 1 << 20);
	metric_write(&out, families, &clock_system);
	assert(buf_ok(&out));
	assert(!good || text_ends(buf_text(&out),
				TEXT("n{l=\"key 0\"} 7\nn{l=\"key 1\"} 7\nn{l=\"other\"} 7\n")));
	metric_family_done(&family);
	return good;
}

static bool packs_frames(void)
{
	static char plain[300000];
	struct err err;
	AUTO(buf_done) struct buf packed, again;
	struct frame_codec *codec = frame_codec_new(FRAME_FAST);
	buf_init(&packed, 1 << 20);
	buf_init(&again, 1 << 20);
	if (!codec)
		return false;
	struct text text = {plain, sizeof plain};
	bool good = frame_pack(codec, 0, text, &packed, &err) == 0 &&
		    frame_unpack(codec, 0, buf_text(&packed), &again, &err) == 0;
	frame_codec_free(codec);
	if (!good)
		return torture_reported(&err);
	assert(text_equal(text, buf_text(&again)));
	buf_clear(&again);
	/* The road of bodies grows its output piece by piece. */
	if (zstd_expand(buf_text(&packed), &again, &err) < 0)
		return err.kind == ERR_LIMIT ? true : torture_reported(&err);
	return true;
}

int main(void)
{
	static const struct torture_case cases[] = {
		{.name = "buf", .run = fills_a_buf},
		{.name = "arena", .run = fills_an_arena},
		{.name = "table", .run = fills_a_table},
		{.name = "cache", .run = fills_a_cache},
		{.name = "tree", .run = reads_a_tree},
		{.name = "yaml", .run = reads_yaml},
		{.name = "emit", .run = writes_json},
		{.name = "queue, snapshot", .run = makes_queue_and_slot},
		{.name = "metric", .run = counts},
		{.name = "compress", .run = packs_frames},
		{0},
	};
	return torture_run("base", cases);
}
