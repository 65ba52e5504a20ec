// SPDX-License-Identifier: Apache-2.0
// Alerts whose every field was chosen by an attacker, on every page that shows them.
import { api, check, open, overflow, person, wrongs } from "./rig.mjs";
import { hostileTexts } from "./alerts.mjs";

async function visit(context, paths) {
	const page = await context.newPage(), before = wrongs.length;
	let wide = "", made = "";
	for (const path of paths) {
		await open(context, path, page);
		if (page.status >= 500)
			made += `${path}: ${page.status} `;
		const found = await overflow(page);
		if (found)
			wide += `${path}: ${found} `;
		// What the texts would have made if anything took them for HTML.
		made += await page.evaluate(() => [...document.querySelectorAll('body img, body svg[onload], script:not([src]):not([type="application/json"]), [onerror], [onload], a[href^="javascript:"]')]
			.map((one) => one.outerHTML.slice(0, 80)).join(" "));
	}
	await page.close();
	return { wide, made, wrong: wrongs.slice(before) };
}

export default async function hostile(world) {
	const { document } = await api("GET", "/api/v1/incidents?severity=critical&limit=100");
	const numbers = document.items.map((one) => one.number.replace("INC-", "")).filter((number) => number !== world.attack);
	check("there is an incident of each hostile text", numbers.length >= hostileTexts.length - 1, numbers.length);
	const alerts = (await api("GET", "/api/v1/alerts?severity=critical&limit=30")).document.items.map((one) => "/alerts/" + one.id);
	for (const number of numbers.slice(0, 3))
		for (const text of hostileTexts.slice(0, 4))
			await api("POST", `/api/v1/incidents/${number}/comment`, { text });
	const parts = ["", "/tactics", "/processes", "/entities", "/alerts", "/activity", "/similar"];
	const paths = ["/", "/incidents?limit=200", "/incidents?q=" + encodeURIComponent(hostileTexts[1]), "/alerts",
		...numbers.flatMap((number, i) => (i < 3 ? parts : [parts[i % parts.length], ""]).map((part) => `/incidents/${number}${part}`)), ...alerts.slice(0, 10)];
	const phone = await person("admin", { viewport: { width: 390, height: 844 } }), desk = await person("admin");
	const [small, large] = await Promise.all([visit(phone, paths), visit(desk, paths)]);
	for (const [name, found] of [["a phone", small], ["a desk", large]]) {
		check(`hostile texts make no element on ${name}`, !found.made, found.made);
		check(`hostile texts run and ask for nothing on ${name}`, found.wrong.length === 0, found.wrong);
		check(`hostile texts fit on ${name}`, !found.wide, found.wide);
	}
	const page = await desk.newPage();
	const marked = document.items.filter((one) => /[<\u202e]/.test(one.title)).map((one) => one.number.replace("INC-", ""));
	check("some of them hold marks", marked.length >= 4, document.items.map((one) => one.title));
	for (const number of marked.slice(0, 5)) {
		await open(desk, "/incidents/" + number, page);
		await page.keyboard.press("r");
		await page.waitForFunction(() => (globalThis.document.querySelector("#drawer pre")?.textContent?.length ?? 0) > 100);
		check(`raw bytes of INC-${number} are text, and hidden characters are shown`, await page.locator("#drawer pre *").count() === 0 &&
			!/[\u202e\u2066\u0000-\u0008]/.test(await page.locator("#drawer pre").textContent() ?? ""));
		await page.keyboard.press("c");
		await page.fill('#dialog-comment [name="text"]', hostileTexts[1]);
		await page.keyboard.press("Control+Enter");
		await page.waitForSelector("#toasts .toast");
	}
	check("messages about them are text", await page.locator("#toasts img, #toasts script").count() === 0);
	await phone.close();
	await desk.close();
}
