/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/previewer.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "model/batch.h"
#include "pipeline/preview.h"

struct previewer {
	struct previewer_options options;
	struct preview *preview; /* NULL: to be opened */
	pthread_t thread;
};

static int answer(struct previewer *previewer, struct batch *batch, struct err *err)
{
	const struct previewer_options *options = &previewer->options;
	if (queue_closed(options->requests))
		return err_set(err, ERR_BUSY, "tocsind is ending");
	if (!previewer->preview && preview_open(&previewer->preview, options->database,
					   &options->criticality, err) < 0)
		return -1;
	return preview_compute(previewer->preview, batch->decisions, clock_wall_ns(options->clock),
		&batch->arena, err);
}

static void serve(struct previewer *previewer, struct batch *batch)
{
	if (answer(previewer, batch, &batch->err) < 0) {
		if (batch->err.kind != ERR_BUSY)
			log_warning("previewer", "%s", batch->err.text);
		preview_close(previewer->preview);
		previewer->preview = NULL;
	} else {
		batch->err.kind = ERR_NONE;
	}
	batch->done(batch);
}

static void *run(void *ctx)
{
	struct previewer *previewer = ctx;
	struct queue *requests = previewer->options.requests;
	for (;;) {
		struct queue_item *item = queue_take(requests, 1, -1);
		if (item)
			serve(previewer, (struct batch *)(void *)item);
		else if (queue_closed(requests))
			break;
	}
	preview_close(previewer->preview);
	return NULL;
}

int previewer_start(
	struct previewer **out, const struct previewer_options *options, struct err *err)
{
	struct previewer *previewer = calloc(1, sizeof *previewer);
	if (!previewer)
		return err_set(err, ERR_MEMORY, "out of memory for the previewer");
	previewer->options = *options;
	int code = pthread_create(&previewer->thread, NULL, run, previewer);
	if (code) {
		free(previewer);
		return err_errno(err, code, "starting the previewer");
	}
	pthread_setname_np(previewer->thread, "previewer");
	*out = previewer;
	return 0;
}

void previewer_stop(struct previewer *previewer)
{
	if (!previewer)
		return;
	pthread_join(previewer->thread, NULL);
	free(previewer);
}
