-- SPDX-License-Identifier: Apache-2.0
-- The first layout. page_size 8192 and auto_vacuum INCREMENTAL are set before this runs (store/connection.c).
-- Everything that grows with the alerts is keyed by leaf number or leads with the time, so that one
-- commit touches few pages (performance.md). Times are nanoseconds since 1970 unless a name says else.

CREATE TABLE meta (
	name TEXT PRIMARY KEY,
	value ANY
) STRICT;

-- Interned values. Ids are small integers that rows refer to; a row never changes its meaning.

CREATE TABLE sensor ( -- family; id is its bit in sets of sensors, so at most 62
	id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 62),
	name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE rule (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE image (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	digest TEXT NOT NULL,
	UNIQUE (name, digest)
) STRICT;

CREATE TABLE process (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	exe TEXT NOT NULL,
	parent TEXT NOT NULL,
	user TEXT NOT NULL,
	UNIQUE (name, exe, parent, user)
) STRICT;

CREATE TABLE origin ( -- who sent it: part of a leaf
	id INTEGER PRIMARY KEY,
	source INTEGER NOT NULL, -- enum source
	cluster TEXT NOT NULL,
	credential INTEGER NOT NULL,
	UNIQUE (source, cluster, credential)
) STRICT;

CREATE TABLE attack (
	id INTEGER PRIMARY KEY,
	tactics INTEGER NOT NULL,   -- bit rank - 1
	techniques BLOB NOT NULL,   -- big-endian 32 bit codes, ascending
	UNIQUE (tactics, techniques)
) STRICT;

CREATE TABLE fingerprint (
	id INTEGER PRIMARY KEY,
	hash BLOB NOT NULL UNIQUE, -- 16 bytes
	rule INTEGER NOT NULL,
	sensor INTEGER NOT NULL,
	exe TEXT NOT NULL,
	parent TEXT NOT NULL,
	operation TEXT NOT NULL,
	resource TEXT NOT NULL
) STRICT;

CREATE TABLE workload ( -- what a tuple's own name belongs to; a host without pods is one of its own
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE, -- cluster/namespace/name, or node:cluster/node
	first_day INTEGER,         -- of workload_day: UTC days since 1970; NULL: none yet
	last_day INTEGER           -- of any of its alerts, context too; NULL: none yet
) STRICT;

CREATE TABLE entity ( -- the observed tuple; never what it resolves to
	id INTEGER PRIMARY KEY,
	packed BLOB NOT NULL UNIQUE, -- model/entity.h
	cluster TEXT NOT NULL,
	uid TEXT,
	container TEXT,
	name TEXT,
	node TEXT,
	workload INTEGER -- NULL: the tuple tells none
) STRICT;
CREATE INDEX entity_workload ON entity (workload) WHERE workload IS NOT NULL;
CREATE INDEX entity_uid ON entity (cluster, uid) WHERE uid IS NOT NULL;
CREATE INDEX entity_container ON entity (cluster, container) WHERE container IS NOT NULL;
CREATE INDEX entity_name ON entity (cluster, name) WHERE name IS NOT NULL;
CREATE INDEX entity_node ON entity (cluster, node) WHERE node IS NOT NULL;

-- The ledger: a tree over leaves, and blocks of raw bytes beside it (design.md "Storage").

CREATE TABLE tile (
	id INTEGER PRIMARY KEY, -- level << 48 | number
	hashes BLOB NOT NULL    -- up to 256 hashes of 32 bytes; level 0: leaves, level 1: roots of full tiles …
) STRICT;

CREATE TABLE stream ( -- leaves of one source and retention class, in blocks
	id INTEGER PRIMARY KEY,
	source INTEGER NOT NULL,
	class INTEGER NOT NULL, -- 0 ordinary, 1 held
	framed_to INTEGER NOT NULL DEFAULT 0, -- blocks of lower leaves have their last shape (store/reframe.h)
	UNIQUE (source, class)
) STRICT;

CREATE TABLE block (
	id INTEGER PRIMARY KEY,      -- stream << 44 | first leaf
	n INTEGER NOT NULL,          -- leaves inside
	last_leaf INTEGER NOT NULL,
	received_ns INTEGER NOT NULL, -- of the first leaf: blocks are re-framed and expire by day
	size INTEGER NOT NULL,       -- of the frame when decompressed
	dictionary INTEGER NOT NULL, -- 0: none
	frame BLOB NOT NULL          -- one zstd frame (store/block.h has what is inside)
) STRICT;

CREATE TABLE dictionary ( -- zstd's, trained on alerts of one source; frames name theirs, new ones use the newest
	id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: readers keep dictionaries by id
	source INTEGER NOT NULL,
	created_ns INTEGER NOT NULL,
	leaf INTEGER NOT NULL, -- the ledger's size when it was stored
	bytes BLOB NOT NULL
) STRICT;
CREATE INDEX dictionary_source ON dictionary (source);

CREATE TABLE salt ( -- of fields cut before storing; may be deleted, then nobody can test a guess
	leaf INTEGER PRIMARY KEY,
	salts BLOB NOT NULL
) STRICT;

-- Alerts.

CREATE TABLE alert (
	leaf INTEGER PRIMARY KEY,
	slot INTEGER,            -- NULL: not correlated (health, orphan_late)
	entity INTEGER NOT NULL,
	occ BLOB NOT NULL,       -- 16 bytes
	time_ns INTEGER NOT NULL,
	received_ns INTEGER NOT NULL,
	fingerprint INTEGER NOT NULL,
	attack INTEGER NOT NULL,
	process INTEGER NOT NULL,
	image INTEGER NOT NULL,
	origin INTEGER NOT NULL,
	stream INTEGER NOT NULL,
	bits INTEGER NOT NULL,   -- severity | action << 4 | flags << 8
	count INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_slot ON alert (slot, entity) WHERE slot IS NOT NULL;

CREATE TABLE duplicate (
	key INTEGER PRIMARY KEY, -- event time in ms << 21 | 21 bits of occ; untrusted: negative, 62 bits
	hash INTEGER NOT NULL,   -- 64 other bits of occ
	leaf INTEGER NOT NULL
) STRICT;

CREATE TABLE occurrence_run ( -- occ → leaf for look-ups by id, made in idle time; sorted by occ
	first_leaf INTEGER PRIMARY KEY,
	last_leaf INTEGER NOT NULL,
	entries BLOB NOT NULL -- 8 bytes of occ, 4 bytes leaf - first_leaf, big-endian
) STRICT;

CREATE TABLE quarantine (
	leaf INTEGER PRIMARY KEY,
	received_ns INTEGER NOT NULL,
	origin INTEGER NOT NULL,
	stream INTEGER NOT NULL,
	digest BLOB NOT NULL, -- SHA-256 of the raw: the same broken bytes are kept once a day
	reason TEXT NOT NULL
) STRICT;
CREATE INDEX quarantine_digest ON quarantine (digest);

-- Correlation (correlation.md). Slots lead with the time and never move; pieces are computed from them.

CREATE TABLE slot (
	slot INTEGER NOT NULL,    -- floor(time / 300 s)
	entity INTEGER NOT NULL,
	print INTEGER NOT NULL,   -- fingerprint << 1 | context
	lo INTEGER NOT NULL,
	hi INTEGER NOT NULL,
	severity INTEGER NOT NULL,
	n INTEGER NOT NULL,          -- distinct occurrences
	deliveries INTEGER NOT NULL, -- not deduplicated
	tactics INTEGER NOT NULL,
	techniques BLOB NOT NULL,    -- big-endian 32 bit codes, ascending
	terminals INTEGER NOT NULL,  -- mask of enum attack_terminal
	sensors INTEGER NOT NULL,    -- bit per sensor.id
	mark INTEGER NOT NULL,       -- sum of 64 bits of each occ, wrapping: equal sets have equal marks
	samples BLOB NOT NULL,       -- the 16 smallest occ: 16 bytes and the leaf, 8 bytes big-endian
	PRIMARY KEY (slot, entity, print)
) STRICT, WITHOUT ROWID;

CREATE TABLE presence ( -- in which slots of a day an entity has rows
	day INTEGER NOT NULL, -- slot / 288
	entity INTEGER NOT NULL,
	bits BLOB NOT NULL,   -- 36 bytes, bit slot % 288, lowest bit of byte 0 first
	PRIMARY KEY (day, entity)
) STRICT, WITHOUT ROWID;

CREATE TABLE container_fact ( -- a container belongs to a pod; strongest rank, then smallest value
	cluster TEXT NOT NULL,
	container TEXT NOT NULL,
	uid TEXT,
	uid_rank INTEGER NOT NULL,
	name TEXT,
	name_rank INTEGER NOT NULL,
	seen_day INTEGER NOT NULL,
	PRIMARY KEY (cluster, container)
) STRICT, WITHOUT ROWID;
CREATE INDEX container_fact_uid ON container_fact (cluster, uid) WHERE uid IS NOT NULL;
CREATE INDEX container_fact_name ON container_fact (cluster, name) WHERE name IS NOT NULL;

CREATE TABLE name_fact ( -- a name belongs to a uid from start
	cluster TEXT NOT NULL,
	name TEXT NOT NULL,
	uid TEXT NOT NULL,
	start_ns INTEGER NOT NULL,
	rank INTEGER NOT NULL,
	seen_day INTEGER NOT NULL,
	PRIMARY KEY (cluster, name, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX name_fact_uid ON name_fact (cluster, uid);

CREATE TABLE workload_day ( -- which rules a workload showed on which UTC day, without context
	day INTEGER NOT NULL,
	workload INTEGER NOT NULL,
	rule INTEGER NOT NULL,
	PRIMARY KEY (day, workload, rule)
) STRICT, WITHOUT ROWID;

CREATE TABLE edit ( -- what people changed about the grouping; a set, nothing is ever removed
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	kind INTEGER NOT NULL,  -- model/edit.h
	anchor BLOB,            -- occ of the alert whose entity is meant; NULL in an undo
	entity INTEGER,         -- the anchor's, once its alert is stored
	anchor_ns INTEGER,      -- likewise its time
	from_slot INTEGER,
	to_slot INTEGER,
	target TEXT,            -- cut: the unlink whose incident is cut; undo: the edit that it undoes
	prints BLOB             -- unlink: fingerprints, 16 bytes each
) STRICT;
CREATE INDEX edit_target ON edit (target) WHERE target IS NOT NULL;

CREATE TABLE key (
	id INTEGER PRIMARY KEY,
	text TEXT NOT NULL UNIQUE -- an entity's, or an entity's with "#" and 8 hex digits of an unlink
) STRICT;

CREATE TABLE rollup ( -- incidents of one rule only, in one namespace, that began in one hour
	id INTEGER PRIMARY KEY,
	cluster TEXT NOT NULL,
	namespace TEXT NOT NULL,
	rule INTEGER NOT NULL,
	hour INTEGER NOT NULL, -- since 1970
	UNIQUE (cluster, namespace, rule, hour)
) STRICT;

CREATE TABLE piece ( -- one incident's present extent and sums; all of it can be computed again from slots
	number INTEGER PRIMARY KEY,
	key INTEGER NOT NULL,
	first_slot INTEGER NOT NULL,
	last_slot INTEGER NOT NULL,
	lo INTEGER NOT NULL,
	hi INTEGER NOT NULL,
	n INTEGER NOT NULL,
	severity INTEGER NOT NULL,
	base INTEGER NOT NULL,     -- thousandths
	risk INTEGER NOT NULL,     -- thousandths
	tactics INTEGER NOT NULL,
	credited INTEGER NOT NULL,
	sensors INTEGER NOT NULL,
	terminals INTEGER NOT NULL,
	rules BLOB NOT NULL,       -- per rule: points and tactics (correlate/sums.h)
	criticality INTEGER NOT NULL, -- hundredths, as the risk has used them
	novelty INTEGER NOT NULL,
	mark INTEGER NOT NULL,     -- sum of its slots' marks
	claims BLOB,               -- which of its members' alerts are its own (model/claim.h); NULL: all
	revision INTEGER NOT NULL,
	changed_ns INTEGER NOT NULL, -- when the revision was written
	rollup INTEGER,            -- of one rule only, in a pod: with which others it may be shown as one
	frozen INTEGER NOT NULL DEFAULT 0 -- 1: its alerts are leaving, 2: they have left (store/leaving.h)
) STRICT;
-- Correlation sees pieces that are not frozen and no others.
CREATE INDEX piece_rollup ON piece (rollup, number) WHERE rollup IS NOT NULL;
CREATE INDEX piece_key ON piece (key, first_slot) WHERE frozen = 0;
CREATE INDEX piece_last ON piece (last_slot) WHERE frozen = 0;
CREATE INDEX piece_leaving ON piece (number) WHERE frozen = 1;

CREATE TABLE member ( -- whose alerts a piece is made of: entity's, with from <= time < to, in its slots
	number INTEGER NOT NULL,
	entity INTEGER NOT NULL,
	from_ns INTEGER NOT NULL,
	to_ns INTEGER NOT NULL,
	PRIMARY KEY (number, entity, from_ns)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_entity ON member (entity);

CREATE TABLE incident ( -- permanent numbers and what people said; no input of the correlation
	number INTEGER PRIMARY KEY,
	opened_ns INTEGER NOT NULL,
	state INTEGER NOT NULL DEFAULT 0, -- enum incident_state
	verdict INTEGER NOT NULL DEFAULT 0, -- enum verdict; 0: none
	assignee TEXT,
	title TEXT,             -- frozen when a person first touched it; NULL: computed
	touched INTEGER NOT NULL DEFAULT 0, -- a person decided something about it
	snoozed_until_ns INTEGER,
	snoozed_from TEXT,      -- what it was when it was snoozed: severity, tactics, rules (JSON)
	sealed_ns INTEGER,      -- since when it is thought complete; NULL: open
	sealed_revision INTEGER,
	resolved_ns INTEGER,
	redirect_to INTEGER,    -- merged into that one
	alias_of INTEGER,       -- merged, but people had decided differently about both: shown by number
	split_from INTEGER,
	recurrence_of INTEGER,  -- the resolved incident of the same key that a cut ended before it
	change_seq INTEGER NOT NULL DEFAULT 0 -- raised by whatever people see of it (store/changes.h)
) STRICT;
CREATE INDEX incident_change ON incident (change_seq);
CREATE INDEX incident_resolved ON incident (resolved_ns) WHERE state = 4;
CREATE INDEX incident_unsealed ON incident (number) WHERE sealed_ns IS NULL AND redirect_to IS NULL;
CREATE INDEX incident_snoozed ON incident (snoozed_until_ns) WHERE snoozed_until_ns IS NOT NULL;

CREATE TABLE activity ( -- what was done and said about an incident, in order
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	number INTEGER NOT NULL,
	time_ns INTEGER NOT NULL,
	actor TEXT NOT NULL,   -- "token:NAME", "local", or "tocsin" for what happens by itself
	kind INTEGER NOT NULL, -- enum activity_kind
	revision INTEGER NOT NULL, -- the incident's, that the actor saw
	detail TEXT NOT NULL,  -- JSON
	edit TEXT,             -- what undo names
	origin INTEGER         -- the merged incident that it was copied from
) STRICT;
CREATE INDEX activity_number ON activity (number, id);
CREATE INDEX activity_edit ON activity (edit) WHERE edit IS NOT NULL;

CREATE TABLE link ( -- two incidents shown as one campaign; the partition does not see it
	edit TEXT PRIMARY KEY,
	a INTEGER NOT NULL,
	b INTEGER NOT NULL,
	undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX link_a ON link (a);
CREATE INDEX link_b ON link (b);

CREATE TABLE idempotency ( -- answers to decisions that may be sent again
	actor TEXT NOT NULL,
	key TEXT NOT NULL,
	request BLOB NOT NULL, -- SHA-256 of what was asked: the same key for something else is refused
	status INTEGER NOT NULL,
	answer TEXT NOT NULL,
	time_ns INTEGER NOT NULL,
	PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_time ON idempotency (time_ns);

CREATE TABLE frozen_incident ( -- what members and slots had told of a frozen piece
	number INTEGER PRIMARY KEY,
	namespace TEXT NOT NULL,
	pod TEXT NOT NULL,
	container TEXT NOT NULL,
	node TEXT NOT NULL,
	deliveries INTEGER NOT NULL,
	first_seen BLOB NOT NULL, -- of each tactic by rank, 8 bytes big-endian, 0: not seen
	content BLOB              -- 32 bytes; NULL: not computed, too many alerts
) STRICT;

CREATE TABLE frozen_print ( -- its slots' rows, joined over the slots that have left
	number INTEGER NOT NULL,
	print INTEGER NOT NULL,
	lo INTEGER NOT NULL,
	hi INTEGER NOT NULL,
	severity INTEGER NOT NULL,
	n INTEGER NOT NULL,
	deliveries INTEGER NOT NULL,
	tactics INTEGER NOT NULL,
	techniques BLOB NOT NULL,
	terminals INTEGER NOT NULL,
	sensors INTEGER NOT NULL,
	mark INTEGER NOT NULL,
	samples BLOB NOT NULL,
	PRIMARY KEY (number, print)
) STRICT, WITHOUT ROWID;

-- Senders, people, outbound work.

CREATE TABLE sender ( -- what was heard from each origin and node
	origin INTEGER NOT NULL,
	node TEXT NOT NULL,
	sensor TEXT NOT NULL,
	first_received_ns INTEGER NOT NULL,
	last_received_ns INTEGER NOT NULL,
	last_event_ns INTEGER NOT NULL,
	accepted INTEGER NOT NULL,
	duplicate INTEGER NOT NULL,
	quarantined INTEGER NOT NULL,
	version TEXT,
	started_ns INTEGER,
	health_ns INTEGER,     -- last time the sensor spoke of itself
	drops INTEGER NOT NULL DEFAULT 0,
	output_drops INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (origin, node, sensor)
) STRICT, WITHOUT ROWID;

CREATE TABLE health ( -- what sensors said of themselves, in order; the leaf has the bytes
	leaf INTEGER PRIMARY KEY,
	origin INTEGER NOT NULL,
	node TEXT NOT NULL,
	time_ns INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	events INTEGER,
	drops INTEGER,
	output_drops INTEGER
) STRICT;

CREATE TABLE token (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	role INTEGER NOT NULL,
	cluster TEXT NOT NULL,
	sources INTEGER NOT NULL,
	node TEXT,
	digest BLOB NOT NULL UNIQUE,
	subject TEXT,
	created_ns INTEGER NOT NULL,
	expires_ns INTEGER NOT NULL DEFAULT 0,
	revoked_ns INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE audit ( -- who did what; each row's hash covers the one before
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	time_ns INTEGER NOT NULL,
	actor TEXT NOT NULL,
	action TEXT NOT NULL,
	target TEXT NOT NULL,
	detail TEXT NOT NULL, -- JSON
	hash BLOB NOT NULL    -- SHA-256 of (previous hash, length-prefixed time, actor, action, target, detail)
) STRICT;

CREATE TABLE outbox ( -- work that a commit calls for, read by a cursor per destination
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	created_ns INTEGER NOT NULL,
	kind TEXT NOT NULL,
	incident INTEGER,
	revision INTEGER,
	body BLOB NOT NULL
) STRICT;

CREATE TABLE outbox_cursor (
	destination TEXT PRIMARY KEY,
	position INTEGER NOT NULL
) STRICT;
