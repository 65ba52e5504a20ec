/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/decoder.h"
#include "decode/falco_alert.h"
#include "decode/normalise.h"

/* It gives every receipt a uuid, which Falco has not and which says nothing about the event. */
static bool falcosidekick_sniff(struct text event)
{
	return text_starts(event, TEXT("{")) && text_find(event, TEXT("\"uuid\""), 0) != SIZE_MAX &&
	       text_find(event, TEXT("\"output_fields\""), 0) != SIZE_MAX &&
	       text_find(event, TEXT("\"rule\""), 0) != SIZE_MAX;
}

/* Falco's event, merged, cut and sorted anew; what occ covers came through unchanged. */
static int falcosidekick_decode(struct arena *arena, struct alert *alert, struct err *err)
{
	struct falco_event event;
	if (falco_event_read(alert->raw, arena, &event, err) < 0 ||
		falco_alert_fill(&event, arena, alert, err) < 0)
		return -1;
	alert->via.items = arena_array(arena, 1, sizeof(struct text));
	if (!alert->via.items)
		return err_set(err, ERR_MEMORY, "out of memory");
	alert->via.items[0] = TEXT("falcosidekick");
	alert->via.n = 1;
	return 0;
}

const struct decoder decoder_falcosidekick = {
	.name = "falcosidekick",
	.source = SOURCE_FALCOSIDEKICK,
	.sensor = "falco",
	.sniff = falcosidekick_sniff,
	.decode = falcosidekick_decode,
};
