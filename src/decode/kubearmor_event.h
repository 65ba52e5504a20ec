/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One event of KubeArmor as it was sent: those members that Tocsin knows, all as text.
 *
 * There are two dialects. The relay, `karmor logs --json` and Elasticsearch print the protobuf
 * struct: "HostPID", "ATags", no zero values. The agent's own file or standard output prints
 * another struct: "hostPid", "atags", zero values and all. Folding the case of keys makes them one.
 * KubeArmor's fork of falcosidekick puts all but five members into an object "Detail".
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

enum kubearmor_field {
	KUBEARMOR_TIMESTAMP, /* seconds */
	KUBEARMOR_UPDATED_TIME,
	KUBEARMOR_HOST_NAME,
	KUBEARMOR_NAMESPACE_NAME,
	KUBEARMOR_POD_NAME,
	KUBEARMOR_CONTAINER_ID,
	KUBEARMOR_CONTAINER_NAME,
	KUBEARMOR_CONTAINER_IMAGE,
	KUBEARMOR_HOST_PID, /* PID is the same process seen from inside the container */
	KUBEARMOR_PID,
	KUBEARMOR_UID,
	KUBEARMOR_USER_NAME,
	KUBEARMOR_PARENT_PROCESS_NAME, /* paths, both */
	KUBEARMOR_PROCESS_NAME,
	KUBEARMOR_POLICY_NAME,
	KUBEARMOR_SEVERITY,
	KUBEARMOR_MESSAGE,
	KUBEARMOR_TYPE,
	KUBEARMOR_SOURCE, /* path or command line of who did it */
	KUBEARMOR_OPERATION,
	KUBEARMOR_RESOURCE,
	KUBEARMOR_DATA,
	KUBEARMOR_ACTION,
	KUBEARMOR_RESULT,
	KUBEARMOR_MAX_ALERTS_PER_SEC,
	KUBEARMOR_DROPPING_ALERTS_INTERVAL, /* seconds */
	KUBEARMOR_LEVEL,
	KUBEARMOR_OWNER_REF, /* the owner's kind */
	KUBEARMOR_OWNER_NAME,
	KUBEARMOR_EXEC_ID,
	N_KUBEARMOR_FIELDS,
};

/* Who wrote it: a policy, the telemetry of a container or host, the agent about itself. */
enum kubearmor_kind { KUBEARMOR_ALERT, KUBEARMOR_LOG, KUBEARMOR_OWN_MESSAGE };

struct kubearmor_event {
	enum kubearmor_kind kind;
	struct text fields[N_KUBEARMOR_FIELDS]; /* absent: not there, null, of no use as text */
	struct text_list tags, atags;
	bool by_sidekick;
};

/**
 * Reads one JSON object; the last of equal keys counts.
 *
 * Fails with ERR_INPUT (not one JSON object), ERR_LIMIT or ERR_MEMORY.
 * Source: kubearmor/KubeArmor protobuf/kubearmor.proto, types/types.go, feeder/feeder.go and
 * kubearmor/sidekick, v0.3 to v1.7, seen 2026-11.
 */
CHECKED int kubearmor_event_read(
	struct text raw, struct arena *arena, struct kubearmor_event *event, struct err *err);
