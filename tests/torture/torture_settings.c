/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "settings/settings.h"
#include "tests/lib/torture.h"

static char path[] = "/tmp/tocsin-torture-XXXXXX";

static void write_file(void)
{
	static const char yaml[] = "data: /srv/t\nlisten: '[::1]:99'\ntls:\n  mode: off\n"
				   "retention: {horizon: 10d}\nintake:\n  queue: 3MiB\n";
	int fd = mkstemp(path);
	assert(fd >= 0);
	ssize_t written = write(fd, yaml, strlen(yaml));
	assert(written == (ssize_t)strlen(yaml));
	close(fd);
}

static bool reads_a_file(void)
{
	struct settings settings;
	struct err err;
	settings_defaults(&settings);
	if (settings_read_file(&settings, path, &err) < 0)
		return torture_reported(&err);
	torture_end();
	assert(strcmp(settings.data, "/srv/t") == 0 && settings.listen_port == 99);
	assert(settings.intake_queue_bytes == 3 << 20);
	return true;
}

static bool writes_pages(void)
{
	AUTO(buf_done) struct buf out;
	struct settings settings;
	buf_init(&out, 1 << 20);
	settings_defaults(&settings);
	settings_write_sample(&out);
	settings_write_schema(&out);
	settings_write_reference(&out);
	settings_show(&settings, &out);
	return buf_ok(&out);
}

int main(void)
{
	static const struct torture_case cases[] = {
		{.name = "file", .run = reads_a_file},
		{.name = "pages", .run = writes_pages},
		{0},
	};
	write_file();
	int status = torture_run("settings", cases);
	unlink(path);
	return status;
}
