/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/alert.h"

/**
 * What a pod's name says about its owner: "web-755f25fcf-799fh" belongs to a Deployment web,
 * "falco-x7k2q" to some falco. Flagged inferred; absent when the name has no generated suffix.
 * Points into @pod.
 */
struct workload workload_guess(struct text pod);
