/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/yaml_view.h"

#include "base/emit.h"

static void write_scalar(const struct node *node, struct emitter *out)
{
	if (node->type == PULL_STRING)
		emit_text(out, node->value);
	else if (node->type == PULL_NULL)
		emit_null(out);
	else
		emit_raw(out, tree_text(node));
}

static void write_json(const struct node *node, struct emitter *out)
{
	if (node->type != PULL_OBJECT && node->type != PULL_ARRAY) {
		write_scalar(node, out);
		return;
	}
	bool object = node->type == PULL_OBJECT;
	if (object)
		emit_object(out);
	else
		emit_array(out);
	for (const struct node *child = node->first; child; child = child->next) {
		if (object)
			emit_key_text(out, child->key);
		write_json(child, out);
	}
	if (object)
		emit_object_end(out);
	else
		emit_array_end(out);
}

void json_view_write(const struct node *node, struct buf *out)
{
	struct emitter emitter;
	emit_init(&emitter, out);
	write_json(node, &emitter);
}

static bool is_nested(const struct node *node)
{
	return (node->type == PULL_OBJECT || node->type == PULL_ARRAY) && node->first;
}

static void indent(struct buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_add_string(out, "  ");
}

/* Does the key stand for itself? Some words would be read as something else. */
static bool is_plain_key(struct text key)
{
	static const char *const words[] = {
		"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
	for (size_t i = 0; i < key.size; i++) {
		char c = key.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (text_equal_nocase(key, text_of(words[i])))
			return false;
	return key.size > 0;
}

static void write_key(struct text key, struct buf *out)
{
	struct emitter emitter;
	if (is_plain_key(key)) {
		buf_add(out, key);
		return;
	}
	emit_init(&emitter, out);
	emit_text(&emitter, key);
}

static void write_yaml(const struct node *node, unsigned depth, struct buf *out)
{
	for (const struct node *child = node->first; child; child = child->next) {
		indent(out, depth);
		if (node->type == PULL_OBJECT)
			write_key(child->key, out);
		buf_add_string(out, node->type == PULL_OBJECT ? ":" : "-");
		if (is_nested(child)) {
			buf_add_byte(out, '\n');
			write_yaml(child, depth + 1, out);
			continue;
		}
		buf_add_byte(out, ' ');
		json_view_write(child, out);
		buf_add_byte(out, '\n');
	}
}

void yaml_view_write(const struct node *node, struct buf *out)
{
	if (is_nested(node)) {
		write_yaml(node, 0, out);
		return;
	}
	json_view_write(node, out);
	buf_add_byte(out, '\n');
}
