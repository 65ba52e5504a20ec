/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/certificates.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

enum { DAY_S = 86400 };

struct issued {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

static void must(int code)
{
	if (code < 0) {
		fprintf(stderr, "certificates: %s\n", gnutls_strerror(code));
		abort();
	}
}

static struct issued begin(const char *name, unsigned char serial)
{
	struct issued out;
	time_t now = time(NULL);
	must(gnutls_x509_privkey_init(&out.key));
	must(gnutls_x509_privkey_generate(
		out.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	must(gnutls_x509_crt_init(&out.certificate));
	must(gnutls_x509_crt_set_version(out.certificate, 3));
	must(gnutls_x509_crt_set_serial(out.certificate, &serial, 1));
	must(gnutls_x509_crt_set_activation_time(out.certificate, now - DAY_S));
	must(gnutls_x509_crt_set_expiration_time(out.certificate, now + DAY_S));
	must(gnutls_x509_crt_set_key(out.certificate, out.key));
	must(gnutls_x509_crt_set_dn_by_oid(
		out.certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)));
	return out;
}

static void save(const char *path, gnutls_datum_t pem)
{
	FILE *file = fopen(path, "we");
	if (!file || fwrite(pem.data, 1, pem.size, file) != pem.size || fclose(file) != 0)
		abort();
	gnutls_free(pem.data);
}

static void save_both(const struct issued *issued, const char *certificate, const char *key)
{
	gnutls_datum_t pem;
	must(gnutls_x509_crt_export2(issued->certificate, GNUTLS_X509_FMT_PEM, &pem));
	save(certificate, pem);
	must(gnutls_x509_privkey_export2(issued->key, GNUTLS_X509_FMT_PEM, &pem));
	save(key, pem);
}

static void done(struct issued *issued)
{
	gnutls_x509_crt_deinit(issued->certificate);
	gnutls_x509_privkey_deinit(issued->key);
}

static void issue(const struct issued *authority, const char *name, const char *purpose,
	const char *certificate, const char *key)
{
	static const unsigned char loopback[] = {127, 0, 0, 1};
	struct issued issued = begin(name, 2);
	must(gnutls_x509_crt_set_key_purpose_oid(issued.certificate, purpose, 0));
	must(gnutls_x509_crt_set_subject_alt_name(issued.certificate, GNUTLS_SAN_IPADDRESS,
		loopback, sizeof loopback, GNUTLS_FSAN_SET));
	must(gnutls_x509_crt_sign2(
		issued.certificate, authority->certificate, authority->key, GNUTLS_DIG_SHA256, 0));
	save_both(&issued, certificate, key);
	done(&issued);
}

void certificates_make(struct certificate_files *files, const char *folder, const char *name,
	const char *client_name)
{
	char authority_key[300];
	text_format(files->folder, sizeof files->folder, "%s", folder);
	text_format(files->authority, sizeof files->authority, "%s/%s-ca.pem", folder, name);
	text_format(files->certificate, sizeof files->certificate, "%s/%s.pem", folder, name);
	text_format(files->key, sizeof files->key, "%s/%s.key", folder, name);
	text_format(files->client, sizeof files->client, "%s/%s-client.pem", folder, name);
	text_format(files->client_key, sizeof files->client_key, "%s/%s-client.key", folder, name);
	text_format(authority_key, sizeof authority_key, "%s/%s-ca.key", folder, name);
	struct issued authority = begin(name, 1);
	must(gnutls_x509_crt_set_ca_status(authority.certificate, 1));
	must(gnutls_x509_crt_set_key_usage(authority.certificate, GNUTLS_KEY_KEY_CERT_SIGN));
	must(gnutls_x509_crt_sign2(
		authority.certificate, authority.certificate, authority.key, GNUTLS_DIG_SHA256, 0));
	save_both(&authority, files->authority, authority_key);
	issue(&authority, "server", GNUTLS_KP_TLS_WWW_SERVER, files->certificate, files->key);
	issue(&authority, client_name, GNUTLS_KP_TLS_WWW_CLIENT, files->client, files->client_key);
	done(&authority);
}
