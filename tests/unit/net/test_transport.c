/* SPDX-License-Identifier: Apache-2.0 */

/* Both ends of a socket pair, in the clear and under TLS: what one writes the other reads. */

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/transport.h"
#include "tests/lib/certificates.h"

enum { READ_BYTES = 65536, ALL_BYTES = 100000, TURNS_MAX = 100, IN_TLS = 1 };

static struct transport client, server;
static struct tls_server *tls;
static char folder[] = "/tmp/tocsin-transport-XXXXXX";
static unsigned char sent[ALL_BYTES], got[READ_BYTES];
static struct err err;

static void start_tls(void)
{
	static struct certificate_files files;
	if (!files.folder[0]) { /* tests may share a process */
		ck_assert_ptr_nonnull(mkdtemp(folder));
		certificates_make(&files, folder, "ours", "node-1");
	}
	const struct tls_server_options options = {
		.certificate = files.certificate, .key = files.key};
	const struct transport_client_tls use = {.host = "127.0.0.1", .ca_file = files.authority};
	ck_assert_int_eq(tls_server_new(&tls, &options, &err), 0);
	ck_assert_int_eq(transport_serve_tls(&server, tls, &err), 0);
	ck_assert_int_eq(transport_use_tls(&client, &use, &err), 0);
}

static void start(int how)
{
	const int room = 4 * ALL_BYTES;
	int fds[2], done = 0;
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	for (int i = 0; i < 2; i++)
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	transport_init(&client, fds[0]);
	transport_init(&server, fds[1]);
	if (how == IN_TLS)
		start_tls();
	for (int i = 0; i < TURNS_MAX && done != 2; i++) {
		int ours = transport_handshake(&client, &err);
		int theirs = transport_handshake(&server, &err);
		ck_assert_msg(ours >= 0 && theirs >= 0, "%s", err.text);
		done = ours + theirs;
	}
	ck_assert_int_eq(done, 2);
	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (unsigned char)(i * 7 % 251);
}

static void stop(void)
{
	transport_done(&client);
	transport_done(&server);
	tls_server_free(tls);
	tls = NULL;
}

static void write_all(void)
{
	for (size_t n = 0; n < sizeof sent;) {
		ssize_t taken = transport_write(&client, sent + n, sizeof sent - n, &err);
		ck_assert_int_gt(taken, 0);
		n += (size_t)taken;
	}
}

/* A read gives what is there, though it is in several records. */
START_TEST(a_read_gives_all_that_is_there)
{
	start(_i);
	write_all();
	ck_assert_int_eq(transport_read(&server, got, sizeof got, &err), READ_BYTES);
	ck_assert_mem_eq(got, sent, READ_BYTES);
	ck_assert_int_eq(transport_read(&server, got, sizeof got, &err), ALL_BYTES - READ_BYTES);
	ck_assert_mem_eq(got, sent + READ_BYTES, ALL_BYTES - READ_BYTES);
	ck_assert_int_eq(transport_read(&server, got, sizeof got, &err), 0);
	ck_assert(!transport_has_more(&server));
	stop();
}
END_TEST

/* Records of a byte are work for nothing: others shall have their turn between them. */
START_TEST(a_read_takes_so_many_records)
{
	size_t n_read = 0;
	start(IN_TLS);
	for (size_t i = 0; i < 200; i++)
		ck_assert_int_eq(transport_write(&client, sent + i, 1, &err), 1);
	for (int i = 0; i < 10 && n_read < 200; i++) {
		ssize_t n = transport_read(&server, got + n_read, sizeof got - n_read, &err);
		ck_assert_int_gt(n, 0);
		ck_assert_int_lt(n, 100);
		n_read += (size_t)n;
	}
	ck_assert_uint_eq(n_read, 200);
	ck_assert_mem_eq(got, sent, 200);
	stop();
}
END_TEST

/* The end comes after what was sent before it. */
START_TEST(the_end_is_told_after_the_bytes)
{
	start(_i);
	ck_assert_int_eq(transport_write(&client, "last words", 10, &err), 10);
	transport_done(&client);
	ck_assert_int_eq(transport_read(&server, got, sizeof got, &err), 10);
	/* Its socket has been read to the end: no event tells of that again. */
	ck_assert(_i != IN_TLS || transport_has_more(&server));
	for (int i = 0; i < 2; i++) {
		err.kind = ERR_IO;
		ck_assert_int_eq(transport_read(&server, got, sizeof got, &err), -1);
		ck_assert_int_eq(err.kind, ERR_NONE);
	}
	stop();
}
END_TEST

START_TEST(a_broken_record_is_told_after_the_bytes)
{
	start(IN_TLS);
	ck_assert_int_eq(transport_write(&client, "last words", 10, &err), 10);
	ck_assert_int_eq(
		write(client.fd, "\x17\3\3\0\x20 this is no record of any session", 37), 37);
	ck_assert_int_eq(transport_read(&server, got, sizeof got, &err), 10);
	ck_assert(transport_has_more(&server));
	ck_assert_int_eq(transport_read(&server, got, sizeof got, &err), -1);
	ck_assert_int_eq(err.kind, ERR_IO);
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net/transport");
	TCase *tests = tcase_create("transport");
	tcase_add_loop_test(tests, a_read_gives_all_that_is_there, 0, 2);
	tcase_add_test(tests, a_read_takes_so_many_records);
	tcase_add_loop_test(tests, the_end_is_told_after_the_bytes, 0, 2);
	tcase_add_test(tests, a_broken_record_is_told_after_the_bytes);
	tcase_set_timeout(tests, 30);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
