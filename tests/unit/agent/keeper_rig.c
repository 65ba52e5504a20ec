/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/agent/keeper_rig.h"

#include <check.h>

#include "decode/body.h"

static const char alert[] =
	"{\"time\":\"2026-11-24T09:00:00Z\",\"rule\":\"Shell\",\"priority\":\"Notice\","
	"\"source\":\"syscall\",\"output\":\"a shell\",\"output_fields\":{}}\n";

enum { REPLY_MS = 1000, BODY_BYTES = 1024 * 1024 };

void keeper_rig_init(struct keeper_rig *rig)
{
	struct err err;
	spool_rig_init(&rig->spool);
	spool_rig_open(&rig->spool);
	rig->status = (struct keeper_status){0};
	rig->reply = queue_new(SIZE_MAX);
	ck_assert_ptr_nonnull(rig->reply);
	const struct keeper_options options = {
		rig->spool.spool, &rig->status, &rig->spool.clock.clock};
	ck_assert_int_eq(keeper_start(&rig->keeper, &options, &err), 0);
}

void keeper_rig_done(struct keeper_rig *rig)
{
	keeper_stop(rig->keeper);
	struct queue_item *item = queue_take(rig->reply, SIZE_MAX, 0);
	while (item) {
		struct work *work = (struct work *)(void *)item;
		item = item->next;
		work_free(work);
	}
	queue_free(rig->reply);
	spool_rig_done(&rig->spool);
}

struct work *keeper_rig_alerts(struct keeper_rig *rig, unsigned n)
{
	struct err err;
	struct buf body;
	struct work *work = work_new(WORK_STORE);
	ck_assert_ptr_nonnull(work);
	buf_init(&body, BODY_BYTES);
	for (unsigned i = 0; i < n; i++)
		buf_add_string(&body, alert);
	work->reply = rig->reply;
	work->batch = batch_new();
	ck_assert_ptr_nonnull(work->batch);
	work->batch->source = SOURCE_FALCO;
	work->body = buf_take(&body, &work->body_size);
	int64_t now_ns = clock_wall_ns(&rig->spool.clock.clock);
	int result =
		body_decode((struct text){work->body, work->body_size}, now_ns, work->batch, &err);
	ck_assert_msg(result == 0, "%s", err.text);
	ck_assert_uint_eq(work->batch->n_alerts, n);
	return work;
}

struct work *keeper_rig_reply(struct keeper_rig *rig)
{
	struct queue_item *item = queue_take(rig->reply, 1, REPLY_MS);
	return (struct work *)(void *)item;
}

struct work *keeper_rig_ask(struct keeper_rig *rig, enum work_kind kind, uint64_t number)
{
	struct work *work = work_new(kind);
	ck_assert_ptr_nonnull(work);
	work->reply = rig->reply;
	work->number = number;
	keeper_do(rig->keeper, work);
	ck_assert_ptr_eq(keeper_rig_reply(rig), work);
	return work;
}

void keeper_rig_store(struct keeper_rig *rig, unsigned n)
{
	struct work *work = keeper_rig_alerts(rig, n);
	keeper_do(rig->keeper, work);
	ck_assert_ptr_eq(keeper_rig_reply(rig), work);
	ck_assert_int_eq(work->batch->err.kind, ERR_NONE);
	work_free(work);
}
