-- SPDX-License-Identifier: Apache-2.0
-- Who is signed in, and what tokens see.

ALTER TABLE token ADD COLUMN namespaces TEXT NOT NULL DEFAULT ''; -- patterns separated by commas; '': everything

CREATE TABLE session ( -- browsers that are or were signed in
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	digest BLOB NOT NULL UNIQUE, -- SHA-256 of the cookie's text
	token INTEGER NOT NULL,      -- what it stands for; 0: a person whom an identity provider vouched for
	name TEXT NOT NULL,
	role INTEGER NOT NULL,
	namespaces TEXT NOT NULL,
	way INTEGER NOT NULL,
	address TEXT NOT NULL,
	created_ns INTEGER NOT NULL,
	used_ns INTEGER NOT NULL,
	expires_ns INTEGER NOT NULL,
	ended_ns INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX session_running ON session (token, name) WHERE ended_ns = 0;

CREATE TABLE sign_in_link ( -- each begins one session, once
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	digest BLOB NOT NULL UNIQUE, -- SHA-256 of its text
	token INTEGER NOT NULL,
	expires_ns INTEGER NOT NULL
) STRICT;
