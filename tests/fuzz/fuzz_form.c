/* SPDX-License-Identifier: Apache-2.0 */

/* A form's body, a Cookie header and an address to go on to, as a browser, or whoever, sends them.
 */

#include <assert.h>
#include <stdint.h>

#include "access/form.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct buf html;
	struct text all = {(const char *)data, size};
	arena_init(&arena, 1024 * 1024);
	buf_init(&html, 1024 * 1024);
	struct text value = form_value(all, TEXT("next"), &arena);
	assert(value.size <= size);
	struct text cookie = cookie_value(all, TEXT("tocsin_session"));
	assert(!cookie.size ||
		(cookie.data >= all.data && cookie.data + cookie.size <= all.data + size));
	if (next_is_ours(all)) {
		assert(size > 0 && data[0] == '/' && size <= 2048);
		/* Another host begins with two slashes, or with one that browsers take for it. */
		assert(size == 1 || (data[1] != '/' && data[1] != '\\'));
	}
	html_add(&html, all);
	assert(text_find_byte(buf_text(&html), '<', 0) == SIZE_MAX);
	assert(text_find_byte(buf_text(&html), '"', 0) == SIZE_MAX);
	buf_done(&html);
	arena_done(&arena);
	return 0;
}
