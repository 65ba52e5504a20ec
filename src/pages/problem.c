/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/problem.h"

static const struct {
	unsigned status;
	enum word title, advice;
} problems[] = {
	{400, WORD_PROBLEM_400, WORD_PROBLEM_400_ADVICE},
	{401, WORD_PROBLEM_401, WORD_PROBLEM_401_ADVICE},
	{403, WORD_PROBLEM_403, WORD_PROBLEM_403_ADVICE},
	{404, WORD_PROBLEM_404, WORD_PROBLEM_404_ADVICE},
	{503, WORD_PROBLEM_503, WORD_PROBLEM_503_ADVICE},
	{500, WORD_PROBLEM_500, WORD_PROBLEM_500_ADVICE},
};

void page_problem(struct page *page, unsigned status, struct text detail)
{
	struct html *html = &page->html;
	size_t i = 0, last = sizeof problems / sizeof problems[0] - 1;
	while (i < last && problems[i].status != status)
		i++;
	const struct page_head head = {
		.name = "problem", .title = page_word(page, problems[i].title)};
	page_begin(page, &head);
	html_open(html, "div", "problem");
	page_leaf(page, "h1", NULL, problems[i].title);
	if (detail.size) {
		html_open(html, "p", "detail");
		if (page->reader->language != LANGUAGE_ENGLISH)
			html_set_string(html, "lang", "en");
		html_text(html, detail);
		html_close(html);
	}
	page_leaf(page, "p", NULL, problems[i].advice);
	if (page->reader->role) {
		html_open(html, "p", NULL);
		html_open(html, "a", NULL);
		html_set_string(html, "href", "/incidents");
		page_say(page, WORD_NAV_INCIDENTS);
		html_close(html);
		html_close(html);
	}
	html_close(html);
	page_end(page);
}
