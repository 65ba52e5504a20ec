/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/process.h"
#include "cli/commands.h"
#include "cli/view.h"
#include "settings/settings.h"

enum { PAGE_BYTES = 256 * 1024 };

static int read_settings(struct session *session, struct settings *settings, struct err *err)
{
	settings_defaults(settings);
	session->exit_code = EXIT_CONFIG;
	if (settings_read_file(settings, command_argument(session), err) < 0 ||
		settings_read_environment(settings, err) < 0 || settings_check(settings, err) < 0)
		return -1;
	session->exit_code = CLI_FAILURE;
	return 0;
}

int config_check(struct session *session, struct err *err)
{
	struct settings settings;
	return read_settings(session, &settings, err) < 0
		       ? -1
		       : view_print(session, TEXT("{\"ok\":true}"), TEXT("ok\n"), err);
}

int config_show(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf document;
	AUTO(buf_done) struct buf out;
	struct settings settings;
	buf_init(&document, PAGE_BYTES);
	buf_init(&out, PAGE_BYTES);
	if (read_settings(session, &settings, err) < 0)
		return -1;
	settings_write_json(&settings, &document);
	settings_show(&settings, &out);
	return view_print(session, buf_text(&document), buf_text(&out), err);
}

int config_schema(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf document;
	AUTO(buf_done) struct buf out;
	buf_init(&document, PAGE_BYTES);
	buf_init(&out, PAGE_BYTES);
	settings_write_schema(&document);
	buf_addf(&out, "%.*s\n", TEXT_ARG(buf_text(&document)));
	return view_print(session, buf_text(&document), buf_text(&out), err);
}

int config_sample(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf out;
	(void)session;
	buf_init(&out, PAGE_BYTES);
	settings_write_sample(&out);
	return print_text(buf_text(&out), err);
}
