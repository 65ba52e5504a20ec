// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint, so that what needs scripts does not flash in late.
"use strict";
document.documentElement.classList.replace("no-js", "js");
