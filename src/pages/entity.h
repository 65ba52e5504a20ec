/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A pod, container, node, workload or image: what is known of it, and links to such pages. */

#include "pages/page.h"

/** @document: document_entity; @cluster: as it was asked, absent: any. */
void page_entity(struct page *page, const struct node *document, struct text cluster);

/**
 * The address of an entity's page, or of the list of a namespace's or cluster's incidents. @id as
 * document_entity has it: "namespace/name" of pods and workloads. Absent: its kind has no page.
 */
struct text entity_link(
	const struct page *page, struct text kind, struct text id, struct text cluster);

/** Kinds in the order in which they are listed, widest first; NULL: no more. */
const char *entity_kind(size_t i);

/** "pod" in the reader's language; another kind as it is. */
struct text entity_kind_word(const struct page *page, struct text kind);
