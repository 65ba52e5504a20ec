// SPDX-License-Identifier: Apache-2.0
// What all modules stand on: the page's own texts, elements made without HTML strings, messages.

/** @type {Record<string, string>} of texts-en.js or texts-zh-CN.js, which the page names */
const texts = /** @type {any} */ (globalThis).tocsinTexts ?? {};

/**
 * A text of the page's language; {0}, {1} … are the values.
 * @param {string} key without "script_"
 * @param {...(string | number)} values
 */
export function say(key, ...values) {
	const text = texts[key] ?? key;
	return text.replace(/\{(\d)\}/g, (_, i) => String(values[Number(i)] ?? ""));
}

/** Is there such a text? @param {string} key */
export const hasText = (key) => key in texts;

/**
 * The first element that fits, of the kind that is wanted.
 * @template {Element} T
 * @param {string} selector
 * @param {{ new (): T }} kind
 * @param {ParentNode} within
 * @returns {T | null}
 */
export function find(selector, kind, within = document) {
	const found = within.querySelector(selector);
	return found instanceof kind ? found : null;
}

/**
 * @param {string} selector
 * @param {ParentNode} within
 * @returns {HTMLElement[]}
 */
export function all(selector, within = document) {
	/** @type {HTMLElement[]} */
	const found = [];
	for (const element of within.querySelectorAll(selector))
		if (element instanceof HTMLElement)
			found.push(element);
	return found;
}

/**
 * An element with attributes and content. Strings become text, whatever they hold.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean>} attributes
 * @param {...(Node | string)} content
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...content) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes))
		if (value !== false)
			element.setAttribute(name, value === true ? "" : value);
	element.append(...content);
	return element;
}

/** The token that goes with every request that changes something. */
export const csrf = () => find('meta[name="csrf"]', HTMLMetaElement)?.content ?? "";

/** Has somebody signed in? */
export const isSignedIn = () => !!document.body.dataset.role;

/** Which page this is: "on-call", "incidents", … */
export const pageName = () => document.body.dataset.page ?? "";

/** Does the person write something? Then no key is ours. @param {EventTarget | null} target */
export function isTyping(target) {
	// What was just closed may have the focus for a moment still.
	return target instanceof HTMLElement && target.getClientRects().length > 0 && (target.isContentEditable ||
		target.matches("textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit])"));
}

/**
 * A choice that stays in this browser; without storage it lasts as long as the page.
 * @param {string} name
 */
export function recall(name) {
	try {
		return localStorage.getItem("tocsin." + name);
	} catch (_) {
		return null;
	}
}

/** @param {string} name @param {string | null} value null: forgotten */
export function remember(name, value) {
	try {
		if (value === null)
			localStorage.removeItem("tocsin." + name);
		else
			localStorage.setItem("tocsin." + name, value);
	} catch (_) {
		// It was only a convenience.
	}
}

/* One region that is read out, one that is seen; both stay in the page, as readers want it. */
/** @param {string} id @param {Record<string, string>} attributes */
function region(id, attributes) {
	const found = document.getElementById(id);
	if (found)
		return found;
	const made = make("div", { id, ...attributes });
	document.body.append(made);
	return made;
}

/** Reads @text out, without showing it. @param {string} text */
export function announce(text) {
	region("announcer", { role: "status", "aria-live": "polite", class: "unseen" }).textContent = text;
}

/** @typedef {{ label: string, run: () => void }} ToastAction */

/**
 * Shows a message for ten seconds, with what can be done about it.
 * @param {string} text
 * @param {{ kind?: "good" | "bad", actions?: ToastAction[], seconds?: number, lines?: string[] }} options
 * @returns {() => void} takes it away
 */
export function toast(text, options = {}) {
	const seconds = options.seconds ?? 10;
	const box = region("toasts", { role: "region", "aria-label": say("messages") });
	const item = make("div", { class: "toast toast-" + (options.kind ?? "good"), role: "status" }, make("p", {}, text));
	const close = () => item.remove();
	if (options.lines?.length)
		item.append(make("ul", {}, ...options.lines.map((line) => make("li", {}, line))));
	for (const action of options.actions ?? []) {
		const button = make("button", { type: "button" }, action.label);
		button.addEventListener("click", () => {
			close();
			action.run();
		});
		item.append(button);
	}
	const dismiss = make("button", { type: "button", class: "toast-close", "aria-label": say("close") }, "×");
	dismiss.addEventListener("click", close);
	item.append(dismiss);
	box.append(item);
	while (box.children.length > 4)
		box.firstElementChild?.remove();
	// Time stands still while somebody is at it: nobody loses an undo that they are reaching for.
	let left = seconds;
	const timer = setInterval(() => {
		if (!item.isConnected)
			clearInterval(timer);
		else if (!item.matches(":hover, :focus-within") && --left <= 0)
			close();
	}, 1000);
	return close;
}
