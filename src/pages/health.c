/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/health.h"

#include "base/clock.h"
#include "model/attack.h"
#include "pages/coverage.h"
#include "pages/moment.h"
#include "pages/table.h"

/* Rows of a table at most: what the API has more of is counted below it. */
enum { NAME_BYTES = 48, ROWS_SHOWN = 100 };

static bool is_silent(const struct page *page, const struct node *sender)
{
	return page->now_ns - page_time_of(sender, "last_heard") > HEALTH_SILENT_S * NS_PER_S;
}

static uint64_t dropped(const struct node *sender)
{
	return page_u64(sender, "events_dropped") + page_u64(sender, "alerts_dropped") +
	       page_u64(sender, "alerts_shed");
}

struct health_counts health_count(const struct page *page, const struct node *sources)
{
	struct health_counts counts = {0};
	const struct node *items = tree_member(sources, "items");
	const struct node *addresses = tree_member(sources, "addresses");
	for (const struct node *item = items ? items->first : NULL; item; item = item->next) {
		counts.n_senders++;
		counts.n_silent += is_silent(page, item);
		counts.n_lost += dropped(item);
	}
	for (const struct node *item = addresses ? addresses->first : NULL; item; item = item->next)
		counts.n_lost += page_u64(item, "refused_and_lost");
	return counts;
}

/* ---- senders ---- */

static void write_lost(struct page *page, uint64_t n)
{
	struct html *html = &page->html;
	html_open(html, "td", n ? "number warn" : "number");
	html_u64(html, n);
	html_close(html);
}

static void write_sender(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	html_open(html, "tr", NULL);
	html_open(html, "td", is_silent(page, item) ? "warn" : NULL);
	page_say(page, is_silent(page, item) ? WORD_SENDER_SILENT : WORD_SENDER_HEARD);
	html_close(html);
	table_text(page, item, "sensor", NAME_BYTES);
	table_text(page, item, "source", NAME_BYTES);
	table_text(page, item, "cluster", NAME_BYTES);
	table_text(page, item, "node", NAME_BYTES);
	table_text(page, item, "version", NAME_BYTES);
	table_time(page, item, "last_heard");
	table_time(page, item, "last_event");
	table_number(page, item, "accepted");
	table_number(page, item, "duplicate");
	table_number(page, item, "quarantined");
	write_lost(page, page_u64(item, "events_dropped"));
	write_lost(page, page_u64(item, "alerts_dropped") + page_u64(item, "alerts_shed"));
	html_close(html);
}

static void write_senders(struct page *page, const struct node *sources)
{
	const struct node *items = tree_member(sources, "items");
	page_leaf(page, "h2", NULL, WORD_SENDERS);
	if (!items || !items->first) {
		page_leaf(page, "p", "empty", WORD_SENDERS_EMPTY);
		return;
	}
	table_open(page, "list", "sources", WORD_SENDERS);
	table_head(page, NULL, WORD_COLUMN_STATE);
	table_head(page, NULL, WORD_COLUMN_SENSOR);
	table_head(page, NULL, WORD_COLUMN_SOURCE);
	table_head(page, NULL, WORD_PLACE_CLUSTER_NAME);
	table_head(page, NULL, WORD_PLACE_NODE_NAME);
	table_head(page, NULL, WORD_COLUMN_VERSION);
	table_head(page, "number", WORD_COLUMN_LAST_HEARD);
	table_head(page, "number", WORD_COLUMN_LAST_EVENT);
	table_head(page, "number", WORD_COLUMN_ACCEPTED);
	table_head(page, "number", WORD_COLUMN_DUPLICATE);
	table_head(page, "number", WORD_COLUMN_QUARANTINED);
	table_head(page, "number", WORD_COLUMN_EVENTS_DROPPED);
	table_head(page, "number", WORD_COLUMN_ALERTS_DROPPED);
	table_rows(page);
	size_t shown = 0;
	/* those that are silent first: of many only the first are shown */
	for (int silent = 1; silent >= 0; silent--)
		for (const struct node *item = items->first; item && shown < ROWS_SHOWN;
			item = item->next)
			if (is_silent(page, item) == (silent == 1)) {
				write_sender(page, item);
				shown++;
			}
	table_close(page);
	table_rest(page, shown, page_count(items));
}

