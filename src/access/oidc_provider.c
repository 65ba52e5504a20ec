/* SPDX-License-Identifier: Apache-2.0 */
#include "access/oidc_provider.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/id_token.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "net/http_client.h"

enum {
	ANSWER_BYTES_MAX = 1024 * 1024,
	CALL_MS = 5000,
	DISCOVERY_MS = 3600 * 1000,
	KEYS_AGAIN_MS = 10000, /* an unknown key makes them be read again, not more often */
	URL_BYTES = 16 * 1024,
	SECRET_BYTES = 1024,
	HEADER_BYTES = 4096,
	DOCUMENTS_BYTES = 4 * 1024 * 1024,
};

struct provider {
	struct provider_options options;
	struct arena arena; /* of both documents */
	const struct node *discovery, *keys;
	int64_t read_at_ms, keys_at_ms;
};

struct provider *provider_new(const struct provider_options *options)
{
	struct provider *provider = calloc(1, sizeof *provider);
	if (!provider)
		return NULL;
	provider->options = *options;
	arena_init(&provider->arena, DOCUMENTS_BYTES);
	return provider;
}

void provider_free(struct provider *provider)
{
	if (!provider)
		return;
	arena_done(&provider->arena);
	free(provider);
}

static int shown(struct text text)
{
	return (int)(text.size < 80 ? text.size : 80);
}

/* What a provider says when it does not do what is asked (RFC 6749, 5.2). */
static int refuse_answer(const char *url, unsigned status, const struct node *tree, struct err *err)
{
	struct text error = tree_member_text(tree, "error");
	struct text why = tree_member_text(tree, "error_description");
	return err_set(err, status >= 500 ? ERR_IO : ERR_DENIED, "%.80s answered %u%s%.*s%s%.*s",
		url, status, error.size ? ": " : "", shown(error), error.data ? error.data : "",
		why.size ? ", " : "", shown(why), why.data ? why.data : "");
}

/* One call; the answer as a tree in @arena. */
static int call(const struct provider *provider, const char *url, const struct http_call *wish,
	struct arena *arena, const struct node **out, struct err *err)
{
	struct http_client *client;
	struct node *tree;
	struct err unreadable;
	AUTO(http_answer_done) struct http_answer answer = {0};
	const char *ca_file = provider->options.ca_file;
	struct http_client_options options = {
		.base_url = url,
		.ca_file = ca_file && ca_file[0] ? ca_file : NULL,
		.timeout_ms = CALL_MS,
		.max_response_bytes = ANSWER_BYTES_MAX,
	};
	if (atomic_load(provider->options.stops))
		return err_set(err, ERR_BUSY, "tocsind ends");
	if (http_client_new(&client, &options, err) < 0)
		return -1;
	int failed = http_client_call(client, wish, &answer, err);
	http_client_free(client);
	if (failed)
		return -1;
	struct text body = arena_copy(arena, buf_text(&answer.body));
	bool is_read = !arena->failed && tree_read(body, arena, &tree, &unreadable) == 0 &&
		       tree->type == PULL_OBJECT;
	if (answer.status != 200)
		return refuse_answer(url, answer.status, is_read ? tree : NULL, err);
	if (!is_read)
		return err_set(err, ERR_IO, "%.100s answered no JSON object", url);
	*out = tree;
	return 0;
}

static int get(const struct provider *provider, const char *url, struct arena *arena,
	const struct node **out, struct err *err)
{
	struct http_call wish = {.method = "GET", .path = ""};
	return call(provider, url, &wish, arena, out, err);
}

/* An endpoint's address as the discovery document has it; never one that is less safe. */
static int endpoint(const struct provider *provider, const char *name, struct arena *arena,
	const char **url, struct err *err)
{
	struct text text = tree_member_text(provider->discovery, name);
	bool safe = text_starts(text, TEXT("https://")) ||
		    (text_starts(text, TEXT("http://")) &&
			    text_starts(text_of(provider->options.issuer), TEXT("http://")));
	*url = safe ? arena_string(arena, text) : NULL;
	if (*url)
		return 0;
	return err_set(
		err, ERR_IO, "%.80s has no %s that is https", provider->options.issuer, name);
}

static int check_issuer(
	const struct provider *provider, const struct node *discovery, struct err *err)
{
	struct text issuer = tree_member_text(discovery, "issuer");
	if (text_is(issuer, provider->options.issuer))
		return 0;
	return err_set(err, ERR_IO,
		"the identity provider calls itself '%.*s': oidc.issuer must be that, to the "
		"letter",
		shown(issuer), issuer.data ? issuer.data : "");
}

