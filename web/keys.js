// SPDX-License-Identifier: Apache-2.0
// Single keys, as in the help dialog. They can be switched off (WCAG 2.1.4), never act inside
// inputs, and each of them has a control that can be seen and focused.
import { find, isTyping, make, recall, remember, say } from "./page.js";

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

/* What the help says of keys, in its order. @returns {[string, string][]} */
const described = () => /** @type {[string, string][]} */ ([["j / k", say("key_move")], ["Enter", say("key_open")], ["Esc", say("key_back")],
	["x", say("key_select")], ["Shift+x", say("key_range")], ["a", say("act_ack")], ["s", say("act_assign")], ["c", say("act_comment")],
	["z", say("act_snooze")], ["m", say("act_merge")], ["R", say("act_resolve")], ["t", say("key_tune")], ["r", say("key_raw")],
	["u", say("key_undo")], ["/", say("search")], [".", say("key_new")], ["g o", say("nav_oncall")], ["g i", say("nav_incidents")],
	["g a", say("nav_alerts")], ["g s", say("nav_suppressions")], ["g h", say("nav_health")], ["?", say("key_help")],
	["Ctrl+K", say("key_palette")]]);

/**
 * What a shortcut does, in the words of the help dialog: one table of texts for both.
 * @param {string} keys
 */
export const labelOf = (keys) => described().find(([shown]) => shown.split(" / ").includes(keys))?.[1] ?? "";

function makeHelp() {
	const terms = described().flatMap(([keys, text]) => [make("dt", {}, make("kbd", {}, keys)), make("dd", {}, text)]);
	const dialog = make("dialog", { id: "dialog-keys", "aria-labelledby": "dialog-keys-title" },
		make("form", { method: "dialog" }, make("h2", { id: "dialog-keys-title" }, say("key_help")), make("dl", { class: "keys" }, ...terms),
			make("label", { class: "check" }, make("input", { type: "checkbox", "data-keys-off": true }), make("span", {}, say("keys_off"))),
			make("p", { class: "buttons" }, make("button", { class: "primary" }, say("close")))));
	document.body.append(dialog);
	return dialog;
}

/** The list of keys, and the switch for them. */
export function showHelp() {
	const dialog = find("#dialog-keys", HTMLDialogElement) ?? makeHelp();
	const box = find("input[data-keys-off]", HTMLInputElement, dialog);
	if (box)
		box.checked = !keysAreOn();
	dialog.showModal();
	return true;
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
