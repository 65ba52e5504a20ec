-- SPDX-License-Identifier: Apache-2.0
-- What a suppression hides as a query, beside its matchers: model/suppression_query.h.

ALTER TABLE suppression ADD COLUMN query TEXT;
