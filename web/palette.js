// SPDX-License-Identifier: Apache-2.0
// Ctrl/Cmd+K: go anywhere and do anything by writing a few letters of it.
import { all, find, make, say } from "./page.js";
import { allShortcuts, labelOf } from "./keys.js";

/** @typedef {{ label: string, hint: string, run: () => void }} Command */

/** @returns {Command[]} */
function commands() {
	/** @type {Command[]} */
	const list = [];
	for (const link of all("header nav a[href]"))
		if (link instanceof HTMLAnchorElement)
			list.push({ label: link.textContent ?? "", hint: "", run: () => location.assign(link.href) });
	for (const shortcut of allShortcuts())
		if (shortcut.keys !== "Ctrl+K" && !shortcut.keys.startsWith("g ") && labelOf(shortcut.keys))
			list.push({ label: labelOf(shortcut.keys), hint: shortcut.keys, run: () => void shortcut.run() });
	for (const button of all("form.switches button"))
		list.push({ label: button.title || (button.textContent ?? ""), hint: "", run: () => button.click() });
	return list;
}

/** Letters in order, as in "ginc"; the earlier and closer the better. 0: no. */
/** @param {string} text @param {string} wanted */
export function score(text, wanted) {
	const where = text.toLowerCase();
	let at = -1, points = 1000;
	for (const letter of wanted.toLowerCase().replace(/\s+/g, "")) {
		const next = where.indexOf(letter, at + 1);
		if (next < 0)
			return 0;
		points -= next - at - 1;
		at = next;
	}
	return Math.max(points, 1);
}

/** @param {string} wanted @returns {Command[]} */
function matching(wanted) {
	const number = /^(?:inc-?)?(\d+)$/i.exec(wanted.trim())?.[1];
	/** @type {Command[]} */
	const direct = number ? [{ label: say("palette_incident", number), hint: "", run: () => location.assign("/incidents/" + number) }] : [];
	const found = commands().map((command) => ({ command, points: score(command.label, wanted) }))
		.filter(({ points }) => points > 0);
	if (wanted.trim())
		found.sort((a, b) => b.points - a.points);
	const search = wanted.trim() && !number ? [{ label: say("palette_search", wanted.trim()), hint: "",
		run: () => location.assign("/incidents?q=" + encodeURIComponent(wanted.trim())) }] : [];
	return [...direct, ...found.map(({ command }) => command).slice(0, 12), ...search];
}

/** @param {HTMLDialogElement} dialog @param {HTMLInputElement} input @param {HTMLElement} list */
function drive(dialog, input, list) {
	/** @type {Command[]} */
	let shown = [];
	let active = 0;
	const draw = () => {
		list.replaceChildren(...shown.map((command, i) => {
			const item = make("li", { role: "option", id: "palette-" + i, "aria-selected": String(i === active) },
				make("span", {}, command.label), command.hint ? make("kbd", {}, command.hint) : "");
			item.addEventListener("click", () => choose(i));
			return item;
		}));
		input.setAttribute("aria-activedescendant", shown.length ? "palette-" + active : "");
		document.getElementById("palette-" + active)?.scrollIntoView({ block: "nearest" });
	};
	const choose = (/** @type {number} */ i) => {
		const command = shown[i];
		dialog.close();
		// When the dialog is gone and the focus is back where the command is about.
		if (command)
			setTimeout(command.run);
	};
	input.oninput = () => {
		shown = matching(input.value);
		active = 0;
		draw();
	};
	input.onkeydown = (event) => {
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			active = Math.min(Math.max(active + (event.key === "ArrowDown" ? 1 : -1), 0), shown.length - 1);
			draw();
		} else if (event.key === "Enter" && !event.isComposing) {
			choose(active);
		} else {
			return;
		}
		event.preventDefault();
	};
	input.value = "";
	shown = matching("");
	draw();
}

export function showPalette() {
	let dialog = document.getElementById("palette");
	if (!(dialog instanceof HTMLDialogElement)) {
		const input = make("input", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list",
			"aria-autocomplete": "list", "aria-label": say("palette"), autocomplete: "off", spellcheck: "false" });
		const made = make("dialog", { id: "palette", "aria-label": say("palette") }, input,
			make("ul", { role: "listbox", id: "palette-list", "aria-label": say("palette") }));
		// A click beside it closes it.
		made.addEventListener("click", (event) => {
			if (event.target === made)
				made.close();
		});
		document.body.append(made);
		dialog = made;
	}
	const input = find("input", HTMLInputElement, dialog), list = find("ul", HTMLElement, dialog);
	if (!(dialog instanceof HTMLDialogElement) || !input || !list)
		return;
	if (dialog.open) {
		dialog.close();
		return;
	}
	dialog.showModal();
	drive(dialog, input, list);
	input.focus();
}
