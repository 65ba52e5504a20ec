/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A small message's fields, read into the places that a table names. */

#include "base/wire.h"

struct push_field {
	uint32_t field; /* 0 ends the table */
	enum wire_type type;
	struct text *bytes; /* of WIRE_BYTES: the last one; may be NULL */
	uint64_t *number;   /* of the others */
	size_t *n;          /* how often it is there; may be NULL */
};

/** @message was scanned. Fields of another type than expected are as if they were not there. */
void push_fields_read(struct text message, const struct push_field *fields);
