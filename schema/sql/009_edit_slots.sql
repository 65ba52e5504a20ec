-- SPDX-License-Identifier: Apache-2.0
-- Up to which slot an edit reaches: those that reach no incident that may still change are not read.

CREATE INDEX edit_slot ON edit (CASE kind WHEN 1 THEN from_slot ELSE to_slot END) WHERE kind <> 3;
