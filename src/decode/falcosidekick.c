/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/decoder.h"
#include "decode/falco_event.h"

static bool falcosidekick_sniff(struct text event)
{
	return text_find(event, TEXT("\"output_fields\""), 0) != SIZE_MAX &&
	       text_find(event, TEXT("\"uuid\""), 0) != SIZE_MAX;
}

/*
 * The same event as Falco sent it, with a uuid, sorted tags and perhaps more fields. It calls its
 * own test events internal ones, which they are not: Falco did not send them.
 */
static int falcosidekick_decode(struct arena *arena, struct alert *alert, struct err *err)
{
	struct falco_event event;
	if (falco_event_read(alert->raw, arena, &event, err) < 0)
		return -1;
	if (text_is(event.rule, "Test rule") && text_is(event.source, "internal"))
		event.source = TEXT("syscall");
	alert->via.items = arena_alloc(arena, sizeof *alert->via.items);
	if (alert->via.items) {
		alert->via.items[0] = TEXT("falcosidekick");
		alert->via.n = 1;
	}
	return falco_event_finish(arena, &event, alert, err);
}

const struct decoder decoder_falcosidekick = {
	.name = "falcosidekick",
	.source = SOURCE_FALCOSIDEKICK,
	.sensor = "falco",
	.sniff = falcosidekick_sniff,
	.decode = falcosidekick_decode,
};
