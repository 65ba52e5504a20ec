/* SPDX-License-Identifier: Apache-2.0 */
#include "model/suppression.h"

#include "base/digest.h"
#include "model/suppression_query.h"
#include "model/workload.h"

static const char *const label_names[N_SUPPRESSION_LABELS + 1] = {
	[LABEL_ALERTNAME] = "alertname",
	[LABEL_SEVERITY] = "severity",
	[LABEL_SOURCE] = "source",
	[LABEL_CLUSTER] = "cluster",
	[LABEL_NAMESPACE] = "namespace",
	[LABEL_POD] = "pod",
	[LABEL_NODE] = "node",
	[LABEL_CONTAINER] = "container",
	[LABEL_WORKLOAD] = "workload",
	[LABEL_FINGERPRINT] = "fingerprint",
	[LABEL_EXE] = "exe",
};

const char *suppression_state_name(enum suppression_state state)
{
	static const char *const names[] = {
		[SUPPRESSION_PENDING] = "pending",
		[SUPPRESSION_ACTIVE] = "active",
		[SUPPRESSION_EXPIRED] = "expired",
	};
	return names[state];
}

enum suppression_state suppression_state_at(const struct suppression *suppression, int64_t now_ns)
{
	if (suppression->expired_ns || now_ns >= suppression->ends_ns)
		return SUPPRESSION_EXPIRED;
	return now_ns < suppression->starts_ns ? SUPPRESSION_PENDING : SUPPRESSION_ACTIVE;
}

void suppression_id_make(char out[SUPPRESSION_ID_BYTES])
{
	unsigned char random[16];
	char hex[2 * sizeof random + 1];
	digest_random(random, sizeof random);
	random[6] = (unsigned char)((random[6] & 0x0f) | 0x40); /* version 4 */
	random[8] = (unsigned char)((random[8] & 0x3f) | 0x80);
	text_hex(hex, random, sizeof random);
	text_format(out, SUPPRESSION_ID_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		hex + 16, hex + 20);
}

const char *suppression_label_name(unsigned label)
{
	return label < N_SUPPRESSION_LABELS ? label_names[label] : NULL;
}

unsigned suppression_label_parse(struct text name)
{
	if (text_is(name, "rule"))
		return LABEL_ALERTNAME;
	if (text_is(name, "sensor"))
		return LABEL_SOURCE;
	unsigned i = 0;
	while (i < N_SUPPRESSION_LABELS && !text_is(name, label_names[i]))
		i++;
	return i;
}

int suppression_matchers_known(const struct matcher_list *matchers, struct err *err)
{
	for (size_t i = 0; i < matchers->n; i++) {
		const struct matcher *matcher = &matchers->items[i];
		if (suppression_label_parse(matcher->name) == N_SUPPRESSION_LABELS)
			return err_set(err, ERR_INPUT,
				"'%.*s' is no label here: alertname, severity, source, cluster,"
				" namespace, pod, node, container, workload, fingerprint, exe",
				(int)(matcher->name.size < 40 ? matcher->name.size : 40),
				matcher->name.data);
	}
	return 0;
}

int suppression_matchers_check(const struct matcher_list *matchers, struct err *err)
{
	bool says_something = false;
	if (suppression_matchers_known(matchers, err) < 0)
		return -1;
	for (size_t i = 0; i < matchers->n; i++)
		says_something |= !matcher_fits(&matchers->items[i], TEXT_NONE);
	return says_something ? 0
			      : err_set(err, ERR_INPUT,
					"at least one matcher must not match the empty text, or it"
					" might hide everything");
}

int64_t suppression_longest_ns(enum role role)
{
	const int64_t day_ns = 86400 * NS_PER_S;
	switch (role) {
	case ROLE_SOURCE:
	case ROLE_VIEWER:
		return 0;
	case ROLE_ANALYST:
		return day_ns;
	case ROLE_RESPONDER:
		return 7 * day_ns;
	case ROLE_ADMIN:
		return 90 * day_ns;
	}
	return 0;
}

static void set_place(struct suppression_labels *labels, struct text namespace, struct text pod)
{
	labels->values[LABEL_NAMESPACE] = namespace;
	labels->values[LABEL_POD] = pod;
	struct workload workload = workload_guess(pod);
	labels->values[LABEL_WORKLOAD] = workload.name.size ? workload.name : pod;
}

static void set_fingerprint(
	struct suppression_labels *labels, const unsigned char fingerprint[FINGERPRINT_BYTES])
{
	text_hex(labels->fingerprint, fingerprint, FINGERPRINT_BYTES);
	labels->values[LABEL_FINGERPRINT] =
		(struct text){labels->fingerprint, sizeof labels->fingerprint - 1};
}

void suppression_labels_of_alert(struct suppression_labels *labels, const struct alert *alert)
{
	set_place(labels, alert->namespace, alert->pod);
	set_fingerprint(labels, alert->fingerprint);
	labels->values[LABEL_ALERTNAME] = alert->rule;
	labels->values[LABEL_SEVERITY] = text_of(severity_name(alert->severity));
	labels->values[LABEL_SOURCE] = alert->sensor;
	labels->values[LABEL_CLUSTER] = alert->cluster;
	labels->values[LABEL_NODE] = alert->node;
	labels->values[LABEL_CONTAINER] = alert->container_id;
	labels->values[LABEL_EXE] = alert->process.exe;
}

void suppression_labels_of_incident(
	struct suppression_labels *labels, const struct incident *incident)
{
	set_place(labels, incident->namespace, incident->pod);
	labels->values[LABEL_CLUSTER] = incident->cluster;
	labels->values[LABEL_NODE] = incident->node;
	labels->values[LABEL_CONTAINER] = incident->container;
}

void suppression_labels_of_print(
	struct suppression_labels *labels, const struct incident_print *print)
{
	set_fingerprint(labels, print->fingerprint);
	labels->values[LABEL_ALERTNAME] = print->rule;
	labels->values[LABEL_SEVERITY] = text_of(severity_name(print->severity));
	labels->values[LABEL_SOURCE] = print->sensor;
	labels->values[LABEL_EXE] = print->exe;
}

bool suppression_fits(const struct suppression *suppression,
	const struct suppression_labels *labels, unsigned known)
{
	for (size_t i = 0; i < suppression->matchers.n; i++) {
		const struct matcher *matcher = &suppression->matchers.items[i];
		unsigned label = suppression_label_parse(matcher->name);
		if ((known & 1U << label) && !matcher_fits(matcher, labels->values[label]))
			return false;
	}
	return !suppression->query || (suppression->query_names & ~known) ||
	       suppression_query_fits(suppression->query, labels);
}

unsigned suppression_names(const struct suppression *suppression)
{
	unsigned names = suppression->query ? suppression->query_names : 0;
	for (size_t i = 0; i < suppression->matchers.n; i++)
		names |= 1U << suppression_label_parse(suppression->matchers.items[i].name);
	return names;
}
