-- SPDX-License-Identifier: Apache-2.0
-- What lists read: alerts by kind, and views that people saved.

-- Alerts without a slot are few; queries that bound the time find them here, all others by alert_slot.
CREATE INDEX alert_apart ON alert (time_ns) WHERE slot IS NULL;

CREATE TABLE print_day ( -- alerts of one fingerprint and workload on one UTC day of event time (store/print_days.h)
	day INTEGER NOT NULL,         -- since 1970
	fingerprint INTEGER NOT NULL,
	workload INTEGER NOT NULL,    -- 0: the tuple tells none
	n INTEGER NOT NULL,
	lo INTEGER NOT NULL,
	hi INTEGER NOT NULL,
	first_leaf INTEGER NOT NULL,
	last_leaf INTEGER NOT NULL,
	severity INTEGER NOT NULL,    -- the greatest
	attack INTEGER NOT NULL,      -- of the last leaf
	PRIMARY KEY (day, fingerprint, workload)
) STRICT, WITHOUT ROWID;

INSERT INTO print_day
	SELECT a.time_ns / 86400000000000 - (a.time_ns % 86400000000000 < 0), a.fingerprint, coalesce(e.workload, 0), count(*),
		min(a.time_ns), max(a.time_ns), min(a.leaf), max(a.leaf), max(a.bits & 15), max(a.attack)
	FROM alert a JOIN entity e ON e.id = a.entity GROUP BY 1, 2, 3;

CREATE TABLE view ( -- queries that people named (model/saved_view.h)
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL,
	of INTEGER NOT NULL,          -- enum query_of
	query TEXT NOT NULL,
	sort TEXT NOT NULL,           -- '' : the list's own
	columns TEXT NOT NULL,        -- names, separated by commas; '': the list's own
	owner TEXT NOT NULL,          -- who made it: the actor's name
	shared INTEGER NOT NULL,      -- everybody sees it
	created_ns INTEGER NOT NULL,
	UNIQUE (owner, of, name)
) STRICT;
