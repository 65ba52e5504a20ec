/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sizes and times that a peer can influence, with their reasons. */

enum {
	/* Wrong tokens of one address in a minute that are answered 401; then 429. */
	FAILURES_MAX = 20,
	FAILURES_WINDOW_MS = 60000,
	FAILURES_ADDRESSES = 4096, /* remembered, twice at most (base/table.h cache) */

	/* Of all held batches; beyond it even Falco is refused, because memory ends. */
	HOLD_BYTES_MAX = 512 * 1024 * 1024,
	/* Parts of the writer's queue: kept for those who send little, and what is little (64 KiB
	 * of 64 MiB: what 1 000 alerts a second make between two commits). */
	HOLD_KEPT_PART = 4,
	HOLD_LITTLE_PART = 1024,
	HOLD_RETRY_MS = 100,  /* another maker may have filled the queue: no reply wakes us */
	HOLD_SHOWN_MS = 1000, /* what the writer has longer counts as held, too */
	HOLD_WARN_MS = 30000,
	HOLD_WARN_AGAIN_MS = 60000,
	REFUSAL_WARN_AGAIN_MS = 60000,

	SENDERS_PUBLISH_MS = 1000,

	/* A message of Push: the largest event that any source may have, and what is around it. */
	PUSH_MESSAGE_BYTES_MAX = 9 * 1024 * 1024,
	PUSH_JSON_BYTES_MAX = 13 * 1024 * 1024, /* the same as JSON: base64 is a third longer */
	PUSH_RECORDS_MAX = 10000,               /* of one batch, and pods */
	PUSH_FIELDS_MAX = 200000,  /* of one message, all together: 20 of each record */
	PUSH_COVERAGE_MAX = 1000,  /* intervals of one report */
	PUSH_NODE_BYTES_MAX = 253, /* a name in Kubernetes */
	PUSH_NAME_BYTES_MAX = 128,
	PUSH_RULE_BYTES_MAX = 512, /* as decode/limits.h has it for names */
	PUSH_UID_BYTES_MAX = 64,

	RETRY_AFTER_S = 5,
	ANSWER_BYTES = 128,
	TOKEN_BYTES_MAX = 256, /* ours have 47; longer ones are not hashed */
};

/* Of what was shed: exact in the JSON of its leaf. More than ever was on one disk. */
#define PUSH_SHED_MAX (UINT64_C(1) << 53)

/* Numbers of a spool's records: a million a second for 100 000 years. */
#define PUSH_NUMBER_MAX (UINT64_C(1) << 62)
