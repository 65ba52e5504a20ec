/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transport.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls_session.h"

enum { RECORDS_A_READ = 64 };

static unsigned char h2[] = "h2";

void transport_init(struct transport *transport, int fd)
{
	*transport = (struct transport){.fd = fd};
}

static int tls_error(int code, const char *what, struct err *err)
{
	return err_set(err, code == GNUTLS_E_MEMORY_ERROR ? ERR_MEMORY : ERR_IO, "%s: %s", what,
		gnutls_strerror(code));
}

static int begin(struct transport *transport, unsigned flags, struct err *err)
{
	const gnutls_datum_t protocol = {h2, sizeof h2 - 1};
	int code = gnutls_init(&transport->session, flags | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	if (code < 0) {
		transport->session = NULL;
		return tls_error(code, "beginning TLS", err);
	}
	code = gnutls_priority_set_direct(transport->session, tls_priorities, NULL);
	if (code >= 0)
		code = gnutls_alpn_set_protocols(
			transport->session, &protocol, 1, GNUTLS_ALPN_MANDATORY);
	if (code < 0)
		return tls_error(code, "beginning TLS", err);
	gnutls_transport_set_int(transport->session, transport->fd);
	transport->is_handshaking = true;
	return 0;
}

int transport_serve_tls(struct transport *transport, struct tls_server *tls, struct err *err)
{
	if (begin(transport, GNUTLS_SERVER, err) < 0)
		return -1;
	if (!tls_session_start(tls, transport->session, &transport->identity))
		return err_set(err, ERR_MEMORY, "no memory for a TLS session");
	return 0;
}

static int load_credentials(
	struct transport *transport, const struct transport_client_tls *options, struct err *err)
{
	gnutls_certificate_credentials_t credentials = transport->credentials;
	int code = options->ca_file ? gnutls_certificate_set_x509_trust_file(
					      credentials, options->ca_file, GNUTLS_X509_FMT_PEM)
				    : gnutls_certificate_set_x509_system_trust(credentials);
	if (code <= 0)
		return err_set(err, ERR_INPUT, "certificate authority '%s': %s",
			options->ca_file ? options->ca_file : "of the system",
			code < 0 ? gnutls_strerror(code) : "no certificate there");
	if (!options->certificate)
		return 0;
	code = gnutls_certificate_set_x509_key_file(
		credentials, options->certificate, options->key, GNUTLS_X509_FMT_PEM);
	return code < 0 ? err_set(err, ERR_INPUT, "certificate '%s' with key '%s': %s",
				  options->certificate, options->key, gnutls_strerror(code))
			: 0;
}

static bool is_address(const char *host)
{
	return strchr(host, ':') || strspn(host, "0123456789.") == strlen(host);
}

int transport_use_tls(
	struct transport *transport, const struct transport_client_tls *options, struct err *err)
{
	if (gnutls_certificate_allocate_credentials(&transport->credentials) < 0 ||
		!(transport->host = strdup(options->host)))
		return err_set(err, ERR_MEMORY, "no memory for certificates");
	/* Ours goes out whoever signed it: the server can say better what is wrong with it. */
	if (load_credentials(transport, options, err) < 0 ||
		begin(transport, GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT, err) < 0)
		return -1;
	int code = gnutls_credentials_set(
		transport->session, GNUTLS_CRD_CERTIFICATE, transport->credentials);
	/* Names only: addresses do not go into SNI (RFC 6066). */
	if (code >= 0 && !is_address(options->host))
		code = gnutls_server_name_set(
			transport->session, GNUTLS_NAME_DNS, options->host, strlen(options->host));
	if (code < 0)
		return tls_error(code, "beginning TLS", err);
	gnutls_session_set_verify_cert(transport->session, transport->host, 0);
	return 0;
}

void transport_done(struct transport *transport)
{
	if (transport->session) {
		if (!transport->is_handshaking)
			gnutls_bye(transport->session, GNUTLS_SHUT_WR); /* as far as it goes */
		gnutls_deinit(transport->session);
	}
	if (transport->credentials)
		gnutls_certificate_free_credentials(transport->credentials);
	snapshot_unref(transport->identity);
	free(transport->host);
	if (transport->fd >= 0)
		close(transport->fd);
	*transport = (struct transport){.fd = -1};
}

/* What is wrong with the server's certificate, and what to do; NULL: something rare. */
static const char *name_fault(unsigned status)
{
	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		return "who signed it is not in our file of authorities (tls.ca): give that of the "
		       "server";
	if (status & GNUTLS_CERT_EXPIRED)
		return "it has expired: renew it there, and see that the clock here is right";
	if (status & GNUTLS_CERT_NOT_ACTIVATED)
		return "it is not valid yet: see that the clock here is right";
	if (status & GNUTLS_CERT_UNEXPECTED_OWNER)
		return "it is for other names: connect by one of them, or have it made for this "
		       "one";
	return NULL;
}

static int refused(const struct transport *transport, int code, struct err *err)
{
	if (code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR) {
		gnutls_datum_t text = {0};
		unsigned status = gnutls_session_get_verify_cert_status(transport->session);
		if (name_fault(status))
			return err_set(err, ERR_DENIED, "the certificate of %s: %s",
				transport->host, name_fault(status));
		gnutls_certificate_verification_status_print(
			status, gnutls_certificate_type_get(transport->session), &text, 0);
		err_set(err, ERR_DENIED, "the certificate of %s: %s", transport->host,
			text.data ? (const char *)text.data : gnutls_strerror(code));
		gnutls_free(text.data);
		return -1;
	}
	return tls_error(code, "TLS handshake", err);
}

static bool is_refused(const struct transport *transport, struct err *err)
{
	int code = 0;
	socklen_t size = sizeof code;
	if (getsockopt(transport->fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
		code = errno;
	if (code)
		ignore(err_errno(err, code, "connecting"));
	return code != 0;
}

int transport_handshake(struct transport *transport, struct err *err)
{
	gnutls_datum_t chosen;
	if (transport->is_connecting && is_refused(transport, err))
		return -1;
	transport->is_connecting = false;
	if (!transport->is_handshaking)
		return 1;
	int code = gnutls_handshake(transport->session);
	while (code < 0 && code != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(code))
		code = gnutls_handshake(transport->session);
	transport->wants_write =
		code == GNUTLS_E_AGAIN && gnutls_record_get_direction(transport->session) == 1;
	if (code == GNUTLS_E_AGAIN)
		return 0;
	if (code < 0)
		return refused(transport, code, err);
	transport->is_handshaking = false;
	if (gnutls_alpn_get_selected_protocol(transport->session, &chosen) < 0)
		return err_set(err, ERR_IO, "the other side does not speak HTTP/2 (ALPN)");
	return 1;
}

static int read_record(const struct transport *transport, char *out, size_t size)
{
	ssize_t n = gnutls_record_recv(transport->session, out, size);
	while (n == GNUTLS_E_INTERRUPTED)
		n = gnutls_record_recv(transport->session, out, size);
	return n == 0 ? GNUTLS_E_PREMATURE_TERMINATION : (int)n; /* an end either way */
}

/* Records until there is no more, no room, or they are many: they may have a byte each. What ends
 * them is told once they are read. */
static ssize_t read_tls(struct transport *transport, char *out, size_t size, struct err *err)
{
	size_t n_read = 0;
	for (int i = 0; i < RECORDS_A_READ && !transport->read_code && n_read < size; i++) {
		int n = read_record(transport, out + n_read, size - n_read);
		if (n == GNUTLS_E_AGAIN)
			return (ssize_t)n_read;
		if (n < 0)
			transport->read_code = n;
		else
			n_read += (size_t)n;
	}
	if (n_read)
		return (ssize_t)n_read;
	err->kind = ERR_NONE;
	if (transport->read_code != GNUTLS_E_PREMATURE_TERMINATION)
		tls_error(transport->read_code, "reading", err);
	return -1;
}

ssize_t transport_read(struct transport *transport, void *out, size_t size, struct err *err)
{
	ssize_t n;
	if (transport->session)
		return read_tls(transport, out, size, err);
	do
		n = recv(transport->fd, out, size, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	if (n < 0 && errno == EAGAIN)
		return 0;
	err->kind = ERR_NONE;
	if (n < 0)
		ignore(err_errno(err, errno, "reading"));
	return -1;
}

static ssize_t write_tls(
	struct transport *transport, const void *bytes, size_t size, struct err *err)
{
	ssize_t n = gnutls_record_send(transport->session, bytes, size);
	while (n == GNUTLS_E_INTERRUPTED)
		n = gnutls_record_send(transport->session, bytes, size);
	if (n == GNUTLS_E_AGAIN)
		return 0;
	return n < 0 ? tls_error((int)n, "writing", err) : n;
}

ssize_t transport_write(
	struct transport *transport, const void *bytes, size_t size, struct err *err)
{
	ssize_t n;
	if (transport->session)
		return write_tls(transport, bytes, size, err);
	do
		n = send(transport->fd, bytes, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	return n < 0 ? err_errno(err, errno, "writing") : n;
}

bool transport_has_more(const struct transport *transport)
{
	return transport->session && !transport->is_handshaking &&
	       (transport->read_code || gnutls_record_check_pending(transport->session) > 0);
}

bool transport_is_delivered(const struct transport *transport)
{
	int n = 0;
	return ioctl(transport->fd, SIOCOUTQ, &n) < 0 || n == 0;
}
