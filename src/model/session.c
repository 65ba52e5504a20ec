/* SPDX-License-Identifier: Apache-2.0 */
#include "model/session.h"

#include <string.h>

#include "base/base64.h"

void secret_make(char out[SECRET_TEXT_BYTES], struct digest *digest)
{
	unsigned char random[32];
	digest_random(random, sizeof random);
	base64url_write(random, sizeof random, out);
	explicit_bzero(random, sizeof random);
	*digest = digest_of(text_of(out));
}

void csrf_of(struct text cookie, char out[SECRET_TEXT_BYTES])
{
	struct digest_state room, *state = digest_start(&room);
	digest_add_part(state, TEXT("tocsin csrf"));
	digest_add_part(state, cookie);
	struct digest digest = digest_end(state);
	base64url_write(digest.bytes, DIGEST_BYTES, out);
}

const char *sign_in_way_name(enum sign_in_way way)
{
	static const char *const names[] = {
		[SIGN_IN_LINK] = "link",
		[SIGN_IN_TOKEN] = "token",
		[SIGN_IN_OIDC] = "oidc",
		[SIGN_IN_BEARER] = "bearer",
		[SIGN_IN_CERTIFICATE] = "certificate",
	};
	return names[way];
}
