/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/decoder.h"

/* Sniffed in this order: the more particular first. */
const struct decoder *const decoders[] = {
	&decoder_falcosidekick,
	&decoder_falco,
	&decoder_tocsin,
	NULL,
};

const struct decoder *decoder_of(enum source source)
{
	for (size_t i = 0; decoders[i]; i++)
		if (decoders[i]->source == source)
			return decoders[i];
	return NULL;
}
