// SPDX-License-Identifier: Apache-2.0
// The dialogs of decisions: pages make them, this fills them, reads them and shows what would come
// of it before it is done.
import { find, make, say } from "./page.js";
import { preview } from "./preview.js";

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

/**
 * The body to ask about, or why there is nothing to ask yet.
 * @param {string} act @param {string} value what stands in the field @returns {Record<string, unknown> | string}
 */
function asked(act, value) {
	if (act === "merge")
		return value ? { with: /^\d+$/.test(value) ? "INC-" + value : value } : "";
	const at = moment(value);
	return value && Number.isNaN(Date.parse(at)) ? say("preview_no_time") : value && { at };
}

/** What would come of it, before it is done. @param {HTMLDialogElement} dialog @param {string} act @param {Named[]} list @param {Record<string, unknown>} given */
function startPreview(dialog, act, list, given) {
	const field = find('[name="with"], [name="at"]', HTMLInputElement, dialog);
	const only = list.length === 1 ? list[0] : undefined;
	if (!only || !["merge", "cut", "unlink"].includes(act))
		return;
	const shown = dialog.querySelector("[data-preview]") ?? make("ul", { "data-preview": true, "aria-live": "polite", class: "preview" });
	if (!shown.isConnected)
		find(".buttons", HTMLElement, dialog)?.before(shown);
	let latest = 0, timer = 0;
	const show = async () => {
		const mine = ++latest, about = field ? asked(act, field.value.trim()) : given;
		const lines = typeof about === "string" ? [about].filter(Boolean) : await preview(act, only.number, about);
		if (mine === latest && dialog.open)
			shown.replaceChildren(...lines.map((line) => make("li", {}, line)));
	};
	if (field)
		field.oninput = () => {
			clearTimeout(timer);
			timer = window.setTimeout(show, 250);
		};
	shown.replaceChildren(make("li", {}, say("loading")));
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
 * @param {Record<string, unknown>} given what is decided about, where no field says it
 */
export function askInDialog(act, list, confirmed, begin = {}, given = {}) {
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
	startPreview(dialog, act, list, given);
}
