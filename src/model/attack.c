/* SPDX-License-Identifier: Apache-2.0 */
#include "model/attack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The longest word has 20 bytes, a prefix 13; what is longer cannot be one. */
enum { WORD_BYTES = 48, KNOWN_TAGS = 128 };

enum { STEALTH = 1 << 6, DEFENSE_IMPAIRMENT = 1 << 7, CREDENTIAL_ACCESS = 1 << 8 };
enum { COMMAND_AND_CONTROL = 1 << 12, EXFILTRATION = 1 << 13, IMPACT = 1 << 14 };
enum { ESCAPE_TO_HOST = 1611000, CLOUD_INSTANCE_METADATA = 1552005 };

/* A retired technique. now 0: it has no successor, these were its tactics. */
struct retired {
	technique_code old, now;
	tactic_mask tactics;
};

/* What a word needs before it, or that it is the tactic which v19 divided. */
enum word_kind { ANY_PLACE, AFTER_PREFIX, OLD_EVASION };

struct word {
	const char *word;
	size_t size;
	unsigned rank;
	technique_code technique;
	enum word_kind kind;
};

#include "attack_tables.h"

#define N_OF(table) (sizeof(table) / sizeof(table)[0])

_Static_assert(N_OF(tactics) == N_TACTICS, "tactics.tsv");

const char *attack_version(void)
{
	return ATTACK_VERSION;
}

const struct tactic_info *tactic_info(unsigned rank)
{
	assert(rank >= 1 && rank <= N_TACTICS);
	return &tactics[rank - 1];
}

static tactic_mask mask_of(unsigned rank)
{
	return (tactic_mask)(rank ? 1U << (rank - 1) : 0U);
}

static int compare_retired(const void *key, const void *row)
{
	technique_code code = *(const technique_code *)key;
	technique_code old = ((const struct retired *)row)->old;
	return (code > old) - (code < old);
}

static int compare_rule(const void *key, const void *row)
{
	const struct text *wanted = key; /* family, rule */
	const struct attack_rule *rule = row;
	int order = text_compare(wanted[0], text_of(rule->family));
	return order ? order : text_compare(wanted[1], text_of(rule->rule));
}

const struct technique_info *technique_find(technique_code code)
{
	size_t from = 0;
	for (size_t n = N_OF(techniques); n > 1;) {
		size_t half = n / 2;
		from += techniques[from + half].code <= code ? half : 0;
		n -= half;
	}
	return techniques[from].code == code ? &techniques[from] : NULL;
}

/* Most tags are none of ours: first letter and length tell, without a comparison. */
static const struct word *find_word(struct text text)
{
	if (!text.size || *text.data < 'a' || *text.data > 'z')
		return NULL;
	const unsigned char *starts = word_starts + (*text.data - 'a');
	for (size_t i = starts[0]; i < starts[1]; i++)
		if (words[i].size == text.size && memcmp(words[i].word, text.data, text.size) == 0)
			return &words[i];
	return NULL;
}

const struct attack_rule *attack_rule_find(struct text family, struct text rule)
{
	const struct text wanted[] = {family, rule};
	return bsearch(wanted, rules, N_OF(rules), sizeof *rules, compare_rule);
}

static char fold_byte(char byte)
{
	if (byte == '_' || byte == ' ' || byte == '.' || byte == ':' || byte == '/')
		return '-';
	return text_lower(byte);
}

/* A word of ours, however it is spelled, without marks at its ends. */
static struct text fold(struct text word, char out[WORD_BYTES])
{
	size_t from = 0;
	if (word.size > WORD_BYTES)
		return TEXT_NONE;
	for (size_t i = 0; i < word.size; i++)
		out[i] = fold_byte(word.data[i]);
	while (from < word.size && out[from] == '-')
		from++;
	while (word.size > from && out[word.size - 1] == '-')
		word.size--;
	return (struct text){out + from, word.size - from};
}

static bool is_digit(struct text word, size_t at)
{
	return at < word.size && word.data[at] >= '0' && word.data[at] <= '9';
}

static bool are_digits(struct text word, size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_digit(word, at + i))
			return false;
	return true;
}

static unsigned number_at(struct text word, size_t at, size_t n)
{
	unsigned value = 0;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (unsigned)(word.data[at + i] - '0');
	return value;
}

