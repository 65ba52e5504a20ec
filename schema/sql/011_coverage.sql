-- SPDX-License-Identifier: Apache-2.0
-- What was watched and what was not: intervals per cluster, node, source and sensor, and the agents that are known.

CREATE TABLE coverage_place (
	id INTEGER PRIMARY KEY,
	cluster TEXT NOT NULL,
	node TEXT NOT NULL,
	source INTEGER NOT NULL,
	sensor TEXT NOT NULL,
	-- how it speaks of itself (model/pulse.h)
	spoke_ns INTEGER NOT NULL DEFAULT 0,
	usual_ns INTEGER NOT NULL DEFAULT 0,
	started_ns INTEGER NOT NULL DEFAULT 0,
	drops INTEGER NOT NULL DEFAULT -1,
	output_drops INTEGER NOT NULL DEFAULT -1,
	UNIQUE (cluster, node, source, sensor)
) STRICT;

CREATE TABLE coverage ( -- none crosses midnight (UTC), so that a span of time is found by from_ns
	from_ns INTEGER NOT NULL,
	place INTEGER NOT NULL,
	state INTEGER NOT NULL, -- enum coverage_state
	until_ns INTEGER NOT NULL,
	n INTEGER NOT NULL, -- events lost or kept back; 0: not known
	PRIMARY KEY (place, state, from_ns)
) STRICT, WITHOUT ROWID;
CREATE INDEX coverage_from ON coverage (from_ns);

CREATE TABLE agent (
	cluster TEXT NOT NULL,
	node TEXT NOT NULL,
	version TEXT NOT NULL,
	heard_ns INTEGER NOT NULL,
	oldest_ns INTEGER NOT NULL, -- arrival of its oldest record that was not stored
	waiting INTEGER NOT NULL,
	waiting_bytes INTEGER NOT NULL,
	PRIMARY KEY (cluster, node)
) STRICT, WITHOUT ROWID;

-- Nodes whose agents were not heard when the incident was sealed: a JSON array; NULL: all were.
ALTER TABLE incident ADD COLUMN unheard TEXT;
