/* SPDX-License-Identifier: Apache-2.0 */
#include "model/attack.h"

#include <assert.h>

enum { WORD_BYTES = 64 };

/* In matrix order; a test compares them with schema/attack/tactics.tsv. */
static const struct tactic_info tactics[] = {
	{"TA0043", "reconnaissance", "Reconnaissance"},
	{"TA0042", "resource-development", "Resource Development"},
	{"TA0001", "initial-access", "Initial Access"},
	{"TA0002", "execution", "Execution"},
	{"TA0003", "persistence", "Persistence"},
	{"TA0004", "privilege-escalation", "Privilege Escalation"},
	{"TA0005", "stealth", "Stealth"},
	{"TA0112", "defense-impairment", "Defense Impairment"},
	{"TA0006", "credential-access", "Credential Access"},
	{"TA0007", "discovery", "Discovery"},
	{"TA0008", "lateral-movement", "Lateral Movement"},
	{"TA0009", "collection", "Collection"},
	{"TA0011", "command-and-control", "Command and Control"},
	{"TA0010", "exfiltration", "Exfiltration"},
	{"TA0040", "impact", "Impact"},
};

/* Other spellings seen: v18's name of TA0005, its typos, short forms. */
static const struct {
	const char *word;
	unsigned rank;
} spellings[] = {
	{"defense-evasion", 7},
	{"defence-evasion", 7},
	{"defense-evation", 7},
	{"defense-impairement", 8},
	{"c2", 13},
	{"privesc", 6},
	{"presistence", 5},
};

const struct tactic_info *tactic_info(unsigned rank)
{
	assert(rank >= 1 && rank <= N_TACTICS);
	return &tactics[rank - 1];
}

/* Lower case, '_' and ' ' as '-'. What does not fit is no name of ours. */
static struct text fold(struct text word, char out[WORD_BYTES])
{
	if (word.size > WORD_BYTES)
		return TEXT_NONE;
	for (size_t i = 0; i < word.size; i++) {
		char byte = text_lower(word.data[i]);
		out[i] = byte == '_' || byte == ' ' ? '-' : byte;
	}
	return (struct text){out, word.size};
}

static unsigned rank_of_name(struct text name)
{
	if (!name.size)
		return 0;
	for (unsigned i = 0; i < N_TACTICS; i++)
		if (*tactics[i].shortname == *name.data && text_is(name, tactics[i].shortname))
			return i + 1;
	for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++)
		if (*spellings[i].word == *name.data && text_is(name, spellings[i].word))
			return spellings[i].rank;
	return 0;
}

static unsigned rank_of_id(struct text id)
{
	for (unsigned i = 0; i < N_TACTICS; i++)
		if (text_equal_nocase(id, text_of(tactics[i].id)))
			return i + 1;
	return 0;
}

unsigned tactic_parse(struct text word)
{
	char folded[WORD_BYTES];
	unsigned rank = rank_of_id(word);
	return rank ? rank : rank_of_name(fold(word, folded));
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

static technique_code number_at(struct text word, size_t at, size_t n)
{
	uint64_t value = 0;
	text_to_u64(text_part(word, at, n), &value);
	return (technique_code)value;
}

static bool starts_token(struct text word, size_t at)
{
	if (at == 0)
		return true;
	char before = word.data[at - 1];
	return !((before >= 'a' && before <= 'z') || is_digit(word, at - 1));
}

/* t1059, t1059.004, t1053-003: the sub-technique counts if exactly three digits follow. */
static technique_code find_technique(struct text word)
{
	for (size_t at = 0; at + 5 <= word.size; at++) {
		if (word.data[at] != 't' || !starts_token(word, at) ||
			!are_digits(word, at + 1, 4) || is_digit(word, at + 5))
			continue;
		technique_code code = number_at(word, at + 1, 4) * 1000;
		char mark = at + 5 < word.size ? word.data[at + 5] : '\0';
		bool sub = (mark == '.' || mark == '-' || mark == '/') &&
			   are_digits(word, at + 6, 3) && !is_digit(word, at + 9);
		return sub ? code + number_at(word, at + 6, 3) : code;
	}
	return 0;
}

/* ta0004 anywhere in the word. */
static unsigned find_tactic_id(struct text word, bool *seen)
{
	for (size_t at = 0; at + 6 <= word.size; at++) {
		if (word.data[at] != 't' || word.data[at + 1] != 'a' || !starts_token(word, at) ||
			!are_digits(word, at + 2, 4) || is_digit(word, at + 6))
			continue;
		*seen = true;
		return rank_of_id(text_part(word, at, 6));
	}
	return 0;
}

static struct text strip_prefix(struct text word, bool *stripped)
{
	static const char *const prefixes[] = {"mitre-attack-", "mitre-", "attack."};
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		struct text prefix = text_of(prefixes[i]);
		if (!text_starts(word, prefix))
			continue;
		*stripped = true;
		return text_part(word, prefix.size, word.size);
	}
	return word;
}

static tactic_mask mask_of(unsigned rank)
{
	return (tactic_mask)(rank ? 1U << (rank - 1) : 0U);
}

struct attack_tag attack_tag_parse(struct text tag)
{
	char folded[WORD_BYTES];
	struct attack_tag out = {0};
	struct text word = fold(text_trim(tag), folded);
	if (!word.size)
		return out;
	struct text name = strip_prefix(word, &out.about_attack);
	out.technique = find_technique(word);
	out.tactics = mask_of(find_tactic_id(word, &out.about_attack));
	if (!out.tactics && !out.technique)
		out.tactics = mask_of(rank_of_name(name));
	if (out.about_attack && text_is(name, "escape")) {
		out.technique = 1611000;
		out.tactics = mask_of(rank_of_name(TEXT("privilege-escalation")));
	}
	out.about_attack |= out.tactics || out.technique;
	return out;
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
