/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/decoder.h"

#define ROW(number, symbol, driver, ...) &decoder_##driver,
const struct decoder *const decoders[] = {SOURCES(ROW) NULL};
#undef ROW

const struct decoder *decoder_of(enum source source)
{
	for (size_t i = 0; decoders[i]; i++)
		if (decoders[i]->source == source)
			return decoders[i];
	return NULL;
}