/* The documents are read into an arena of their own: a failure leaves what there was. */
static int read_documents(struct provider *provider, int64_t now_ms, struct err *err)
{
	struct arena arena;
	const struct node *discovery = NULL, *keys = NULL;
	const char *keys_url = NULL;
	AUTO(buf_done) struct buf url;
	struct text issuer = text_of(provider->options.issuer);
	buf_init(&url, URL_BYTES);
	/* OpenID Connect Discovery 4.1: one slash at the end is left out. */
	if (text_ends(issuer, TEXT("/")))
		issuer = text_part(issuer, 0, issuer.size - 1);
	buf_addf(&url, "%.*s/.well-known/openid-configuration", TEXT_ARG(issuer));
	arena_init(&arena, DOCUMENTS_BYTES);
	int failed = get(provider, buf_string(&url), &arena, &discovery, err);
	if (!failed)
		failed = check_issuer(provider, discovery, err);
	const struct node *before = provider->discovery;
	provider->discovery = failed ? before : discovery;
	if (!failed)
		failed = endpoint(provider, "jwks_uri", &arena, &keys_url, err) < 0 ||
					 get(provider, keys_url, &arena, &keys, err) < 0
				 ? -1
				 : 0;
	if (failed) {
		provider->discovery = before;
		arena_done(&arena);
		return -1;
	}
	arena_done(&provider->arena);
	provider->arena = arena;
	provider->keys = keys;
	provider->read_at_ms = provider->keys_at_ms = now_ms;
	return 0;
}

/* Read once an hour; what was read before serves while the provider does not answer. */
static int know(struct provider *provider, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms(provider->options.clock);
	if (provider->discovery && now_ms - provider->read_at_ms < DISCOVERY_MS)
		return 0;
	if (read_documents(provider, now_ms, err) == 0 || provider->discovery)
		return 0;
	return err_prefix(err, "asking the identity provider");
}

static void add_parameter(struct buf *out, char before, const char *name, struct text value)
{
	buf_addf(out, "%c%s=", before, name);
	http_encode(out, value);
}

int provider_authorize(struct provider *provider,
	const struct provider_authorization *authorization, struct arena *arena,
	struct text *location, struct err *err)
{
	const struct provider_options *options = &provider->options;
	AUTO(buf_done) struct buf url;
	const char *address;
	buf_init(&url, URL_BYTES);
	if (know(provider, err) < 0 ||
		endpoint(provider, "authorization_endpoint", arena, &address, err) < 0)
		return -1;
	buf_add_string(&url, address);
	add_parameter(&url, strchr(address, '?') ? '&' : '?', "response_type", TEXT("code"));
	add_parameter(&url, '&', "client_id", text_of(options->client_id));
	add_parameter(&url, '&', "redirect_uri", text_of(options->redirect_url));
	add_parameter(&url, '&', "scope", text_of(options->scopes));
	add_parameter(&url, '&', "state", authorization->state);
	add_parameter(&url, '&', "nonce", authorization->nonce);
	add_parameter(&url, '&', "code_challenge", authorization->challenge);
	add_parameter(&url, '&', "code_challenge_method", TEXT("S256"));
	*location = arena_copy(arena, buf_text(&url));
	return buf_ok(&url) && !arena->failed ? 0 : err_set(err, ERR_MEMORY, "no memory now");
}

/* Read anew each time, so that it can be changed without a restart. Absent without a file; else it
 * stands in @room. */
static int read_secret(const struct provider *provider, char room[SECRET_BYTES],
	struct text *secret, struct err *err)
{
	const char *path = provider->options.client_secret_file;
	*secret = TEXT_NONE;
	if (!path || !path[0])
		return 0;
	FILE *file = fopen(path, "re");
	if (!file)
		return err_errno(err, errno, "reading oidc.client_secret_file %.100s", path);
	bool got = fgets(room, SECRET_BYTES, file) != NULL;
	(void)fclose(file); /* was only read */
	if (!got)
		return err_set(err, ERR_IO, "oidc.client_secret_file %.100s is empty", path);
	*secret = text_trim(text_of(room));
	return 0;
}

/* Basic is what everybody has, if they say nothing (OpenID Connect Core 9). */
static bool wants_post(const struct provider *provider)
{
	const struct node *methods =
		tree_member(provider->discovery, "token_endpoint_auth_methods_supported");
	bool post = false;
	const struct node *item = methods && methods->type == PULL_ARRAY ? methods->first : NULL;
	for (; item; item = item->next) {
		if (text_is(tree_text(item), "client_secret_basic"))
			return false;
		post = post || text_is(tree_text(item), "client_secret_post");
	}
	return post;
}

/* RFC 6749, 2.3.1: both are encoded as in a form, then base64 with padding. */
static void add_basic(struct buf *out, struct text id, struct text secret)
{
	AUTO(buf_done) struct buf plain;
	char encoded[HEADER_BYTES];
	buf_init(&plain, HEADER_BYTES / 2);
	http_encode(&plain, id);
	buf_add_byte(&plain, ':');
	http_encode(&plain, secret);
	base64_write(plain.data, plain.size, encoded);
	buf_addf(out, "Authorization: Basic %s%s", encoded, &"=="[(plain.size + 2) % 3]);
	explicit_bzero(encoded, sizeof encoded);
	explicit_bzero(plain.data, plain.size);
}

