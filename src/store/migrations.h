/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Brings a database forward to the newest layout: schema/sql/NNN_name.sql in order of number. */

#include "store/connection.h"

enum { APPLICATION_ID = 0x546f6373 }; /* "Tocs" */

/** One transaction per file; PRAGMA user_version says where it stands. Refuses newer databases. */
CHECKED int migrations_run(struct connection *connection, struct err *err);

/** The newest number: what user_version is after migrations_run. */
int migrations_newest(void);
