/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/admission.h"

#include "intake/limits.h"

struct text admission_bearer(struct text header)
{
	struct text scheme = text_part(header, 0, 7);
	if (text_equal_nocase(scheme, TEXT("Bearer ")))
		return text_trim(text_part(header, 7, header.size));
	return TEXT_NONE;
}

const struct credential *admission_of(const struct intake *intake, const struct credential_set *set,
	struct text token, struct text subject)
{
	int64_t now_ns = clock_wall_ns(intake->clock);
	if (!set || token.size > TOKEN_BYTES_MAX)
		return NULL;
	if (token.size) {
		const struct credential *found = credential_find(set, token, now_ns);
		return found && credential_is_held(found, subject) ? found : NULL;
	}
	return subject.size ? credential_find_subject(set, subject, now_ns) : NULL;
}

struct credential_set *admission_set(const struct intake *intake)
{
	return (struct credential_set *)(void *)snapshot_ref(intake->credentials);
}
