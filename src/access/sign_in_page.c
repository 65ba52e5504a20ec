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

static void write_hidden(const char *name, struct text value, struct buf *out)
{
	if (!value.size)
		return;
	buf_addf(out, "<input type=\"hidden\" name=\"%s\" value=\"", name);
	html_add(out, value);
	buf_add_string(out, "\">\n");
}

void sign_in_page_write(const struct sign_in_page *page, struct buf *out)
{
	write_head(NULL, TEXT_NONE, out);
	if (page->problem.size) {
		buf_add_string(out, "<p role=\"alert\">");
		html_add(out, page->problem);
		buf_add_string(out, "</p>\n");
	}
	buf_add_string(out, "<form method=\"post\" action=\"/sign-in\">\n");
	write_hidden("csrf", page->csrf, out);
	write_hidden("next", page->next, out);
	write_hidden("link", page->link, out);
	if (!page->link.size)
		buf_add_string(out,
			"<p><label for=\"token\">Token</label>\n"
			"<input id=\"token\" name=\"token\" type=\"password\" required"
			" autocomplete=\"current-password\" spellcheck=\"false\"></p>\n");
	buf_add_string(out, "<p><button type=\"submit\">Sign in</button></p>\n</form>\n");
	if (page->provider.size) {
		buf_add_string(out, "<form method=\"get\" action=\"/sign-in/oidc\">\n");
		write_hidden("next", page->next, out);
		buf_add_string(out, "<p><button type=\"submit\">Sign in with ");
		html_add(out, page->provider);
		buf_add_string(out, "</button></p>\n</form>\n");
	}
	buf_add_string(out, "<p>On the machine that runs tocsind, <code>tocsin sign-in</code>"
			    " makes a link that signs you in once.</p>\n"
			    "</main>\n</body>\n</html>\n");
}

void onward_page_write(struct text next, struct buf *out)
{
	write_head("<meta http-equiv=\"refresh\" content=\"0;url=", next, out);
	buf_add_string(out, "<p>Signed in. <a href=\"");
	html_add(out, next);
	buf_add_string(out, "\">Go on</a></p>\n</main>\n</body>\n</html>\n");
}
