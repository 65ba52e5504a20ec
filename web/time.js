// SPDX-License-Identifier: Apache-2.0
// Times in the reader's words: ages that go on while somebody looks, and clocks in UTC or local.
import { all, say } from "./page.js";

const MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400;
/* The server's clock less ours: ages are against the clock that stamped the alerts. */
let skewMs = 0;
/** @type {"utc" | "local"} as the page was written; a switch in its header changes it */
let zone = "utc";

/** As the server writes it (pages/moment.c). @param {number} seconds */
export function span(seconds) {
	const s = Math.max(0, Math.floor(seconds));
	if (s < MINUTE_S)
		return say("span_seconds", s);
	if (s < HOUR_S)
		return say("span_minutes", Math.floor(s / MINUTE_S));
	const hours = Math.floor(s / HOUR_S), minutes = Math.floor((s % HOUR_S) / MINUTE_S);
	if (hours < 5 && minutes)
		return say("span_hours_minutes", hours, minutes);
	return s < 2 * DAY_S ? say("span_hours", hours) : say("span_days", Math.floor(s / DAY_S));
}

/** @param {number} n */
const two = (n) => String(n).padStart(2, "0");

/** "UTC", "UTC+01:00": the offset of that moment, not of today. @param {Date} date */
function zoneName(date) {
	const offset = zone === "local" ? -date.getTimezoneOffset() : 0;
	const absolute = Math.abs(offset);
	return offset === 0 ? "UTC" : `UTC${offset < 0 ? "-" : "+"}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}

/** @param {Date} date @param {"clock" | "full"} form */
export function clock(date, form) {
	const local = zone === "local";
	const shifted = local ? new Date(date.getTime() - date.getTimezoneOffset() * 60000) : date;
	const text = shifted.toISOString();
	return form === "clock" ? text.slice(11, 19) : `${text.slice(0, 10)} ${text.slice(11, 19)} ${zoneName(date)}`;
}

/** @param {Element} element @param {boolean} agesOnly */
function write(element, agesOnly) {
	const date = new Date(element.getAttribute("datetime") ?? "");
	const form = element.getAttribute("data-form") ?? "ago";
	if (Number.isNaN(date.getTime()) || (agesOnly && form !== "ago"))
		return;
	const text = form === "ago" ? span((Date.now() + skewMs - date.getTime()) / 1000)
		: clock(date, form === "clock" ? "clock" : "full");
	if (element.textContent !== text)
		element.textContent = text;
	if (!agesOnly && form !== "full")
		element.setAttribute("title", clock(date, "full"));
}

/** Writes all times under @root anew. @param {ParentNode} root */
export function writeTimes(root = document) {
	for (const element of all("time", root))
		write(element, false);
}

/** @param {ParentNode} root */
function writeAges(root = document) {
	for (const element of all("time:not([data-form])", root))
		write(element, true);
}

export function startTimes() {
	const now = Date.parse(document.body.dataset.now ?? "");
	// Only what no slow network explains is a clock that is wrong.
	if (!Number.isNaN(now) && Math.abs(now - Date.now()) > 30000)
		skewMs = now - Date.now();
	zone = document.documentElement.dataset.zone === "local" ? "local" : "utc";
	// For the server, which writes the first paint of the next page by it.
	const secure = location.protocol === "https:" ? "; Secure" : "";
	document.cookie = `tocsin_offset=${-new Date().getTimezoneOffset()}; Path=/; Max-Age=31536000; SameSite=Strict${secure}`;
	writeTimes();
	setInterval(() => {
		if (document.visibilityState === "visible")
			writeAges();
	}, 1000);
	document.addEventListener("visibilitychange", () => {
		if (document.visibilityState === "visible")
			writeAges();
	});
}
