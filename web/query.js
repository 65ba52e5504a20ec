// SPDX-License-Identifier: Apache-2.0
// The query box: completions as an ARIA combobox, and mistakes underlined where they are.
import { call } from "./api.js";
import { find, make, pageName, say } from "./page.js";

/** @typedef {{ text: string, note: string }} Item */
/** @typedef {{ items: Item[], from: number, to: number }} Completion */
/** @typedef {{ from: number, to: number, text: string }} Mistake */

const WAIT_MS = 120, CHECK_MS = 500;
const encoder = new TextEncoder(), decoder = new TextDecoder();

/** The API counts bytes of UTF-8, the box UTF-16. @param {string} text @param {number} bytes */
export const unitsOf = (text, bytes) => decoder.decode(encoder.encode(text).slice(0, Math.max(bytes, 0))).length;
/** @param {string} text @param {number} units */
export const bytesOf = (text, units) => encoder.encode(text.slice(0, units)).length;

/** Does the box ask for alerts or for incidents? */
const ofWhat = () => (pageName() === "alerts" ? "alerts" : "incidents");

/** @param {string} text @param {number} at @param {AbortSignal} signal @returns {Promise<Completion | null>} */
async function complete(text, at, signal) {
	const words = new URLSearchParams({ q: text, at: String(bytesOf(text, at)), of: ofWhat() });
	const answer = await call("GET", "/api/v1/query/complete?" + words, { signal });
	if (answer.status !== 200 || !answer.document)
		return null;
	const { items = [], position = 0, length = 0 } = answer.document;
	return {
		items: items.map((/** @type {any} */ item) => ({ text: String(item.text), note: String(item.detail ?? "") })),
		from: unitsOf(text, position), to: unitsOf(text, position + length),
	};
}

/**
 * What is wrong with a query: a list of what comes after now is empty at once, and says so.
 * @param {string} text @param {AbortSignal} signal @returns {Promise<Mistake | null>}
 */
async function mistakeIn(text, signal) {
	if (!text.trim())
		return null;
	const words = new URLSearchParams({ q: text, limit: "1", since: new Date(Date.now() + 3600000).toISOString() });
	const answer = await call("GET", `/api/v1/${ofWhat()}?${words}`, { signal });
	const { position, length = 0 } = answer.document ?? {};
	if (answer.status !== 400 || position === undefined)
		return null;
	return { from: unitsOf(text, position), to: unitsOf(text, position + length), text: answer.problem };
}

/** Puts @marks where the text of @input is, in its letters. @param {HTMLElement} marks @param {HTMLInputElement} input */
function lieOver(marks, input) {
	const look = getComputedStyle(input), style = marks.style;
	style.left = input.offsetLeft + "px";
	style.top = input.offsetTop + "px";
	style.width = input.clientWidth + "px";
	style.font = look.font;
	style.letterSpacing = look.letterSpacing;
	style.lineHeight = input.offsetHeight + "px";
	style.paddingInline = look.paddingInlineStart;
	style.boxSizing = "border-box";
	marks.scrollLeft = input.scrollLeft;
}

