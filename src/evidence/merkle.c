/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/merkle.h"

#include <string.h>

struct digest merkle_node(const struct digest *left, const struct digest *right)
{
	char data[1 + 2 * DIGEST_BYTES];
	data[0] = 1;
	memcpy(data + 1, left->bytes, DIGEST_BYTES);
	memcpy(data + 1 + DIGEST_BYTES, right->bytes, DIGEST_BYTES);
	return digest_of((struct text){data, sizeof data});
}

/*
 * One perfect subtree per set bit of the count so far, smallest last; two of one size become one.
 * At the end they fold from the right, which is the split at the largest power of two.
 */
struct digest merkle_root(const struct digest *hashes, size_t n)
{
	struct digest peaks[64];
	size_t n_peaks = 0;
	if (n == 0)
		return digest_of(TEXT(""));
	for (size_t i = 0; i < n; i++) {
		peaks[n_peaks++] = hashes[i];
		for (size_t count = i + 1; count % 2 == 0; count /= 2, n_peaks--)
			peaks[n_peaks - 2] = merkle_node(&peaks[n_peaks - 2], &peaks[n_peaks - 1]);
	}
	for (; n_peaks > 1; n_peaks--)
		peaks[n_peaks - 2] = merkle_node(&peaks[n_peaks - 2], &peaks[n_peaks - 1]);
	return peaks[0];
}
