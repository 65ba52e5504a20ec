// SPDX-License-Identifier: Apache-2.0
// Keeps the page in step with the server without moving anything under the reader: what is there
// is patched in place, what is new waits until it is wanted. All HTML is the server's, asked for
// under this page's own address, so that it has the same filter, order and language.
import { all, announce, find, make, pageName, say } from "./page.js";
import { listen } from "./live_bus.js";
import { signInAgain } from "./api.js";
import { morph } from "./morph.js";
import { currentRow, goToRow } from "./rows.js";
import { writeTimes } from "./time.js";
import { unpack } from "./unpack.js";

const LEAST_MS = 1500;      /* between two requests for this page */
const ANNOUNCE_MS = 10000;  /* between two summaries for screen readers */
const LIVE_PAGES = new Set(["on-call", "incidents", "incident"]);

/** @type {Document | null} what the server would show now */
let fresh = null;
let isPaused = false;
let isStale = false;
let askedAt = 0;
let timer = 0;
/** @type {Promise<void> | null} */
let underWay = null;
let lastState = "connecting";
let nNew = 0, nChanged = 0, announcedAt = 0, announceTimer = 0;

/** @returns {Promise<Document | null>} */
async function ask() {
	try {
		const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
		if (response.redirected && new URL(response.url).pathname === "/sign-in")
			signInAgain();
		else if (response.ok) {
			const next = new DOMParser().parseFromString(await response.text(), "text/html");
			unpack(next);
			return next;
		}
	} catch (_) {
		// The stream's state says that the server is away.
	}
	return null;
}

/** @param {Document} next */
function patchRows(next) {
	let changed = 0;
	for (const row of all("[data-row][id]")) {
		const now = next.getElementById(row.id);
		row.toggleAttribute("data-gone", !now);
		if (!now || row.isEqualNode(now))
			continue;
		if (row.dataset.revision !== now.dataset.revision)
			changed++;
		morph(row, now);
		writeTimes(row);
	}
	return changed;
}

/** Regions that may change in place: counters, states, the strip. @param {Document} next */
function patchRegions(next) {
	for (const region of all("[data-live][id]")) {
		const now = next.getElementById(region.id);
		if (now) {
			morph(region, now);
			writeTimes(region);
		}
	}
}

/** @param {Document} next */
const newRows = (next) => all("[data-row][id]", next).filter((row) => !document.getElementById(row.id)).length;

/** An incident's page has more to read than what was patched. @param {Document} next */
function hasMore(next) {
	const count = (/** @type {Document} */ of) => find("[data-story-size]", HTMLElement, of)?.dataset.storySize ?? "";
	return count(next) !== count(document);
}

function showNews() {
	let button = document.getElementById("news");
	if (!button) {
		button = make("button", { id: "news", type: "button", hidden: true });
		button.addEventListener("click", takeIn);
		document.body.append(button);
	}
	const text = nNew ? say("news", nNew) : say("news_here");
	if (button.textContent !== text)
		button.textContent = text;
	button.hidden = !fresh || (nNew === 0 && pageName() !== "incident");
}

function sayNow() {
	announcedAt = Date.now();
	announceTimer = 0;
	announce(nNew ? say("news_spoken", nNew, nChanged) : say("changed_spoken", nChanged));
	nChanged = 0;
}

/** At most one summary each ten seconds, however much happens. */
function summarize() {
	if (!nNew && !nChanged)
		return;
	if (!announceTimer)
		announceTimer = window.setTimeout(sayNow, Math.max(0, announcedAt + ANNOUNCE_MS - Date.now()));
}

async function refresh() {
	const began = Date.now();
	isStale = false;
	const next = await ask();
	// A server that has much to do is asked less often.
	askedAt = Date.now() + 3 * (Date.now() - began);
	if (!next)
		return;
	const rowsBefore = nNew;
	nChanged += patchRows(next);
	patchRegions(next);
	nNew = newRows(next);
	fresh = nNew || (pageName() === "incident" && hasMore(next)) ? next : null;
	showNews();
	if (nNew !== rowsBefore || nChanged)
		summarize();
}

function schedule() {
	if (isPaused || document.visibilityState !== "visible") {
		isStale = true;
		return;
	}
	if (timer || underWay) {
		isStale = true;
		return;
	}
	timer = window.setTimeout(() => {
		timer = 0;
		underWay = refresh().finally(() => {
			underWay = null;
			if (isStale)
				schedule();
		});
	}, Math.max(0, askedAt + LEAST_MS - Date.now()));
}

/** Patches the page now, after something was decided here. */
export async function refreshNow() {
	await underWay;
	clearTimeout(timer);
	timer = 0;
	await refresh();
}

/** Shows what has been waiting: the whole list as the server has it, the cursor where it was. */
export function takeIn() {
	const next = fresh;
	const main = document.getElementById("main"), wanted = next?.getElementById("main");
	if (!next || !main || !wanted)
		return false;
	const cursor = currentRow()?.id;
	const hadFocus = main.contains(document.activeElement) || document.activeElement?.id === "news";
	const chosen = new Set(all("[data-row] input[data-select]:checked").map((box) => box.closest("[data-row]")?.id));
	main.replaceChildren(...[...wanted.childNodes].map((node) => document.adoptNode(node)));
	for (const row of all("[data-row][id]")) {
		const box = find("input[data-select]", HTMLInputElement, row);
		if (box && chosen.has(row.id))
			box.checked = true;
	}
	fresh = null;
	nNew = 0;
	showNews();
	document.dispatchEvent(new CustomEvent("tocsin:taken-in"));
	writeTimes(main);
	const row = (cursor && document.getElementById(cursor)) || all("[data-row]")[0];
	if (hadFocus && row)
		goToRow(row);
	return true;
}

/** @param {string} state */
function showState(state) {
	const shown = document.getElementById("live");
	if (!shown || (isPaused && state !== "paused"))
		return;
	shown.textContent = say("live_" + state.replace("-", "_"));
	shown.dataset.state = state;
}

/* Moving content can be stopped (WCAG 2.2.2). */
function addPause() {
	const shown = document.getElementById("live");
	if (!shown || !LIVE_PAGES.has(pageName()))
		return;
	const button = make("button", { type: "button", id: "live-pause", "aria-pressed": "false" }, say("pause"));
	button.addEventListener("click", () => {
		isPaused = !isPaused;
		button.setAttribute("aria-pressed", String(isPaused));
		if (isPaused && timer) {
			clearTimeout(timer);
			timer = 0;
			isStale = true;
		}
		if (!isPaused && isStale)
			schedule();
		showState(isPaused ? "paused" : lastState);
	});
	shown.after(button);
}

/** Is this event about what the page shows? @param {string} data */
function concerns(data) {
	if (pageName() !== "incident")
		return true;
	try {
		const number = String(JSON.parse(data).number ?? "").replace("INC-", "");
		return number === find('header[data-kind="incident"]', HTMLElement)?.dataset.number;
	} catch (_) {
		return true;
	}
}

export function startView() {
	listen((heard) => {
		if (heard.kind === "state") {
			lastState = heard.state;
			showState(heard.state);
		}
		if (heard.kind === "event" && LIVE_PAGES.has(pageName()) && (heard.event === "reset" || concerns(heard.data)))
			schedule();
	});
	addPause();
	document.addEventListener("visibilitychange", () => {
		if (document.visibilityState === "visible" && isStale)
			schedule();
	});
}
