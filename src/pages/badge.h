/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Small words with a shape: severity, state, and the strip of tactics. Never colour alone. */

#include "model/severity.h"
#include "pages/page.h"

/** "◆ critical": word, shape and colour. */
void badge_severity(struct page *page, struct text severity);
/** The word for a severity's, state's or verdict's name; the name itself where there is none. */
struct text badge_severity_word(const struct page *page, struct text severity);
struct text badge_state_word(const struct page *page, struct text state);
struct text badge_verdict_word(const struct page *page, struct text verdict);
void badge_state(struct page *page, const struct node *incident);

/** 15 cells, those of @tactics (an incident's array) lit. */
void badge_strip(struct page *page, const struct node *tactics);

/** A tactic's name in the reader's language. @rank 1–15. */
struct text badge_tactic(const struct page *page, unsigned rank);
