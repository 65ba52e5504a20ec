// SPDX-License-Identifier: Apache-2.0
// A short look at the console in Firefox, by WebDriver BiDi: node --experimental-websocket firefox.mjs SETTINGS
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { alert, api, check, eventually, finish, incident, numberOf, send, settings, url } from "./rig.mjs";

/* Nothing of it leaves this machine. */
const preferences = {
	"app.update.enabled": false, "browser.shell.checkDefaultBrowser": false, "browser.startup.homepage": "about:blank",
	"browser.aboutwelcome.enabled": false, "datareporting.policy.dataSubmissionEnabled": false, "toolkit.telemetry.enabled": false,
	"network.captive-portal-service.enabled": false, "network.connectivity-service.enabled": false, "browser.safebrowsing.update.enabled": false,
	"services.settings.server": "data:,", "extensions.update.enabled": false, "extensions.systemAddon.update.enabled": false,
	"browser.region.update.enabled": false, "ui.prefersReducedMotion": 1, "intl.accept_languages": "en",
};

/** @returns {Promise<{ process: import("node:child_process").ChildProcess, address: string }>} */
async function start(profile) {
	fs.writeFileSync(path.join(profile, "user.js"), Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`).join("\n"));
	const firefox = spawn(settings.firefox, ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "--width", "1366", "--height", "768"],
		{ stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: profile } });
	let told = "";
	return await new Promise((resolve, reject) => {
		firefox.on("error", reject);
		firefox.on("exit", () => reject(new Error("Firefox ended: " + told.slice(-500))));
		firefox.stderr.on("data", (bytes) => {
			told += bytes;
			const found = /WebDriver BiDi listening on (ws:\S+)/.exec(told);
			if (found)
				resolve({ process: firefox, address: found[1] });
		});
	});
}

/** One command after another, and what the browser tells by itself. */
async function connect(address) {
	const socket = new WebSocket(address + "/session"), waiting = new Map(), logged = [];
	let last = 0;
	await new Promise((resolve, reject) => {
		socket.onopen = resolve;
		socket.onerror = () => reject(new Error("no answer of Firefox at " + address));
	});
	socket.onmessage = ({ data }) => {
		const message = JSON.parse(data);
		if (message.method === "log.entryAdded")
			logged.push(`${message.params.level}: ${message.params.text}`);
		const wait = waiting.get(message.id);
		waiting.delete(message.id);
		if (message.type === "error")
			wait?.reject(new Error(`${message.error}: ${message.message}`));
		else
			wait?.resolve(message.result);
	};
	const ask = (method, params = {}) => new Promise((resolve, reject) => {
		waiting.set(++last, { resolve, reject });
		socket.send(JSON.stringify({ id: last, method, params }));
	});
	return { ask, logged, close: () => socket.close() };
}

async function openPage(browser) {
	await browser.ask("session.new", { capabilities: {} });
	await browser.ask("session.subscribe", { events: ["log.entryAdded"] });
	const context = (await browser.ask("browsingContext.getTree")).contexts[0].context;
	/** What @expression is in the page; objects come as JSON. */
	const look = async (expression) => {
		const found = await browser.ask("script.evaluate", { expression: `(async () => JSON.stringify(await (${expression})) ?? "null")()`, target: { context }, awaitPromise: true });
		if (found.type !== "success")
			throw new Error(found.exceptionDetails?.text ?? "a script failed");
		return JSON.parse(found.result.value);
	};
	const press = (...keys) => browser.ask("input.performActions", { context, actions: [{ type: "key", id: "keys", actions: keys.flatMap((value) =>
		[{ type: "keyDown", value }, { type: "keyUp", value }]) }] });
	/* Between two pages there is no body, and what was asked of the old one gets no answer. */
	const ready = async () => {
		for (let i = 0; i < 500; i++) {
			if (await look("document.body?.dataset.ready === ''").catch(() => false))
				return;
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
		check("scripts run", false);
	};
	const go = async (to) => {
		await browser.ask("browsingContext.navigate", { context, url: url + to, wait: "complete" });
		await ready();
	};
	return { look, press, go, ready };
}

async function tour(page, number) {
	const { look, press, go } = page;
	await browserSignsIn(page);
	check("a row has a box, its kind, and labels for phones", await look(`(() => { const row = document.getElementById("incident-${number}");
		return !!row.querySelector("input[data-select]") && row.dataset.kind === "incident" && row.dataset.href === "/incidents/${number}" && !!row.querySelector("td[data-label]"); })()`));
	check("nothing is too wide", await look("document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
	check("the strip and the severity are seen", await look(`(() => { const row = document.getElementById("incident-${number}");
		return getComputedStyle(row.querySelector("b[data-sev]"), "::before").content.includes("◆") && row.querySelector(".strip").getBoundingClientRect().width === 89; })()`));
	await press("j");
	await eventually("j goes to a row", () => look("!!document.querySelector('tr[data-cursor]')"));
	await go("/incidents/" + number);
	await press("a");
	await eventually("a acknowledges", async () => (await incident(number)).state === "acknowledged");
	await eventually("and the page shows it", () => look("document.querySelector('header.incident [data-state]').dataset.state === 'acknowledged'"));
	await press("c");
	await eventually("c opens the dialog", () => look("document.querySelector('#dialog-comment').open"));
	await press(..."seen in Firefox");
	await look("document.querySelector('#dialog-comment [data-confirm]').click()");
	await eventually("commented", async () => (await api("GET", `/api/v1/incidents/${number}/activity`)).document.items.at(-1).detail?.text === "seen in Firefox");
	await eventually("the dialog is closed", () => look("!document.querySelector('dialog[open]')"));
	await press("r");
	await eventually("r shows the raw bytes", () => look("document.querySelector('#drawer pre').textContent.includes('output_fields')"));
	await eventually("live", () => look("document.getElementById('live').dataset.state === 'live'"));
	for (const to of ["/", "/alerts", "/alerts?group=rule", "/suppressions", "/health", `/incidents/${number}/tactics`, `/incidents/${number}/processes`]) {
		await go(to);
		check(`${to} has one h1 and fits`, await look("document.querySelectorAll('h1').length === 1 && document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
	}
}

async function browserSignsIn({ look, go, ready }) {
	await go("/sign-in?next=%2Fincidents%3Fsort%3Drisk");
	await look(`(document.getElementById("token").value = ${JSON.stringify(settings.tokens.analyst)}, document.querySelector("main button[type=submit]").click())`);
	await eventually("signed in, one is where one wanted to be", () => look("location.pathname === '/incidents' && !!document.body"));
	await ready();
}

await send(alert("firefox-1", "Detect release_agent File Container Escapes", { priority: "Critical", tags: ["T1611"] }),
	alert("firefox-1", "Contact C2", { priority: "Critical", tags: ["T1071"] }));
const number = await numberOf("firefox-1"), profile = fs.mkdtempSync(path.join(os.tmpdir(), "firefox-"));
const firefox = await start(profile);
try {
	const browser = await connect(firefox.address);
	await tour(await openPage(browser), number);
	check("no error and no violation of the policy in Firefox", !browser.logged.some((text) => /^error/.test(text)), browser.logged);
	browser.close();
} catch (error) {
	check("the look at Firefox runs to its end", false, error?.stack ?? error);
}
firefox.process.removeAllListeners("exit");
const ended = new Promise((resolve) => firefox.process.once("exit", resolve));
firefox.process.kill();
await ended;
fs.rmSync(profile, { recursive: true, force: true });
process.exit(finish());
