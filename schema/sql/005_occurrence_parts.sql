-- SPDX-License-Identifier: Apache-2.0
-- A run of occurrence ids is kept in parts by the first bits of the id, so that a look-up reads one
-- part of each run. Runs are made in idle time from the alerts that are there.

DELETE FROM occurrence_run;
ALTER TABLE occurrence_run DROP COLUMN entries;

CREATE TABLE occurrence_part (
	id INTEGER PRIMARY KEY, -- the first 6 bits of the ids << 44 | first_leaf of the run
	entries BLOB NOT NULL   -- sorted: 8 bytes of occ, 4 bytes leaf - first_leaf, big-endian
) STRICT;
