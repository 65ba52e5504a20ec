/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/admin.h"

#include "pages/moment.h"
#include "pages/table.h"

/* Rows of a table at most: what there is more of is counted below it. */
enum { NAME_BYTES = 60, DETAIL_BYTES = 200, HASH_BYTES = 12, ROWS_SHOWN = 100 };

static const struct node *items_of(const struct node *document)
{
	const struct node *items = tree_member(document, "items");
	return items && items->first ? items : NULL;
}

static void write_list(struct page *page, const struct node *list)
{
	struct html *html = &page->html;
	html_open(html, "td", NULL);
	for (const struct node *item = list ? list->first : NULL; item; item = item->next) {
		if (item != list->first)
			html_string(html, ", ");
		html_clip(html, "span", NULL, item->value, NAME_BYTES);
	}
	html_close(html);
}

/* A button that a script makes work: DELETE of @path and the id. */
static void delete_cell(struct page *page, const char *path, struct text id, enum word word)
{
	struct html *html = &page->html;
	html_open(html, "td", NULL);
	html_open(html, "button", "act");
	html_set_string(html, "type", "button");
	html_setf(html, "data-delete", "%s%.*s", path, TEXT_ARG(id));
	page_say(page, word);
	html_close(html);
	html_close(html);
}

static bool is_expired(const struct page *page, const struct node *token)
{
	int64_t expires_ns = page_time_of(token, "expires");
	return expires_ns && expires_ns <= page->now_ns;
}

/* Does it open nothing any more? */
static bool is_over(const struct page *page, const struct node *token)
{
	return tree_member(token, "revoked") != NULL || is_expired(page, token);
}

static void write_token(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	bool is_revoked = tree_member(item, "revoked") != NULL;
	html_open(html, "tr", is_over(page, item) ? "context" : NULL);
	html_set_flag(html, "data-row");
	html_set_string(html, "data-kind", "token");
	html_set(html, "data-number", tree_member_text(item, "id"));
	table_number(page, item, "id");
	table_text(page, item, "name", NAME_BYTES);
	table_text(page, item, "role", NAME_BYTES);
	table_text(page, item, "cluster", NAME_BYTES);
	write_list(page, tree_member(item, "sources"));
	table_text(page, item, "node", NAME_BYTES);
	table_text(page, item, "subject", NAME_BYTES);
	table_time(page, item, "created");
	html_open(html, "td", "number");
	moment_write(page, page_time_of(item, "expires"), MOMENT_FULL);
	html_close(html);
	html_open(html, "td", NULL);
	page_say(page, is_revoked               ? WORD_TOKEN_REVOKED
		       : is_expired(page, item) ? WORD_TOKEN_EXPIRED
						: WORD_TOKEN_IN_FORCE);
	html_close(html);
	if (is_revoked)
		page_leaf(page, "td", NULL, WORD_TACTICS_NONE);
	else
		delete_cell(
			page, "/api/v1/tokens/", tree_member_text(item, "id"), WORD_TOKEN_REVOKE);
	html_close(html);
}

static void write_tokens(struct page *page, const struct node *document)
{
	const struct node *items = items_of(document);
	page_leaf(page, "h2", NULL, WORD_TOKENS);
	page_leaf(page, "p", "hint", WORD_TOKENS_HINT);
	if (!items)
		return;
	table_open(page, "list", "tokens", WORD_TOKENS);
	table_head(page, "number", WORD_COLUMN_NUMBER);
	table_head(page, NULL, WORD_COLUMN_NAME);
	table_head(page, NULL, WORD_COLUMN_ROLE);
	table_head(page, NULL, WORD_PLACE_CLUSTER_NAME);
	table_head(page, NULL, WORD_COLUMN_SOURCES);
	table_head(page, NULL, WORD_PLACE_NODE_NAME);
	table_head(page, NULL, WORD_COLUMN_SUBJECT);
	table_head(page, "number", WORD_COLUMN_CREATED);
	table_head(page, "number", WORD_COLUMN_EXPIRES);
	table_head(page, NULL, WORD_COLUMN_STATE);
	table_head(page, NULL, WORD_COLUMN_DO);
	table_rows(page);
	size_t shown = 0;
	/* those in force first: of many only the first are shown */
	for (int over = 0; over <= 1; over++)
		for (const struct node *item = items->first; item && shown < ROWS_SHOWN;
			item = item->next)
			if (is_over(page, item) == (over == 1)) {
				write_token(page, item);
				shown++;
			}
	table_close(page);
	table_rest(page, shown, page_count(items));
}

