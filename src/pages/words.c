/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/words.h"

#include <assert.h>

static const struct {
	const char *key;
	const char *texts[N_LANGUAGES];
} rows[] = {
#define WORD(symbol, key, english, chinese) {#key, {english, chinese}},
	PAGE_WORDS(WORD)
#undef WORD
};

struct text word_text(enum word word, enum language language)
{
	assert(word < N_WORDS && language < N_LANGUAGES);
	return text_of(rows[word].texts[language]);
}

const char *word_key(enum word word)
{
	assert(word < N_WORDS);
	return rows[word].key;
}

const char *language_tag(enum language language)
{
	return language == LANGUAGE_CHINESE ? "zh-CN" : "en";
}

/* "zh", "zh-CN", "zh-Hans-SG": any Chinese reads ours better than English. */
static bool tag_parse(struct text tag, enum language *out)
{
	static const char *const names[N_LANGUAGES] = {"en", "zh"};
	struct text rest = text_trim(tag), first;
	if (!text_split(&rest, '-', &first))
		return false;
	for (unsigned i = 0; i < N_LANGUAGES; i++)
		if (text_equal_nocase(first, text_of(names[i]))) {
			*out = (enum language)i;
			return true;
		}
	return false;
}

/* "q=0.8" in thousandths; what cannot be read weighs as if it were not there. */
static unsigned weight_parse(struct text parameter)
{
	struct text word = text_trim(parameter);
	unsigned weight = 0, scale = 1000;
	if (!text_starts(word, TEXT("q=")))
		return 1000;
	for (size_t i = 2; i < word.size && i < 7; i++) {
		char byte = word.data[i];
		if (byte == '.' && i == 3)
			continue;
		if (byte < '0' || byte > '9')
			return 1000;
		weight += (unsigned)(byte - '0') * scale;
		scale /= 10;
	}
	return weight < 1000 ? weight : 1000;
}

enum language language_choose(struct text cookie, struct text accept)
{
	enum language best = LANGUAGE_ENGLISH, found;
	unsigned best_weight = 0;
	struct text rest = accept, part;
	if (tag_parse(cookie, &found))
		return found;
	while (text_split(&rest, ',', &part)) {
		struct text parameters = part, tag;
		unsigned weight = 1000;
		if (!text_split(&parameters, ';', &tag))
			continue;
		if (parameters.size)
			weight = weight_parse(parameters);
		if (tag_parse(tag, &found) && weight > best_weight) {
			best = found;
			best_weight = weight;
		}
	}
	return best;
}
