-- SPDX-License-Identifier: Apache-2.0
-- Interned rows leave when nothing refers to them any more (store/intern_expiry.h). `used` is the last
-- epoch of leaves (store/intern.h) in which an alert referred to the row; what is there already may
-- have been used until now.

ALTER TABLE image ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE process ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attack ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workload ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entity ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
UPDATE image SET used = (SELECT coalesce(max(leaf), 0) >> 16 FROM alert);
UPDATE process SET used = (SELECT coalesce(max(leaf), 0) >> 16 FROM alert);
UPDATE attack SET used = (SELECT coalesce(max(leaf), 0) >> 16 FROM alert);
UPDATE workload SET used = (SELECT coalesce(max(leaf), 0) >> 16 FROM alert);
UPDATE entity SET used = (SELECT coalesce(max(leaf), 0) >> 16 FROM alert);

CREATE INDEX edit_entity ON edit (entity) WHERE entity IS NOT NULL;
CREATE INDEX piece_any_key ON piece (key); -- frozen ones, too
