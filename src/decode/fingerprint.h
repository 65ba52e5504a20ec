/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an alert is, apart from when and to whom it happened (correlation.md section 3): family,
 * rule, executable, parent, kind of operation, and the resource with its volatile parts replaced.
 */

#include "base/buf.h"
#include "model/alert.h"

void alert_fingerprint(struct alert *alert);

/**
 * Writes the pattern of @resource to @out, at most @size bytes; returns its size.
 *
 * A uuid becomes U, eight or more hex digits H, a row of digits #, mktemp's suffix *. Addresses
 * stay (they are indicators), but the port of the client's side ("a:p->b:q") becomes #.
 */
size_t resource_pattern(struct text resource, char *out, size_t size);

/** "open" for openat, creat …: calls that do the same. Others are themselves. */
struct text operation_class(struct text operation);
