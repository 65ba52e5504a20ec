/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Who may speak: tokens and certificates of those who send alerts, over HTTP and gRPC alike. */

#include "intake/delivery.h"

/** The token of an Authorization header, absent if it has none. */
struct text admission_bearer(struct text header);

/** The credential in force, by the token or, without one, by the client certificate's subject; NULL
 * for strangers. Borrowed from @set. */
const struct credential *admission_of(const struct intake *intake, const struct credential_set *set,
	struct text token, struct text subject);

/** The newest set, to be given back by snapshot_unref; NULL: none is published. */
struct credential_set *admission_set(const struct intake *intake);
