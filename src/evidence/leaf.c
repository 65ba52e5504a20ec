/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/leaf.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "evidence/merkle.h"

enum { LEAF_VERSION = 1, FIELD_BYTES_MAX = 16 * 1024 * 1024 };

static void add_prefixed(struct buf *out, struct text text)
{
	buf_add_be64(out, text.size);
	buf_add(out, text);
}

void leaf_write(const struct leaf *leaf, struct buf *out)
{
	char digits[TEXT_DECIMAL_BYTES];
	buf_add_byte(out, LEAF_VERSION);
	buf_add_byte(out, (unsigned char)leaf->kind);
	buf_add_be64(out, (uint64_t)leaf->received_ns);
	buf_add_be64(out, leaf->size);
	buf_add_bytes(out, leaf->raw.bytes, DIGEST_BYTES);
	buf_add_bytes(out, leaf->commitment.bytes, DIGEST_BYTES);
	add_prefixed(out, leaf->source);
	add_prefixed(out, leaf->cluster);
	add_prefixed(out, text_decimal(leaf->credential_id, digits));
}

bool leaf_hash(const struct leaf *leaf, struct buf *scratch, struct digest *hash)
{
	buf_clear(scratch);
	buf_add_byte(scratch, 0);
	leaf_write(leaf, scratch);
	*hash = digest_of(buf_text(scratch));
	return buf_ok(scratch);
}

bool leaf_cut_hash(const struct redaction *cut, struct digest *hash)
{
	AUTO(buf_done) struct buf data;
	buf_init(&data, FIELD_BYTES_MAX);
	if (cut->is_hashed) {
		*hash = cut->hash;
		return true;
	}
	buf_add_byte(&data, 0);
	buf_add_bytes(&data, cut->salt, sizeof cut->salt);
	add_prefixed(&data, cut->path);
	add_prefixed(&data, cut->value);
	if (!buf_ok(&data))
		return false;
	*hash = digest_of(buf_text(&data));
	explicit_bzero(data.data, data.size);
	return true;
}

bool leaf_commitment(const struct redaction *cut, size_t n, struct digest *commitment)
{
	*commitment = (struct digest){{0}};
	if (n == 0)
		return true;
	AUTO(free) struct digest *hashes = calloc(n, sizeof *hashes);
	if (!hashes)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!leaf_cut_hash(&cut[i], &hashes[i]))
			return false;
	*commitment = merkle_root(hashes, n);
	return true;
}
