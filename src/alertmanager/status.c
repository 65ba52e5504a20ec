/* SPDX-License-Identifier: Apache-2.0 */
#include "alertmanager/alertmanager.h"
#include "base/emit.h"

/* Whose API this is: clients ask it to know what they may send (matchers in UTF-8 since then). */
#define API_OF "0.27.0"

/* What it would be configured with: amtool shows it and tests routes with it. */
static const char config[] = "route:\n"
			     "  receiver: " ALERTMANAGER_RECEIVER "\n"
			     "  group_by: [cluster, namespace, pod]\n"
			     "receivers:\n"
			     "- name: " ALERTMANAGER_RECEIVER "\n";

void alertmanager_status(int64_t started_ns, const char *version, struct buf *out)
{
	struct emitter emitter;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "cluster");
	emit_object(&emitter);
	emit_member_string(&emitter, "status", "disabled");
	emit_key(&emitter, "peers");
	emit_array(&emitter);
	emit_array_end(&emitter);
	emit_object_end(&emitter);
	emit_key(&emitter, "versionInfo");
	emit_object(&emitter);
	emit_member_string(&emitter, "version", API_OF);
	emit_member_string(&emitter, "revision", version);
	emit_member_string(&emitter, "branch", ALERTMANAGER_RECEIVER);
	emit_member_string(&emitter, "buildUser", "");
	emit_member_string(&emitter, "buildDate", "");
	emit_member_string(&emitter, "goVersion", "");
	emit_object_end(&emitter);
	emit_key(&emitter, "config");
	emit_object(&emitter);
	emit_member_string(&emitter, "original", config);
	emit_object_end(&emitter);
	emit_member_time(&emitter, "uptime", started_ns);
	emit_object_end(&emitter);
}

void alertmanager_receivers(struct buf *out)
{
	struct emitter emitter;
	emit_init(&emitter, out);
	emit_array(&emitter);
	emit_object(&emitter);
	emit_member_string(&emitter, "name", ALERTMANAGER_RECEIVER);
	emit_object_end(&emitter);
	emit_array_end(&emitter);
}
