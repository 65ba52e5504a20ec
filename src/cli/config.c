/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "cli/commands.h"
#include "settings/settings.h"

enum { PAGE_BYTES = 256 * 1024, EXIT_CONFIG = 78 };

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
	return read_settings(session, &settings, err) < 0 ? -1 : print_text(TEXT("ok\n"), err);
}

int config_show(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf out;
	struct settings settings;
	buf_init(&out, PAGE_BYTES);
	if (read_settings(session, &settings, err) < 0)
		return -1;
	settings_show(&settings, &out);
	return print_text(buf_text(&out), err);
}

int config_schema(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf out;
	(void)session;
	buf_init(&out, PAGE_BYTES);
	settings_write_schema(&out);
	buf_add_byte(&out, '\n');
	return print_text(buf_text(&out), err);
}

int config_sample(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf out;
	(void)session;
	buf_init(&out, PAGE_BYTES);
	settings_write_sample(&out);
	return print_text(buf_text(&out), err);
}
