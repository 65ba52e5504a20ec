/* SPDX-License-Identifier: Apache-2.0 */
#include "console/page_request.h"

#include <string.h>

#include "base/clock.h"
#include "net/http_route.h"

enum { OFFSET_MAX = 14 * 60, NEXT_BYTES_MAX = 2048, COOKIE_BYTES = 160 };

/* The cookie of that name; the first one where there are two. */
static struct text cookie(struct http_request *request, const char *name)
{
	struct text rest = http_header(request, "Cookie"), pair;
	while (text_split(&rest, ';', &pair)) {
		struct text value = text_trim(pair), key;
		if (text_split(&value, '=', &key) && text_is(key, name))
			return value;
	}
	return TEXT_NONE;
}

static enum theme theme_of(struct text word)
{
	return text_is(word, "dark")    ? THEME_DARK
	       : text_is(word, "light") ? THEME_LIGHT
					: THEME_AUTO;
}

static int offset_of(struct text word)
{
	int64_t minutes;
	if (!text_to_i64(word, &minutes) || minutes < -OFFSET_MAX || minutes > OFFSET_MAX)
		return 0;
	return (int)minutes;
}

static void note_person(struct page_request *wish, const struct viewer *viewer)
{
	if (!viewer)
		return;
	wish->reader.name = viewer->name;
	wish->reader.role = viewer->role;
	wish->reader.sees_some = !viewer_sees_all(viewer);
	wish->reader.csrf = viewer->csrf;
}

static struct text query_of(struct http_request *request, const struct endpoint *endpoint)
{
	struct page page = {.arena = http_arena(request)};
	struct page_pair pairs[24];
	size_t n = 0;
	const char *const *names = endpoint->parameters;
	for (; names && *names && n < sizeof pairs / sizeof pairs[0]; names++)
		pairs[n++] = (struct page_pair){*names, http_query(request, *names)};
	struct text link = page_link(&page, "", pairs, n);
	return text_part(link, 1, link.size);
}

struct page_request *page_request_new(
	struct http_request *request, const struct viewer *viewer, const struct endpoint *endpoint)
{
	struct arena *arena = http_arena(request);
	struct page_request *wish = arena_alloc(arena, sizeof *wish);
	if (!wish)
		return NULL;
	note_person(wish, viewer);
	wish->reader.language = language_choose(
		cookie(request, "tocsin_language"), http_header(request, "Accept-Language"));
	wish->reader.theme = theme_of(cookie(request, "tocsin_theme"));
	wish->reader.local_time = text_is(cookie(request, "tocsin_zone"), "local");
	wish->reader.offset_minutes = offset_of(cookie(request, "tocsin_offset"));
	wish->path = arena_copy(arena, http_path(request));
	wish->part[0] = http_path_part(request, 0);
	wish->part[1] = http_path_part(request, 1);
	wish->query = query_of(request, endpoint);
	wish->search = http_query(request, "q");
	wish->matchers = http_query(request, "matchers");
	wish->view = http_query(request, "view");
	return arena->failed ? NULL : wish;
}

void page_request_begin(const struct page_request *wish, const struct console *console,
	struct page *page, struct arena *arena, struct buf *out)
{
	*page = (struct page){.arena = arena,
		.reader = &wish->reader,
		.path = wish->path,
		.query = wish->query,
		.search = wish->search,
		.now_ns = clock_wall_ns(console->options.clock),
		.status = console->options.status};
	html_init(&page->html, out);
}

/* A field of a form's body, decoded. */
static struct text field(struct http_request *request, const char *name)
{
	struct text rest = http_body(request), pair;
	while (text_split(&rest, '&', &pair)) {
		struct text value = pair, key, decoded;
		if (text_split(&value, '=', &key) && text_is(key, name) &&
			http_decode(value, http_arena(request), &decoded))
			return decoded;
	}
	return TEXT_NONE;
}

static bool is_listed(struct text value, const char *const *values)
{
	for (; *values; values++)
		if (text_is(value, *values))
			return true;
	return false;
}

/* A path of our own: one slash, then no other and no backslash, nothing a header cannot hold. */
static struct text own_path(struct text next)
{
	if (next.size == 0 || next.size > NEXT_BYTES_MAX || next.data[0] != '/' ||
		(next.size > 1 && (next.data[1] == '/' || next.data[1] == '\\')))
		return TEXT("/");
	for (size_t i = 0; i < next.size; i++)
		if (next.data[i] <= ' ' || next.data[i] > '~' || next.data[i] == '\\')
			return TEXT("/");
	return next;
}

void preferences_take(struct http_request *request, struct console *console)
{
	static const char *const themes[] = {"auto", "light", "dark", NULL};
	static const char *const zones[] = {"utc", "local", NULL};
	static const char *const languages[] = {"en", "zh-CN", NULL};
	static const struct {
		const char *field, *cookie;
		const char *const *values;
	} choices[] = {{"theme", "tocsin_theme", themes}, {"zone", "tocsin_zone", zones},
		{"language", "tocsin_language", languages}};
	struct arena *arena = http_arena(request);
	const char **headers = arena_array(arena, 11, sizeof *headers);
	size_t n = 0;
	(void)console;
	if (!headers) {
		http_respond_retry(request, 503, "No memory now", TEXT("try again"), 1);
		return;
	}
	headers[n++] = "Location";
	headers[n++] = arena_string(arena, own_path(field(request, "next")));
	headers[n++] = "Cache-Control";
	headers[n++] = "no-store";
	for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
		struct text value = field(request, choices[i].field);
		if (!is_listed(value, choices[i].values))
			continue;
		headers[n++] = "Set-Cookie";
		headers[n++] =
			arena_format(arena, "%s=%.*s; Path=/; Max-Age=31536000; SameSite=Strict%c",
				choices[i].cookie, TEXT_ARG(value), '\0')
				.data;
	}
	const struct http_response response = {.status = 303, .headers = headers};
	http_respond(request, &response);
}
