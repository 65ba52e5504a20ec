/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting: the input between good events, as lines and in an array. */
#include "tests/fuzz/check_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct text good = TEXT("{\"rule\":\"r\",\"time\":\"2026-11-21T19:52:28Z\"}");
	struct buf body;
	buf_init(&body, size + 1024);
	for (unsigned array = 0; array < 2; array++) {
		buf_clear(&body);
		buf_add_string(&body, array ? "[" : "");
		buf_add(&body, good);
		buf_add_string(&body, array ? "," : "\n");
		buf_add(&body, (struct text){(const char *)data, size});
		buf_add_string(&body, array ? "]" : "\n");
		check_decode(SOURCE_FALCO, buf_text(&body));
		check_decode(SOURCE_FALCOSIDEKICK, buf_text(&body));
	}
	buf_done(&body);
	return 0;
}
