// SPDX-License-Identifier: Apache-2.0
// Every shortcut does what the help says, only where it may, and can be switched off.
import { check, eventually, incident, newIncident, open, person } from "./rig.mjs";

const current = (page) => page.evaluate(() => document.querySelector("tr[data-cursor]")?.getAttribute("data-number") ?? "");
const focused = (page) => page.evaluate(() => document.activeElement?.closest("tr")?.getAttribute("data-number") ?? "");
const chosen = (page) => page.locator("tr[data-row] input[data-select]:checked").count();

async function moving(page) {
	const numbers = await page.locator("tr[data-row]").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-number")));
	await page.keyboard.press("j");
	check("j goes to the first row, with the focus", await current(page) === numbers[0] && await focused(page) === numbers[0], await current(page));
	await page.keyboard.press("j");
	await page.keyboard.press("j");
	await page.keyboard.press("k");
	check("j and k move down and up", await current(page) === numbers[1], [await current(page), numbers]);
	await page.keyboard.press("x");
	check("x selects a row", await chosen(page) === 1);
	check("and the bar for many shows", await page.locator("#bulk").isVisible());
	check("and says how many", (await page.locator("#bulk [data-selected]").textContent())?.includes("1"));
	await page.keyboard.press("j");
	await page.keyboard.press("j");
	await page.keyboard.press("Shift+X");
	check("Shift+x selects up to here", await chosen(page) === 3, await chosen(page));
	check("the selection is in the address", /#.*x=\d+,\d+,\d+/.test(page.url()), page.url());
	await page.keyboard.press("Escape");
	check("Esc takes the selection back", await chosen(page) === 0);
	await page.keyboard.press("x");
	await page.keyboard.press("x");
	check("x twice selects nothing", await chosen(page) === 0);
	return numbers;
}

async function opening(page) {
	const at = await current(page);
	await page.keyboard.press("Enter");
	await page.waitForURL(new RegExp(`/incidents/${at}`));
	check("Enter opens the row", true);
	await page.waitForSelector("body[data-ready]", { state: "attached" });
	await page.keyboard.press("Escape");
	await page.waitForURL(/\/incidents(#|$|\?)/);
	await page.waitForSelector("body[data-ready]", { state: "attached" });
	check("Esc goes back to the list, to the same row", await current(page) === at, [await current(page), at, page.url()]);
}

async function dialogs(page, world) {
	for (const [key, name] of [["s", "assign"], ["c", "comment"], ["m", "merge"], ["z", "snooze"], ["R", "resolve"]]) {
		await page.keyboard.press(key === "R" ? "Shift+R" : key);
		check(`${key} opens the dialog ${name}`, await page.locator(`#dialog-${name}[open]`).count() === 1);
		check(`and says about which incident`, (await page.locator(`#dialog-${name} [data-target]`).textContent())?.includes("INC-" + world.attack));
		await page.keyboard.press("j");
		await page.keyboard.press("Escape");
		check(`and Esc closes it`, await page.locator("dialog[open]").count() === 0);
	}
	await page.keyboard.press("?");
	check("? shows the help", await page.locator("#dialog-keys[open]").count() === 1);
	await page.keyboard.press("Escape");
	await page.keyboard.press("r");
	await eventually("r shows the raw bytes", async () => (await page.locator("#drawer pre").textContent())?.includes('"output_fields"'));
	check("as text of many lines", (await page.locator("#drawer pre").textContent())?.includes('\n  "'));
	await page.keyboard.press("Escape");
	check("Esc closes them", await page.locator("#drawer").isHidden());
	await page.keyboard.press("/");
	check("/ goes to the query box", await page.evaluate(() => document.activeElement?.id) === "search");
	await page.keyboard.type("gi?x");
	check("letters in the box are letters", await page.inputValue("#search") === "gi?x" && await page.locator("dialog[open]").count() === 0);
	const box = () => page.evaluate(() => document.activeElement?.id === "search");
	for (let i = 0; i < 2 && await box(); i++) // the first may close completions
		await page.keyboard.press("Escape");
	check("Esc leaves the box", !await box());
}

async function places(context) {
	const page = await open(context, "/incidents");
	for (const [key, path] of [["o", "/"], ["a", "/alerts"], ["s", "/suppressions"], ["h", "/health"], ["i", "/incidents"]]) {
		await page.keyboard.press("g");
		await page.keyboard.press(key);
		await page.waitForURL((to) => to.pathname === path);
		await page.waitForSelector("body[data-ready]", { state: "attached" });
		check(`g ${key} goes to ${path}`, true);
	}
	await page.close();
}

async function palette(page) {
	await page.keyboard.press("Control+k");
	check("Ctrl+K opens the palette", await page.locator("#palette[open]").count() === 1);
	await page.keyboard.type("alerts");
	check("which finds what is written", (await page.locator('#palette [aria-selected="true"]').textContent())?.toLowerCase().includes("alerts"));
	await page.keyboard.press("Enter");
	await page.waitForURL((to) => to.pathname === "/alerts");
	await page.waitForSelector("body[data-ready]", { state: "attached" });
	await page.keyboard.press("Control+k");
	await page.keyboard.type("inc-1");
	await page.keyboard.press("Enter");
	await page.waitForURL((to) => to.pathname === "/incidents/1");
	check("and opens an incident by its number", true);
}

async function help(context) {
	const page = await open(context, "/incidents");
	await page.keyboard.press("?");
	const shown = await page.locator("#dialog-keys dt").allTextContents();
	const bound = ["j / k", "Enter", "Esc", "x", "Shift+x", "a", "s", "c", "m", "t", "z", "R", "r", "u", "/", ".", "g i", "g a", "g s", "g h", "g o", "?", "Ctrl+K"];
	check("the help names every shortcut and no other", JSON.stringify(shown.sort()) === JSON.stringify(bound.sort()), shown);
	await page.check("[data-keys-off]");
	await page.keyboard.press("Escape");
	await page.keyboard.press("j");
	check("switched off, letters do nothing", await current(page) === "");
	await page.reload();
	await page.waitForSelector("body[data-ready]", { state: "attached" });
	await page.keyboard.press("j");
	check("also after the page is loaded again", await current(page) === "" && await page.getAttribute("body", "data-keys") === "off");
	await page.click("[data-help]");
	await page.uncheck("[data-keys-off]");
	await page.keyboard.press("Escape");
	await page.keyboard.press("j");
	check("and on again", await current(page) !== "");
	await page.close();
}

/** What a key does, a control does. */
async function controls(context, world) {
	const page = await open(context, "/incidents/" + world.attack);
	const reachable = async (selector) => await page.locator(selector).first().evaluate((one) => {
		one.closest("details")?.setAttribute("open", "");
		one.focus();
		return document.activeElement === one;
	});
	for (const selector of ['[data-act="ack"]', '[data-act="assign"]', '[data-act="comment"]', '[data-act="merge"]', '[data-act="snooze"]',
		'[data-act="resolve"]', "[data-raw]", "#search", "[data-help]", "[data-palette]", "#live-pause", "header nav a"])
		check(`${selector} is there and takes the focus`, await reachable(selector));
	await page.close();
}

async function decidingKeys(context) {
	const number = await newIncident("keys-1");
	const page = await open(context, "/incidents/" + number);
	await page.keyboard.press("a");
	await eventually("a acknowledges", async () => (await incident(number)).state === "acknowledged");
	await page.keyboard.press("z");
	await page.keyboard.press("Enter");
	await eventually("z and Enter snooze", async () => !!(await incident(number)).snoozed_until);
	await page.waitForSelector("#toasts .toast");
	await page.keyboard.press("u");
	await eventually("u takes it back", async () => !(await incident(number)).snoozed_until);
	await page.close();
}

/** Alerts are rows, too. */
async function alerts(context) {
	const page = await open(context, "/alerts");
	await page.keyboard.press("j");
	await page.keyboard.press("r");
	await eventually("r shows raw bytes of a kind of alerts", async () => (await page.locator("#drawer pre").textContent())?.includes('"output_fields"'));
	await page.keyboard.press("Escape");
	await page.keyboard.press("Enter");
	await page.waitForURL(/fingerprint/);
	check("and Enter opens it", await page.locator("tr[data-row]").count() > 0, page.url());
	await page.close();
}

export default async function keys(world) {
	const context = await person("analyst");
	const page = await open(context, "/incidents");
	await moving(page);
	await opening(page);
	await page.close();
	const one = await open(context, "/incidents/" + world.attack);
	await dialogs(one, world);
	await palette(one);
	await one.close();
	await alerts(context);
	await places(context);
	await help(context);
	await controls(context, world);
	await decidingKeys(context);
	await context.close();
}
