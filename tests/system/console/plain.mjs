// SPDX-License-Identifier: Apache-2.0
// Without JavaScript the list and an incident are readable, and nothing is shown that would not work.
import { axe, check, incident, open, overflow, person } from "./rig.mjs";

export default async function plain(world) {
	const context = await person("admin", { javaScriptEnabled: false });
	context.hasScripts = false;
	const page = await open(context, "/incidents?limit=200");
	const it = await incident(world.attack);
	const row = await page.innerText(`#incident-${world.attack}`);
	check("the list is there: what happened, by which rule, where", row.includes(it.title.split(" in ")[0]) && row.includes(it.entity.workload.name), row);
	check("with nothing that needs scripts", await page.locator("[data-act]:visible, [data-bulk]:visible, [data-select]:visible").count() === 0);
	await page.locator(`#incident-${world.attack} a`).first().click();
	await page.waitForURL(new RegExp("/incidents/" + world.attack));
	const text = await page.innerText("main");
	check("the incident is there, with its story", text.includes(it.story[0].rule), text.slice(0, 300));
	check("the drawer and dialogs are not", await page.locator("#drawer:visible, dialog:visible").count() === 0);
	check("it loads itself again", await page.locator('noscript meta[http-equiv="refresh"], meta[http-equiv="refresh"]').count() === 1);
	await context.close();
	const slow = await person("admin");
	const other = await open(slow, "/incidents");
	check("with scripts the same page fits and is accessible", !await overflow(other) && (await axe(other)).length === 0);
	await slow.close();
}
