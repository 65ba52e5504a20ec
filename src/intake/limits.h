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
	HOLD_RETRY_MS = 100,  /* another maker may have filled the queue: no reply wakes us */
	HOLD_SHOWN_MS = 1000, /* what the writer has longer counts as held, too */
	HOLD_WARN_MS = 30000,
	HOLD_WARN_AGAIN_MS = 60000,
	REFUSAL_WARN_AGAIN_MS = 60000,

	SENDERS_PUBLISH_MS = 1000,

	RETRY_AFTER_S = 5,
	ANSWER_BYTES = 128,
	TOKEN_BYTES_MAX = 256, /* ours have 47; longer ones are not hashed */
};
