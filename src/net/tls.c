/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/tls_session.h"

const char *const tls_priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* One version of the files. Sessions hold the version they began with. */
struct identity {
	struct snapshot snapshot; /* first */
	gnutls_certificate_credentials_t credentials;
	bool asks_clients;
};

struct tls_server {
	char *certificate;
	char *key;
	char *client_ca;
	struct snapshot_slot *current;
};

static void identity_free(struct snapshot *snapshot)
{
	struct identity *identity = (struct identity *)(void *)snapshot;
	if (identity->credentials)
		gnutls_certificate_free_credentials(identity->credentials);
	free(identity);
}

static int load_files(
	const struct tls_server *tls, gnutls_certificate_credentials_t credentials, struct err *err)
{
	int code = gnutls_certificate_set_x509_key_file(
		credentials, tls->certificate, tls->key, GNUTLS_X509_FMT_PEM);
	if (code < 0)
		return err_set(err, ERR_INPUT, "certificate '%s' with key '%s': %s",
			tls->certificate, tls->key, gnutls_strerror(code));
	if (!tls->client_ca)
		return 0;
	code = gnutls_certificate_set_x509_trust_file(
		credentials, tls->client_ca, GNUTLS_X509_FMT_PEM);
	if (code <= 0)
		return err_set(err, ERR_INPUT, "client certificate authority '%s': %s",
			tls->client_ca,
			code < 0 ? gnutls_strerror(code) : "no certificate in this file");
	return 0;
}

int tls_server_reload(struct tls_server *tls, struct err *err)
{
	struct identity *identity = calloc(1, sizeof *identity);
	if (!identity)
		return err_set(err, ERR_MEMORY, "no memory for certificates");
	identity->snapshot.free = identity_free;
	identity->asks_clients = tls->client_ca != NULL;
	if (gnutls_certificate_allocate_credentials(&identity->credentials) < 0) {
		identity_free(&identity->snapshot);
		return err_set(err, ERR_MEMORY, "no memory for certificates");
	}
	if (load_files(tls, identity->credentials, err) < 0) {
		identity_free(&identity->snapshot);
		return -1;
	}
	snapshot_publish(tls->current, &identity->snapshot);
	return 0;
}

int tls_server_new(
	struct tls_server **out, const struct tls_server_options *options, struct err *err)
{
	struct tls_server *tls = calloc(1, sizeof *tls);
	if (!tls || !(tls->current = snapshot_slot_new()) ||
		!(tls->certificate = strdup(options->certificate)) ||
		!(tls->key = strdup(options->key)) ||
		(options->client_ca && !(tls->client_ca = strdup(options->client_ca)))) {
		tls_server_free(tls);
		return err_set(err, ERR_MEMORY, "no memory for certificates");
	}
	if (tls_server_reload(tls, err) < 0) {
		tls_server_free(tls);
		return -1;
	}
	*out = tls;
	return 0;
}

void tls_server_free(struct tls_server *tls)
{
	if (!tls)
		return;
	snapshot_slot_free(tls->current);
	free(tls->certificate);
	free(tls->key);
	free(tls->client_ca);
	free(tls);
}

bool tls_session_start(
	struct tls_server *tls, gnutls_session_t session, struct snapshot **identity_out)
{
	struct snapshot *snapshot = snapshot_ref(tls->current);
	const struct identity *identity = (const struct identity *)(void *)snapshot;
	int code = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, identity->credentials);
	if (code < 0) {
		snapshot_unref(snapshot);
		return false;
	}
	gnutls_certificate_server_set_request(
		session, identity->asks_clients ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
	*identity_out = snapshot;
	return true;
}

static int check_vouched_for(gnutls_session_t session, const char *subject, struct err *err)
{
	char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st wanted = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose};
	unsigned status = 0;
	int code = gnutls_certificate_verify_peers(session, &wanted, 1, &status);
	if (code == 0 && status == 0)
		return 0;
	const char *why = code < 0 ? gnutls_strerror(code) : "it is not meant for clients";
	if (status & GNUTLS_CERT_EXPIRED)
		why = "it has expired";
	else if (status & GNUTLS_CERT_NOT_ACTIVATED)
		why = "it is not valid yet";
	else if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		why = "tls.client_ca has nobody who signed it";
	return err_set(
		err, ERR_DENIED, "the client certificate '%.80s' is not taken: %s", subject, why);
}

char *tls_session_subject(gnutls_session_t session, struct err *err)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	gnutls_x509_crt_t certificate;
	gnutls_datum_t name = {0};
	char *subject = NULL;
	err->kind = ERR_NONE;
	if (!chain || n == 0 || gnutls_x509_crt_init(&certificate) < 0)
		return NULL;
	if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
		gnutls_x509_crt_get_dn3(certificate, &name, 0) == 0)
		subject = strndup((const char *)name.data, name.size);
	gnutls_free(name.data);
	gnutls_x509_crt_deinit(certificate);
	if (check_vouched_for(session, subject ? subject : "", err) == 0)
		return subject;
	free(subject);
	return NULL;
}