static void write_session(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	bool is_current = text_is(tree_member_text(item, "current"), "true");
	html_open(html, "tr", NULL);
	table_number(page, item, "id");
	table_text(page, item, "name", NAME_BYTES);
	table_text(page, item, "role", NAME_BYTES);
	write_list(page, tree_member(item, "namespaces"));
	table_text(page, item, "how", NAME_BYTES);
	table_text(page, item, "address", NAME_BYTES);
	table_time(page, item, "signed_in");
	table_time(page, item, "last_used");
	html_open(html, "td", "number");
	moment_write(page, page_time_of(item, "expires"), MOMENT_FULL);
	html_close(html);
	if (is_current)
		page_leaf(page, "td", "note", WORD_SESSION_CURRENT);
	else
		delete_cell(
			page, "/api/v1/sessions/", tree_member_text(item, "id"), WORD_SESSION_END);
	html_close(html);
}

static void write_sessions(struct page *page, const struct node *document)
{
	const struct node *items = items_of(document);
	page_leaf(page, "h2", NULL, WORD_SESSIONS);
	if (!items) {
		page_leaf(page, "p", "hint", WORD_SESSIONS_EMPTY);
		return;
	}
	table_open(page, "list", "sessions", WORD_SESSIONS);
	table_head(page, "number", WORD_COLUMN_NUMBER);
	table_head(page, NULL, WORD_COLUMN_NAME);
	table_head(page, NULL, WORD_COLUMN_ROLE);
	table_head(page, NULL, WORD_COLUMN_NAMESPACES);
	table_head(page, NULL, WORD_COLUMN_HOW);
	table_head(page, NULL, WORD_COLUMN_ADDRESS);
	table_head(page, "number", WORD_COLUMN_SIGNED_IN);
	table_head(page, "number", WORD_COLUMN_USED);
	table_head(page, "number", WORD_COLUMN_EXPIRES);
	table_head(page, NULL, WORD_COLUMN_DO);
	table_rows(page);
	size_t shown = 0;
	for (const struct node *item = items->first; item && shown < ROWS_SHOWN;
		item = item->next, shown++)
		write_session(page, item);
	table_close(page);
	table_rest(page, shown, page_count(items));
}

/* Who knows what members a detail has: each with its name. */
static void write_detail(struct page *page, const struct node *detail)
{
	struct html *html = &page->html;
	html_open(html, "td", "wrap");
	for (const struct node *item = detail ? detail->first : NULL; item; item = item->next) {
		if (!item->value.size)
			continue;
		html_open(html, "span", "pair");
		html_leaf(html, "i", NULL, item->key);
		html_string(html, " ");
		html_clip(html, "span", NULL, item->value, DETAIL_BYTES);
		html_close(html);
	}
	html_close(html);
}

static void write_entry(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	struct text hash = tree_member_text(item, "hash");
	html_open(html, "tr", NULL);
	table_number(page, item, "id");
	html_open(html, "td", NULL);
	moment_write(page, page_time_of(item, "time"), MOMENT_FULL);
	html_close(html);
	table_text(page, item, "actor", NAME_BYTES);
	table_text(page, item, "action", NAME_BYTES);
	table_text(page, item, "target", NAME_BYTES);
	write_detail(page, tree_member(item, "detail"));
	html_open(html, "td", "id");
	html_set(html, "title", hash);
	html_text(html, text_part(hash, 0, HASH_BYTES));
	html_close(html);
	html_close(html);
}

static void write_audit(struct page *page, const struct node *document)
{
	struct html *html = &page->html;
	const struct node *items = items_of(document);
	struct text next = tree_member_text(document, "next");
	html_open(html, "h2", NULL);
	html_set_string(html, "id", "audit");
	page_say(page, WORD_AUDIT);
	html_close(html);
	if (!items)
		return;
	table_open(page, "list", "audit", WORD_AUDIT);
	table_head(page, "number", WORD_COLUMN_NUMBER);
	table_head(page, NULL, WORD_COLUMN_TIME);
	table_head(page, NULL, WORD_COLUMN_ACTOR);
	table_head(page, NULL, WORD_COLUMN_ACTION);
	table_head(page, NULL, WORD_COLUMN_TARGET);
	table_head(page, NULL, WORD_COLUMN_DETAIL);
	table_head(page, NULL, WORD_COLUMN_HASH);
	table_rows(page);
	for (const struct node *item = items->first; item; item = item->next)
		write_entry(page, item);
	table_close(page);
	if (!next.size)
		return;
	const struct page_pair pair = {"after", next};
	html_open(html, "nav", "pages");
	page_set(page, "aria-label", WORD_PAGES);
	html_open(html, "a", NULL);
	html_set_string(html, "rel", "next");
	html_setf(html, "href", "%.*s#audit", TEXT_ARG(page_link(page, "/admin", &pair, 1)));
	page_say(page, WORD_NEXT_PAGE);
	html_close(html);
	html_close(html);
}

void page_admin(struct page *page, const struct admin_data *data)
{
	const struct page_head head = {.name = "admin", .title = page_word(page, WORD_NAV_ADMIN)};
	page_begin(page, &head);
	page_leaf(page, "h1", NULL, WORD_NAV_ADMIN);
	write_tokens(page, data->tokens);
	write_sessions(page, data->sessions);
	write_audit(page, data->audit);
	page_end(page);
}
