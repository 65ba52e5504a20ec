/* SPDX-License-Identifier: Apache-2.0 */
#include "access/sign_in_page.h"

#include "access/form.h"

static void write_head(const char *extra, struct text extra_value, struct buf *out)
{
	buf_add_string(out, "<!doctype html>\n<html lang=\"en\" class=\"no-js\">\n<head>\n"
			    "<meta charset=\"utf-8\">\n"
			    "<meta name=\"viewport\" content=\"width=device-width\">\n");
	if (extra) {
		buf_add_string(out, extra);
		html_add(out, extra_value);
		buf_add_string(out, "\">\n");
	}
	buf_add_string(out, "<title>Sign in · Tocsin</title>\n</head>\n"
			    "<body data-page=\"sign-in\" data-language=\"en\">\n"
			    "<main id=\"main\">\n<h1>Tocsin</h1>\n");
}

void onward_page_write(struct text next, struct buf *out)
{
	write_head("<meta http-equiv=\"refresh\" content=\"0;url=", next, out);
	buf_add_string(out, "<p>Signed in. <a href=\"");
	html_add(out, next);
	buf_add_string(out, "\">Go on</a></p>\n</main>\n</body>\n</html>\n");
}
