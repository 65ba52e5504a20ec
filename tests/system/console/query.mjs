// SPDX-License-Identifier: Apache-2.0
// The address is the view: filters, order and selection come back with it.
import { axe, check, eventually, open, person, picture } from "./rig.mjs";

async function completions(page) {
	await open(page.context(), "/incidents", page);
	await page.keyboard.press("/");
	await page.keyboard.type("seve");
	const options = page.locator("#completions [role=option]");
	await eventually("the query box completes fields", async () => (await options.allTextContents()).some((text) => text.startsWith("severity:")));
	check("as a combobox", await page.getAttribute("#search", "aria-expanded") === "true" && await page.getAttribute("#search", "role") === "combobox");
	const violations = await axe(page);
	check("that is accessible", violations.length === 0, violations);
	await page.keyboard.press("ArrowDown");
	check("the arrow goes to the first", await page.getAttribute("#search", "aria-activedescendant") === "completion-0");
	await page.keyboard.press("Enter");
	check("Enter takes it", (await page.inputValue("#search")).startsWith("severity"), await page.inputValue("#search"));
	await page.fill("#search", "");
	await page.keyboard.type("ns:sh");
	await eventually("values that are stored, too", async () => (await options.allTextContents()).some((text) => text.includes("shop")));
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Tab");
	check("Tab takes it", (await page.inputValue("#search")).startsWith("ns:shop"), await page.inputValue("#search"));
	await page.keyboard.press("Enter");
	await page.waitForURL(/q=ns%3Ashop/);
	await page.waitForSelector("body[data-ready]", { state: "attached" });
	check("Enter asks, and the answer is of that namespace", await page.locator("tr[data-row]").count() > 0 &&
		(await page.locator("tr[data-row] td.where").allTextContents()).every((text) => text.startsWith("shop")));
}

async function mistakes(page) {
	await page.fill("#search", "ns:shop sev>=terrible x");
	await eventually("a mistake is said", async () => (await page.locator("#query-mistake").textContent())?.includes("terrible"));
	check("and underlined where it is", (await page.locator(".query-marks u").textContent())?.includes("terrible"), await page.locator(".query-marks").innerHTML());
	check("and known to readers", await page.getAttribute("#search", "aria-invalid") === "true" && await page.getAttribute("#search", "aria-describedby") === "query-mistake");
	await page.keyboard.press("Escape");
	await picture(page, "mistake");
	await page.fill("#search", "ns:shop sev>=high");
	await eventually("and no more when it is mended", async () => await page.getAttribute("#search", "aria-invalid") === "false");
}

export default async function query(world) {
	const context = await person("analyst"), page = await open(context, "/incidents");
	await page.selectOption('form.filters select[name="severity"]', "high");
	await page.waitForURL(/severity=high/);
	await page.waitForSelector("body[data-ready]", { state: "attached" });
	check("a filter is in the address, and nothing that is empty", !/=(&|$)/.test(new URL(page.url()).search), page.url());
	await page.selectOption('form.filters select[name="sort"]', "risk");
	await page.waitForURL(/severity=high.*sort=risk|sort=risk.*severity=high/);
	check("another one does not reset it", true);
	await page.goto(`/incidents?limit=200#at=${world.attack}&x=${world.noise},${world.attack}`);
	await page.reload();
	await eventually("the selection and the cursor are in the address", async () => await page.locator("input[data-select]:checked").count() === 2 &&
		await page.evaluate(() => document.activeElement?.closest("tr")?.getAttribute("data-number")) === world.attack);
	await completions(page);
	await mistakes(page);
	await context.close();
}
