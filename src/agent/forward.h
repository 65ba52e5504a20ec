/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The spool goes up to the collector, over one stream of tocsin.intake.v1.Intake/Push. The loop's
 * thread; what is read comes from the keeper, one batch at a time.
 *
 * What was sent stays in the spool until the collector says that it is stored. A stream may break
 * at any time: the next begins where the collector says. Numbers that are missing (shed, damaged)
 * need a stream of their own to be passed over, because within a stream they follow one another.
 */

#include "agent/coverage.h"
#include "agent/keeper.h"
#include "agent/pods.h"
#include "net/grpc_client.h"
#include "net/loop.h"

struct forward;

struct forward_options {
	struct loop *loop;
	struct keeper *keeper;
	struct agent_coverage *coverage;
	struct pods *pods; /* NULL: none are looked for */
	const struct clock *clock;
	struct spool_id spool;
	const char *node, *version;
	const char *token_file; /* read anew for each stream; "": none */
	bool is_compressed;
	struct grpc_channel_options channel; /* its callbacks are set here */
};

struct forward_status {
	bool is_connected;
	uint64_t n_acknowledged; /* records, since the start */
	uint64_t n_streams;
};

CHECKED int forward_new(
	struct forward **out, const struct forward_options *options, struct err *err);
/** After the keeper has stopped. */
void forward_free(struct forward *forward); /* accepts NULL */

/** There is something new in the spool. */
void forward_wake(struct forward *forward);
/** How long to wait for the next try: between a half and all of *back_off_ms, which doubles up to
 * half a minute. @chance: any number. Pure. */
int64_t forward_wait_ms(int64_t *back_off_ms, uint32_t chance);
struct forward_status forward_status(const struct forward *forward);
