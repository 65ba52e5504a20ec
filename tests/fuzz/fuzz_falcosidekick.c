/* SPDX-License-Identifier: Apache-2.0 */
/* What falcosidekick posts. */
#include "tests/fuzz/check_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return check_decode(SOURCE_FALCOSIDEKICK, (struct text){(const char *)data, size});
}
