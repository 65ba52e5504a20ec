// SPDX-License-Identifier: Apache-2.0
// Three o'clock in the morning, by the keyboard: from the first page to a decision, counted in key presses.
import { alert, api, check, eventually, incident, numberOf, open, person, picture, send } from "./rig.mjs";

export default async function night() {
	await send(alert("night-1", "Detect release_agent File Container Escapes", { priority: "Critical", tags: ["T1611"] }),
		alert("night-1", "Drop and execute new binary in container", { priority: "Critical", tags: ["TA0003"] }),
		alert("night-1", "Read sensitive file untrusted", { priority: "Critical", tags: ["T1555"] }),
		alert("night-1", "Contact C2", { priority: "Critical", tags: ["T1071"] }));
	const number = await numberOf("night-1");
	const context = await person("analyst"), page = await open(context, "/");
	let presses = 0;
	const press = async (key) => {
		presses++;
		await page.keyboard.press(key);
	};
	// To the row: as many presses as it takes. The worst is first.
	for (let i = 0; i < 20; i++) {
		await press("j");
		if (await page.evaluate(() => document.querySelector("[data-cursor]")?.getAttribute("data-number")) === number)
			break;
	}
	await press("Enter");
	await page.waitForURL(new RegExp("/incidents/" + number));
	await page.waitForSelector("body[data-ready]", { state: "attached" });
	const seen = await page.innerText("main");
	check("what, where and how bad is in sight", seen.includes("night-1") && /critical/i.test(seen) && (await incident(number)).story.every((row) => seen.includes(row.rule)), seen.slice(0, 600));
	await picture(page, "night");
	await press("a");
	await eventually("acknowledged", async () => (await incident(number)).state === "acknowledged");
	await press("r");
	await eventually("raw bytes seen", async () => (await page.locator("#drawer pre").textContent())?.includes("output_fields"));
	await picture(page, "night-raw");
	await press("Escape");
	await press("s");
	await press("Enter");
	await eventually("assigned to oneself", async () => (await incident(number)).assignee === "ann");
	await eventually("the dialog is closed", async () => await page.locator("dialog[open]").count() === 0);
	await press("c");
	await page.keyboard.type("looking into it");
	await press("Control+Enter");
	await eventually("commented", async () => (await api("GET", `/api/v1/incidents/${number}/activity`)).document.items.at(-1).detail.text === "looking into it");
	check(`at most 12 key presses: ${presses}`, presses <= 12, presses);
	await picture(page, "night-done");
	await context.close();
}
