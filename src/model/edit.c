/* SPDX-License-Identifier: Apache-2.0 */
#include "model/edit.h"

#include "base/digest.h"

void edit_id_make(char out[EDIT_ID_BYTES])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648's base32 */
	unsigned char random[EDIT_ID_BYTES - 1];
	digest_random(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++)
		out[i] = letters[random[i] % 32];
	out[sizeof random] = '\0';
}

void edit_carved(struct text unlink_id, char out[CARVED_BYTES + 1])
{
	struct digest_state room, *state = digest_start(&room);
	digest_add_part(state, unlink_id);
	struct digest digest = digest_end(state);
	text_hex(out, digest.bytes, CARVED_BYTES / 2);
}
