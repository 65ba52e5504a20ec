// SPDX-License-Identifier: Apache-2.0
// t on a row begins a suppression of its kind; it is saved, listed and ended.
import { api, check, eventually, open, person } from "./rig.mjs";

export default async function suppressions(world) {
	const context = await person("analyst"), page = await open(context, "/incidents/" + world.noise);
	await page.keyboard.press("j");
	await page.keyboard.press("j");
	await page.keyboard.press("t");
	await page.waitForURL(/\/suppressions\?matchers=/);
	await page.waitForSelector("body[data-ready]", { state: "attached" });
	const matchers = await page.inputValue('form[data-form="suppress"] [name="matchers"]');
	check("t fills the form with the row's kind and place", /^rule="/m.test(matchers) && /^namespace="shop"$/m.test(matchers), matchers);
	const preview = page.locator('form[data-form="suppress"] [data-preview]');
	const would = async (lines) => (await api("POST", "/api/v1/suppressions/preview", { matchers: lines })).document;
	const told = async (lines) => {
		const { alerts, fingerprints, incidents } = await would(lines), text = await preview.innerText();
		return alerts.matched > 0 && text.includes(`${alerts.matched} of ${alerts.of}`) && text.includes(`of ${fingerprints.count} kinds`) &&
			text.includes(`Of ${incidents.open} open incidents it would hide ${incidents.hidden}`) && incidents.items.slice(0, 8).every((one) => text.includes(`${one.number} ${one.title}`));
	};
	await eventually("before it is saved it says what it would hide, as the server counts it", () => told(matchers.split("\n")));
	const hostile = ['namespace=~".*<.*"'];
	await page.fill('form[data-form="suppress"] [name="matchers"]', hostile[0]);
	await eventually("what attackers named is told as text", async () => (await would(hostile)).incidents.items.length > 0 && await told(hostile) &&
		await preview.locator("li *").count() === 0);
	await page.fill('form[data-form="suppress"] [name="matchers"]', 'rule="nothing has this name"');
	await eventually("and that it would hide nothing", async () => (await preview.innerText()).includes("hidden 0 of"));
	await page.fill('form[data-form="suppress"] [name="matchers"]', matchers);
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
	await eventually("and not on the page any more", async () => await page.locator("[data-delete]").count() === 0);
	await context.close();
}