static void write_address(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	html_open(html, "tr", NULL);
	table_text(page, item, "address", NAME_BYTES);
	table_text(page, item, "source", NAME_BYTES);
	table_number(page, item, "requests");
	write_lost(page, page_u64(item, "held"));
	table_time(page, item, "held_since");
	write_lost(page, page_u64(item, "refused_and_lost"));
	table_number(page, item, "last_refusal");
	table_time(page, item, "last_refused");
	table_time(page, item, "last_heard");
	html_close(html);
}

static void write_addresses(struct page *page, const struct node *sources)
{
	const struct node *items = tree_member(sources, "addresses");
	if (!items || !items->first)
		return;
	page_leaf(page, "h2", NULL, WORD_ADDRESSES);
	table_open(page, "list", "addresses", WORD_ADDRESSES);
	table_head(page, NULL, WORD_COLUMN_ADDRESS);
	table_head(page, NULL, WORD_COLUMN_SOURCE);
	table_head(page, "number", WORD_COLUMN_REQUESTS);
	table_head(page, "number", WORD_COLUMN_HELD);
	table_head(page, "number", WORD_COLUMN_HELD_FOR);
	table_head(page, "number", WORD_COLUMN_REFUSED);
	table_head(page, "number", WORD_COLUMN_REFUSAL);
	table_head(page, "number", WORD_COLUMN_REFUSED_LAST);
	table_head(page, "number", WORD_COLUMN_LAST_HEARD);
	table_rows(page);
	size_t shown = 0;
	for (const struct node *item = items->first; item && shown < ROWS_SHOWN;
		item = item->next, shown++)
		write_address(page, item);
	table_close(page);
	table_rest(page, shown, page_count(items));
}

/* ---- agents on nodes ---- */

/* A late one: the node was rebooted. */
static void write_boot(struct page *page, const struct node *item)
{
	struct text boot = tree_member_text(item, "boot");
	html_open(&page->html, "td", NULL);
	if (boot.size)
		html_set(&page->html, "title", boot);
	moment_write(page, page_time_of(item, "boot_first_heard"), MOMENT_AGO);
	html_close(&page->html);
}

static void write_agent(struct page *page, const struct node *item)
{
	struct html *html = &page->html;
	struct text state = tree_member_text(item, "state");
	html_open(html, "tr", NULL);
	html_open(html, "td", text_is(state, "connected") ? NULL : "warn");
	page_say(page, text_is(state, "connected") ? WORD_SENDER_HEARD
		       : text_is(state, "silent")  ? WORD_SENDER_SILENT
						   : WORD_AGENT_NOT_HEARD);
	html_close(html);
	table_text(page, item, "cluster", NAME_BYTES);
	table_text(page, item, "node", NAME_BYTES);
	table_text(page, item, "version", NAME_BYTES);
	write_boot(page, item);
	table_time(page, item, "last_heard");
	table_time(page, item, "complete_until");
	table_number(page, item, "waiting");
	html_close(html);
}

static void write_agents(struct page *page, const struct node *sources)
{
	const struct node *items = tree_member(sources, "agents");
	if (!items || !items->first)
		return;
	page_leaf(page, "h2", NULL, WORD_AGENTS);
	table_open(page, "list", "agents", WORD_AGENTS);
	table_head(page, NULL, WORD_COLUMN_STATE);
	table_head(page, NULL, WORD_PLACE_CLUSTER_NAME);
	table_head(page, NULL, WORD_PLACE_NODE_NAME);
	table_head(page, NULL, WORD_COLUMN_VERSION);
	table_head(page, NULL, WORD_COLUMN_BOOT);
	table_head(page, "number", WORD_COLUMN_LAST_HEARD);
	table_head(page, "number", WORD_COLUMN_COMPLETE);
	table_head(page, "number", WORD_COLUMN_WAITING);
	table_rows(page);
	size_t shown = 0;
	for (const struct node *item = items->first; item && shown < ROWS_SHOWN;
		item = item->next, shown++)
		write_agent(page, item);
	table_close(page);
	table_rest(page, shown, page_count(items));
}

/* ---- the daemon ---- */

static void fact(struct page *page, enum word word, struct text value)
{
	if (!value.size)
		return;
	page_leaf(page, "dt", NULL, word);
	html_leaf(&page->html, "dd", NULL, value);
}

