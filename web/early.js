// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint: what a person chose must not flash in late.
"use strict";
(() => {
	const root = document.documentElement;
	root.classList.remove("no-js");
	root.classList.add("js");
	try {
		const theme = localStorage.getItem("tocsin.theme");
		if (theme === "light" || theme === "dark")
			root.dataset.theme = theme;
	} catch (_) {
		// Storage may be forbidden: the system's theme it is.
	}
})();
