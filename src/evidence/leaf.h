/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A leaf of the ledger: what a third party needs to recompute its hash. The format is fixed for
 *ever:
 *
 *	leaf data = 0x01 ‖ kind ‖ received_ns ‖ size ‖ SHA-256(stored raw) ‖ commitment
 *	          ‖ length-prefixed source, cluster, credential id (decimal text)
 *	leaf hash = SHA-256(0x00 ‖ leaf data)
 *
 * Version and kind are one byte each; times, sizes and lengths are big-endian 64 bit. The
 *commitment is the RFC 6962 root over salt ‖ path ‖ value (16 bytes, then both length-prefixed) of
 *the fields cut before storing, in payload order; 32 zero bytes when there are none.
 */

#include "base/buf.h"
#include "base/digest.h"
#include "model/alert.h"

struct leaf {
	enum leaf_kind kind;
	int64_t received_ns;
	uint64_t size; /* of the stored raw */
	struct digest raw;
	struct digest commitment;
	struct text source, cluster;
	uint64_t credential_id;
};

void leaf_write(const struct leaf *leaf, struct buf *out);

/** Leaf hash. @scratch is cleared and used; false without memory. */
bool leaf_hash(const struct leaf *leaf, struct buf *scratch, struct digest *hash);

/** What the commitment is made of: the hash over one cut field. false without memory. */
bool leaf_cut_hash(const struct redaction *cut, struct digest *hash);

/** The commitment to cut fields; zeros when @n is 0. false without memory. */
bool leaf_commitment(const struct redaction *cut, size_t n, struct digest *commitment);