static void fact_time(struct page *page, enum word word, int64_t wall_ns, enum moment_form form)
{
	if (!wall_ns)
		return;
	page_leaf(page, "dt", NULL, word);
	html_open(&page->html, "dd", NULL);
	moment_write(page, wall_ns, form);
	html_close(&page->html);
}

static struct text mebibytes(const struct page *page, uint64_t bytes)
{
	uint64_t tenths = bytes / (1024 * 1024 / 10);
	return arena_format(page->arena, "%llu.%llu MiB", (unsigned long long)(tenths / 10),
		(unsigned long long)(tenths % 10));
}

static void fact_bytes(
	struct page *page, enum word word, const struct node *document, const char *member)
{
	if (tree_member(document, member))
		fact(page, word, mebibytes(page, page_u64(document, member)));
}

/* The API says it in English. */
static struct text store_word(const struct page *page, struct text state)
{
	static const struct {
		enum store_state state;
		enum word word;
	} words[] = {{STORE_STARTING, WORD_STORE_STARTING}, {STORE_WORKS, WORD_STORE_WORKS},
		{STORE_DISK_FULL, WORD_STORE_DISK_FULL}, {STORE_RECOVERING, WORD_STORE_RECOVERING},
		{STORE_DRAINING, WORD_STORE_DRAINING}};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (text_is(state, store_state_name(words[i].state)))
			return page_word(page, words[i].word);
	return state;
}

static void write_daemon(struct page *page, const struct node *status)
{
	struct html *html = &page->html;
	const struct node *ledger = tree_member(status, "ledger");
	const struct node *retention = tree_member(status, "retention");
	page_leaf(page, "h2", NULL, WORD_DAEMON);
	html_open(html, "dl", "fields");
	fact(page, WORD_FACT_STORE, store_word(page, tree_member_text(status, "store")));
	fact_time(page, WORD_FACT_STARTED, page_time_of(status, "started"), MOMENT_FULL);
	fact_time(page, WORD_FACT_COMMIT, page_time_of(status, "last_commit"), MOMENT_FULL);
	fact_time(page, WORD_FACT_WATERMARK, page_time_of(status, "watermark"), MOMENT_FULL);
	fact(page, WORD_STRIP_RATE, tree_member_text(status, "alerts_recent"));
	fact(page, WORD_NAV_INCIDENTS, tree_member_text(status, "incidents"));
	fact(page, WORD_STRIP_HELD, tree_member_text(status, "held"));
	fact_bytes(page, WORD_FACT_DATABASE, status, "database_bytes");
	fact_bytes(page, WORD_FACT_LOG, status, "log_bytes");
	fact(page, WORD_FACT_LEAVES, tree_member_text(ledger, "leaves"));
	fact(page, WORD_FACT_ROOT, tree_member_text(ledger, "root"));
	fact_time(page, WORD_FACT_HORIZON, page_time_of(retention, "horizon"), MOMENT_FULL);
	fact_time(page, WORD_FACT_RAW_SINCE, page_time_of(retention, "raw_since"), MOMENT_FULL);
	fact_time(page, WORD_FACT_SHORTENED, page_time_of(retention, "shortened_by_size"),
		MOMENT_FULL);
	fact_bytes(page, WORD_FACT_USED, retention, "used_bytes");
	fact_bytes(page, WORD_FACT_LIMIT, retention, "size_limit_bytes");
	fact(page, WORD_FACT_ATTACK, text_of(attack_version()));
	html_close(html);
}

void page_health(struct page *page, const struct health_data *data)
{
	struct html *html = &page->html;
	const struct page_head head = {
		.name = "health", .title = page_word(page, WORD_NAV_HEALTH), .refresh_s = 60};
	page_begin(page, &head);
	page_leaf(page, "h1", NULL, WORD_NAV_HEALTH);
	html_open(html, "section", NULL);
	write_senders(page, data->sources);
	write_addresses(page, data->sources);
	write_agents(page, data->sources);
	html_close(html);
	html_open(html, "section", NULL);
	page_leaf(page, "h2", NULL, WORD_COVERAGE);
	coverage_write(page, tree_member(data->coverage, "items"),
		page_time_of(data->coverage, "since"), page_time_of(data->coverage, "until"));
	coverage_write_shed(page, data->coverage);
	html_close(html);
	html_open(html, "section", NULL);
	write_daemon(page, data->status);
	html_close(html);
	page_end(page);
}
