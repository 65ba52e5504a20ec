-- SPDX-License-Identifier: Apache-2.0
-- When alerts end whose senders say so: the latest of all deliveries, so that their order does not matter.

CREATE TABLE alert_end (
	leaf INTEGER PRIMARY KEY,
	firing_until_ns INTEGER NOT NULL, -- 0: not said
	resolved_ns INTEGER NOT NULL      -- 0: not resolved
) STRICT;
