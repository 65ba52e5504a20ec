-- SPDX-License-Identifier: Apache-2.0
-- Which boot of its node an agent speaks from, and since when: a node that was rebooted is seen.

ALTER TABLE agent ADD COLUMN boot TEXT NOT NULL DEFAULT ''; -- '': it does not say
ALTER TABLE agent ADD COLUMN boot_ns INTEGER NOT NULL DEFAULT 0; -- when this boot was heard first
