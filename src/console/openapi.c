/* SPDX-License-Identifier: Apache-2.0 */
#include "console/api.h"
#include "openapi_text.h"

/* The contract is for whoever wants to write a client: it says nothing about what is stored. */
void openapi_show(struct http_request *request, struct console *console)
{
	struct buf body;
	(void)console;
	buf_init(&body, sizeof openapi_text);
	buf_add_bytes(&body, openapi_text, sizeof openapi_text - 1);
	api_respond(request, 200, "application/yaml", &body);
}
