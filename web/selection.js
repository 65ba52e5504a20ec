// SPDX-License-Identifier: Apache-2.0
// The address is the view: what is selected and where the cursor stands is in its fragment, so
// that a link shows the same rows, and "back" from an incident finds the reader's place.
import { all, find } from "./page.js";
import { currentRow, goToRow, selected, showSelection } from "./rows.js";

/** "#at=42&x=4,8" */
function write() {
	const words = new URLSearchParams();
	const cursor = currentRow(), chosen = selected().map((row) => row.dataset.number ?? "").filter(Boolean);
	if (cursor?.dataset.number && cursor.matches("tr"))
		words.set("at", cursor.dataset.number);
	if (chosen.length)
		words.set("x", chosen.join(","));
	const fragment = words.toString().replace(/%2C/g, ",");
	if (location.hash.slice(1) !== fragment)
		history.replaceState(history.state, "", location.pathname + location.search + (fragment ? "#" + fragment : ""));
	noteList();
}

/* Pages do not know where a reader came from (no-referrer); this tab does. */
function noteList() {
	try {
		sessionStorage.setItem("tocsin.list", location.pathname + location.search + location.hash);
	} catch (_) {
		// "Back" is the whole list then.
	}
}

/** The list that this tab showed last. */
export function lastList() {
	try {
		return sessionStorage.getItem("tocsin.list");
	} catch (_) {
		return null;
	}
}

function read() {
	const words = new URLSearchParams(location.hash.slice(1));
	const chosen = new Set((words.get("x") ?? "").split(",").filter(Boolean));
	for (const row of all('tr[data-row][data-kind="incident"]')) {
		const box = find("input[data-select]", HTMLInputElement, row);
		if (box && chosen.has(row.dataset.number ?? ""))
			box.checked = true;
		if (row.dataset.number === words.get("at"))
			goToRow(row);
	}
	if (chosen.size)
		showSelection();
}

export function startSelection() {
	if (!document.querySelector("tr[data-row][data-kind=incident]"))
		return;
	read();
	noteList();
	document.addEventListener("tocsin:selection", write);
	document.addEventListener("focusin", write);
}
