/* SPDX-License-Identifier: Apache-2.0 */
/* Falco's text lines: the fixed beginning gets the fuzzer past the time. */
#include "tests/fuzz/check_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[4096] = "19:52:28.429697301: Warning ";
	size_t at = strlen(line), n = size < sizeof line - at ? size : sizeof line - at;
	if (n)
		memcpy(line + at, data, n);
	return check_decode(SOURCE_FALCO, (struct text){line, at + n});
}
