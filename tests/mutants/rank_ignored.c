/* SPDX-License-Identifier: Apache-2.0 */

/* Every witness is as good as another. */

#include "pipeline/identities.h"

int __wrap_identities_fact(
	struct identities *identities, const struct fact *fact, int64_t day, struct err *err);
int __real_identities_fact(
	struct identities *identities, const struct fact *fact, int64_t day, struct err *err);

int __wrap_identities_fact(
	struct identities *identities, const struct fact *fact, int64_t day, struct err *err)
{
	struct fact said = *fact;
	said.rank = FACT_SENSOR;
	return __real_identities_fact(identities, &said, day, err);
}
