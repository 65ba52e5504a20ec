/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The slot rows that a connection joined last, as they are stored: a slot is joined in many
 * transactions, one after another, and need not be read for each. Only store/slots.c writes rows,
 * and what it does other than joining forgets them all, as does a rollback.
 */

#include "model/slot.h"
#include "store/connection.h"

/** The stored row of @row's key, or NULL if it is not known here. Valid until the next call. */
struct slot_row *slot_cache_get(struct connection *connection, const struct slot_row *row);

/** Keeps @row, which was just written. Without memory it is not known. */
void slot_cache_put(struct connection *connection, const struct slot_row *row);

void slot_cache_forget(struct connection *connection);
