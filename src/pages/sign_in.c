/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/sign_in.h"

static void hidden(struct page *page, const char *name, struct text value)
{
	if (!value.size)
		return;
	html_void(&page->html, "input", NULL);
	html_set_string(&page->html, "type", "hidden");
	html_set_string(&page->html, "name", name);
	html_set(&page->html, "value", value);
}

static void write_token(struct page *page)
{
	struct html *html = &page->html;
	html_open(html, "label", NULL);
	page_leaf(page, "span", NULL, WORD_SIGN_IN_TOKEN);
	html_void(html, "input", NULL);
	html_set_string(html, "id", "token");
	html_set_string(html, "name", "token");
	html_set_string(html, "type", "password");
	html_set_string(html, "autocomplete", "current-password");
	html_set_string(html, "spellcheck", "false");
	html_set_flag(html, "required");
	html_set_flag(html, "autofocus");
	html_close(html);
}

void page_sign_in(struct page *page, const struct sign_in_form *form)
{
	struct html *html = &page->html;
	const struct page_head head = {.name = "sign-in", .title = page_word(page, WORD_SIGN_IN)};
	page_begin(page, &head);
	html_open(html, "div", "sign-in");
	page_leaf(page, "h1", NULL, WORD_SIGN_IN);
	if (form->problem.size) {
		html_open(html, "p", "error");
		html_set_string(html, "role", "alert");
		html_text(html, form->problem);
		html_close(html);
	}
	html_open(html, "form", NULL);
	html_set_string(html, "method", "post");
	html_set_string(html, "action", "/sign-in");
	hidden(page, "csrf", form->csrf);
	hidden(page, "next", form->next);
	hidden(page, "link", form->link);
	if (!form->link.size)
		write_token(page);
	html_open(html, "button", "primary");
	html_set_string(html, "type", "submit");
	page_say(page, WORD_SIGN_IN);
	html_close(html);
	html_close(html);
	if (form->provider.size) {
		/* A link: form-action holds for where a form is led to as well. */
		const struct page_pair next = {"next", form->next};
		html_open(html, "p", NULL);
		html_open(html, "a", NULL);
		html_set(html, "href", page_link(page, "/sign-in/oidc", &next, 1));
		page_fill(page, WORD_SIGN_IN_WITH, NULL, &form->provider, 1);
		html_close(html);
		html_close(html);
	}
	struct text command = TEXT("tocsin sign-in");
	html_open(html, "p", "hint");
	page_fill(page, WORD_SIGN_IN_HINT, "code", &command, 1);
	html_close(html);
	html_close(html);
	page_end(page);
}
