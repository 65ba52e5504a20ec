/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Containers and their pods on this node, found by walking the control groups every ten seconds.
 * Each pair is told once, and once more after pods_tell_again. The loop's thread.
 */

#include "base/buf.h"
#include "base/err.h"
#include "net/loop.h"

struct pods;

enum {
	PODS_MAX = 4096,     /* containers of a node: kubelet's own limit is 110 pods */
	PODS_DEPTH_MAX = 16, /* of directories */
	PODS_FOLDERS_MAX = 20000,
};

/** @root as /sys/fs/cgroup; what is not there is no failure. */
CHECKED int pods_new(struct pods **out, struct loop *loop, const char *root, struct err *err);
void pods_free(struct pods *pods); /* accepts NULL */
void pods_tell_again(struct pods *pods);
/** Walks now; the timer does it every ten seconds. */
void pods_look(struct pods *pods);
bool pods_have_news(const struct pods *pods);
/** Appends those that were not told as fields of a Batch, as many as fit. */
void pods_take_news(struct pods *pods, struct buf *out);