static bool starts_token(struct text word, size_t at)
{
	if (at == 0)
		return true;
	char before = text_lower(word.data[at - 1]);
	return !((before >= 'a' && before <= 'z') || is_digit(word, at - 1));
}

/* An id in a tag and where it ends. technique 0: a tactic's. end 0: there is none. */
struct id {
	technique_code technique;
	size_t at, end;
};

/* t1059.004, t1053-003, t1059_004, t1059/004: a sub-technique if exactly three digits follow. */
static struct id technique_at(struct text word, size_t at)
{
	struct id id = {number_at(word, at + 1, 4) * 1000, at, at + 5};
	char mark = id.end < word.size ? word.data[id.end] : '\0';
	if ((mark == '.' || mark == '-' || mark == '/' || mark == '_') &&
		are_digits(word, at + 6, 3) && !is_digit(word, at + 9)) {
		id.technique += number_at(word, at + 6, 3);
		id.end = at + 9;
	}
	return id;
}

static struct id find_id(struct text word, size_t at)
{
	for (; at + 5 <= word.size; at++) {
		if ((word.data[at] | 0x20) != 't' || !starts_token(word, at))
			continue;
		if (are_digits(word, at + 1, 4) && !is_digit(word, at + 5))
			return technique_at(word, at);
		if ((word.data[at + 1] | 0x20) == 'a' && are_digits(word, at + 2, 4) &&
			!is_digit(word, at + 6))
			return (struct id){0, at, at + 6};
	}
	return (struct id){0};
}

static unsigned rank_of_digits(const char *digits)
{
	for (unsigned i = 0; i < N_TACTICS; i++)
		if (memcmp(tactics[i].id + 2, digits, 4) == 0)
			return i + 1;
	return 0;
}

static void take_technique(struct attack_tag *tag, technique_code code)
{
	const struct technique_info *info = technique_find(code);
	const struct retired *old = NULL;
	if (!info)
		old = bsearch(&code, retired, N_OF(retired), sizeof *retired, compare_retired);
	if (old && old->now)
		info = technique_find(old->now);
	if (!info && !old && code % 1000) {
		take_technique(tag, code - code % 1000);
		tag->inferred = tag->technique || tag->implied;
		return;
	}
	if (info) {
		tag->technique = info->code;
		tag->implied = info->tactics;
	} else if (old) {
		tag->implied = old->tactics;
		tag->inferred = true;
	}
}

static void take_word(struct attack_tag *tag, struct text text, bool after_prefix)
{
	const struct word *word = find_word(text);
	if (!word || (word->kind == AFTER_PREFIX && !after_prefix))
		return;
	tag->old_evasion = word->kind == OLD_EVASION;
	tag->tactics = mask_of(word->rank);
	if (word->technique)
		take_technique(tag, word->technique);
}

/* Longest first. */
static struct text strip_prefix(struct text word, bool *stripped)
{
	static const char *const prefixes[] = {"mitre-attack-", "mitre-", "attack-"};
	for (size_t i = 0; i < N_OF(prefixes); i++) {
		struct text prefix = text_of(prefixes[i]);
		if (!text_starts(word, prefix))
			continue;
		*stripped = true;
		return text_part(word, prefix.size, word.size);
	}
	return word;
}

static void read_word(struct attack_tag *tag, struct text word)
{
	char folded[WORD_BYTES];
	bool after_prefix = false;
	struct text name = strip_prefix(fold(word, folded), &after_prefix);
	if (name.size)
		take_word(tag, name, after_prefix);
}

/* "TA0005-defense-evasion" is v18's; the name beside an unknown id counts. */
static void read_tactic(struct attack_tag *tag, struct text word, const struct id *id)
{
	char folded[WORD_BYTES];
	unsigned rank = rank_of_digits(word.data + id->at + 2);
	struct attack_tag named = {0};
	take_word(&named, fold(text_part(word, id->end, word.size), folded), true);
	tag->old_evasion = named.old_evasion;
	if (!tag->old_evasion)
		tag->tactics = rank ? mask_of(rank) : named.tactics;
}

/* Does it mean ATT&CK even where nothing of it is known? "attack-surface" does not. */
static bool means_attack(struct text word, const struct id *technique, const struct id *tactic)
{
	struct text start = text_part(word, 0, 7);
	return tactic->end || (technique->end && technique->end - technique->at == word.size) ||
	       text_equal_nocase(start, TEXT("attack.")) ||
	       (word.size > 6 && text_equal_nocase(text_part(start, 0, 5), TEXT("mitre")));
}

