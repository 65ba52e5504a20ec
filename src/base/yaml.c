/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/table.h"

enum { PATH_BYTES = 512 };

/* Mappings that are open; each level remembers how long the path above it is. */
struct reading {
	yaml_parser_t parser;
	yaml_event_t event;
	yaml_scalar *scalar;
	void *ctx;
	struct table *seen;
	char path[PATH_BYTES];
	size_t path_size;
	size_t above[YAML_DEPTH_MAX];
	unsigned depth;
	bool has_key;
	bool has_document;
	bool done;
};

static int fail(struct reading *reading, enum err_kind kind, const char *what, struct err *err)
{
	const yaml_mark_t *mark = &reading->event.start_mark;
	return err_set(err, kind, "%zu:%zu: %s", mark->line + 1, mark->column + 1, what);
}

static int take_key(struct reading *reading, struct text key, struct err *err)
{
	size_t size = reading->above[reading->depth - 1];
	size_t need = size + (size > 0) + key.size;
	if (need >= PATH_BYTES)
		return fail(reading, ERR_LIMIT, "the name is too long", err);
	if (size)
		reading->path[size++] = '.';
	memcpy(reading->path + size, key.data, key.size);
	reading->path_size = need;
	reading->has_key = true;
	union table_value *seen =
		table_put(reading->seen, (struct text){reading->path, reading->path_size});
	if (!seen)
		return err_set(err, ERR_MEMORY, "out of memory reading settings");
	if (seen->number++)
		return fail(reading, ERR_INPUT, "this name was given before", err);
	return 0;
}

static int take_scalar(struct reading *reading, struct err *err)
{
	struct text value = {
		(const char *)reading->event.data.scalar.value, reading->event.data.scalar.length};
	if (reading->event.data.scalar.anchor)
		return fail(reading, ERR_INPUT, "anchors are not read", err);
	if (reading->event.data.scalar.tag)
		return fail(reading, ERR_INPUT, "tags are not read", err);
	if (reading->depth == 0)
		return fail(reading, ERR_INPUT, "expected 'name: value'", err);
	if (!reading->has_key)
		return take_key(reading, value, err);
	reading->has_key = false;
	struct text path = {reading->path, reading->path_size};
	if (reading->scalar(reading->ctx, path, value, err) < 0) {
		const yaml_mark_t *mark = &reading->event.start_mark;
		return err_prefix(err, "%zu:%zu", mark->line + 1, mark->column + 1);
	}
	return 0;
}

static int open_mapping(struct reading *reading, struct err *err)
{
	if (reading->event.data.mapping_start.anchor)
		return fail(reading, ERR_INPUT, "anchors are not read", err);
	if (reading->event.data.mapping_start.tag)
		return fail(reading, ERR_INPUT, "tags are not read", err);
	if (reading->depth > 0 && !reading->has_key)
		return fail(reading, ERR_INPUT, "a name must be a word", err);
	if (reading->depth == YAML_DEPTH_MAX)
		return fail(reading, ERR_LIMIT, "nested too deep", err);
	reading->above[reading->depth++] = reading->has_key ? reading->path_size : 0;
	reading->has_key = false;
	return 0;
}

static int take_event(struct reading *reading, struct err *err)
{
	switch (reading->event.type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(reading, err);
	case YAML_MAPPING_START_EVENT:
		return open_mapping(reading, err);
	case YAML_MAPPING_END_EVENT:
		reading->depth--;
		reading->has_key = false;
		return 0;
	case YAML_SEQUENCE_START_EVENT:
		return fail(reading, ERR_INPUT, "lists are not read here", err);
	case YAML_ALIAS_EVENT:
		return fail(reading, ERR_INPUT, "anchors are not read", err);
	case YAML_DOCUMENT_START_EVENT:
		if (reading->has_document)
			return fail(reading, ERR_INPUT, "only one document is read", err);
		reading->has_document = true;
		return 0;
	case YAML_STREAM_END_EVENT:
		reading->done = true;
		return 0;
	default:
		return 0;
	}
}

static int read_events(struct reading *reading, struct err *err)
{
	while (!reading->done) {
		if (!yaml_parser_parse(&reading->parser, &reading->event))
			return err_set(err,
				reading->parser.error == YAML_MEMORY_ERROR ? ERR_MEMORY : ERR_INPUT,
				"%zu:%zu: %s", reading->parser.problem_mark.line + 1,
				reading->parser.problem_mark.column + 1,
				reading->parser.problem ? reading->parser.problem : "not YAML");
		int failed = take_event(reading, err);
		yaml_event_delete(&reading->event);
		if (failed)
			return -1;
	}
	return 0;
}

int yaml_read(struct text source, yaml_scalar *scalar, void *ctx, struct err *err)
{
	struct reading reading = {.scalar = scalar, .ctx = ctx};
	if (source.size > YAML_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "1:1: longer than %d bytes", YAML_BYTES_MAX);
	reading.seen = table_new(NULL);
	if (!reading.seen || !yaml_parser_initialize(&reading.parser)) {
		table_free(reading.seen);
		return err_set(err, ERR_MEMORY, "out of memory reading settings");
	}
	yaml_parser_set_input_string(&reading.parser,
		(const unsigned char *)(source.data ? source.data : ""), source.size);
	int failed = read_events(&reading, err);
	yaml_parser_delete(&reading.parser);
	table_free(reading.seen);
	return failed;
}
