/* SPDX-License-Identifier: Apache-2.0 */

/* Prints the table of what the console answers as JSON, one endpoint a line: tests compare it. */

#include <stdio.h>

#include "base/emit.h"
#include "console/api.h"
#include "net/http_route.h"

enum { LINE_BYTES = 64 * 1024 };

/* What somebody gets of it who sees some namespaces only. */
static const char *reach_name(enum reach reach)
{
	switch (reach) {
	case REACH_ALL:
		return "all";
	case REACH_OWN:
	case REACH_OWN_FORM:
		return "own";
	case REACH_LIST:
	case REACH_INCIDENT:
	case REACH_ALERT:
		return "namespaces";
	}
	return "";
}

static void write_endpoint(struct emitter *out, const struct endpoint *endpoint)
{
	char method[64];
	http_methods_write(1U << endpoint->method, method, sizeof method);
	emit_object(out);
	/* "GET, HEAD": the first one is the table's */
	struct text names = text_of(method), first = TEXT_NONE;
	text_split(&names, ',', &first);
	emit_key(out, "method");
	emit_text(out, first);
	emit_member_string(out, "path", endpoint->path);
	emit_member_string(out, "role", endpoint->role ? role_name(endpoint->role) : "open");
	emit_member_string(out, "reach", reach_name(endpoint->reach));
	emit_member_text(out, "content_type", text_of(endpoint->content_type));
	emit_member_string(out, "text", endpoint->text);
	emit_key(out, "parameters");
	emit_array(out);
	for (const char *const *name = endpoint->parameters; name && *name; name++)
		emit_text(out, text_of(*name));
	emit_array_end(out);
	emit_object_end(out);
}

int main(void)
{
	for (const struct endpoint *endpoint = endpoints; endpoint->path; endpoint++) {
		struct buf line;
		struct emitter emitter;
		buf_init(&line, LINE_BYTES);
		emit_init(&emitter, &line);
		write_endpoint(&emitter, endpoint);
		if (!buf_ok(&line))
			return 1;
		puts(line.data);
		buf_done(&line);
	}
	return 0;
}
