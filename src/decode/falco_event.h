/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One Falco event as it was sent: the top-level keys and those output fields that Tocsin knows, all
 * as text. Both roads (http_output and falcosidekick) read it with the same code.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

/* In the order of the table in falco_event.c: by length, then bytewise. */
enum falco_field {
	FIELD_KA_URI,
	FIELD_N_EVTS,
	FIELD_EVT_NUM,
	FIELD_FD_NAME,
	FIELD_KA_VERB,
	FIELD_N_DROPS,
	FIELD_EVT_TIME,
	FIELD_EVT_TYPE,
	FIELD_PROC_EXE,
	FIELD_PROC_PID,
	FIELD_USER_UID,
	FIELD_PROC_NAME,
	FIELD_PROC_PEXE,
	FIELD_USER_NAME,
	FIELD_K8S_POD_ID,
	FIELD_PROC_PNAME,
	FIELD_K8S_NS_NAME,
	FIELD_K8S_POD_UID,
	FIELD_SCAP_N_EVTS,
	FIELD_CONTAINER_ID,
	FIELD_EVT_ARG_PATH,
	FIELD_FS_PATH_NAME,
	FIELD_K8S_POD_NAME,
	FIELD_KA_RESP_NAME,
	FIELD_KA_USER_NAME,
	FIELD_PROC_CMDLINE,
	FIELD_PROC_EXEPATH,
	FIELD_SCAP_N_DROPS,
	FIELD_FALCO_VERSION,
	FIELD_PROC_PEXEPATH,
	FIELD_CONTAINER_NAME,
	FIELD_FALCO_NUM_EVTS,
	FIELD_FALCO_START_TS,
	FIELD_KA_TARGET_NAME,
	FIELD_CONTAINER_IMAGE,
	FIELD_K8SMETA_NS_NAME,
	FIELD_K8SMETA_POD_UID,
	FIELD_EVT_TIME_ISO8601,
	FIELD_K8SMETA_POD_NAME,
	FIELD_CONTAINER_FULL_ID,
	FIELD_KA_TARGET_POD_NAME,
	FIELD_KA_TARGET_RESOURCE,
	FIELD_CONTAINER_IMAGE_TAG,
	FIELD_KA_TARGET_NAMESPACE,
	FIELD_KA_TARGET_SUBRESOURCE,
	FIELD_CONTAINER_IMAGE_DIGEST,
	FIELD_K8SMETA_DEPLOYMENT_NAME,
	FIELD_CONTAINER_IMAGE_REPOSITORY,
	FIELD_FALCO_OUTPUTS_QUEUE_NUM_DROPS,
	N_FALCO_FIELDS,
};

struct falco_event {
	struct text time, rule, priority, source, hostname, output, message;
	struct text_list tags;
	struct text fields[N_FALCO_FIELDS]; /* absent: not there, null, or of no use as text */
	bool has_fields;                    /* output_fields is there and not empty */
};

/**
 * Reads one JSON object. Top-level keys in any case, as Go's reader has it; the last of equal keys
 * counts. Dotted names that a shipper expanded to nested objects are joined again; of an array the
 * first scalar counts. Fails with ERR_INPUT (not one JSON object), ERR_LIMIT or ERR_MEMORY.
 * Source: falcosecurity/falco outputs and formats, 0.31–0.44, falcosidekick's types; seen 2026-11.
 */
CHECKED int falco_event_read(
	struct text raw, struct arena *arena, struct falco_event *event, struct err *err);

/** The field's key. */
const char *falco_field_name(enum falco_field field);

/** The field with this key, or N_FALCO_FIELDS. */
enum falco_field falco_field_find(struct text key);
