// SPDX-License-Identifier: Apache-2.0
// Runs the parts one after another: node run.mjs SETTINGS. Each part is a file with a default export.
import { check, finish, settings, startBrowser, stopBrowser, within, wrongs } from "./rig.mjs";
import { fill } from "./alerts.mjs";

const PART_S = 300; // the longest takes 15 s where nothing else runs
const parts = ["assets", "pages", "keys", "decisions", "live", "query", "views", "suppressions", "hostile", "plain", "night"];
const chosen = settings.only.length ? parts.filter((name) => settings.only.includes(name)) : parts;
await startBrowser();
const world = await fill();
for (const name of chosen) {
	const began = Date.now();
	try {
		const part = (await import(`./${name}.mjs`)).default(world);
		check(`${name} runs to its end in ${PART_S} s`, await within(PART_S, part));
	} catch (error) {
		check(`${name} runs to its end`, false, error?.stack ?? error);
	}
	console.log(`# ${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
}
check("no dialog, no error, no violation of the policy, no request elsewhere, on any page", wrongs.length === 0, wrongs);
await stopBrowser();
process.exit(finish());
