-- SPDX-License-Identifier: Apache-2.0
-- Whom suppressions hid stays named (store/intern_expiry.h).

CREATE INDEX suppression_hit_entity ON suppression_hit (entity);
