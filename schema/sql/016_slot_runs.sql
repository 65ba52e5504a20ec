-- SPDX-License-Identifier: Apache-2.0
-- A slot's alerts by runs of leaves (store/slot_alerts.h): a commit writes to the end of the index, not all over a slot.

DROP INDEX alert_slot;
CREATE INDEX alert_slot ON alert (slot, leaf >> 12, entity) WHERE slot IS NOT NULL;
