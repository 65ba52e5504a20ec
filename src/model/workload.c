/* SPDX-License-Identifier: Apache-2.0 */
#include "model/workload.h"

#include <string.h>

enum { SUFFIX_BYTES = 5, HASH_MIN_BYTES = 8, HASH_MAX_BYTES = 10 };

/* Kubernetes makes suffixes of consonants and digits only, so that no words come out; template
 * hashes were plain decimal numbers in old versions. */
static bool is_generated(struct text word, const char *alphabet)
{
	for (size_t i = 0; i < word.size; i++)
		if (!word.data[i] || !strchr(alphabet, word.data[i]))
			return false;
	return true;
}

/* The part behind the last '-'; *name becomes what stands before it. */
static struct text cut_suffix(struct text *name)
{
	size_t at = name->size;
	while (at > 0 && name->data[at - 1] != '-')
		at--;
	if (at < 2)
		return TEXT_NONE;
	struct text suffix = text_part(*name, at, name->size);
	name->size = at - 1;
	return suffix;
}

struct workload workload_guess(struct text pod)
{
	static const char safe[] = "bcdfghjklmnpqrstvwxz2456789";
	struct workload none = {0}, guess = {.inferred = true};
	struct text name = pod;
	struct text suffix = cut_suffix(&name);
	if (suffix.size != SUFFIX_BYTES || !is_generated(suffix, safe))
		return none;
	guess.name = name;
	suffix = cut_suffix(&name);
	if (suffix.size < HASH_MIN_BYTES || suffix.size > HASH_MAX_BYTES ||
		!is_generated(suffix, "bcdfghjklmnpqrstvwxz0123456789"))
		return guess;
	guess.kind = TEXT("Deployment");
	guess.name = name;
	return guess;
}

struct text workload_of_seen(struct arena *arena, const struct identity_seen *seen)
{
	struct text pod = seen->name, namespace;
	if (!seen->name.size)
		return seen->node.size && !seen->uid.size && !seen->container.size
			       ? arena_format(arena, "node:%.*s/%.*s", TEXT_ARG(seen->cluster),
					 TEXT_ARG(seen->node))
			       : TEXT_NONE;
	text_split(&pod, '/', &namespace);
	struct workload guess = workload_guess(pod);
	return arena_format(arena, "%.*s/%.*s/%.*s", TEXT_ARG(seen->cluster), TEXT_ARG(namespace),
		TEXT_ARG(guess.name.size ? guess.name : pod));
}
