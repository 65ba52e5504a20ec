// SPDX-License-Identifier: Apache-2.0
// Every decision, by the mouse: what is stored, what is shown at once, who was faster, and many at a time.
import { alert, api, check, eventually, incident, newIncident, open, person, send } from "./rig.mjs";

const toast = (page) => page.locator("#toasts").innerText();
const act = (page, name) => page.locator(`[data-act="${name}"]`).first().evaluate((one) => one.click());
const confirm = (page, name) => page.click(`#dialog-${name} [data-confirm]`);

async function oneByOne(context) {
	const number = await newIncident("decide-1");
	const page = await open(context, "/incidents/" + number);
	const state = async () => await page.locator("header.incident [data-state]").getAttribute("data-state");
	await act(page, "ack");
	await eventually("acknowledged, stored and shown", async () => (await incident(number)).state === "acknowledged" && await state() === "acknowledged");
	await act(page, "assign");
	check("assign begins with oneself", await page.inputValue('#dialog-assign [name="assignee"]') === "ann");
	await confirm(page, "assign");
	await eventually("assigned", async () => (await incident(number)).assignee === "ann");
	await eventually("the dialog is gone", async () => await page.locator("dialog[open]").count() === 0);
	await act(page, "comment");
	const said = '<b>not bold</b> \u202e "quoted"';
	await page.fill('#dialog-comment [name="text"]', said);
	await page.keyboard.press("Control+Enter");
	await eventually("commented", async () => (await api("GET", `/api/v1/incidents/${number}/activity`)).document.items.some((one) => one.detail.text === said));
	await act(page, "snooze");
	await page.selectOption('#dialog-snooze [name="for"]', "4h");
	await confirm(page, "snooze");
	await eventually("snoozed", async () => !!(await incident(number)).snoozed_until);
	await act(page, "resolve");
	await confirm(page, "resolve");
	check("without a verdict nothing is resolved", await page.locator("#dialog-resolve[open]").count() === 1 && (await incident(number)).state !== "resolved");
	await page.selectOption('#dialog-resolve [name="verdict"]', "test");
	await page.fill('#dialog-resolve [name="text"]', "an exercise");
	await confirm(page, "resolve");
	await eventually("resolved with a verdict", async () => (await incident(number)).verdict === "test");
	await eventually("and its reason", async () => (await api("GET", `/api/v1/incidents/${number}/activity`)).document.items.at(-1).detail.text === "an exercise");
	await eventually("the page shows it", async () => await state() === "resolved");
	await act(page, "reopen");
	await eventually("reopened", async () => (await incident(number)).state === "investigating");
	await page.close();
}

async function grouping(context) {
	const one = await newIncident("decide-2"), two = await newIncident("decide-3", { secondsAgo: 60 });
	const page = await open(context, "/incidents/" + one);
	await act(page, "merge");
	await page.fill('#dialog-merge [name="with"]', "INC-" + two);
	await eventually("merge says what would be shown as one before it is done", async () =>
		(await page.locator("#dialog-merge [data-preview]").innerText()).includes(`INC-${one} and INC-${two}`));
	check("and nothing was done", !(await incident(one)).links?.length && !(await incident(two)).redirect_to);
	await page.fill('#dialog-merge [name="with"]', "INC-" + one);
	await eventually("a merge with itself is refused before it is sent", async () =>
		(await page.locator("#dialog-merge [data-preview]").innerText()).includes("are one incident"));
	await page.fill('#dialog-merge [name="with"]', "INC-" + two);
	await eventually("and told again when it is another", async () => (await page.locator("#dialog-merge [data-preview]").innerText()).includes(`INC-${one} and INC-${two}`));
	await confirm(page, "merge");
	await eventually("merged", async () => !!(await incident(two)).redirect_to || !!(await incident(one)).redirect_to || (await incident(one)).links?.length);
	await eventually("with an undo", async () => (await toast(page)).includes("Undo"));
	await page.locator("#toasts button", { hasText: "Undo" }).click();
	await eventually("undone", async () => !(await incident(two)).redirect_to && !(await incident(one)).links?.length);
	await act(page, "cut");
	await page.fill('#dialog-cut [name="at"]', "soon");
	await eventually("a cut at no time says so", async () => (await page.locator("#dialog-cut [data-preview] li").count()) === 1);
	const later = new Date(Date.now() + 900000).toISOString().slice(0, 16).replace("T", " ");
	await page.fill('#dialog-cut [name="at"]', later);
	await eventually("a cut after all alerts says that nothing would be otherwise", async () => (await page.locator("#dialog-cut [data-preview]").innerText()).includes("Nothing"));
	await confirm(page, "cut");
	await eventually("cut", async () => (await incident(one)).edits?.some((edit) => edit.what === "cut"), 5);
	await page.close();
}

