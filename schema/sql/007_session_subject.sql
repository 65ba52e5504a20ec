-- SPDX-License-Identifier: Apache-2.0
-- Who a session is, in the words of the identity provider: names change hands, subjects do not.

ALTER TABLE session ADD COLUMN subject TEXT NOT NULL DEFAULT '';
