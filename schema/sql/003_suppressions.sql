-- SPDX-License-Identifier: Apache-2.0
-- What people do not want to be told of, and what that hid. Nothing of it is an input of the correlation.

CREATE TABLE suppression (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,    -- UUID
	matchers TEXT NOT NULL,     -- {name="value",…}: model/matcher.h
	reason TEXT NOT NULL,
	author TEXT,                -- whoever a silence says created it
	created_by TEXT NOT NULL,   -- the actor, as in the audit trail
	created_ns INTEGER NOT NULL,
	starts_ns INTEGER NOT NULL,
	ends_ns INTEGER NOT NULL,
	expired_by TEXT,            -- NULL: it ends by itself
	expired_ns INTEGER,
	hits INTEGER NOT NULL DEFAULT 0,
	kinds INTEGER NOT NULL DEFAULT 0, -- its rows in suppression_hit
	first_hit_ns INTEGER,
	last_hit_ns INTEGER
) STRICT;
CREATE INDEX suppression_ends ON suppression (ends_ns);

CREATE TABLE suppression_hit ( -- what it hid, by place and kind of alert
	suppression INTEGER NOT NULL,
	entity INTEGER NOT NULL,
	fingerprint INTEGER NOT NULL,
	n INTEGER NOT NULL,
	lo INTEGER NOT NULL,         -- event times
	hi INTEGER NOT NULL,
	first_leaf INTEGER NOT NULL,
	last_leaf INTEGER NOT NULL,
	PRIMARY KEY (suppression, entity, fingerprint)
) STRICT, WITHOUT ROWID;
