// SPDX-License-Identifier: Apache-2.0
// The address is the view: filters, order and selection come back with it.
import { check, eventually, open, person } from "./rig.mjs";

export default async function query(world) {
	const context = await person("analyst"), page = await open(context, "/incidents");
	await page.selectOption('form.filters select[name="severity"]', "high");
	await page.waitForURL(/severity=high/);
	await page.waitForSelector("body[data-ready]", { state: "attached" });
	check("a filter is in the address, and nothing that is empty", !/=(&|$)/.test(new URL(page.url()).search), page.url());
	await page.selectOption('form.filters select[name="sort"]', "risk");
	await page.waitForURL(/severity=high.*sort=risk|sort=risk.*severity=high/);
	check("another one does not reset it", true);
	await page.goto(`/incidents#at=${world.attack}&x=${world.noise},${world.attack}`);
	await page.reload();
	await eventually("the selection and the cursor are in the address", async () => await page.locator("input[data-select]:checked").count() === 2 &&
		await page.evaluate(() => document.activeElement?.closest("tr")?.getAttribute("data-number")) === world.attack);
	await context.close();
}