/** @param {HTMLInputElement} input */
function attach(input) {
	const list = make("ul", { id: "completions", role: "listbox", "aria-label": say("completions"), hidden: true });
	const mistake = make("p", { id: "query-mistake", role: "alert", hidden: true });
	const marks = make("div", { class: "query-marks", "aria-hidden": "true" });
	input.setAttribute("role", "combobox");
	input.setAttribute("aria-autocomplete", "list");
	input.setAttribute("aria-expanded", "false");
	input.setAttribute("aria-controls", "completions");
	input.setAttribute("aria-describedby", "query-mistake");
	input.form?.classList.add("completing");
	input.after(marks, list, mistake);

	/** @type {Completion | null} */
	let completion = null;
	/** @type {Mistake | null} */
	let error = null;
	let active = -1, timer = 0, checkTimer = 0;
	let asking = new AbortController(), checking = new AbortController();

	const close = () => {
		list.hidden = true;
		active = -1;
		input.setAttribute("aria-expanded", "false");
		input.removeAttribute("aria-activedescendant");
	};
	const showActive = () => {
		[...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === active)));
		if (active >= 0)
			input.setAttribute("aria-activedescendant", "completion-" + active);
		else
			input.removeAttribute("aria-activedescendant");
		list.children[active]?.scrollIntoView({ block: "nearest" });
	};
	const take = (/** @type {number} */ i) => {
		const item = completion?.items[i];
		if (!completion || !item)
			return;
		input.setRangeText(item.text, completion.from, completion.to, "end");
		close();
		input.focus();
		ask();
	};
	const showMistake = () => {
		const text = input.value;
		mistake.hidden = !error;
		mistake.textContent = error ? error.text : "";
		input.setAttribute("aria-invalid", String(!!error));
		const end = error ? Math.max(error.to, error.from + 1) : 0;
		marks.replaceChildren(...(error ? [text.slice(0, error.from), make("u", {}, text.slice(error.from, end) || "\u00a0")] : []));
		if (error)
			lieOver(marks, input);
	};
	const check = async () => {
		checking.abort();
		checking = new AbortController();
		const mine = checking, found = await mistakeIn(input.value, mine.signal);
		if (mine.signal.aborted)
			return;
		error = found;
		showMistake();
	};
	const show = () => {
		const items = completion?.items ?? [];
		list.replaceChildren(...items.slice(0, 12).map((item, i) => {
			const option = make("li", { role: "option", id: "completion-" + i, "aria-selected": "false" },
				make("span", {}, item.text), " ", make("small", {}, item.note));
			// Not "click": the box would lose the focus first.
			option.addEventListener("mousedown", (event) => {
				event.preventDefault();
				take(i);
			});
			return option;
		}));
		active = -1;
		list.hidden = items.length === 0 || document.activeElement !== input;
		input.setAttribute("aria-expanded", String(!list.hidden));
	};
	const askNow = async () => {
		asking.abort();
		asking = new AbortController();
		const mine = asking;
		const found = await complete(input.value, input.selectionStart ?? input.value.length, mine.signal);
		if (mine.signal.aborted)
			return;
		completion = found;
		show();
	};
	const ask = () => {
		clearTimeout(timer);
		timer = window.setTimeout(askNow, WAIT_MS);
	};
	input.addEventListener("input", () => {
		ask();
		// What was wrong may not be any more: it is said again when the person pauses.
		error = null;
		showMistake();
		clearTimeout(checkTimer);
		checkTimer = window.setTimeout(check, CHECK_MS);
	});
	input.addEventListener("focus", ask);
	input.addEventListener("blur", () => {
		clearTimeout(timer);
		close();
	});
	input.addEventListener("scroll", () => (marks.scrollLeft = input.scrollLeft));
	input.addEventListener("keydown", (event) => {
		const n = list.hidden ? 0 : list.children.length;
		if (event.isComposing)
			return;
		if (event.key === "ArrowDown" && n)
			active = (active + 1) % n;
		else if (event.key === "ArrowUp" && n)
			active = active <= 0 ? n - 1 : active - 1;
		else if ((event.key === "Enter" || event.key === "Tab") && n && active >= 0)
			take(active);
		else if (event.key === "Escape" && n)
			close();
		else if (event.key === "Escape")
			input.blur();
		else
			return;
		event.preventDefault();
		event.stopPropagation();
		if (!list.hidden)
			showActive();
	});
	if (input.value)
		void check();
}

/** The address says only what was chosen: two people who choose the same have the same link. */
function startForms() {
	document.addEventListener("submit", (event) => {
		const form = event.target;
		if (!(form instanceof HTMLFormElement) || form.method !== "get" || !form.matches("form[role=search], form.filters"))
			return;
		event.preventDefault();
		const words = new URLSearchParams(location.pathname === new URL(form.action).pathname ? location.search : "");
		words.delete("after");
		for (const [name, value] of new FormData(form))
			if (String(value))
				words.set(name, String(value));
			else
				words.delete(name);
		const query = words.toString();
		location.assign(new URL(form.action).pathname + (query ? "?" + query : ""));
	});
	// A filter acts when it is chosen; without scripts there is a button.
	document.addEventListener("change", (event) => {
		if (event.target instanceof HTMLSelectElement)
			event.target.closest("form.filters")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
	});
}

/** The page's own box, else the one in the header. */
export const queryBox = () => find('form.filters input[name="q"]:not([type="hidden"])', HTMLInputElement) ?? find("#search", HTMLInputElement);

export function focusQuery() {
	const input = queryBox();
	input?.focus();
	input?.select();
	return !!input;
}

export function startQuery() {
	const input = queryBox();
	if (input)
		attach(input);
	startForms();
}
