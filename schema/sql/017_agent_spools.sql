-- SPDX-License-Identifier: Apache-2.0
-- A node may have several agents: each is known by its spool, and what one has waiting hides nothing of another.

ALTER TABLE agent RENAME TO node_agent;
CREATE TABLE agent (
	cluster TEXT NOT NULL,
	node TEXT NOT NULL,
	spool BLOB NOT NULL,        -- its id
	version TEXT NOT NULL,
	heard_ns INTEGER NOT NULL,
	oldest_ns INTEGER NOT NULL, -- arrival of its oldest record that was not stored
	waiting INTEGER NOT NULL,
	waiting_bytes INTEGER NOT NULL,
	boot TEXT NOT NULL,         -- '': it does not say
	boot_ns INTEGER NOT NULL,   -- when this boot was heard first
	PRIMARY KEY (cluster, node, spool)
) STRICT, WITHOUT ROWID;
INSERT INTO agent
	SELECT a.cluster, a.node, coalesce((SELECT s.id FROM spool s WHERE s.cluster = a.cluster AND s.node = a.node
		ORDER BY s.heard_ns DESC LIMIT 1), zeroblob(16)),
		a.version, a.heard_ns, a.oldest_ns, a.waiting, a.waiting_bytes, a.boot, a.boot_ns
	FROM node_agent a;
DROP TABLE node_agent;
