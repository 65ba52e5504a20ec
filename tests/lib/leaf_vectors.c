/* SPDX-License-Identifier: Apache-2.0 */

/* Prints the vectors of the leaf format: tests/corpus/ledger/leaf-vectors.json, which must never
 * change. */

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/emit.h"
#include "evidence/leaf.h"
#include "evidence/merkle.h"

enum { N_LEAVES = 520 };

static void member_hex(struct emitter *out, const char *key, const void *bytes, size_t size)
{
	char hex[129];
	assert(size <= 64);
	text_hex(hex, bytes, size);
	emit_member_string(out, key, hex);
}

static void write_cut(struct emitter *out, const struct redaction *cut, size_t n)
{
	emit_key(out, "cut");
	emit_array(out);
	for (size_t i = 0; i < n; i++) {
		emit_object(out);
		member_hex(out, "salt", cut[i].salt, sizeof cut[i].salt);
		emit_member_text(out, "path", cut[i].path);
		emit_member_text(out, "value", cut[i].value);
		emit_object_end(out);
	}
	emit_array_end(out);
}

static void write_leaf(struct emitter *out, struct leaf *leaf, struct text raw,
	const struct redaction *cut, size_t n)
{
	struct buf data, scratch;
	struct digest hash;
	buf_init(&data, 4096);
	buf_init(&scratch, 4096);
	leaf->size = raw.size;
	leaf->raw = digest_of(raw);
	bool good = leaf_commitment(cut, n, &leaf->commitment) && leaf_hash(leaf, &scratch, &hash);
	assert(good);
	leaf_write(leaf, &data);
	emit_object(out);
	emit_member_u64(out, "kind", leaf->kind);
	emit_member_i64(out, "received_ns", leaf->received_ns);
	emit_member_text(out, "raw", raw);
	emit_member_text(out, "source", leaf->source);
	emit_member_text(out, "cluster", leaf->cluster);
	emit_member_u64(out, "credential", leaf->credential_id);
	write_cut(out, cut, n);
	member_hex(out, "commitment", leaf->commitment.bytes, DIGEST_BYTES);
	emit_key(out, "data");
	struct buf hex;
	buf_init(&hex, 8192);
	buf_add_hex(&hex, data.data, data.size);
	emit_text(out, buf_text(&hex));
	member_hex(out, "hash", hash.bytes, DIGEST_BYTES);
	emit_object_end(out);
	buf_done(&hex);
	buf_done(&data);
	buf_done(&scratch);
}

static void write_leaves(struct emitter *out)
{
	struct redaction cut[3] = {{.path = TEXT("/a"), .value = TEXT("secret"), .salt = {1, 2, 3}},
		{.path = TEXT("/b/0"), .value = TEXT(""), .salt = {4}},
		{.path = TEXT("/c"), .value = TEXT("another"), .salt = {255}}};
	struct leaf leaf = {LEAF_ALERT, INT64_C(1795290748429697301), 0, {{0}}, {{0}},
		TEXT("falco"), TEXT("default"), 2};
	emit_key(out, "leaves");
	emit_array(out);
	write_leaf(out, &leaf, TEXT("{\"rule\":\"x\"}"), NULL, 0);
	leaf.kind = LEAF_QUARANTINED;
	write_leaf(out, &leaf, TEXT("a"), NULL, 0);
	leaf.kind = LEAF_ALERT;
	leaf.credential_id = UINT64_MAX;
	leaf.cluster = TEXT("prod-eu.1");
	for (size_t n = 1; n <= 3; n++)
		write_leaf(out, &leaf, TEXT("raw with cuts"), cut, n);
	leaf.kind = LEAF_GAP;
	leaf.received_ns = 0;
	leaf.source = TEXT("tocsin");
	write_leaf(out, &leaf, TEXT("gap"), NULL, 0);
	emit_array_end(out);
}

/* Roots over leaves whose data is the decimal number of the leaf. */
static void write_roots(struct emitter *out)
{
	static const size_t sizes[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 13, 255, 256, 257, 511, 512, 513, 520};
	static struct digest hashes[N_LEAVES];
	for (size_t i = 0; i < N_LEAVES; i++) {
		char data[16];
		size_t length = text_format(data + 1, sizeof data - 1, "%zu", i);
		data[0] = '\0';
		hashes[i] = digest_of((struct text){data, length + 1});
	}
	emit_key(out, "roots");
	emit_array(out);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct digest root = merkle_root(hashes, sizes[i]);
		emit_object(out);
		emit_member_u64(out, "leaves", sizes[i]);
		member_hex(out, "root", root.bytes, DIGEST_BYTES);
		emit_object_end(out);
	}
	emit_array_end(out);
}

int main(void)
{
	struct buf out;
	struct emitter emitter;
	buf_init(&out, 1024 * 1024);
	emit_init(&emitter, &out);
	emit_object(&emitter);
	write_leaves(&emitter);
	write_roots(&emitter);
	emit_object_end(&emitter);
	puts(buf_string(&out));
	buf_done(&out);
	return 0;
}
