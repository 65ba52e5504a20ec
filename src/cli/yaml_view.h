/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A document as YAML or as one line of JSON. Strings are quoted as JSON, which YAML reads. */

#include "base/buf.h"
#include "base/tree.h"

void yaml_view_write(const struct node *node, struct buf *out);
void json_view_write(const struct node *node, struct buf *out);
