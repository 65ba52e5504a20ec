/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "assets/asset.h"
#include "base/clock.h"
#include "pages/decide.h"
#include "pages/moment.h"
#include "pages/page.h"

/* What stands around every page: head, navigation, search, switches, footer. */

static const struct {
	const char *name, *path;
	enum word word;
	enum role role;
	bool is_about_all;
} places[] = {
	{"on-call", "/", WORD_NAV_ONCALL, ROLE_VIEWER, false},
	{"incidents", "/incidents", WORD_NAV_INCIDENTS, ROLE_VIEWER, false},
	{"alerts", "/alerts", WORD_NAV_ALERTS, ROLE_VIEWER, false},
	{"suppressions", "/suppressions", WORD_NAV_SUPPRESSIONS, ROLE_VIEWER, false},
	{"health", "/health", WORD_NAV_HEALTH, ROLE_VIEWER, true},
	{"admin", "/admin", WORD_NAV_ADMIN, ROLE_ADMIN, true},
};

static void write_meta(struct html *html, const char *name, const char *content)
{
	html_void(html, "meta", NULL);
	html_set_string(html, "name", name);
	html_set_string(html, "content", content);
}

static void write_link(struct html *html, const char *rel, const char *href)
{
	html_void(html, "link", NULL);
	html_set_string(html, "rel", rel);
	html_set_string(html, "href", href);
}

/* @how NULL: at once; else "module", or "defer" for what modules find when they begin. */
static void write_script(struct html *html, const char *asset, const char *how)
{
	html_open(html, "script", NULL);
	if (how && strcmp(how, "module") == 0)
		html_set_string(html, "type", how);
	else if (how)
		html_set_flag(html, how);
	html_set_string(html, "src", asset_url(asset));
	html_close(html);
}

static void write_head(struct page *page, const struct page_head *head)
{
	struct html *html = &page->html;
	html_open(html, "head", NULL);
	html_void(html, "meta", NULL);
	html_set_string(html, "charset", "utf-8");
	write_meta(html, "viewport", "width=device-width, initial-scale=1");
	write_meta(html, "color-scheme", "light dark");
	if (page->reader->csrf.size) {
		html_void(html, "meta", NULL);
		html_set_string(html, "name", "csrf");
		html_set(html, "content", page->reader->csrf);
	}
	html_open(html, "title", NULL);
	/* no elements in a title: marks would be shown as they are written */
	html_text(html, page_filled(page, WORD_TITLE, &head->title, 1));
	html_close(html);
	write_link(html, "icon", asset_url("icon.svg"));
	write_link(html, "stylesheet", asset_url("style.css"));
	write_link(html, "stylesheet", asset_url("client.css"));
	write_script(html, "early.js", NULL);
	if (page->reader->role)
		write_script(html,
			page->reader->language == LANGUAGE_CHINESE ? "texts-zh-CN.js"
								   : "texts-en.js",
			"defer");
	write_script(html, "app.js", "module");
	if (head->refresh_s) {
		html_open(html, "noscript", NULL);
		html_void(html, "meta", NULL);
		html_set_string(html, "http-equiv", "refresh");
		html_set_u64(html, "content", head->refresh_s);
		html_close(html);
	}
	html_close(html);
}

static void write_navigation(struct page *page, const char *name)
{
	struct html *html = &page->html;
	html_open(html, "nav", NULL);
	page_set(page, "aria-label", WORD_NAV);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (!page_may(page, places[i].role) ||
			(places[i].is_about_all && page->reader->sees_some))
			continue;
		html_open(html, "a", NULL);
		html_set_string(html, "href", places[i].path);
		if (strcmp(places[i].name, name) == 0)
			html_set_string(html, "aria-current", "page");
		page_say(page, places[i].word);
		html_close(html);
	}
	html_close(html);
}

static void write_search(struct page *page)
{
	struct html *html = &page->html;
	html_open(html, "form", "search");
	html_set_string(html, "role", "search");
	html_set_string(html, "action", "/incidents");
	html_void(html, "input", NULL);
	html_set_string(html, "type", "search");
	html_set_string(html, "name", "q");
	html_set_string(html, "id", "search");
	html_set_string(html, "autocomplete", "off");
	html_set_string(html, "spellcheck", "false");
	page_set(page, "aria-label", WORD_SEARCH);
	page_set(page, "placeholder", WORD_SEARCH_EXAMPLE);
	/* a query of alerts stands in a box of its own */
	html_set(
		html, "value", text_starts(page->path, TEXT("/alerts")) ? TEXT_NONE : page->search);
	html_close(html);
}

static void write_switch(
	struct page *page, const char *name, const char *value, enum word shown, enum word label)
{
	struct html *html = &page->html;
	html_open(html, "button", NULL);
	html_set_string(html, "name", name);
	html_set_string(html, "value", value);
	page_set(page, "title", label); /* what it would become; its name is what is seen */
	page_say(page, shown);
	html_close(html);
}

