/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lines that sensors write: to a file, which is followed over its rotations, or to our standard
 * input. A line is read on when it is stored; where a file was read to is remembered in the spool's
 * folder, so that after a restart some lines may come twice, and none is missed. The loop's thread.
 *
 * A file that was renamed is read until the new one has bytes and the old one gets no more; after a
 * restart it is looked for in its folder. Files that rotations made between the two are read, too.
 * What is not found there, or is compressed, is told as a loss.
 *
 * The kernel says when there is something new (inotify); every few seconds it is looked at without
 * that, for file systems that say nothing.
 */

#include "agent/receive.h"

struct follow;

struct follow_options {
	struct loop *loop;
	struct receive *receive;
	enum source source;
	const char *path;                /* NULL: standard input */
	const char *folder;              /* the spool's */
	struct agent_coverage *coverage; /* NULL: nobody wants to know of losses */
	const struct clock *clock;       /* with @coverage */
	int64_t look_after_ms;           /* how often without being told; 0: 3 s */
	int64_t quiet_after_ms;   /* a renamed file is left when nobody wrote so long; 0: 2 s */
	void (*ended)(void *ctx); /* of standard input: all of it is stored */
	void *ctx;
};

CHECKED int follow_new(struct follow **out, const struct follow_options *options, struct err *err);
void follow_free(struct follow *follow); /* accepts NULL */
