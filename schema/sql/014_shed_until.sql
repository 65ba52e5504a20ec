-- SPDX-License-Identifier: Apache-2.0
-- What was shed in a span of time, as coverage asks for it.

CREATE INDEX shed_until ON shed (until_ns);
