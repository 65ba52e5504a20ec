// SPDX-License-Identifier: Apache-2.0
// The raw bytes of an alert beside what the page makes of them: as text, whatever they hold.
import { announce, find, make, pageName, say } from "./page.js";
import { call, refusal } from "./api.js";
import { currentRow } from "./rows.js";

const SHOWN_BYTES = 256 * 1024;
/** @type {Element | null} */
let back = null;

const drawer = () => document.getElementById("drawer");

export function closeDrawer() {
	const shown = drawer();
	if (!shown || shown.hidden)
		return false;
	shown.hidden = true;
	if (back instanceof HTMLElement && back.isConnected)
		back.focus();
	return true;
}

/** Characters that hide, or change the order of others, as what they are. @param {string} text */
function visible(text) {
	return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
		(character) => `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** @param {string} text */
function pretty(text) {
	try {
		return JSON.stringify(JSON.parse(text), null, 2);
	} catch (_) {
		return text;
	}
}

/** The alert that stands for a row: a sample of its kind, or an incident's newest. @param {HTMLElement} row */
async function alertOf(row) {
	const sample = find("[data-raw]", HTMLElement, row)?.dataset.raw;
	if (sample || row.dataset.kind !== "incident")
		return sample ?? row.dataset.id ?? row.dataset.number ?? "";
	const answer = await call("GET", `/api/v1/incidents/${row.dataset.number}/alerts?limit=1`);
	return String(answer.document?.items?.[0]?.id ?? "");
}

/** @param {string} id @returns {Promise<{ text: string, problem: string }>} */
async function read(id) {
	try {
		const response = await fetch(`/api/v1/alerts/${encodeURIComponent(id)}/raw`, { cache: "no-store" });
		if (response.ok)
			return { text: await response.text(), problem: "" };
		const answer = await response.json().catch(() => null);
		return { text: "", problem: refusal(response.status, answer) };
	} catch (_) {
		return { text: "", problem: say("no_answer") };
	}
}

/** @param {HTMLElement} shown @param {HTMLElement} text */
function addCopy(shown, text) {
	if (shown.querySelector("[data-drawer-copy]"))
		return;
	const button = make("button", { type: "button", "data-drawer-copy": true }, say("copy"));
	button.addEventListener("click", async () => {
		try {
			await navigator.clipboard.writeText(text.dataset.raw ?? text.textContent ?? "");
			announce(say("copied"));
			button.textContent = say("copied");
		} catch (_) {
			// Not over plain HTTP: the text is selected instead, for the keyboard.
			getSelection()?.selectAllChildren(text);
		}
	});
	find("[data-drawer-close]", HTMLElement, shown)?.before(button);
}

/** @param {string} id */
export async function showRaw(id) {
	const shown = drawer(), text = shown && find("pre", HTMLPreElement, shown);
	if (!shown || !text || !id)
		return;
	back = document.activeElement;
	shown.hidden = false;
	text.textContent = say("loading");
	addCopy(shown, text);
	text.focus({ preventScroll: true });
	const { text: raw, problem } = await read(id);
	const cut = raw.length > SHOWN_BYTES;
	text.dataset.raw = raw;
	text.textContent = problem || visible(pretty(cut ? raw.slice(0, SHOWN_BYTES) : raw)) + (cut ? "\n" + say("cut_here") : "");
	const copy = find("[data-drawer-copy]", HTMLElement, shown);
	if (copy)
		copy.textContent = say("copy");
	announce(problem || say("raw_shown", id));
}

/** The current row's raw bytes; on an alert's page its own. */
export function showRawOfRow() {
	if (closeDrawer())
		return true;
	const row = currentRow() ?? (pageName() === "incident" || pageName() === "alert" ? find("[data-row]", HTMLElement) : null);
	if (!row || !drawer())
		return false;
	void alertOf(row).then(showRaw);
	return true;
}

export function startDrawer() {
	document.addEventListener("click", (event) => {
		const element = event.target instanceof Element ? event.target : null;
		const opener = element?.closest("[data-raw]");
		if (opener instanceof HTMLElement && opener.dataset.raw) {
			// Without scripts it is a link to the bytes.
			event.preventDefault();
			void showRaw(opener.dataset.raw);
		} else if (element?.closest("[data-drawer-close]")) {
			closeDrawer();
		}
	});
}
