// SPDX-License-Identifier: Apache-2.0
// Rows are sent short: what follows from a row's own cells is written into it here, in the page and in
// every later copy of it, before anything else looks. What a row then has is in docs/console.md.
import { all, find, make, say } from "./page.js";

/** "incident-42" → incident, 42; "fingerprint-ab12-3" → fingerprint, ab12. @param {HTMLElement} row */
function nameRow(row) {
	if (row.dataset.kind)
		return;
	const [, kind = "", number = ""] = row.id.match(/^([a-z]+)-([^-]+)/) ?? [];
	row.dataset.kind = kind;
	row.dataset.number = number;
	const href = row.querySelector('a[href^="/incidents"], a[href^="/alerts"]')?.getAttribute("href");
	if (href)
		row.dataset.href = href;
}

/** What people decide by, as it is shown. @param {HTMLElement} row */
function keepShown(row) {
	const cell = (/** @type {string} */ selector) => find(selector, HTMLElement, row);
	const assignee = cell(".assignee");
	const shown = {
		state: cell("[data-state]")?.dataset.state, severity: cell("[data-sev]")?.dataset.sev,
		assignee: assignee?.title || assignee?.textContent, alerts: cell(".alerts")?.textContent,
	};
	for (const [key, value] of Object.entries(shown))
		row.setAttribute("data-shown-" + key, value ?? "");
}

/** Boxes to select rows by, where there is a bar of what can be done with them. @param {HTMLElement} table */
function addBoxes(table) {
	table.querySelector("thead tr")?.prepend(make("th", { scope: "col", class: "pick" }, say("select_column")));
	for (const row of all("tbody tr[data-row]", table)) {
		const name = row.querySelector(".id, .rule")?.textContent ?? "";
		const box = make("input", { type: "checkbox", "data-select": true, "aria-label": say("select", name) });
		row.prepend(make("td", { class: "pick" }, make("label", {}, box)));
	}
}

/* Says by itself what it is; the words of the head would only be in the way. */
const PLAIN = ".title, .what, .rule, .where, .pick, .wrap, :has([data-sev], [data-state], svg, button, a[data-raw])";

/** On a phone a row is no line of a table: its cells say what their heads said. @param {HTMLElement} table */
function labelCells(table) {
	const heads = all("thead th", table).map((head) => head.textContent ?? "");
	for (const row of all("tbody tr", table))
		[...row.children].forEach((cell, i) => {
			if (cell.textContent && heads[i] && !cell.matches(PLAIN))
				cell.setAttribute("data-label", heads[i]);
		});
}

/** Its name, the place for a refusal and the way out. @param {HTMLElement} dialog */
function completeDialog(dialog) {
	const title = dialog.querySelector("h2"), confirm = dialog.querySelector("[data-confirm]");
	if (!title || !confirm || dialog.hasAttribute("aria-labelledby"))
		return;
	title.id = dialog.id + "-title";
	dialog.setAttribute("aria-labelledby", title.id);
	title.after(make("p", { class: "error", role: "alert", "data-error": true, hidden: true }));
	confirm.before(make("button", { value: "cancel", formnovalidate: true }, say("cancel")));
}

/** @param {ParentNode} root a page as the server sent it */
export function unpack(root) {
	all("dialog[id]", root).forEach(completeDialog);
	for (const row of all("tr[data-row]", root)) {
		nameRow(row);
		if (row.dataset.kind === "incident")
			keepShown(row);
	}
	for (const link of all('a[data-raw=""]', root))
		link.dataset.raw = link.getAttribute("href")?.replace("/alerts/", "") ?? "";
	for (const table of all("table.list", root)) {
		if (root.querySelector("#bulk") && table.matches("[data-list=incidents], [data-list=fingerprints]"))
			addBoxes(table);
		labelCells(table);
		table.dataset.unpacked = "";
	}
}
