/* SPDX-License-Identifier: Apache-2.0 */
/* Posted alerts, and the webhook's body around them. */
#include "tests/fuzz/check_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return check_decode(SOURCE_ALERTMANAGER, (struct text){(const char *)data, size});
}
