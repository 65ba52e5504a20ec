/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Titles told in Chinese: rules and places in them are an attacker's. What is told is not empty,
 * and the lineage of an alert with these raw bytes points into them or nowhere.
 */
#include <assert.h>

#include "documents/lineage.h"
#include "pages/headline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct page_reader reader = {.language = LANGUAGE_CHINESE};
	struct arena arena;
	struct text title = {(const char *)data, size};
	arena_init(&arena, 16 * 1024 * 1024);
	const struct page page = {.arena = &arena, .reader = &reader};
	assert(size == 0 || headline(&page, title).size > 0);
	headline_beside(&page, title, TEXT("shop/front"));
	const struct alert alert = {.raw = title};
	struct lineage lineage = lineage_read(&alert, &arena);
	assert(lineage.parent_pid == -1 || lineage.parent_pid > 0);
	/* a byte that is no UTF-8 becomes U+FFFD */
	assert(lineage.parent_exec_id.size <= 3 * size);
	arena_done(&arena);
	return 0;
}
