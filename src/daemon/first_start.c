/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/first_start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/audit.h"
#include "store/tokens.h"

enum { PATH_BYTES = 4096 };

static int write_all(int fd, struct text text)
{
	while (text.size) {
		ssize_t n = write(fd, text.data, text.size);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			text = text_part(text, (size_t)n, text.size);
	}
	return fsync(fd);
}

/* Written beside and moved into place: the file is whole or not there. */
static int write_token(const char *directory, const char *name, const char *token, struct err *err)
{
	char path[PATH_BYTES], fresh[PATH_BYTES], line[TOKEN_TEXT_BYTES + 2];
	text_format(path, sizeof path, "%s/%s.token", directory, name);
	text_format(fresh, sizeof fresh, "%s/.%s.token.new", directory, name);
	text_format(line, sizeof line, "%s\n", token);
	AUTO(file_close) int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int failed = fd < 0 ? -1 : write_all(fd, text_of(line));
	explicit_bzero(line, sizeof line);
	if (failed || rename(fresh, path) < 0)
		return err_errno(err, errno, "writing %s", path);
	return 0;
}

static int make_token(struct store *store, const char *directory, struct credential *credential,
	const struct clock *clock, struct err *err)
{
	char token[TOKEN_TEXT_BYTES];
	char name[64];
	credential->created_at_ns = clock_wall_ns(clock);
	token_make(token, &credential->digest);
	text_format(name, sizeof name, "%.*s", TEXT_ARG(credential->name));
	int failed = token_insert(store_connection(store), credential, err) < 0 ||
		     write_token(directory, name, token, err) < 0;
	explicit_bzero(token, sizeof token);
	struct audit_entry entry = {
		.time_ns = credential->created_at_ns,
		.actor = TEXT("local"),
		.action = TEXT("token.create"),
		.target = credential->name,
		.detail = TEXT("{\"why\":\"first start\"}"),
	};
	return failed ? -1 : audit_append(store_connection(store), &entry, err);
}

static int has_tokens(struct connection *connection, bool *has, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct credential_list list;
	arena_init(&arena, SIZE_MAX);
	if (tokens_list(connection, &arena, &list, err) < 0)
		return -1;
	*has = list.n > 0;
	return 0;
}

int first_tokens_make(struct store *store, const char *directory, const struct clock *clock,
	bool *made, struct err *err)
{
	bool has;
	struct credential admin = {.name = TEXT("admin"), .role = ROLE_ADMIN};
	struct credential ingest = {.name = TEXT("ingest"),
		.role = ROLE_SOURCE,
		.cluster = TEXT("default"),
		.sources = UINT32_MAX & ~1U};
	*made = false;
	if (has_tokens(store_connection(store), &has, err) < 0)
		return -1;
	if (has)
		return 0;
	if (store_begin(store, err) < 0)
		return -1;
	if (make_token(store, directory, &admin, clock, err) < 0 ||
		make_token(store, directory, &ingest, clock, err) < 0 ||
		store_commit(store, err) < 0) {
		store_rollback(store);
		return -1;
	}
	*made = true;
	return 0;
}
