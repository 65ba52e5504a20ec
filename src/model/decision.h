/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What people and programs decide: ordinary input of the writer, written and audited in the same
 * transaction as everything else. One file of the writer per kind carries it out.
 */

#include "base/text.h"
#include "model/credential.h"

enum decision_kind {
	DECISION_TOKEN_CREATE, /* credential is filled but for id; id is set by the writer */
	DECISION_TOKEN_REVOKE, /* credential.id */
};

struct decision {
	struct decision *next;
	enum decision_kind kind;
	struct text actor; /* "token:NAME", "local" */
	struct credential credential;
};
