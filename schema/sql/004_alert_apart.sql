-- SPDX-License-Identifier: Apache-2.0
-- Alerts without a slot are few; queries that bound the time find them here, all others by alert_slot.
CREATE INDEX alert_apart ON alert (time_ns) WHERE slot IS NULL;
