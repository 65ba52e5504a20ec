/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which role the groups of an identity provider have here: "GROUP=ROLE", or
 * "GROUP=ROLE:NAMESPACE,…", separated by ';'. The group "*" is everybody who signs in. Pure.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/tree.h"
#include "model/credential.h"

enum { OIDC_RULES_MAX = 64 };

struct oidc_rule {
	struct text group;
	enum role role;
	struct scope scope;
};

struct oidc_rules {
	struct oidc_rule *items;
	size_t n;
};

/** Texts are copied into @arena. ERR_INPUT says which one is wrong. */
CHECKED int oidc_rules_parse(
	struct text text, struct arena *arena, struct oidc_rules *out, struct err *err);

/**
 * The claim @path of @claims: of that name, or one inside another by a path with dots
 * ("realm_access.roles"). NULL: there is none.
 */
const struct node *oidc_claim(const struct node *claims, struct text path);

/**
 * The greatest role that one of the groups (a string or an array of them; NULL: none) has, with the
 * namespaces of all rules of that role; one without any is everything. false: no rule matches.
 */
bool oidc_rules_apply(const struct oidc_rules *rules, const struct node *groups,
	struct arena *arena, enum role *role, struct scope *scope);
