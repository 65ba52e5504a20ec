/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/http_client.h"
#include "net/tls.h"
#include "tests/lib/certificates.h"
#include "tests/lib/server_thread.h"
#include "tests/lib/socket_client.h"

static struct server_thread server;
static struct tls_server *tls;
static char folder[] = "/tmp/tocsin-tls-XXXXXX";
static struct certificate_files ours, theirs, served;
static struct http_answer answer;
static struct err err;

/* Answers with the subject of the client's certificate. */
static void who(struct http_request *request, void *ctx)
{
	struct http_response response = {.status = 200, .content_type = "text/plain"};
	struct text subject = http_subject(request);
	(void)ctx;
	response.body = subject.size ? strndup(subject.data, subject.size) : NULL;
	response.body_size = subject.size;
	http_respond(request, &response);
}

static const struct http_route routes_of_test[] = {
	{HTTP_GET, "/who", NULL, who, NULL, NULL, false},
	{HTTP_GET, NULL, NULL, NULL, NULL, NULL, false},
};
static const struct http_route *const routes[] = {routes_of_test, NULL};

/* What the server reads; a reload sees what was copied over it. */
static void copy_file(const char *from, const char *to)
{
	char bytes[8192];
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	ck_assert(in && out);
	size_t size = fread(bytes, 1, sizeof bytes, in);
	ck_assert_uint_eq(fwrite(bytes, 1, size, out), size);
	fclose(in);
	ck_assert_int_eq(fclose(out), 0);
}

static void serve_certificate(const struct certificate_files *files)
{
	copy_file(files->certificate, served.certificate);
	copy_file(files->key, served.key);
	copy_file(files->authority, served.authority);
}

static void start(void)
{
	certificates_make(&ours, folder, "ours", "sensor-1");
	certificates_make(&theirs, folder, "theirs", "sensor-1");
	certificates_make(&served, folder, "served", "x");
	serve_certificate(&ours);
	struct tls_server_options options = {.certificate = served.certificate,
		.key = served.key,
		.client_ca = served.authority};
	ck_assert_int_eq(tls_server_new(&tls, &options, &err), 0);
	server_thread_init(&server, routes, &clock_system, NULL, tls);
	server_thread_run(&server);
}

static void stop(void)
{
	server_thread_join(&server);
	server_thread_done(&server);
	tls_server_free(tls);
}

/* 0 and the answer, or -1; always a new connection. */
static int ask(
	const struct certificate_files *trusted, const struct certificate_files *client_files)
{
	char url[64];
	struct http_client *client = NULL;
	struct http_call call = {.method = "GET", .path = "/who"};
	text_format(url, sizeof url, "https://127.0.0.1:%u", server.port);
	struct http_client_options options = {.base_url = url, .ca_file = trusted->authority};
	if (client_files) {
		options.certificate = client_files->client;
		options.key = client_files->client_key;
	}
	ck_assert_int_eq(http_client_new(&client, &options, &err), 0);
	int result = http_client_call(client, &call, &answer, &err);
	http_client_free(client);
	return result;
}

static void expect_subject(const struct certificate_files *client_files, const char *subject)
{
	ck_assert_msg(ask(&ours, client_files) == 0, "%s", err.text);
	ck_assert_uint_eq(answer.status, 200);
	ck_assert_str_eq(buf_string(&answer.body), subject);
	http_answer_done(&answer);
}

START_TEST(names_clients_whom_the_authority_vouches_for)
{
	expect_subject(NULL, "");
	expect_subject(&ours, "CN=sensor-1");
	expect_subject(&theirs, ""); /* the same name by another authority */
}
END_TEST

START_TEST(does_not_take_a_server_certificate_for_a_client)
{
	struct certificate_files disguised = ours;
	memcpy(disguised.client, ours.certificate, sizeof disguised.client);
	memcpy(disguised.client_key, ours.key, sizeof disguised.client_key);
	expect_subject(&disguised, "");
}
END_TEST

START_TEST(reloads_and_keeps_what_works)
{
	serve_certificate(&theirs);
	ck_assert_int_eq(ask(&ours, NULL), 0); /* not reloaded yet */
	http_answer_done(&answer);
	ck_assert_int_eq(tls_server_reload(tls, &err), 0);
	ck_assert_int_eq(ask(&ours, NULL), -1);
	ck_assert_int_eq(ask(&theirs, &theirs), 0);
	ck_assert_str_eq(buf_string(&answer.body), "CN=sensor-1");
	http_answer_done(&answer);
	copy_file(ours.key, served.key); /* not the certificate's */
	ck_assert_int_eq(tls_server_reload(tls, &err), -1);
	ck_assert_int_eq(err.kind, ERR_INPUT);
	ck_assert_int_eq(ask(&theirs, NULL), 0);
	http_answer_done(&answer);
}
END_TEST

/* What gnutls says of a handshake with one version only. */
static int shake_hands(const char *priorities)
{
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	int code, fd = socket_open(server.port);
	ck_assert_int_eq(gnutls_certificate_allocate_credentials(&credentials), 0);
	ck_assert_int_eq(gnutls_init(&session, GNUTLS_CLIENT), 0);
	ck_assert_int_eq(gnutls_priority_set_direct(session, priorities, NULL), 0);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, fd);
	do
		code = gnutls_handshake(session);
	while (code < 0 && !gnutls_error_is_fatal(code));
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
	close(fd);
	return code;
}

START_TEST(speaks_no_old_tls)
{
	ck_assert_int_eq(shake_hands("NORMAL:-VERS-ALL:+VERS-TLS1.3"), 0);
	ck_assert_int_eq(shake_hands("NORMAL:-VERS-ALL:+VERS-TLS1.2"), 0);
	/* the server hangs up on the hello */
	ck_assert_int_eq(
		shake_hands("NORMAL:-VERS-ALL:+VERS-TLS1.1"), GNUTLS_E_PREMATURE_TERMINATION);
}
END_TEST

START_TEST(says_which_file_is_bad)
{
	struct tls_server *none = NULL;
	struct tls_server_options options = {.certificate = "/nowhere/x.pem", .key = ours.key};
	ck_assert_int_eq(tls_server_new(&none, &options, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/x.pem"));
	options = (struct tls_server_options){
		.certificate = ours.certificate, .key = ours.key, .client_ca = ours.key};
	ck_assert_int_eq(tls_server_new(&none, &options, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "authority"));
	ck_assert_ptr_null(none);
}
END_TEST

static void remove_files(const struct certificate_files *files, const char *name)
{
	const char *const paths[] = {
		files->authority, files->certificate, files->key, files->client, files->client_key};
	char authority_key[300];
	text_format(authority_key, sizeof authority_key, "%s/%s-ca.key", folder, name);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		unlink(paths[i]);
	unlink(authority_key);
}

int main(void)
{
	Suite *suite = suite_create("net/tls");
	TCase *tests = tcase_create("tls");
	if (!mkdtemp(folder))
		return EXIT_FAILURE;
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, names_clients_whom_the_authority_vouches_for);
	tcase_add_test(tests, does_not_take_a_server_certificate_for_a_client);
	tcase_add_test(tests, reloads_and_keeps_what_works);
	tcase_add_test(tests, speaks_no_old_tls);
	tcase_add_test(tests, says_which_file_is_bad);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove_files(&ours, "ours");
	remove_files(&theirs, "theirs");
	remove_files(&served, "served");
	rmdir(folder);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
