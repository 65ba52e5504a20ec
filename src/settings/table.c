/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/table.h"

#include "settings/settings.h"

const struct unit plain_units[] = {{"", 1}, {NULL, 0}};
const struct unit time_units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0}};
const struct unit size_units[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"TiB", INT64_C(1) << 40}, {NULL, 0}};

const char *const tls_mode_names[] = {"auto", "off", NULL};
const char *const log_level_names[] = {"error", "warning", "info", "debug", NULL};

#define PLACE(member) offsetof(struct settings, member), sizeof(((struct settings *)0)->member)
#define NONE          0, 0, NULL, NULL

const struct setting settings_table[] = {
	{"data", SETTING_TEXT, PLACE(data), "/var/lib/tocsin", NONE,
		"folder of the database and the tokens"},
	{"listen", SETTING_ADDRESS, PLACE(listen_address), "127.0.0.1:8789", NONE,
		"HTTP: intake and API"},
	{"listen_grpc", SETTING_ADDRESS, PLACE(grpc_address), "127.0.0.1:8790", NONE,
		"gRPC: agents and other senders"},
	{"listen_metrics", SETTING_ADDRESS, PLACE(metrics_address), "", NONE,
		"/metrics without a token; empty: off"},
	{"tls.certificate", SETTING_TEXT, PLACE(tls_certificate), "", NONE,
		"PEM file of the server's certificate chain"},
	{"tls.key", SETTING_TEXT, PLACE(tls_key), "", NONE, "PEM file of its key"},
	{"tls.client_ca", SETTING_TEXT, PLACE(tls_client_ca), "", NONE,
		"PEM file: client certificates signed by it are accepted as credentials"},
	{"tls.mode", SETTING_CHOICE, PLACE(tls_mode), "auto", 0, 0, NULL, tls_mode_names,
		"off: plain HTTP beyond loopback, which must be said"},
	{"console.url", SETTING_TEXT, PLACE(console_url), "", NONE,
		"address of the console in browsers, as https://tocsin.example.com, when a proxy "
		"stands before it: with https cookies are Secure; empty: the address they ask"},
	{"session.idle", SETTING_NUMBER, PLACE(session_idle_s), "24h", 300, 30 * 86400, time_units,
		NULL, "a browser that asks for nothing so long is signed out"},
	{"session.life", SETTING_NUMBER, PLACE(session_life_s), "7d", 300, 365 * 86400, time_units,
		NULL, "a browser must sign in again after this"},
	{"oidc.issuer", SETTING_TEXT, PLACE(oidc_issuer), "", NONE,
		"identity provider by which people sign in (OpenID Connect), as it calls itself, "
		"to "
		"the letter; empty: none"},
	{"oidc.client_id", SETTING_TEXT, PLACE(oidc_client_id), "", NONE,
		"what the identity provider calls this program"},
	{"oidc.client_secret_file", SETTING_TEXT, PLACE(oidc_client_secret_file), "", NONE,
		"file with the secret that goes with it; empty: a public client"},
	{"oidc.redirect_url", SETTING_TEXT, PLACE(oidc_redirect_url), "", NONE,
		"where it sends browsers back to, as https://tocsin.example.com/sign-in/callback; "
		"empty: that path behind console.url"},
	{"oidc.scopes", SETTING_TEXT, PLACE(oidc_scopes), "openid profile email", NONE,
		"what it is asked for; often groups needs one more"},
	{"oidc.name_claim", SETTING_TEXT, PLACE(oidc_name_claim), "preferred_username", NONE,
		"the claim with the name by which people are called here; without it: sub"},
	{"oidc.roles_claim", SETTING_TEXT, PLACE(oidc_roles_claim), "groups", NONE,
		"the claim with their groups; dots lead into a claim, as realm_access.roles"},
	{"oidc.roles", SETTING_TEXT, PLACE(oidc_roles), "", NONE,
		"which role a group has, as `staff=viewer; shop-team=analyst:shop,prod/pay; "
		"ops=admin`; `*` is everybody; the greatest role counts"},
	{"oidc.ca_file", SETTING_TEXT, PLACE(oidc_ca_file), "", NONE,
		"PEM file of who signed its certificate; empty: the system's"},
	{"log.level", SETTING_CHOICE, PLACE(log_level), "info", 0, 0, NULL, log_level_names,
		"what is logged on standard error"},
	{"retention.horizon", SETTING_NUMBER, PLACE(retention_horizon_s), "30d", 8 * 86400,
		3650 * INT64_C(86400), time_units, NULL,
		"alerts older than this leave, their incidents frozen; what comes older is stored "
		"but not correlated"},
	{"retention.raw", SETTING_NUMBER, PLACE(retention_raw_s), "3650d", 3600,
		3650 * INT64_C(86400), time_units, NULL,
		"age at which the verbatim bytes leave, if that is before retention.horizon"},
	{"retention.size", SETTING_NUMBER, PLACE(retention_size_bytes), "0", 0, INT64_C(1) << 50,
		size_units, NULL,
		"size of the database file, as 20GiB, at which the oldest leaves early: raw bytes, "
		"then whole incidents; 0: no limit; else 64MiB or more, beside it the log takes up "
		"to 100 MiB"},
	{"criticality.extreme", SETTING_TEXT, PLACE(criticality_extreme), "", NONE,
		"pods that matter most, as patterns CLUSTER/NAMESPACE/POD (`*`: anything) or entity"
		" keys (`node:CLUSTER/NODE`), separated by commas: doubles the odds of their risk"},
	{"criticality.high", SETTING_TEXT, PLACE(criticality_high), "", NONE,
		"as above, times 1.5; of several that match, the strongest counts"},
	{"criticality.low", SETTING_TEXT, PLACE(criticality_low), "", NONE, "as above, times 0.5"},
	{"intake.queue", SETTING_NUMBER, PLACE(intake_queue_bytes), "64MiB", 1 << 20,
		INT64_C(1) << 32, size_units, NULL,
		"bytes of alerts that may wait for the writer before senders are held"},
	{0},
};
