/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { TIMEOUT_MS = 30000, CONNECT_TIMEOUT_MS = 10000, URL_BYTES = 16 * 1024, HEADER_BYTES = 4096 };
static const size_t response_bytes = (size_t)64 * 1024 * 1024;

struct http_client {
	CURL *curl;
	char *base_url;
	char *bearer; /* "Authorization: Bearer …"; NULL: none */
	size_t max_response_bytes;
	char error[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_started;

static void start_curl(void)
{
	curl_started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t receive(char *data, size_t size, size_t n, void *ctx)
{
	struct buf *body = ctx;
	buf_add_bytes(body, data, size * n); /* curl: size is always 1 */
	return buf_ok(body) ? size * n : 0;
}

/* What holds for every call of this client; the first failure is the result. */
static CURLcode set_up(CURL *curl, const struct http_client_options *options, char *error)
{
	struct {
		CURLoption option;
		const char *value;
	} strings[] = {
		{CURLOPT_PROTOCOLS_STR, "http,https"},
		{CURLOPT_NOPROXY, "*"},
		{CURLOPT_UNIX_SOCKET_PATH, options->unix_socket},
		{CURLOPT_CAINFO, options->ca_file},
		{CURLOPT_SSLCERT, options->certificate},
		{CURLOPT_SSLKEY, options->key},
		{CURLOPT_USERAGENT, "tocsin"},
	};
	struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_FOLLOWLOCATION, 0},
		{CURLOPT_TIMEOUT_MS,
			(long)(options->timeout_ms ? options->timeout_ms : TIMEOUT_MS)},
		{CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
	};
	CURLcode code = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	for (size_t i = 0; i < sizeof strings / sizeof *strings && code == CURLE_OK; i++)
		if (strings[i].value)
			code = curl_easy_setopt(curl, strings[i].option, strings[i].value);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers && code == CURLE_OK; i++)
		code = curl_easy_setopt(curl, numbers[i].option, numbers[i].value);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	return code;
}

static char *bearer_of(const char *token)
{
	AUTO(buf_done) struct buf line;
	buf_init(&line, HEADER_BYTES);
	buf_addf(&line, "Authorization: Bearer %s", token);
	return buf_ok(&line) ? buf_take(&line, NULL) : NULL;
}

int http_client_new(
	struct http_client **out, const struct http_client_options *options, struct err *err)
{
	struct text url = text_of(options->base_url);
	if (!text_starts(url, TEXT("http://")) && !text_starts(url, TEXT("https://")))
		return err_set(err, ERR_INPUT, "'%s' is not an http:// or https:// address",
			options->base_url);
	pthread_once(&curl_once, start_curl);
	struct http_client *client = calloc(1, sizeof *client);
	if (!client || curl_started != CURLE_OK || !(client->curl = curl_easy_init()) ||
		!(client->base_url = strndup(url.data, url.size)) ||
		(options->token && !(client->bearer = bearer_of(options->token)))) {
		http_client_free(client);
		return err_set(err, ERR_MEMORY, "no memory for an HTTP client");
	}
	client->max_response_bytes =
		options->max_response_bytes ? options->max_response_bytes : response_bytes;
	CURLcode code = set_up(client->curl, options, client->error);
	if (code != CURLE_OK) {
		http_client_free(client);
		return err_set(err, ERR_INPUT, "%s", curl_easy_strerror(code));
	}
	*out = client;
	return 0;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	if (client->curl)
		curl_easy_cleanup(client->curl);
	if (client->bearer)
		explicit_bzero(client->bearer, strlen(client->bearer));
	free(client->bearer);
	free(client->base_url);
	free(client);
}

static bool add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (longer)
		*list = longer;
	return longer != NULL;
}

static struct curl_slist *headers_of(const struct http_client *client, const struct http_call *call)
{
	struct curl_slist *list = NULL;
	char type[HEADER_BYTES];
	text_format(type, sizeof type, "Content-Type: %s",
		call->content_type ? call->content_type : "application/json");
	bool ok = add_header(&list, "Accept: */*") && add_header(&list, "Expect:") &&
		  (!client->bearer || add_header(&list, client->bearer)) &&
		  (!call->body.data || add_header(&list, type));
	for (const char *const *line = call->headers; ok && line && *line; line++)
		ok = add_header(&list, *line);
	if (ok)
		return list;
	curl_slist_free_all(list);
	return NULL;
}

static int explain(
	const struct http_client *client, CURLcode code, const struct buf *body, struct err *err)
{
	const char *text = client->error[0] ? client->error : curl_easy_strerror(code);
	if (code == CURLE_WRITE_ERROR && !buf_ok(body))
		return buf_error(body, err, "the answer");
	if (code == CURLE_COULDNT_CONNECT)
		return err_set(err, ERR_BUSY, "nobody answers at %s: %s", client->base_url, text);
	return err_set(err, ERR_IO, "%s: %s", client->base_url, text);
}

/* The media type alone: "application/json; charset=utf-8" → "application/json". */
static void read_answer(CURL *curl, struct http_answer *answer)
{
	long status = 0;
	const char *type = NULL;
	curl_off_t retry_after_s = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	answer->status = (unsigned)status;
	answer->retry_after_s = (unsigned)retry_after_s;
	struct text media = text_of(type);
	struct text first = {NULL, 0};
	if (text_split(&media, ';', &first))
		first = text_trim(first);
	text_format(answer->content_type, sizeof answer->content_type, "%.*s", TEXT_ARG(first));
}

static CURLcode perform(struct http_client *client, const struct http_call *call, const char *url,
	struct curl_slist *headers, struct buf *body)
{
	CURL *curl = client->curl;
	bool head = strcmp(call->method, "HEAD") == 0;
	CURLcode codes[] = {
		curl_easy_setopt(curl, CURLOPT_URL, url),
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L), /* forgets the call before */
		curl_easy_setopt(curl, CURLOPT_NOBODY, head ? 1L : 0L),
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers),
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, body),
		call->body.data ? curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.data)
				: CURLE_OK,
		call->body.data ? curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
					  (curl_off_t)call->body.size)
				: CURLE_OK,
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, head ? NULL : call->method),
	};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i] != CURLE_OK)
			return codes[i];
	client->error[0] = '\0';
	return curl_easy_perform(curl);
}

int http_client_call(struct http_client *client, const struct http_call *call,
	struct http_answer *answer, struct err *err)
{
	AUTO(buf_done) struct buf url;
	AUTO(buf_done) struct buf body;
	buf_init(&url, URL_BYTES);
	buf_init(&body, client->max_response_bytes);
	buf_addf(&url, "%s%s", client->base_url, call->path);
	if (!buf_ok(&url))
		return buf_error(&url, err, "the address");
	struct curl_slist *headers = headers_of(client, call);
	if (!headers)
		return err_set(err, ERR_MEMORY, "no memory for a request");
	CURLcode code = perform(client, call, buf_string(&url), headers, &body);
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return explain(client, code, &body, err);
	*answer = (struct http_answer){0};
	read_answer(client->curl, answer);
	answer->body = body;
	buf_init(&body, 0); /* moved */
	return 0;
}

void http_answer_done(struct http_answer *answer)
{
	buf_done(&answer->body);
}

void http_encode(struct buf *out, struct text text)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.size; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
			     (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '.' ||
			     byte == '_' || byte == '~';
		if (plain) {
			buf_add_byte(out, byte);
			continue;
		}
		buf_add_byte(out, '%');
		buf_add_byte(out, (unsigned char)digits[byte >> 4]);
		buf_add_byte(out, (unsigned char)digits[byte & 15]);
	}
}
