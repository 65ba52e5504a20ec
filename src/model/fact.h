/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Identity facts: who is known to be who (correlation.md section 2). Each table keeps the strongest
 * witness's word, so facts are a set: their order does not matter.
 */

#include "base/text.h"

/* How strong a witness is. Stored: numbers never change. */
enum fact_rank { FACT_SENSOR, FACT_AGENT, FACT_WATCH };

/* What a witness says, as it comes in: a container is in a pod (by uid, by name, or both), or a
 * name belongs to a uid from start on. */
enum fact_kind { FACT_CONTAINER, FACT_NAME };

struct fact {
	struct fact *next; /* in its batch */
	enum fact_kind kind;
	enum fact_rank rank;
	struct text cluster;
	struct text container; /* FACT_CONTAINER */
	struct text uid, name; /* name: "namespace/pod" */
	int64_t start_ns;      /* FACT_NAME */
};

/* A container belongs to a pod: by uid, by name, or both. Strongest rank, then the smallest value.
 */
struct container_fact {
	struct text cluster, container;
	struct text uid, name; /* absent: not known */
	enum fact_rank uid_rank, name_rank;
};

/* A name belongs to a uid from start on, until the next start. Strongest rank, then the earliest
 * start. */
struct name_owner {
	int64_t start_ns;
	enum fact_rank rank;
	struct text uid;
};
