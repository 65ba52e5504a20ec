// SPDX-License-Identifier: Apache-2.0
// The cursor and the selection in lists. The cursor is the focus: on a row's link, so that Enter
// and screen readers need nothing from us.
import { all, announce, find, say } from "./page.js";

/** @type {HTMLElement | null} */
let current = null;
/** @type {HTMLElement | null} where Shift+x begins */
let anchor = null;

export const rows = () => all("[data-row]").filter((row) => !row.hidden);

/** The row that keys mean: with the focus, or else the last that had it. */
export function currentRow() {
	const focused = document.activeElement?.closest("[data-row]");
	if (focused instanceof HTMLElement)
		return focused;
	return current?.isConnected ? current : null;
}

/** @param {HTMLElement | null} row */
function mark(row) {
	if (current !== row)
		current?.removeAttribute("data-cursor");
	current = row;
	row?.setAttribute("data-cursor", "");
}

/** @param {HTMLElement} row */
export function goToRow(row) {
	mark(row);
	const link = row.querySelector("a[href]") ?? row.querySelector("button, input");
	if (link instanceof HTMLElement)
		link.focus({ preventScroll: true });
	row.scrollIntoView({ block: "nearest" });
}

/** @param {number} by 1: down, -1: up */
export function move(by) {
	const list = rows();
	if (!list.length)
		return;
	const row = currentRow();
	const at = row ? list.indexOf(row) : -1;
	const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1);
	const target = list[next];
	if (target)
		goToRow(target);
}

/** @param {HTMLElement} row */
const boxOf = (row) => find("input[data-select]", HTMLInputElement, row);

/** The selected rows, or the current one. */
export function targets() {
	const chosen = rows().filter((row) => boxOf(row)?.checked);
	if (chosen.length)
		return chosen;
	const row = currentRow();
	return row ? [row] : [];
}

export const selected = () => rows().filter((row) => boxOf(row)?.checked);

export function showSelection() {
	const n = selected().length;
	for (const row of rows())
		row.toggleAttribute("data-selected", !!boxOf(row)?.checked);
	const bar = document.getElementById("bulk");
	if (bar)
		bar.hidden = n === 0;
	const count = bar?.querySelector("[data-selected]");
	if (count)
		count.textContent = say("selected", n);
	document.dispatchEvent(new CustomEvent("tocsin:selection", { detail: n }));
	return n;
}

/** @param {HTMLElement} row @param {boolean} on */
function setSelected(row, on) {
	const box = boxOf(row);
	if (box)
		box.checked = on;
}

/** Selects the current row, or takes it out. @param {boolean} range from the last one to here */
export function toggleSelection(range) {
	const row = currentRow();
	const box = row && boxOf(row);
	if (!row || !box)
		return;
	const on = range || !box.checked;
	const list = rows();
	const from = range && anchor ? list.indexOf(anchor) : -1;
	const to = list.indexOf(row);
	if (from >= 0)
		for (const one of list.slice(Math.min(from, to), Math.max(from, to) + 1))
			setSelected(one, true);
	else
		setSelected(row, on);
	anchor = row;
	announce(say("selected", showSelection()));
}

export function clearSelection() {
	const had = selected();
	for (const row of had)
		setSelected(row, false);
	showSelection();
	return had.length > 0;
}

/** Opens the current row's page. @returns {boolean} was there one? */
export function openRow() {
	const href = currentRow()?.dataset.href;
	if (!href)
		return false;
	location.assign(href);
	return true;
}

export function startRows() {
	document.addEventListener("focusin", (event) => {
		const row = event.target instanceof Element ? event.target.closest("[data-row]") : null;
		if (row instanceof HTMLElement)
			mark(row);
	});
	document.addEventListener("change", (event) => {
		const box = event.target;
		if (!(box instanceof HTMLInputElement))
			return;
		if (box.matches("[data-select-all]"))
			for (const row of rows())
				setSelected(row, box.checked);
		else if (!box.matches("[data-select]"))
			return;
		anchor = box.closest("tr") ?? anchor;
		showSelection();
	});
	// After "back" the browser may have kept what was ticked.
	showSelection();
}