/* The first technique and the first tactic in @word. */
static void find_ids(struct text word, struct id *technique, struct id *tactic)
{
	struct id id = {0};
	while ((id = find_id(word, id.end)).end) {
		struct id *place = id.technique ? technique : tactic;
		if (!place->end)
			*place = id;
	}
}

static struct attack_tag parse_word(struct text word)
{
	struct attack_tag out = {0};
	struct id technique = {0}, tactic = {0};
	find_ids(word, &technique, &tactic);
	if (technique.end)
		take_technique(&out, technique.technique);
	if (tactic.end)
		read_tactic(&out, word, &tactic);
	if (!technique.end && !tactic.end)
		read_word(&out, word);
	out.about_attack = out.tactics || out.old_evasion || out.implied ||
			   means_attack(word, &technique, &tactic);
	return out;
}

/* The same few tags come with alert after alert. Words that share a place displace each other. */
struct known_tag {
	uint8_t size; /* 0: free */
	char word[WORD_BYTES];
	struct attack_tag tag;
};

/* Of both ends: many tags begin alike. At least 4 bytes. */
static size_t place_of(struct text word)
{
	uint32_t start, end;
	memcpy(&start, word.data, 4);
	memcpy(&end, word.data + word.size - 4, 4);
	uint64_t both = (uint64_t)end << 32 | (start ^ (uint32_t)word.size);
	return (size_t)(both * UINT64_C(0x9e3779b97f4a7c15) >> 32) % KNOWN_TAGS;
}

struct attack_tag attack_tag_parse(struct text tag)
{
	static _Thread_local struct known_tag known_tags[KNOWN_TAGS];
	struct text word = text_trim(tag);
	if (word.size < 4 || word.size > WORD_BYTES)
		return parse_word(word);
	struct known_tag *known = &known_tags[place_of(word)];
	if (known->size == word.size && memcmp(known->word, word.data, word.size) == 0)
		return known->tag;
	known->tag = parse_word(word);
	known->size = (uint8_t)word.size;
	memcpy(known->word, word.data, word.size);
	return known->tag;
}

unsigned tactic_parse(struct text word)
{
	struct attack_tag tag = attack_tag_parse(word);
	tactic_mask named = tag.old_evasion ? STEALTH : tag.tactics;
	return named ? (unsigned)__builtin_ctz(named) + 1 : 0;
}

void attack_claim_add(struct attack_claim *claim, const struct attack_tag *tag)
{
	claim->named |= tag->tactics;
	claim->implied |= tag->implied;
	claim->old_evasion |= tag->old_evasion;
	claim->inferred |= tag->inferred;
}

tactic_mask attack_settle(const struct attack_claim *claim)
{
	tactic_mask named = claim->named;
	bool impairs = (claim->implied & (STEALTH | DEFENSE_IMPAIRMENT)) == DEFENSE_IMPAIRMENT;
	if (claim->old_evasion)
		named |= impairs ? DEFENSE_IMPAIRMENT : STEALTH;
	return named ? named : claim->implied;
}

unsigned attack_terminals(
	tactic_mask mask, const technique_code *codes, size_t n_codes, bool on_node)
{
	unsigned kinds = 0;
	for (size_t i = 0; i < n_codes; i++) {
		if (codes[i] == ESCAPE_TO_HOST)
			kinds |= TERMINAL_ESCAPE;
		if (codes[i] == CLOUD_INSTANCE_METADATA)
			kinds |= TERMINAL_NODE_CREDENTIAL;
	}
	if (on_node && mask & CREDENTIAL_ACCESS)
		kinds |= TERMINAL_NODE_CREDENTIAL;
	if (mask & COMMAND_AND_CONTROL)
		kinds |= TERMINAL_COMMAND_AND_CONTROL;
	if (mask & EXFILTRATION)
		kinds |= TERMINAL_EXFILTRATION;
	if (mask & IMPACT)
		kinds |= TERMINAL_IMPACT;
	return kinds;
}

char *technique_format(technique_code code, char out[ATTACK_TECHNIQUE_BYTES])
{
	if (code % 1000)
		text_format(out, ATTACK_TECHNIQUE_BYTES, "T%04u.%03u", code / 1000 % 10000,
			code % 1000);
	else
		text_format(out, ATTACK_TECHNIQUE_BYTES, "T%04u", code / 1000 % 10000);
	return out;
}
