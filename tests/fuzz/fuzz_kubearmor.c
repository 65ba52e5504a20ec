/* SPDX-License-Identifier: Apache-2.0 */
/* Both dialects of KubeArmor. */
#include "tests/fuzz/check_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return check_decode(SOURCE_KUBEARMOR, (struct text){(const char *)data, size});
}
