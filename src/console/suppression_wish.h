/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What somebody does not want to be told of, as the body of a POST says it. Strict, because what is
 * overlooked here hides more than was meant: unknown members and other types are refused.
 */

#include "base/tree.h"
#include "console/decision_wish.h"
#include "model/suppression.h"

/**
 * Reads {"matchers", "reason", "starts", "ends" or "for"} into a suppression; texts in it live in
 * @arena. Matchers are strings (namespace="dev") or {"name", "op", "value"}. @for_preview: matchers
 * alone will do. @now_ns: what "for" counts from. false with *refusal filled in.
 */
CHECKED bool suppression_wish_read(struct text body, bool for_preview, int64_t now_ns,
	struct arena *arena, struct suppression *out, struct wish_refusal *refusal);
