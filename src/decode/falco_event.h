/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One Falco event, whichever road it came by: Falco's own JSON, what falcosidekick made of it, or
 * the text line. All roads meet in falco_event_finish, so that one event has one occurrence id.
 */

#include "base/arena.h"
#include "base/err.h"
#include "model/alert.h"

/* What an event says, before it is an alert. Texts are absent when it does not say them. */
struct falco_event {
	struct text time, rule, priority, source, hostname, output, message;
	struct text_list tags;
	int64_t event_time_ns; /* evt.time; 0: absent */
	/* output_fields */
	struct text event_number, event_type;
	struct text container_id, container_name, repository, tag, image, digest;
	struct text namespace, pod, pod_uid;
	struct text meta_namespace, meta_pod, meta_pod_uid;
	struct text target_namespace, target_pod, target_name, target_resource, response_name;
	struct text process_name, process_exe, process_cmdline, process_pid, process_parent;
	struct text process_parent_exe, user_name, user_uid, audit_user, file, connection;
	struct text version, started_at, n_events, n_drops, n_output_drops;
};

/** Reads Falco's JSON from alert->raw. ERR_INPUT, ERR_LIMIT, ERR_MEMORY. */
CHECKED int falco_event_read(
	struct text raw, struct arena *arena, struct falco_event *event, struct err *err);

/** Makes the alert. ERR_INPUT when it is no alert: no rule. */
CHECKED int falco_event_finish(
	struct arena *arena, const struct falco_event *event, struct alert *alert, struct err *err);
