/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cgroup.h"

/* The uid behind "pod" at the end of a directory's name: "pod<uid>",
 * "kubepods-burstable-pod<uid>.slice" and the same before ":cri-containerd:<id>". */

enum { HASH_DIGITS = 32 };

static bool is_digit(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
}

static bool are_digits(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!is_digit(text.data[i]))
			return false;
	return text.size > 0;
}

/* 8-4-4-4-12 digits between '-' or '_'. */
static bool is_uuid(struct text text)
{
	if (text.size != CGROUP_UID_BYTES)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		bool is_gap = i == 8 || i == 13 || i == 18 || i == 23;
		char byte = text.data[i];
		if (is_gap ? byte != '-' && byte != '_' : !is_digit(byte))
			return false;
	}
	return true;
}

static struct text without_suffix(struct text text, struct text suffix)
{
	return text_ends(text, suffix) ? text_part(text, 0, text.size - suffix.size) : text;
}

static bool read_uid(struct text name, char out[CGROUP_UID_BYTES + 1])
{
	name = without_suffix(name, TEXT(".slice"));
	size_t at = SIZE_MAX;
	for (size_t found = text_find(name, TEXT("pod"), 0); found != SIZE_MAX;
		found = text_find(name, TEXT("pod"), found + 1))
		at = found;
	if (at == SIZE_MAX || (at > 0 && name.data[at - 1] != '-'))
		return false;
	struct text uid = text_part(name, at + 3, name.size);
	if (!is_uuid(uid) && !(uid.size == HASH_DIGITS && are_digits(uid)))
		return false;
	for (size_t i = 0; i < uid.size; i++)
		out[i] = uid.data[i] == '_' ? '-' : uid.data[i];
	out[uid.size] = '\0';
	return true;
}

/* "<id>", "cri-containerd-<id>.scope", "crio-<id>", … but no monitor's ("crio-conmon-<id>"). */
static bool read_container(struct text name, struct text *out)
{
	static const struct text prefixes[] = {
		{"cri-containerd-", 15}, {"crio-", 5}, {"docker-", 7}, {"libpod-", 7}};
	name = without_suffix(name, TEXT(".scope"));
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (text_starts(name, prefixes[i])) {
			name = text_part(name, prefixes[i].size, name.size);
			break;
		}
	*out = name;
	return name.size == CGROUP_CONTAINER_DIGITS && are_digits(name);
}

/* "kubepods-burstable-pod<uid>.slice:cri-containerd:<id>": runtime and kubelet do not agree. */
static bool read_literal(struct text name, struct cgroup_pod *out)
{
	struct text rest = name, pod = TEXT_NONE, runtime = TEXT_NONE;
	return text_split(&rest, ':', &pod) && text_split(&rest, ':', &runtime) &&
	       read_uid(pod, out->uid) && read_container(rest, &out->container);
}

bool cgroup_read(struct text path, struct cgroup_pod *out)
{
	struct cgroup_pod found = {0}, one = {0};
	struct text rest = path, name;
	bool has_pod = false, has_container = false;
	while (text_split(&rest, '/', &name)) {
		if (read_literal(name, &one)) {
			found = one;
			has_pod = has_container = true;
		} else if (read_uid(name, one.uid)) {
			found = one;
			has_pod = true;
			has_container = false;
		} else if (has_pod && !has_container) {
			has_container = read_container(name, &found.container);
			has_pod = has_container; /* right below its pod, or not at all */
		}
	}
	if (!has_container)
		return false;
	*out = found;
	return true;
}
