/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/alert.h"
#include "model/entity.h"

/**
 * What a pod's name says about its owner: "web-755f25fcf-799fh" belongs to a Deployment web,
 * "falco-x7k2q" to some falco. Flagged inferred; absent when the name has no generated suffix.
 * Points into @pod.
 */
struct workload workload_guess(struct text pod);

/**
 * The workload that a tuple's own name tells, as "cluster/namespace/name", in @arena; a pod whose
 * name has no generated suffix is its own. A host without pods is "node:cluster/node". Absent: the
 * tuple tells none. A function of the tuple alone, so facts that come later change nothing.
 */
struct text workload_of_seen(struct arena *arena, const struct identity_seen *seen);
