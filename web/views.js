// SPDX-License-Identifier: Apache-2.0
// Saved views: a query with a name, one's own or shared. A view is an address, and opens as one.
import { call, newKey } from "./api.js";
import { announce, find, make, pageName, say, toast } from "./page.js";

/** @typedef {{ id: number, name: string, of: string, query: string, sort?: string, owner: string, shared: boolean }} View */

const SHOWN = 50; /* more than one looks through: the rest is found by name */
/* Filters that have a place of their own in the address, and how the query says them. */
const FILTERS = { severity: "sev>=", namespace: "ns:", cluster: "cluster:", pod: "pod:", node: "node:" };

/** @param {View} view */
function addressOf(view) {
	const words = new URLSearchParams();
	if (view.of === "alerts")
		words.set("view", "single");
	if (view.query)
		words.set("q", view.query);
	if (view.sort)
		words.set("sort", view.sort);
	const query = words.toString();
	return (view.of === "incidents" ? "/incidents" : "/alerts") + (query ? "?" + query : "");
}

/** What this page shows, as a view. */
function viewHere() {
	const words = new URLSearchParams(location.search);
	const of = pageName() === "incidents" ? "incidents" : words.get("view") === "single" ? "alerts" : "fingerprints";
	const parts = [words.get("q") ?? ""];
	for (const [name, begin] of Object.entries(FILTERS)) {
		const value = words.get(name);
		if (value)
			parts.push(begin + (/^[\w.-]+$/.test(value) ? value : `"${value.replace(/["\\*]/g, "\\$&")}"`));
	}
	const sort = words.get("sort");
	return { of, query: parts.filter(Boolean).join(" "), ...(sort ? { sort } : {}) };
}

/** @param {View} view @param {() => void} changed */
function itemOf(view, changed) {
	const owner = view.owner.replace(/^[a-z]+:/, ""); // "token:ann" is ann
	const name = make("a", { href: addressOf(view) }, view.name);
	const remove = make("button", { type: "button", "aria-label": say("view_remove", view.name) }, "×");
	remove.addEventListener("click", async () => {
		const answer = await call("DELETE", "/api/v1/views/" + view.id, { key: newKey() });
		if (answer.status !== 200)
			toast(answer.problem, { kind: "bad" });
		changed();
	});
	const isMine = owner === document.body.dataset.name || document.body.dataset.role === "admin";
	return make("li", {}, name, " ", view.shared ? make("small", {}, say("view_shared", owner)) : "", isMine ? remove : "");
}

/** @type {View[]} as they were last read */
let views = [];

/** The first of those whose names hold @wanted, and how many there are beyond. @param {HTMLElement} list @param {string} wanted */
function show(list, wanted) {
	const found = views.filter((view) => view.name.toLowerCase().includes(wanted.trim().toLowerCase()));
	list.replaceChildren(...found.slice(0, SHOWN).map((view) => itemOf(view, () => void fill(list))));
	if (found.length > SHOWN)
		list.append(make("li", {}, make("small", {}, say("view_more", found.length - SHOWN))));
}

/** @param {HTMLElement} list */
async function fill(list) {
	const answer = await call("GET", "/api/v1/views");
	views = answer.document?.items ?? [];
	show(list, "");
	if (!views.length)
		list.append(make("li", {}, answer.problem || say("view_none")));
}

/** @param {HTMLElement} list */
function makeForm(list) {
	const name = make("input", { name: "name", maxlength: "120", required: true, autocomplete: "off", "aria-label": say("view_name"), placeholder: say("view_name") });
	const shared = make("input", { type: "checkbox", name: "shared" });
	const mayShare = document.body.dataset.role !== "viewer";
	const form = make("form", {}, name, mayShare ? make("label", { class: "check" }, shared, " ", say("view_share")) : "", make("button", {}, say("view_save")));
	// The name of a new one finds those that there are.
	name.addEventListener("input", () => show(list, name.value));
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		const body = { name: name.value.trim(), ...viewHere(), shared: shared.checked };
		const answer = await call("POST", "/api/v1/views", { body, key: newKey() });
		if (answer.status !== 200) {
			toast(answer.problem, { kind: "bad" });
			return;
		}
		announce(say("view_saved", body.name));
		form.reset();
		void fill(list);
	});
	return form;
}

/** A menu beside the filters of lists. */
export function startViews() {
	const bar = find("main .bar", HTMLElement);
	if (!bar || (pageName() !== "incidents" && pageName() !== "alerts"))
		return;
	const list = make("ul", {});
	const menu = make("details", { class: "more", id: "views" }, make("summary", {}, say("views")),
		make("div", {}, list, makeForm(list)));
	menu.addEventListener("toggle", () => {
		if (menu.open)
			void fill(list);
	});
	menu.addEventListener("keydown", (event) => {
		if (event.key !== "Escape" || !menu.open)
			return;
		event.stopPropagation();
		menu.open = false;
		menu.querySelector("summary")?.focus();
	});
	bar.append(menu);
}
