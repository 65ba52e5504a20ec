/* SPDX-License-Identifier: Apache-2.0 */
/* Tetragon's JSON export. */
#include "tests/fuzz/check_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return check_decode(SOURCE_TETRAGON, (struct text){(const char *)data, size});
}
