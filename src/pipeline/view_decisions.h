/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Saving and removing views: rows and their audit in the writer's transaction. */

#include "pipeline/decisions.h"

CHECKED int view_decide(
	struct decision_run *run, struct decision *decision, struct arena *arena, struct err *err);
