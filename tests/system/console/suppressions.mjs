// SPDX-License-Identifier: Apache-2.0
// t on a row begins a suppression of its kind; it is saved, listed and ended.
import { api, check, eventually, open, person } from "./rig.mjs";

export default async function suppressions(world) {
	const context = await person("analyst"), page = await open(context, "/incidents/" + world.noise);
	// What it would hide, as docs/reference/api.md has it.
	await page.route("**/api/v1/suppressions/preview", (route) => route.fulfill({ json: { matcher_text: "{}", alerts: { matched: 7, of: 31 },
		fingerprints: { count: 2, items: [] }, incidents: { hidden: 1, open: 19, items: [{ number: "INC-9", title: "<b>x</b>", severity: "low" }] } } }));
	await page.keyboard.press("j");
	await page.keyboard.press("j");
	await page.keyboard.press("t");
	await page.waitForURL(/\/suppressions\?matchers=/);
	await page.waitForSelector("body[data-ready]", { state: "attached" });
	const matchers = await page.inputValue('form[data-form="suppress"] [name="matchers"]');
	check("t fills the form with the row's kind and place", /^rule="/m.test(matchers) && /^namespace="shop"$/m.test(matchers), matchers);
	await eventually("before it is saved it says what it would hide, as text", async () => {
		const text = await page.locator('form[data-form="suppress"] [data-preview]').innerText();
		return text.includes("7 of 31") && text.includes("INC-9 <b>x</b>");
	});
	await page.click('form[data-form="suppress"] button.primary');
	check("without a reason nothing is suppressed", (await api("GET", "/api/v1/suppressions?show=active")).document.items.length === 0);
	await page.fill('form[data-form="suppress"] [name="reason"]', "an exercise");
	await page.fill('form[data-form="suppress"] [name="matchers"]', "what?");
	await page.click('form[data-form="suppress"] button.primary');
	await eventually("a mistake is said at the form", async () => (await page.locator('form[data-form="suppress"] [data-error]').innerText()).length > 0);
	await page.fill('form[data-form="suppress"] [name="matchers"]', matchers);
	await page.click('form[data-form="suppress"] button.primary');
	await page.waitForURL(/\/suppressions\/[0-9a-f-]{36}/);
	const saved = (await api("GET", "/api/v1/suppressions?show=active")).document.items;
	check("saved, with who and why", saved.length === 1 && saved[0].reason === "an exercise" && saved[0].created_by.includes("ann"), saved);
	await open(context, "/suppressions", page);
	page.expects = "confirm";
	await page.locator("[data-delete]").first().click();
	await eventually("and ended", async () => (await api("GET", "/api/v1/suppressions?show=active")).document.items.length === 0);
	await context.close();
}