/* Each says what there is now and, to who asks, what it would become. */
static void write_switches(struct page *page)
{
	static const struct {
		const char *next;
		enum word shown, label;
	} themes[] = {
		{"light", WORD_THEME_AUTO, WORD_THEME_TO_LIGHT},
		{"dark", WORD_THEME_LIGHT, WORD_THEME_TO_DARK},
		{"auto", WORD_THEME_DARK, WORD_THEME_TO_AUTO},
	};
	const struct page_reader *reader = page->reader;
	struct html *html = &page->html;
	struct text back = page->query.size ? arena_format(page->arena, "%.*s?%.*s",
						      TEXT_ARG(page->path), TEXT_ARG(page->query))
					    : page->path;
	html_open(html, "form", "switches");
	html_set_string(html, "method", "post");
	html_set_string(html, "action", "/preferences");
	html_void(html, "input", NULL);
	html_set_string(html, "type", "hidden");
	html_set_string(html, "name", "next");
	html_set(html, "value", back);
	write_switch(page, "zone", reader->local_time ? "utc" : "local",
		reader->local_time ? WORD_ZONE_LOCAL : WORD_ZONE_UTC,
		reader->local_time ? WORD_ZONE_TO_UTC : WORD_ZONE_TO_LOCAL);
	write_switch(page, "theme", themes[reader->theme].next, themes[reader->theme].shown,
		themes[reader->theme].label);
	write_switch(page, "language",
		reader->language == LANGUAGE_ENGLISH ? language_tag(LANGUAGE_CHINESE)
						     : language_tag(LANGUAGE_ENGLISH),
		WORD_LANGUAGE_OTHER, WORD_LANGUAGE_TO_OTHER);
	html_close(html);
}

static void write_person(struct page *page)
{
	struct html *html = &page->html;
	if (!page->reader->role)
		return;
	html_open(html, "form", "person");
	html_set_string(html, "method", "post");
	html_set_string(html, "action", "/sign-out");
	html_void(html, "input", NULL);
	html_set_string(html, "type", "hidden");
	html_set_string(html, "name", "csrf");
	html_set(html, "value", page->reader->csrf);
	html_clip(html, "b", NULL, page->reader->name, 24);
	html_string(html, " ");
	page_leaf(page, "button", NULL, WORD_SIGN_OUT);
	html_close(html);
}

static void write_header(struct page *page, const struct page_head *head)
{
	struct html *html = &page->html;
	html_open(html, "header", "top");
	html_open(html, "a", "brand");
	html_set_string(html, "href", "/");
	html_string(html, "Tocsin");
	html_close(html);
	write_navigation(page, head->name);
	if (page->reader->role)
		write_search(page);
	write_switches(page);
	write_person(page);
	html_close(html);
}

void page_begin(struct page *page, const struct page_head *head)
{
	static const char *const themes[] = {"auto", "light", "dark"};
	struct html *html = &page->html;
	html_doctype(html);
	html_open(html, "html", "no-js");
	html_set_string(html, "lang", language_tag(page->reader->language));
	html_set_string(html, "data-theme", themes[page->reader->theme]);
	html_set_string(html, "data-zone", page->reader->local_time ? "local" : "utc");
	write_head(page, head);
	html_open(html, "body", NULL);
	html_set_string(html, "data-page", head->name);
	html_set_string(html, "data-language", language_tag(page->reader->language));
	html_set_string(html, "data-keys", "on");
	html_set_string(html, "data-role", page->reader->role ? role_name(page->reader->role) : "");
	html_set(html, "data-name", page->reader->name);
	html_open(html, "a", "skip");
	html_set_string(html, "href", "#main");
	page_say(page, WORD_SKIP);
	html_close(html);
	write_header(page, head);
	html_open(html, "main", NULL);
	html_set_string(html, "id", "main");
	html_set_string(html, "tabindex", "-1");
}

static enum word store_word(const struct status *status)
{
	switch ((enum store_state)atomic_load(&status->store_state)) {
	case STORE_STARTING:
		return WORD_STORE_STARTING;
	case STORE_WORKS:
		return WORD_STORE_WORKS;
	case STORE_DISK_FULL:
		return WORD_STORE_DISK_FULL;
	case STORE_RECOVERING:
		return WORD_STORE_RECOVERING;
	case STORE_DRAINING:
		return WORD_STORE_DRAINING;
	}
	return WORD_STORE_STARTING;
}

static void write_store_state(struct page *page)
{
	const struct status *status = page->status;
	struct html *html = &page->html;
	int64_t committed = atomic_load(&status->last_commit_at_ns);
	uint64_t held = atomic_load(&status->n_held) + atomic_load(&status->n_late);
	html_open(html, page->reader->sees_some ? "span" : "a", NULL);
	if (!page->reader->sees_some)
		html_set_string(html, "href", "/health");
	page_say(page, store_word(status));
	html_close(html);
	if (committed) {
		struct text ago = moment_span(page, page->now_ns - committed);
		html_open(html, "span", NULL);
		page_fill(page, WORD_LAST_STORED, NULL, &ago, 1);
		html_close(html);
	}
	struct text leaves = page_number(page, atomic_load(&status->n_leaves));
	html_open(html, "span", NULL);
	page_fill(page, WORD_STORED_COUNTS, NULL, &leaves, 1);
	html_close(html);
	if (held && !page->reader->sees_some) {
		struct text value = page_number(page, held);
		html_open(html, "strong", NULL);
		page_fill(page, WORD_SENDERS_HELD, NULL, &value, 1);
		html_close(html);
	}
}

void page_end(struct page *page)
{
	struct html *html = &page->html;
	html_close(html); /* main */
	if (page->reader->role)
		decide_drawer(page);
	html_open(html, "footer", "bottom");
	if (page->reader->role && page->status)
		write_store_state(page);
	html_open(html, "span", NULL);
	html_set_string(html, "id", "live");
	html_set_string(html, "role", "status");
	html_set_string(html, "aria-live", "polite");
	html_close(html);
	html_close(html);
	html_close(html); /* body */
	html_close(html); /* html */
	buf_add_byte(html->out, '\n');
}
