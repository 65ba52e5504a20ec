/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum {
	TIMEOUT_MS = 30000,
	CONNECT_TIMEOUT_MS = 10000,
	STREAM_LOOK_MS = 1000, /* how often curl looks for silence */
	URL_BYTES = 16 * 1024,
	HEADER_BYTES = 4096
};
static const size_t response_bytes = (size_t)64 * 1024 * 1024;

struct http_client {
	CURL *curl;
	char *base_url;
	char *bearer; /* "Authorization: Bearer …"; NULL: none */
	size_t max_response_bytes;
	int64_t timeout_ms;
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
static CURLcode set_up(
	CURL *curl, const struct http_client_options *options, long timeout_ms, char *error)
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
		{CURLOPT_TIMEOUT_MS, timeout_ms},
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
	client->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
	CURLcode code = set_up(client->curl, options, (long)client->timeout_ms, client->error);
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

static CURLcode prepare(struct http_client *client, const struct http_call *call, const char *url,
	struct curl_slist *headers)
{
	CURL *curl = client->curl;
	bool head = strcmp(call->method, "HEAD") == 0;
	CURLcode codes[] = {
		curl_easy_setopt(curl, CURLOPT_URL, url),
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L), /* forgets the call before */
		curl_easy_setopt(curl, CURLOPT_NOBODY, head ? 1L : 0L),
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers),
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
	return CURLE_OK;
}

/* Performs what is prepared; the bytes go where the handle's write function puts them. */
typedef CURLcode perform_function(struct http_client *client, void *ctx);

static CURLcode perform_whole(struct http_client *client, void *ctx)
{
	CURLcode code = curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, ctx);
	return code == CURLE_OK ? curl_easy_perform(client->curl) : code;
}

/* @ctx is or begins with the body, a struct buf, which the answer gets. */
static int call_with(struct http_client *client, const struct http_call *call,
	perform_function *perform, struct buf *body, struct http_answer *answer, struct err *err)
{
	AUTO(buf_done) struct buf url;
	buf_init(&url, URL_BYTES);
	buf_addf(&url, "%s%s", client->base_url, call->path);
	if (!buf_ok(&url))
		return buf_error(&url, err, "the address");
	struct curl_slist *headers = headers_of(client, call);
	if (!headers)
		return err_set(err, ERR_MEMORY, "no memory for a request");
	CURLcode code = prepare(client, call, buf_string(&url), headers);
	if (code == CURLE_OK)
		code = perform(client, body);
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return explain(client, code, body, err);
	*answer = (struct http_answer){0};
	read_answer(client->curl, answer);
	answer->body = *body;
	buf_init(body, 0); /* moved */
	return 0;
}

int http_client_call(struct http_client *client, const struct http_call *call,
	struct http_answer *answer, struct err *err)
{
	AUTO(buf_done) struct buf body;
	buf_init(&body, client->max_response_bytes);
	return call_with(client, call, perform_whole, &body, answer, err);
}

struct streaming {
	struct buf body; /* first; of an answer that is no stream */
	CURL *curl;
	const struct http_receiver *receiver;
	bool is_over; /* the receiver has enough, or was told to stop */
};

static size_t receive_streaming(char *data, size_t size, size_t n, void *ctx)
{
	struct streaming *streaming = ctx;
	long status = 0;
	curl_easy_getinfo(streaming->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return receive(data, size, n, &streaming->body);
	streaming->is_over = !streaming->receiver->receive(
		streaming->receiver->ctx, (struct text){data, size * n});
	return streaming->is_over ? 0 : size * n;
}

/* Runs until the end, or until the receiver's stop_fd is readable. */
static CURLcode run_multi(CURLM *multi, struct streaming *streaming)
{
	const struct http_receiver *receiver = streaming->receiver;
	struct curl_waitfd stop = {.fd = receiver->stop_fd, .events = CURL_WAIT_POLLIN};
	int n_running = 1, n_left = 0;
	for (;;) {
		if (curl_multi_perform(multi, &n_running) != CURLM_OK)
			return CURLE_OUT_OF_MEMORY;
		if (n_running == 0)
			break;
		if (curl_multi_poll(multi, &stop, stop.fd >= 0, STREAM_LOOK_MS, NULL) != CURLM_OK)
			return CURLE_OUT_OF_MEMORY;
		if (stop.fd >= 0 && stop.revents) {
			streaming->is_over = true;
			return CURLE_OK;
		}
	}
	const CURLMsg *message = curl_multi_info_read(multi, &n_left);
	return message ? message->data.result : CURLE_OK;
}

static CURLcode set_streaming(CURL *curl, struct streaming *streaming)
{
	CURLcode codes[] = {
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_streaming),
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, streaming),
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 0L),
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L),
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)streaming->receiver->silent_s),
	};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i] != CURLE_OK)
			return codes[i];
	return CURLE_OK;
}

static void end_streaming(struct http_client *client)
{
	curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)client->timeout_ms);
	curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_TIME, 0L);
}

static CURLcode perform_streaming(struct http_client *client, void *ctx)
{
	struct streaming *streaming = ctx;
	CURLM *multi = curl_multi_init();
	if (!multi)
		return CURLE_OUT_OF_MEMORY;
	CURLcode code = set_streaming(client->curl, streaming);
	if (code == CURLE_OK && curl_multi_add_handle(multi, client->curl) == CURLM_OK) {
		code = run_multi(multi, streaming);
		curl_multi_remove_handle(multi, client->curl);
	}
	curl_multi_cleanup(multi);
	end_streaming(client);
	return streaming->is_over ? CURLE_OK : code;
}

int http_client_stream(struct http_client *client, const struct http_call *call,
	const struct http_receiver *receiver, struct http_answer *answer, struct err *err)
{
	struct streaming streaming = {.curl = client->curl, .receiver = receiver};
	buf_init(&streaming.body, client->max_response_bytes);
	int failed = call_with(client, call, perform_streaming, &streaming.body, answer, err);
	buf_done(&streaming.body);
	return failed;
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
