/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Every text of the console in every language: one table (words.tsv), so that a text that is
 * missing in one of them stops the build. Texts whose key begins with "script_" go to the scripts.
 */

#include "base/text.h"
#include "page_words.h" /* generated from words.tsv */

enum language { LANGUAGE_ENGLISH, LANGUAGE_CHINESE, N_LANGUAGES };

enum word {
#define WORD(symbol, ...) WORD_##symbol,
	PAGE_WORDS(WORD)
#undef WORD
		N_WORDS
};

struct text word_text(enum word word, enum language language);
/** "nav_incidents" */
const char *word_key(enum word word);

/** "en", "zh-CN": for the lang attribute, the cookie and hreflang. */
const char *language_tag(enum language language);

/**
 * What a reader wants: the cookie's word if it is one of ours, else the first of Accept-Language by
 * its weights that we have, else English.
 */
enum language language_choose(struct text cookie, struct text accept);
