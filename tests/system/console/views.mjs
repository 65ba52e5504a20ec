// SPDX-License-Identifier: Apache-2.0
// A view is saved under a name, is an address when it is opened, is shared, and goes.
import { api, axe, check, eventually, open, overflow, person } from "./rig.mjs";

const saved = async () => (await api("GET", "/api/v1/views")).document.items;

export default async function views() {
	const context = await person("analyst"), page = await open(context, "/incidents?q=ns%3Ashop&severity=high&sort=risk");
	await page.click("#views summary");
	await page.fill('#views [name="name"]', "Shop <b>at night</b>");
	await page.check('#views [name="shared"]');
	await page.click("#views form button");
	await eventually("a view is saved with its filters and order", async () => (await saved()).some((view) => view.query === "ns:shop sev>=high" && view.sort === "risk" && view.shared));
	await eventually("and listed, as text", async () => (await page.locator("#views li a").innerText()) === "Shop <b>at night</b>");
	const violations = await axe(page);
	check("the menu is accessible and fits", violations.length === 0 && !await overflow(page), violations);
	const other = await person("viewer"), seen = await open(other, "/alerts");
	await seen.click("#views summary");
	await seen.locator("#views li a").click();
	await seen.waitForURL((to) => to.pathname === "/incidents" && to.searchParams.get("q") === "ns:shop sev>=high" && to.searchParams.get("sort") === "risk");
	check("somebody else opens it where it belongs", true);
	check("and cannot share or remove it", await seen.locator('#views [name="shared"], #views li button').count() === 0);
	await other.close();
	await page.keyboard.press("Escape");
	check("Esc closes the menu only", await page.locator("#views[open]").count() === 0 && page.url().includes("ns%3Ashop"));
	await page.click("#views summary");
	await page.click("#views li button");
	await eventually("and it goes", async () => (await saved()).length === 0);
	for (let i = 0; i < 55; i++)
		await api("POST", "/api/v1/views", { name: `many ${String(i).padStart(2, "0")}`, of: "incidents", query: "risk>" + i, shared: true }, "analyst");
	await open(context, "/incidents", page);
	await page.click("#views summary");
	await eventually("of many views the first are shown, and how many there are beyond", async () => await page.locator("#views li a").count() === 50 &&
		/and \d+ more/.test(await page.locator("#views li").last().innerText()));
	await page.fill('#views [name="name"]', "MANY 54");
	await eventually("typing finds the others", async () => await page.locator("#views li a").count() === 1 && (await page.locator("#views li a").innerText()) === "many 54");
	await context.close();
}
