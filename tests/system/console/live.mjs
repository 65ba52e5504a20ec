// SPDX-License-Identifier: Apache-2.0
// One stream for all tabs, none for a browser that nobody looks at, and nothing that moves under the reader.
import { alert, api, check, eventually, newIncident, numberOf, open, person, send } from "./rig.mjs";

/** Streams that are open now, by a context's requests. */
function streams(context) {
	const live = new Set();
	let n = 0;
	const mine = (request) => request.url().endsWith("/api/v1/events");
	context.on("request", (request) => mine(request) && live.add(request) && n++);
	context.on("requestfinished", (request) => live.delete(request));
	context.on("requestfailed", (request) => live.delete(request));
	return { open: () => live.size, all: () => n };
}

const see = (page, isVisible) => page.evaluate((visible) => {
	Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (visible ? "visible" : "hidden") });
	Object.defineProperty(document, "hidden", { configurable: true, get: () => !visible });
	document.dispatchEvent(new Event("visibilitychange"));
}, isVisible);

const isLive = (page) => page.locator('#live[data-state="live"]').count();

async function tabs() {
	const context = await person("analyst"), count = streams(context);
	const pages = await Promise.all(Array.from({ length: 10 }, () => open(context, "/incidents")));
	await eventually("all ten tabs know that they are live", async () => (await Promise.all(pages.map(isLive))).every(Boolean));
	check("ten tabs share one stream", count.open() === 1 && count.all() === 1, [count.open(), count.all()]);
	const number = await newIncident("tabs-1");
	await eventually("and all ten hear", async () => (await Promise.all(pages.map((page) => page.locator("#news").isVisible()))).every(Boolean), 15);
	await Promise.all(pages.slice(0, 9).map((page) => see(page, false)));
	await eventually("when nine hide, the tenth reads", () => count.open() === 1);
	await see(pages[9], false);
	await eventually("a browser with hidden tabs only reads nothing", () => count.open() === 0);
	await api("POST", `/api/v1/incidents/${number}/ack`, {});
	const last = pages[9];
	const before = count.all();
	await last.evaluate(() => (globalThis.ids = []));
	const request = context.waitForEvent("request", (one) => one.url().endsWith("/api/v1/events"));
	await see(last, true);
	check("seen again, it goes on from where it was", /^\d+\.\d+$/.test((await (await request).allHeaders())["last-event-id"] ?? ""), (await (await request).allHeaders()));
	await eventually("with one stream", () => count.open() === 1 && count.all() === before + 1);
	await last.click("#news");
	await eventually("and shows what happened meanwhile", async () => await last.locator(`#incident-${number} [data-state="acknowledged"]`).count() === 1);
	await last.close();
	await context.close();
}

const places = (page) => page.evaluate(() => Object.fromEntries([...document.querySelectorAll("tr[data-row]")].map((row) =>
	[row.id, Math.round(row.getBoundingClientRect().top)])));

async function stillness() {
	const context = await person("analyst");
	const first = await newIncident("still-1");
	const page = await open(context, "/incidents?sort=risk");
	await eventually("the page is live", () => isLive(page));
	await page.focus(`#incident-${first} a`);
	const before = await places(page), count = () => page.locator(`#incident-${first}`).getAttribute("data-shown-alerts");
	const was = await count();
	await send(alert("still-1", "Detect release_agent File Container Escapes", { priority: "Critical", tags: ["T1611"] }),
		alert("still-2", "Detect release_agent File Container Escapes", { priority: "Critical", tags: ["T1611"] }));
	await eventually("a counter is patched in place", async () => await count() !== was);
	await eventually("a new row is announced", async () => /1 new/.test(await page.locator("#news").innerText()));
	const after = await places(page);
	check("nothing moved, though the order is another", JSON.stringify(before) === JSON.stringify(after), [before, after]);
	check("the focus is where it was", await page.evaluate(() => document.activeElement?.closest("tr")?.id) === "incident-" + first);
	check("it is said aloud, politely", await page.locator('#announcer[aria-live="polite"]').count() === 1);
	await eventually("once", async () => (await page.locator("#announcer").innerText()).length > 0, 12);
	const second = await numberOf("still-2");
	check("the new row is not there yet", await page.locator(`#incident-${second}`).count() === 0);
	await page.keyboard.press(".");
	await eventually("until it is wanted", async () => await page.locator(`#incident-${second}`).count() === 1);
	check("and the focus is still on its row", await page.evaluate(() => document.activeElement?.closest("tr")?.id) === "incident-" + first);
	await page.click("#live-pause");
	check("paused, it says so", await page.getAttribute("#live-pause", "aria-pressed") === "true" && await page.locator('#live[data-state="paused"]').count() === 1);
	const shown = await page.locator(`#incident-${first}`).getAttribute("data-revision");
	let asked = 0;
	page.on("request", (request) => asked += request.url().includes("sort=risk") ? 1 : 0);
	const heard = page.evaluate(() => new Promise((resolve) => {
		const other = new BroadcastChannel("tocsin-live");
		void other;
		setTimeout(resolve, 2500);
	}));
	await send(alert("still-1", "Read sensitive file untrusted"));
	await heard;
	check("and nothing is asked for or changed", asked === 0 && await page.locator(`#incident-${first}`).getAttribute("data-revision") === shown, asked);
	await page.click("#live-pause");
	await eventually("until it goes on", async () => await page.locator(`#incident-${first}`).getAttribute("data-revision") !== shown);
	await context.close();
}

async function outage() {
	const context = await person("analyst"), page = await context.newPage();
	let isAway = true;
	await page.route("**/api/v1/events", (route) => (isAway ? route.abort() : route.continue()));
	await open(context, "/incidents", page);
	await eventually("without a connection the page says so", async () => await page.locator('#live[data-state="waiting"]').count() === 1);
	isAway = false;
	await eventually("and comes back by itself", () => isLive(page), 15);
	await context.close();
}

export default async function live() {
	await tabs();
	await stillness();
	await outage();
}
