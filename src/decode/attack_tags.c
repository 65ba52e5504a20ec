/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/attack_tags.h"

#include <string.h>

/* One alert's reading. */
struct reading {
	struct arena *arena;
	struct alert *alert;
	struct attack_claim claim;
	struct text_list reported;
};

static void report(struct reading *reading, struct text word)
{
	struct text_list *list = &reading->reported;
	for (size_t i = 0; i < list->n; i++)
		if (text_equal(list->items[i], word))
			return;
	if (list->n < ALERT_TAGS_MAX)
		arena_list_add(reading->arena, list, word);
}

static void take(struct reading *reading, const struct attack_tag *tag)
{
	attack_claim_add(&reading->claim, tag);
	alert_add_technique(reading->alert, tag->technique);
}

/* KubeArmor and Sysdig join their tags to one: "MITRE,MITRE_T1082_system_information_discovery". */
static void read_words(struct reading *reading, const struct text_list *words)
{
	for (size_t i = 0; i < words->n; i++) {
		struct text rest = words->items[i], word;
		while (text_split(&rest, ',', &word)) {
			struct attack_tag tag = attack_tag_parse(word);
			if (!tag.about_attack)
				continue;
			take(reading, &tag);
			report(reading, text_trim(word));
		}
	}
}

/* What the decoder filled in, made current too. */
static void read_filled(struct reading *reading)
{
	struct alert *alert = reading->alert;
	technique_code filled[ATTACK_TECHNIQUES_MAX];
	char id[ATTACK_TECHNIQUE_BYTES];
	size_t n = alert->n_techniques;
	memcpy(filled, alert->techniques, sizeof filled);
	alert->n_techniques = 0;
	reading->claim.named = alert->tactics;
	for (size_t i = 0; i < n; i++) {
		struct attack_tag tag = attack_tag_parse(text_of(technique_format(filled[i], id)));
		take(reading, &tag);
	}
}

/* By its name in our table, else by an id in the name ("ksp-mitre-t1552-block"). */
static void infer(struct reading *reading)
{
	const struct alert *alert = reading->alert;
	const struct attack_rule *rule = attack_rule_find(alert->sensor, alert->rule);
	if (!rule) {
		struct attack_tag tag = attack_tag_parse(alert->rule);
		tag.tactics = 0;
		tag.old_evasion = false;
		tag.inferred = tag.implied != 0;
		take(reading, &tag);
		return;
	}
	reading->claim.named = rule->tactics;
	reading->claim.inferred = true;
	for (size_t i = 0; i < sizeof rule->techniques / sizeof rule->techniques[0]; i++)
		alert_add_technique(reading->alert, rule->techniques[i]);
}

void attack_tags_read(struct arena *arena, struct alert *alert)
{
	struct reading reading = {.arena = arena, .alert = alert};
	read_filled(&reading);
	read_words(&reading, &alert->attack_reported);
	read_words(&reading, &alert->tags);
	if (!attack_settle(&reading.claim))
		infer(&reading);
	alert->tactics = attack_settle(&reading.claim);
	alert->attack_reported = reading.reported;
	if (reading.claim.inferred)
		alert->flags |= ALERT_ATTACK_INFERRED;
}
