-- SPDX-License-Identifier: Apache-2.0
-- How far each agent's spool is stored, and what agents had to shed.

CREATE TABLE spool (
	cluster TEXT NOT NULL,
	node TEXT NOT NULL,
	id BLOB NOT NULL, -- 16 bytes, the agent's; a disk that was copied has the same on two nodes
	credential INTEGER NOT NULL,
	acknowledged INTEGER NOT NULL, -- all records up to this number are stored, or were settled before
	heard_ns INTEGER NOT NULL,
	PRIMARY KEY (cluster, node, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE shed (
	leaf INTEGER PRIMARY KEY,
	received_ns INTEGER NOT NULL,
	origin INTEGER NOT NULL,
	stream INTEGER NOT NULL,
	node TEXT NOT NULL,
	severity TEXT NOT NULL,
	rule TEXT NOT NULL,   -- '': several
	from_ns INTEGER NOT NULL,
	until_ns INTEGER NOT NULL,
	n INTEGER NOT NULL,
	bytes INTEGER NOT NULL
) STRICT;

ALTER TABLE sender ADD COLUMN shed INTEGER NOT NULL DEFAULT 0; -- alerts that never came
