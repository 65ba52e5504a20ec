/* SPDX-License-Identifier: Apache-2.0 */

/* A provider's keys (one line of JSON) and an ID token that somebody brings. */

#include <assert.h>
#include <stdint.h>

#include "access/id_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	struct arena arena;
	struct node *keys = NULL;
	const struct node *claims = NULL;
	const struct id_token_wish wish = {.issuer = TEXT("joe"),
		.client_id = TEXT("us"),
		.nonce = TEXT("n-0S6_WzA2Mj"),
		.now_s = 1300819379};
	struct text token = {(const char *)data, size}, set = TEXT_NONE;
	text_split(&token, '\n', &set);
	arena_init(&arena, 16 * 1024 * 1024);
	if (tree_read(set, &arena, &keys, &err) == 0 && keys) {
		int failed = id_token_read(token, keys, &wish, &arena, &claims, &err);
		/* Nobody can sign here: whatever is brought is refused, with a reason. */
		assert(failed && err.kind != ERR_NONE && err.text[0]);
	}
	arena_done(&arena);
	return 0;
}
