/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/push_fields.h"

void push_fields_read(struct text message, const struct push_field *fields)
{
	struct wire reader = wire_of(message);
	while (wire_next(&reader)) {
		const struct push_field *field = fields;
		while (field->field && (field->field != reader.field || field->type != reader.type))
			field++;
		if (!field->field)
			continue;
		if (field->bytes)
			*field->bytes = reader.bytes;
		if (field->number)
			*field->number = reader.number;
		if (field->n)
			++*field->n;
	}
}
