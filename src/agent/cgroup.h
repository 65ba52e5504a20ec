/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which pod a container is in, from the path of its control group. Pure. Knows containerd, CRI-O,
 * Docker and Podman, with systemd's names and with plain ones, of both versions of control groups,
 * and clusters inside containers: the last pod of a path counts.
 */

#include "base/text.h"

enum { CGROUP_CONTAINER_DIGITS = 64, CGROUP_UID_BYTES = 36 };

struct cgroup_pod {
	struct text container;          /* 64 hexadecimal digits; a part of the path */
	char uid[CGROUP_UID_BYTES + 1]; /* with '-'; 32 digits of a static pod's hash */
};

/** false: no container of a pod. */
bool cgroup_read(struct text path, struct cgroup_pod *out);