static int ask_tokens(struct provider *provider, const struct provider_exchange *exchange,
	struct arena *arena, const struct node **out, struct err *err)
{
	const struct provider_options *options = &provider->options;
	char room[SECRET_BYTES];
	struct text secret;
	const char *url;
	AUTO(buf_done) struct buf body;
	AUTO(buf_done) struct buf basic;
	buf_init(&body, URL_BYTES);
	buf_init(&basic, HEADER_BYTES);
	if (endpoint(provider, "token_endpoint", arena, &url, err) < 0 ||
		read_secret(provider, room, &secret, err) < 0)
		return -1;
	buf_add_string(&body, "grant_type=authorization_code");
	add_parameter(&body, '&', "code", exchange->code);
	add_parameter(&body, '&', "redirect_uri", text_of(options->redirect_url));
	add_parameter(&body, '&', "code_verifier", exchange->verifier);
	if (!secret.size || wants_post(provider))
		add_parameter(&body, '&', "client_id", text_of(options->client_id));
	if (secret.size && wants_post(provider))
		add_parameter(&body, '&', "client_secret", secret);
	else if (secret.size)
		add_basic(&basic, text_of(options->client_id), secret);
	explicit_bzero(room, sizeof room);
	const char *const headers[] = {basic.size ? buf_string(&basic) : NULL, NULL};
	struct http_call wish = {.method = "POST",
		.path = "",
		.body = buf_text(&body),
		.content_type = "application/x-www-form-urlencoded",
		.headers = headers};
	if (!buf_ok(&body) || !buf_ok(&basic))
		return err_set(err, ERR_LIMIT, "the code or the client's secret is too long");
	return call(provider, url, &wish, arena, out, err);
}

/* Keys change: one that is not known may be new. */
static int check_token(struct provider *provider, struct text token,
	const struct id_token_wish *wish, struct arena *arena, const struct node **claims,
	struct err *err)
{
	int64_t now_ms = clock_monotonic_ms(provider->options.clock);
	if (id_token_read(token, provider->keys, wish, arena, claims, err) == 0)
		return 0;
	bool again = err->kind == ERR_MISSING && now_ms - provider->keys_at_ms >= KEYS_AGAIN_MS;
	if (again && read_documents(provider, now_ms, err) == 0 &&
		id_token_read(token, provider->keys, wish, arena, claims, err) == 0)
		return 0;
	if (err->kind == ERR_MISSING || err->kind == ERR_INPUT || err->kind == ERR_LIMIT)
		err->kind = ERR_DENIED;
	return -1;
}

int provider_exchange(struct provider *provider, struct provider_exchange *exchange,
	struct arena *arena, const struct node **claims, struct err *err)
{
	const struct node *tokens;
	struct id_token_wish wish = {.issuer = text_of(provider->options.issuer),
		.client_id = text_of(provider->options.client_id),
		.nonce = exchange->nonce,
		.now_s = exchange->now_s};
	if (know(provider, err) < 0 || ask_tokens(provider, exchange, arena, &tokens, err) < 0)
		return -1;
	exchange->access_token = tree_member_text(tokens, "access_token");
	struct text token = tree_member_text(tokens, "id_token");
	if (!token.size)
		return err_set(err, ERR_DENIED,
			"the provider gave no ID token: oidc.scopes must have openid");
	return check_token(provider, token, &wish, arena, claims, err);
}

static bool is_printable(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return false;
	return true;
}

int provider_user_info(struct provider *provider, const struct provider_exchange *exchange,
	struct text subject, struct arena *arena, const struct node **info, struct err *err)
{
	const char *url;
	AUTO(buf_done) struct buf header = {0};
	*info = NULL;
	if (!tree_member(provider->discovery, "userinfo_endpoint") || !exchange->access_token.size)
		return 0;
	if (!is_printable(exchange->access_token))
		return err_set(err, ERR_DENIED, "the provider's access token is no line of text");
	buf_init(&header, URL_BYTES);
	buf_addf(&header, "Authorization: Bearer %.*s", TEXT_ARG(exchange->access_token));
	const char *const headers[] = {buf_string(&header), NULL};
	struct http_call wish = {.method = "GET", .path = "", .headers = headers};
	if (!buf_ok(&header))
		return err_set(err, ERR_LIMIT, "the provider's access token is too long");
	if (endpoint(provider, "userinfo_endpoint", arena, &url, err) < 0 ||
		call(provider, url, &wish, arena, info, err) < 0)
		return -1;
	if (text_equal(tree_member_text(*info, "sub"), subject))
		return 0;
	return err_set(err, ERR_DENIED, "the provider's user information is of somebody else");
}
