// SPDX-License-Identifier: Apache-2.0
// Every page, in both themes, both languages and on a phone: accessible, nothing too wide, no text missing.
import { api, axe, check, eventually, open, overflow, person, picture, settings } from "./rig.mjs";

const parts = ["", "/tactics", "/processes", "/entities", "/alerts", "/activity", "/similar"];

/** Paths of all pages, with what they are called in pictures. */
export async function allPages(world) {
	const alert = (await api("GET", "/api/v1/alerts?limit=1")).document.items[0].id;
	const list = [["on-call", "/"], ["incidents", "/incidents"], ["by-risk", "/incidents?sort=risk&severity=high"],
		["nothing", "/incidents?namespace=nowhere"],
		["incident-groups", "/incidents?group=workload"], ["alert-groups", "/alerts?group=rule&q=sev%3E%3Dlow"], ...parts.map((part) => [`incident${part.replace("/", "-")}`, `/incidents/${world.attack}${part}`]),
		["entity", "/entities/pod/shop%2Ffront-5d4f7c9b6-x2k9p"], ["alerts", "/alerts"], ["alert", "/alerts/" + alert], ["suppressions", "/suppressions"], ["health", "/health"], ["admin", "/admin"],
		["missing", "/incidents/999999"]];
	return list;
}

const missing = (page) => page.evaluate(() => [...document.body.innerText.matchAll(/\b(script|span|nav|act|key|field)_[a-z_]+\b|\{[01]\}/g)].map((found) => found[0]));

async function look(context, pages, name, wanted) {
	const page = await context.newPage();
	for (const [called, path] of pages) {
		await open(context, path, page);
		const wide = await overflow(page);
		check(`${name}: ${called} fits its window`, !wide, wide);
		if (wanted.axe) {
			const violations = await axe(page);
			check(`${name}: ${called} has no violation of accessibility`, violations.length === 0, violations);
		}
		if (wanted.words) {
			const words = await missing(page);
			check(`${name}: ${called} has all its texts, one h1 and its language`, words.length === 0 && await page.locator("h1").count() === 1 &&
				await page.getAttribute("html", "lang") === wanted.language, [words, await page.locator("h1").count()]);
		}
		await picture(page, `${name}-${called}`);
	}
	await page.close();
}

/** The page as somebody who has never been here gets it. */
async function signIn() {
	const context = await person(null), page = await context.newPage();
	await page.goto("/incidents?sort=risk");
	check("without a session pages are the sign-in, which knows the way back", page.url().endsWith("/sign-in?next=%2Fincidents%3Fsort%3Drisk"), page.url());
	const violations = await axe(page);
	check("the sign-in has no violation of accessibility", violations.length === 0, violations);
	await picture(page, "sign-in");
	await page.fill("#token", "tsn_wrong");
	await page.click("button[type=submit]");
	check("a wrong token is refused in words", await page.locator('[role="alert"]').count() === 1);
	await page.fill("#token", settings.tokens.viewer);
	await page.click("button[type=submit]");
	await page.waitForURL(/\/incidents\?sort=risk$/);
	const cookie = (await context.cookies()).find((one) => one.name === "tocsin_session");
	check("signed in, one is where one wanted to be; scripts do not see the session", cookie?.httpOnly && cookie.sameSite === "Strict" &&
		!(await page.evaluate(() => document.cookie)).includes("tocsin_session"), cookie);
	await page.click('form[action="/sign-out"] button');
	await page.waitForURL(/\/sign-in/);
	await page.goto("/incidents");
	check("signed out, one is out", page.url().includes("/sign-in?next="), page.url());
	await context.close();
}

/** The switches in the header, with scripts and their forms. */
async function switches() {
	const context = await person("admin", { timezoneId: "Asia/Kolkata" }), page = await open(context, "/incidents?sort=risk");
	const theme = () => page.getAttribute("html", "data-theme");
	const before = await theme();
	await page.click('form.switches button[name="theme"]');
	await eventually("the theme switch changes the theme and stays on the page", async () =>
		await theme() !== before && page.url().endsWith("/incidents?sort=risk"));
	await page.click('form.switches button[name="language"]');
	await eventually("the language switch changes the language", async () => await page.getAttribute("html", "lang") === "zh-CN");
	await page.click('form.switches button[name="zone"]');
	await eventually("the zone switch changes the zone", async () => await page.getAttribute("html", "data-zone") === "local");
	await eventually("and times are those of the browser's zone", async () => /UTC\+05:30/.test(await page.locator("main time").first().getAttribute("title") ?? ""));
	await context.close();
}

/** A number says on a phone what it is: the table's head is out of sight there. */
async function labels(world) {
	const context = await person("admin", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 1 });
	for (const path of ["/", "/incidents", "/incidents/" + world.attack, "/alerts", "/health", "/admin"]) {
		const page = await open(context, path);
		const bare = await page.evaluate(() => [...document.querySelectorAll("table.list tbody td")].filter((cell) => /^[×\d]/.test(cell.innerText.trim()) &&
			!cell.matches(".title, .what, .rule, .where, .wrap") && getComputedStyle(cell, "::before").content === "none").map((cell) => cell.outerHTML.slice(0, 160)));
		check(`phone: each number in the rows of ${path} has its name`, bare.length === 0 && await page.locator("table.list tbody td[data-label]").count() > 0, bare.slice(0, 4));
		await page.close();
	}
	await context.close();
	const plain = await person("admin", { viewport: { width: 390, height: 844 }, javaScriptEnabled: false });
	plain.hasScripts = false;
	const page = await open(plain, "/incidents");
	check("phone: without scripts rows stay rows of a table with a head", await page.evaluate(() => getComputedStyle(document.querySelector("thead")).position === "static" &&
		getComputedStyle(document.querySelector("tbody tr")).display === "table-row"));
	await plain.close();
}

export default async function pages(world) {
	const list = await allPages(world);
	await signIn();
	const dark = async () => {
		const context = await person("admin", { colorScheme: "dark" });
		await look(context, list, "dark", { axe: true });
		await context.close();
	};
	const chinese = async () => {
		const context = await person("admin", { locale: "zh-CN" });
		await look(context, list, "chinese", { words: true, language: "zh-CN" });
		await context.close();
	};
	const phone = async () => {
		const context = await person("admin", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 1 });
		await look(context, list, "phone", {});
		await context.close();
	};
	const light = async () => {
		const context = await person("admin", { colorScheme: "light" });
		await look(context, list, "light", { axe: true, words: true, language: "en" });
		await context.close();
	};
	await Promise.all([light(), dark()]);
	await Promise.all([chinese(), phone()]);
	await switches();
	await labels(world);
}
