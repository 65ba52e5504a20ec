// SPDX-License-Identifier: Apache-2.0
// Single keys, as in the help dialog. They can be switched off (WCAG 2.1.4), never act inside
// inputs, and each of them has a control that can be seen and focused.
import { all, find, isTyping, recall, remember } from "./page.js";

/**
 * @typedef {object} Shortcut
 * @property {string} keys "j", "Shift+x", "g i"; as the help shows it
 * @property {() => void | boolean} run false: not ours this time
 */

/** @type {Map<string, Shortcut>} */
const shortcuts = new Map();
const PREFIX_MS = 1500;
let prefix = "";
let prefixTimer = 0;

/** @param {Shortcut[]} list */
export function addShortcuts(list) {
	for (const shortcut of list)
		shortcuts.set(shortcut.keys, shortcut);
}

export const allShortcuts = () => [...shortcuts.values()];

export const keysAreOn = () => (recall("keys") ?? document.body.dataset.keys ?? "on") !== "off";

/** @param {boolean} on */
export function switchKeys(on) {
	remember("keys", on ? "on" : "off");
	document.body.dataset.keys = on ? "on" : "off";
}

/** "Shift+x", "R" (capitals are themselves), "?" */
/** @param {KeyboardEvent} event */
function nameOf(event) {
	if (event.key === "X")
		return "Shift+x";
	return event.key === "Escape" ? "Esc" : event.key;
}

function forgetPrefix() {
	prefix = "";
	clearTimeout(prefixTimer);
}

/** @param {string} name */
function isPrefix(name) {
	return [...shortcuts.keys()].some((keys) => keys.startsWith(name + " "));
}

/** @param {KeyboardEvent} event */
function onKey(event) {
	if (event.defaultPrevented || event.isComposing)
		return;
	if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
		// With a modifier it is no single key: it works everywhere and always.
		event.preventDefault();
		shortcuts.get("Ctrl+K")?.run();
		return;
	}
	if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
		return;
	const name = nameOf(event);
	// A dialog has its own keys; Escape closes what is open even where letters are off.
	if (document.querySelector("dialog[open]") || (!keysAreOn() && name !== "Esc"))
		return;
	const shortcut = shortcuts.get(prefix ? prefix + " " + name : name);
	if (!shortcut && !prefix && isPrefix(name)) {
		prefix = name;
		prefixTimer = window.setTimeout(forgetPrefix, PREFIX_MS);
		event.preventDefault();
		return;
	}
	forgetPrefix();
	// Enter and Space on a control are the control's.
	if (name === "Enter" && event.target instanceof Element && event.target.closest("a, button, summary, input:not([data-select])"))
		return;
	if (shortcut && shortcut.run() !== false)
		event.preventDefault();
}

const helpDialog = () => find("#dialog-keys", HTMLDialogElement);

/**
 * What a shortcut does, in the words of the help dialog: one table of texts for both.
 * @param {string} keys
 */
export function labelOf(keys) {
	for (const term of all("#dialog-keys dt"))
		if ((term.textContent ?? "").split(" / ").includes(keys))
			return term.nextElementSibling?.textContent ?? "";
	return "";
}

/** The list of keys, and the switch for them. */
export function showHelp() {
	const dialog = helpDialog();
	const box = dialog && find("input[data-keys-off]", HTMLInputElement, dialog);
	if (box)
		box.checked = !keysAreOn();
	dialog?.showModal();
	return !!dialog;
}

export function startKeys() {
	switchKeys(keysAreOn());
	document.addEventListener("keydown", onKey);
	document.addEventListener("change", (event) => {
		if (event.target instanceof HTMLInputElement && event.target.matches("[data-keys-off]"))
			switchKeys(!event.target.checked);
	});
	document.addEventListener("click", (event) => {
		if (event.target instanceof Element && event.target.closest("[data-help]"))
			showHelp();
	});
}
