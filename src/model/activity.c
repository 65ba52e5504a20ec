/* SPDX-License-Identifier: Apache-2.0 */
#include "model/activity.h"

const char *activity_kind_name(enum activity_kind kind)
{
	static const char *const names[N_ACTIVITY_KINDS] = {
		[ACTIVITY_ACKNOWLEDGED] = "acknowledged",
		[ACTIVITY_ASSIGNED] = "assigned",
		[ACTIVITY_COMMENT] = "comment",
		[ACTIVITY_RESOLVED] = "resolved",
		[ACTIVITY_REOPENED] = "reopened",
		[ACTIVITY_SNOOZED] = "snoozed",
		[ACTIVITY_WOKEN] = "woken",
		[ACTIVITY_CUT] = "cut",
		[ACTIVITY_UNLINKED] = "unlinked",
		[ACTIVITY_LINKED] = "linked",
		[ACTIVITY_UNDONE] = "undone",
		[ACTIVITY_SEALED] = "sealed",
		[ACTIVITY_AMENDED] = "amended",
		[ACTIVITY_MERGED] = "merged",
		[ACTIVITY_SPLIT] = "split",
		[ACTIVITY_RECURRED] = "recurred",
		[ACTIVITY_CLOSED] = "closed",
		[ACTIVITY_ECHOED] = "echoed",
	};
	const char *name = kind > 0 && kind < N_ACTIVITY_KINDS ? names[kind] : 0;
	return name ? name : "other";
}
