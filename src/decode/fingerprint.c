/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/fingerprint.h"

#include <string.h>

#include "decode/limits.h"

struct out {
	char *data;
	size_t size, max;
};

static void put(struct out *out, struct text text)
{
	size_t n = text.size < out->max - out->size ? text.size : out->max - out->size;
	if (n)
		memcpy(out->data + out->size, text.data, n);
	out->size += n;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_word(char byte)
{
	char lower = text_lower(byte);
	return is_digit(byte) || (lower >= 'a' && lower <= 'z');
}

/* The row of bytes from @at that fit @is. */
static struct text run(struct text text, size_t at, bool (*is)(char byte))
{
	size_t end = at;
	while (end < text.size && is(text.data[end]))
		end++;
	return text_part(text, at, end - at);
}

static bool is_address_byte(char byte)
{
	char lower = text_lower(byte);
	return is_digit(byte) || (lower >= 'a' && lower <= 'f') || byte == '.' || byte == ':';
}

static size_t count(struct text text, char byte)
{
	size_t n = 0;
	for (size_t i = 0; i < text.size; i++)
		n += text.data[i] == byte;
	return n;
}

/* "10.0.0.1", "10.0.0.1:443", "fe80::1:443" */
static bool is_address(struct text word)
{
	size_t colon = text_find_byte(word, ':', 0);
	if (count(word, ':') <= 1) {
		struct text host = text_part(word, 0, colon);
		for (size_t i = 0; i < host.size; i++)
			if (!is_digit(host.data[i]) && host.data[i] != '.')
				return false;
		return count(host, '.') == 3 && host.size >= 7;
	}
	return text_find(word, TEXT("::"), 0) != SIZE_MAX || count(word, ':') >= 7;
}

static size_t put_address(struct out *out, struct text resource, size_t at)
{
	struct text word = run(resource, at, is_address_byte);
	if (word.size < 3 || !is_address(word))
		return 0;
	size_t end = at + word.size;
	bool client = text_starts(text_part(resource, end, 2), TEXT("->"));
	size_t port = word.size;
	while (client && port > 0 && is_digit(word.data[port - 1]))
		port--;
	if (port == 0 || word.data[port - 1] != ':')
		port = word.size;
	put(out, text_part(word, 0, port));
	if (port < word.size)
		put(out, TEXT("#"));
	return word.size;
}

/* 8-4-4-4-12 hex digits. */
static bool is_uuid_at(struct text text, size_t at)
{
	enum { UUID_BYTES = 36 };
	if (text.size - at < UUID_BYTES)
		return false;
	for (size_t i = 0; i < UUID_BYTES; i++) {
		char byte = text.data[at + i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? byte != '-' : !is_word(byte) || text_lower(byte) > 'f')
			return false;
	}
	return at + UUID_BYTES == text.size || !is_word(text.data[at + UUID_BYTES]);
}

/* mktemp's "tmp.Ab3dEf9xYz", Python's "tmpa1b2c3d4": a whole path component. */
static size_t temporary_size(struct text text, size_t at)
{
	if ((at > 0 && text.data[at - 1] != '/') ||
		!text_starts(text_part(text, at, 3), TEXT("tmp")))
		return 0;
	size_t from = at + 3 + (at + 3 < text.size && text.data[at + 3] == '.');
	size_t n = run(text, from, is_word).size;
	bool whole = from + n == text.size || text.data[from + n] == '/';
	return whole && n >= 6 && n <= 12 ? from + n - at : 0;
}

static void put_word(struct out *out, struct text word)
{
	bool digits = run(word, 0, is_digit).size == word.size;
	if (word.size >= 8 && !digits && text_is_hex(word)) {
		put(out, TEXT("H"));
		return;
	}
	for (size_t at = 0; at < word.size;) {
		size_t n = run(word, at, is_digit).size;
		if (n)
			put(out, TEXT("#"));
		else
			put(out, text_part(word, at, n = 1));
		at += n;
	}
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written through the struct */
size_t resource_pattern(struct text resource, char *out, size_t size)
{
	struct out pattern = {out, 0, size};
	for (size_t at = 0; at < resource.size && pattern.size < pattern.max;) {
		size_t n = put_address(&pattern, resource, at);
		if (n) {
			at += n;
			continue;
		}
		n = temporary_size(resource, at);
		if (n || is_uuid_at(resource, at)) {
			put(&pattern, n ? TEXT("tmp*") : TEXT("U"));
			at += n ? n : 36;
			continue;
		}
		struct text word = run(resource, at, is_word);
		if (word.size)
			put_word(&pattern, word);
		else
			put(&pattern, word = text_part(resource, at, 1));
		at += word.size;
	}
	return pattern.size;
}

struct text operation_class(struct text operation)
{
	static const struct {
		const char *call, *class;
	} classes[] = {
		{"openat", "open"},
		{"open", "open"},
		{"openat2", "open"},
		{"creat", "open"},
		{"open_by_handle_at", "open"},
		{"execve", "exec"},
		{"execveat", "exec"},
		{"connect", "connect"},
		{"sendto", "send"},
		{"sendmsg", "send"},
		{"sendmmsg", "send"},
		{"accept", "accept"},
		{"accept4", "accept"},
		{"unlink", "unlink"},
		{"unlinkat", "unlink"},
		{"rename", "rename"},
		{"renameat", "rename"},
		{"renameat2", "rename"},
		{"chmod", "chmod"},
		{"fchmod", "chmod"},
		{"fchmodat", "chmod"},
		{"fchmodat2", "chmod"},
		{"link", "link"},
		{"linkat", "link"},
		{"symlink", "symlink"},
		{"symlinkat", "symlink"},
		{"mkdir", "mkdir"},
		{"mkdirat", "mkdir"},
		{"dup", "dup"},
		{"dup2", "dup"},
		{"dup3", "dup"},
		{"clone", "fork"},
		{"clone3", "fork"},
		{"fork", "fork"},
		{"vfork", "fork"},
		{"init_module", "module"},
		{"finit_module", "module"},
	};
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		if (operation.size && *classes[i].call == *operation.data &&
			text_is(operation, classes[i].call))
			return text_of(classes[i].class);
	return operation;
}

void alert_fingerprint(struct alert *alert)
{
	char pattern[PATTERN_MAX_BYTES];
	const struct process *process = &alert->process;
	size_t size = resource_pattern(alert->resource, pattern, sizeof pattern);
	struct digest_state room, *state = digest_start(&room);
	digest_add_part(state, alert->sensor);
	digest_add_part(state, alert->rule);
	digest_add_part(state, process->exe.size ? process->exe : process->name);
	digest_add_part(state, process->parent_exe.size ? process->parent_exe : process->parent);
	digest_add_part(state, operation_class(alert->operation));
	digest_add_part(state, (struct text){pattern, size});
	struct digest digest = digest_end(state);
	memcpy(alert->fingerprint, digest.bytes, FINGERPRINT_BYTES);
}
