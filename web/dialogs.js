// SPDX-License-Identifier: Apache-2.0
// The dialogs of decisions: pages make them, this fills them, reads them and shows what would come
// of it before it is done.
import { call } from "./api.js";
import { find, make, say } from "./page.js";

/** @typedef {{ number: string }} Named */

/** @param {string} act */
export function dialogFor(act) {
	const dialog = document.getElementById("dialog-" + act);
	return dialog instanceof HTMLDialogElement ? dialog : null;
}

/** @param {string} act */
export const closeDialog = (act) => dialogFor(act)?.close();

/** @param {string} act @param {string} problem */
export function refuseInDialog(act, problem) {
	const place = dialogFor(act)?.querySelector("[data-error]");
	if (!(place instanceof HTMLElement))
		return;
	place.textContent = problem;
	place.hidden = !problem;
}

/**
 * What a form says, as a body of the API: members with a value. `text` of a dialog that is not
 * about a comment is a comment of its own.
 * @param {HTMLFormElement} form @param {string} act
 */
function bodyOf(form, act) {
	/** @type {Record<string, unknown>} */
	const body = {};
	let comment = "";
	for (const [name, value] of new FormData(form)) {
		const text = String(value).trim();
		if (name === "text" && act !== "comment")
			comment = text;
		else if (text || name === "assignee")
			body[name] = name === "at" ? moment(text) : text;
	}
	return { body, comment };
}

/** "2026-11-25 03:00" is meant as UTC, as the page shows it; the API wants RFC 3339. */
/** @param {string} text */
function moment(text) {
	const found = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d)?(Z| ?UTC)?$/.exec(text);
	if (!found)
		return text;
	const plain = `${found[1]}T${found[2]}${found[3] ?? ":00"}`;
	const isLocal = document.documentElement.dataset.zone === "local" && !found[4];
	return isLocal ? new Date(plain).toISOString() : plain + "Z";
}

/** @param {string} number */
async function incident(number) {
	const plain = number.replace(/^INC-/i, "");
	if (!/^\d+$/.test(plain))
		return null;
	const answer = await call("GET", "/api/v1/incidents/" + plain);
	return answer.status === 200 && answer.document?.title !== undefined ? answer.document : null;
}

/** @param {any} one */
const described = (one) => say("preview_incident", one.number, one.title, one.alerts, one.severity);

/** Both incidents, before they are shown as one. @param {string} number @param {string} other */
async function previewMerge(number, other) {
	const [one, two] = await Promise.all([incident(number), incident(other)]);
	if (!one || !two)
		return other ? [say("preview_none", other)] : [];
	if (one.number === two.number)
		return [say("preview_same")];
	return [described(one), described(two), say("preview_merged", Number(one.alerts) + Number(two.alerts))];
}

/** What stays and what goes, by the rows of the story. @param {string} number @param {string} at */
async function previewCut(number, at) {
	const one = at ? await incident(number) : null, time = Date.parse(moment(at));
	if (!one || Number.isNaN(time))
		return at ? [say("preview_no_time")] : [];
	let before = 0, after = 0, split = 0;
	for (const row of one.story ?? []) {
		if (Date.parse(row.last_seen) < time)
			before += Number(row.alerts);
		else if (Date.parse(row.first_seen) >= time)
			after += Number(row.alerts);
		else
			split += Number(row.alerts);
	}
	return [say("preview_cut", before, after), ...(split ? [say("preview_cut_split", split)] : [])];
}

/** @param {HTMLDialogElement} dialog @param {string} act @param {Named[]} list */
function startPreview(dialog, act, list) {
	const field = find('[name="with"], [name="at"]', HTMLInputElement, dialog);
	const only = list.length === 1 ? list[0] : undefined;
	if (!field || !only || (act !== "merge" && act !== "cut"))
		return;
	let place = dialog.querySelector("[data-preview]");
	if (!place) {
		place = make("ul", { "data-preview": true, "aria-live": "polite", class: "preview" });
		field.closest("label")?.after(place);
	}
	const shown = place;
	let asked = 0, timer = 0;
	const show = async () => {
		const mine = ++asked, value = field.value.trim();
		const lines = act === "merge" ? await previewMerge(only.number, value) : await previewCut(only.number, value);
		if (mine === asked && dialog.open)
			shown.replaceChildren(...lines.map((line) => make("li", {}, line)));
	};
	field.oninput = () => {
		clearTimeout(timer);
		timer = window.setTimeout(show, 250);
	};
	shown.replaceChildren();
	void show();
}

/** @param {HTMLDialogElement} dialog @param {Named[]} list */
function prepare(dialog, list) {
	const target = dialog.querySelector("[data-target]");
	if (target)
		target.textContent = list.length === 1 ? "INC-" + list[0]?.number : say("selected", list.length);
	const assignee = find('[name="assignee"]', HTMLInputElement, dialog);
	if (assignee && !assignee.value)
		assignee.value = document.body.dataset.name ?? "";
	assignee?.select();
}

/**
 * Enter means yes, whichever button is first in the form; in a text of many lines Ctrl+Enter does.
 * @param {KeyboardEvent} event
 */
function onDialogKey(event) {
	const dialog = event.currentTarget, at = event.target;
	const isYes = event.ctrlKey || event.metaKey || at instanceof HTMLInputElement || at instanceof HTMLSelectElement;
	if (event.key !== "Enter" || event.isComposing || !isYes || !(dialog instanceof HTMLDialogElement))
		return;
	event.preventDefault();
	find("[data-confirm]", HTMLButtonElement, dialog)?.click();
}

/**
 * @param {string} act
 * @param {Named[]} list
 * @param {(body: Record<string, unknown>, comment: string) => Promise<void>} confirmed
 * @param {Record<string, string>} begin what stands in fields at first
 */
export function askInDialog(act, list, confirmed, begin = {}) {
	const dialog = dialogFor(act), form = dialog && find("form", HTMLFormElement, dialog);
	if (!dialog || !form)
		return;
	const back = document.activeElement;
	form.reset();
	for (const [name, value] of Object.entries(begin)) {
		const field = find(`[name="${name}"]`, HTMLInputElement, form);
		if (field)
			field.value = value;
	}
	refuseInDialog(act, "");
	dialog.onkeydown = onDialogKey;
	form.onsubmit = (event) => {
		const by = event.submitter;
		if (by instanceof HTMLButtonElement && by.value === "cancel")
			return;
		event.preventDefault();
		const { body, comment } = bodyOf(form, act);
		const button = find("[data-confirm]", HTMLButtonElement, dialog);
		if (button)
			button.disabled = true;
		void confirmed(body, comment).finally(() => {
			if (button)
				button.disabled = false;
		});
	};
	dialog.onclose = () => {
		if (back instanceof HTMLElement && back.isConnected)
			back.focus();
	};
	dialog.showModal();
	prepare(dialog, list);
	startPreview(dialog, act, list);
}
