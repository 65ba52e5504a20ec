/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One line of Tetragon's JSON export as text: which event it is and the fields that we use.
 *
 * The messages hold the same things under the same names (process, policy_name, message, tags,
 * action …), so one table serves them all, and events that did not exist when this was written.
 */

#include "base/err.h"
#include "decode/limits.h"
#include "model/alert.h"

enum tetragon_kind {
	TETRAGON_NONE, /* not an event */
	TETRAGON_EXEC,
	TETRAGON_EXIT,
	TETRAGON_LOADER,
	TETRAGON_HOOK, /* kprobe, tracepoint, uprobe, usdt, lsm: a policy asked for it */
	TETRAGON_THROTTLE,
	TETRAGON_RATE_LIMIT,
	TETRAGON_TEST,
	TETRAGON_OTHER, /* process_…: newer, or of the vendor's own edition */
};

enum tetragon_field {
	FIELD_NONE,
	FIELD_NODE_NAME,
	FIELD_TIME,
	FIELD_COUNT,
	/* of the event */
	FIELD_FUNCTION_NAME,
	FIELD_SUBSYS,
	FIELD_EVENT,
	FIELD_PATH,
	FIELD_SYMBOL,
	FIELD_PROVIDER,
	FIELD_NAME,
	FIELD_POLICY_NAME,
	FIELD_MESSAGE,
	FIELD_ACTION,
	FIELD_RETURN_ACTION,
	FIELD_SIGNAL,
	FIELD_STATUS,
	FIELD_EVENT_TIME,
	FIELD_N_DROPPED,
	FIELD_THROTTLE_TYPE,
	FIELD_CGROUP,
	/* of its process */
	FIELD_EXEC_ID,
	FIELD_PID,
	FIELD_TID,
	FIELD_UID,
	FIELD_USER,
	FIELD_BINARY,
	FIELD_ARGUMENTS,
	FIELD_START_TIME,
	FIELD_DOCKER,
	FIELD_IN_INIT_TREE,
	FIELD_SETUID,
	FIELD_SETGID,
	FIELD_PRIVILEGES_CHANGED,
	FIELD_INODE,
	FIELD_INODE_LINKS,
	/* of its pod */
	FIELD_NAMESPACE,
	FIELD_POD,
	FIELD_POD_UID,
	FIELD_WORKLOAD,
	FIELD_WORKLOAD_KIND,
	FIELD_CONTAINER_ID,
	FIELD_CONTAINER,
	FIELD_MAYBE_EXEC_PROBE,
	FIELD_IMAGE_ID,
	FIELD_IMAGE,
	/* of its parent */
	FIELD_PARENT_BINARY,
	FIELD_PARENT_DOCKER,
	N_TETRAGON_FIELDS,
};

/* A member of the event itself whose value is no object and no list. */
struct tetragon_member {
	struct text key, value;
};

struct tetragon_event {
	enum tetragon_kind kind;
	struct text name;                      /* "process_kprobe" */
	struct text fields[N_TETRAGON_FIELDS]; /* absent: not there, null, or of a wrong type */
	struct text_list tags;
	struct text resource;   /* what the hook's arguments name: a path, a connection, a word */
	unsigned resource_rank; /* 0: nothing yet; smaller is better */
	struct tetragon_member members[TETRAGON_MEMBERS_MAX]; /* those that say something */
	size_t n_members;                                     /* > TETRAGON_MEMBERS_MAX: too many */
	size_t n_events;
};

/**
 * Reads one JSON object. Numbers may be strings and strings numbers; the last of equal keys counts;
 * unknown keys and values of a wrong type are passed over. Fails with ERR_INPUT (not JSON, not
 * exactly one event), ERR_LIMIT or ERR_MEMORY. Text in *event lives where raw lives, or in @arena.
 * Source: cilium/tetragon the .proto files of api/v1/tetragon and its protojson export at v1.7;
 * seen 2026-11.
 */
CHECKED int tetragon_event_read(
	struct text raw, struct arena *arena, struct tetragon_event *event, struct err *err);