/** One kind of alerts becomes an incident of its own, and comes back. */
async function unlinking(context) {
	const number = await newIncident("unlink-1");
	await send(alert("unlink-1", "Read sensitive file untrusted"));
	await eventually("an incident with two kinds of alerts", async () => (await incident(number)).story.length === 2);
	const page = await open(context, "/incidents/" + number);
	await page.locator("tr[data-kind=fingerprint] input[data-select]").first().check();
	await page.click('[data-bulk="unlink"]');
	await eventually("it says what it would make of it", async () => {
		const told = await page.locator("#dialog-unlink [data-preview]").innerText();
		return told.includes(`INC-${number}: 2 alerts`) && told.includes("A new incident: 1 alerts");
	});
	check("and has not done it yet", (await incident(number)).story.length === 2);
	await confirm(page, "unlink");
	await eventually("unlinked", async () => (await incident(number)).story.length === 1);
	await page.waitForSelector("#toasts button");
	await page.keyboard.press("u");
	await eventually("and taken back", async () => (await incident(number)).story.length === 2);
	await page.close();
}

/** Somebody else decides meanwhile. */
async function conflicts(context) {
	const number = await newIncident("decide-4");
	const page = await open(context, "/incidents/" + number);
	await page.click("#live-pause");
	await api("POST", `/api/v1/incidents/${number}/assign`, { assignee: "bob" });
	await act(page, "resolve");
	await page.selectOption('#dialog-resolve [name="verdict"]', "test");
	await confirm(page, "resolve");
	await eventually("who was too late sees what changed", async () => (await page.locator("#dialog-resolve [data-error]").innerText()).includes("bob"));
	check("and nothing was resolved", (await incident(number)).state !== "resolved");
	await confirm(page, "resolve");
	await eventually("and can do it still, having seen it", async () => (await incident(number)).state === "resolved");
	await page.close();
	const other = await newIncident("decide-5");
	const list = await open(context, "/incidents/" + other);
	await list.click("#live-pause");
	await api("POST", `/api/v1/incidents/${other}/comment`, { text: "hm" });
	await act(list, "ack");
	await eventually("what changed without changing the question is no conflict", async () => (await incident(other)).state === "acknowledged");
	await list.close();
}

async function many(context) {
	const numbers = [await newIncident("many-1"), await newIncident("many-2"), await newIncident("many-3")];
	const page = await open(context, "/incidents");
	await page.click("#live-pause");
	await api("POST", `/api/v1/incidents/${numbers[1]}/resolve`, { verdict: "test" });
	for (const number of numbers)
		await page.check(`#incident-${number} input[data-select]`);
	await page.click('[data-bulk="ack"]');
	await eventually("many at once: those that can", async () => (await incident(numbers[0])).state === "acknowledged" && (await incident(numbers[2])).state === "acknowledged");
	await eventually("and which could not, and why", async () => (await toast(page)).includes("2 of 3") && (await toast(page)).includes("INC-" + numbers[1]));
	await eventually("the selection is over", async () => await page.locator("input[data-select]:checked").count() === 0);
	for (const number of [numbers[0], numbers[2]])
		await page.check(`#incident-${number} input[data-select]`);
	await page.click('[data-bulk="merge"]');
	const into = await page.inputValue('#dialog-merge [name="with"]');
	check("several are merged into the first of them", [numbers[0], numbers[2]].includes(into.replace("INC-", "")), into);
	await confirm(page, "merge");
	await eventually("merged", async () => (await incident(numbers[0])).links?.length || (await incident(numbers[0])).redirect_to || (await incident(numbers[2])).redirect_to);
	await page.close();
}

/** A slow server: the page does not wait for it. */
async function optimism(context) {
	const number = await newIncident("slow-1");
	const page = await open(context, "/incidents");
	await page.route("**/api/v1/incidents/*/ack", async (route) => {
		await new Promise((resolve) => setTimeout(resolve, 1500));
		await route.continue();
	});
	await page.focus(`#incident-${number} a`);
	const took = await page.evaluate(async (id) => {
		const row = document.getElementById(id), began = performance.now();
		document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true, cancelable: true }));
		await new Promise((resolve) => requestAnimationFrame(resolve));
		return row?.getAttribute("data-pending") === "ack" ? performance.now() - began : 1e9;
	}, "incident-" + number);
	check("painted within 100 ms", took < 100, took);
	await page.unroute("**/api/v1/incidents/*/ack");
	await page.route("**/api/v1/incidents/*/comment", (route) => route.abort());
	await page.keyboard.press("c");
	await page.fill('#dialog-comment [name="text"]', "lost?");
	await page.keyboard.press("Control+Enter");
	await eventually("without an answer it says so, and the text is kept", async () => (await page.locator("#dialog-comment [data-error]").innerText()).includes("does not answer") &&
		await page.inputValue('#dialog-comment [name="text"]') === "lost?");
	await page.close();
}

async function viewers() {
	const context = await person("viewer"), page = await open(context, "/incidents");
	check("a viewer has nothing to decide with", await page.locator("[data-act], [data-bulk], [data-select]").count() === 0);
	await page.keyboard.press("j");
	await page.keyboard.press("a");
	check("and keys decide nothing either", await page.locator("#toasts .toast").count() === 0);
	await context.close();
}

export default async function decisions() {
	const context = await person("analyst");
	await oneByOne(context);
	await grouping(context);
	await unlinking(context);
	await conflicts(context);
	await many(context);
	await optimism(context);
	await context.close();
	await viewers();
}
