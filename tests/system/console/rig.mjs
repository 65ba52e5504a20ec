// SPDX-License-Identifier: Apache-2.0
// One browser, contexts of people, alerts for them to look at, and the counting of checks.
import fs from "node:fs";
import { chromium } from "playwright-core";

export const settings = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
export const url = settings.url;
const axeSource = fs.readFileSync(settings.tools + "/node_modules/axe-core/axe.min.js", "utf8");
let n = settings.first, nGood = 0, nBad = 0;

/** @param {string} what @param {unknown} good @param {unknown} told */
export function check(what, good, told = "") {
	n++;
	if (good)
		nGood++;
	else
		nBad++;
	const why = good ? "" : ": " + (typeof told === "string" ? told : JSON.stringify(told))?.slice(0, 2000);
	console.log(`${good ? "" : "not "}ok ${n} - ${what}${why}`);
}

export function finish() {
	console.log(`# PASS: ${nGood}\n# FAIL: ${nBad}`);
	return nBad ? 1 : 0;
}

/** Waits until @condition gives something; the test goes on without it, and says so. */
export async function eventually(what, condition, seconds = 10) {
	const end = Date.now() + seconds * 1000;
	let found, error = "";
	do {
		try {
			found = await condition();
			if (found)
				break;
		} catch (err) {
			error = String(err);
		}
		await new Promise((resolve) => setTimeout(resolve, 30));
	} while (Date.now() < end);
	check(what, found, error || "waited in vain");
	return found;
}

let browser;
export async function startBrowser() {
	browser = await chromium.launch({
		executablePath: settings.chromium,
		args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync"],
	});
	return browser;
}
export const stopBrowser = () => within(20, browser.close());

/** What must never happen on any page; each is kept with where it happened. */
export const wrongs = [];

function watch(page) {
	const where = () => page.url().replace(url, "");
	page.on("dialog", (dialog) => {
		if (page.expects === dialog.type()) {
			void dialog.accept();
			return;
		}
		wrongs.push(`${where()}: a dialog: ${dialog.message()}`);
		void dialog.dismiss();
	});
	page.on("pageerror", (error) => wrongs.push(`${where()}: ${error.stack ?? error}`));
	page.on("console", (message) => {
		if (/Content.Security.Policy|violates|Refused to/i.test(message.text()))
			wrongs.push(`${where()}: ${message.text()}`);
	});
	page.on("request", (request) => {
		if (!request.url().startsWith(url + "/") && !request.url().startsWith("data:"))
			wrongs.push(`${where()}: asks ${request.url()}`);
	});
}

/** What came first: @work's end, or so many seconds. */
export async function within(seconds, work) {
	let timer;
	const over = new Promise((resolve) => {
		timer = setTimeout(() => resolve(false), seconds * 1000);
	});
	const result = await Promise.race([work.then(() => true), over]);
	clearTimeout(timer);
	return result;
}

/* Chromium sometimes never says that a context is closed whose page was being loaded: what was tested is over by then. */
function closeInTime(context) {
	const close = context.close.bind(context);
	context.close = async () => {
		if (!await within(10, close()))
			console.log("# a context was not closed in 10 s; it goes with the browser");
	};
}

/** A person with a browser profile of their own. Signed in as role; null: nobody. */
export async function person(role, options = {}) {
	const context = await browser.newContext({ baseURL: url, viewport: { width: 1366, height: 768 }, reducedMotion: "reduce", ...options });
	closeInTime(context);
	context.on("page", watch);
	context.setDefaultTimeout(10000);
	if (role)
		await signIn(context, role);
	return context;
}

/** Cookies of a session by role: signed in once, by the page, as people do. */
const sessions = new Map();

async function signIn(context, role) {
	if (!sessions.has(role)) {
		const page = await context.newPage();
		await page.goto("/sign-in?next=%2Fhealth");
		await page.fill("#token", settings.tokens[role]);
		await page.click("button[type=submit]");
		await page.waitForURL((to) => to.pathname === "/health");
		await page.close();
		sessions.set(role, await context.cookies());
	}
	await context.addCookies(sessions.get(role));
}

/** Opens @path and waits until scripts have begun. */
export async function open(context, path, page = null) {
	const at = page ?? await context.newPage();
	const response = await at.goto(path);
	if (context.hasScripts !== false)
		await at.waitForSelector("body[data-ready]", { state: "attached" });
	at.status = response?.status() ?? 0;
	return at;
}

/** Violations of accessibility, short: "rule: element, element". */
export async function axe(page) {
	// By the protocol: the page's policy forbids scripts of others.
	await page.evaluate(axeSource + ";void 0");
	return await page.evaluate(async () => {
		const found = await globalThis.axe.run(document, { resultTypes: ["violations"] });
		return found.violations.map((one) => `${one.id}: ${one.nodes.slice(0, 4).map((node) => node.target.join(" ") + " " +
			(node.any[0]?.message ?? "")).join(", ")}`);
	});
}

/** A picture for people to look at, when they ask for pictures (TOCSIN_PICTURES=1). */
export async function picture(page, name) {
	if (process.env.TOCSIN_PICTURES)
		await page.screenshot({ path: `${settings.pictures}/${name}.png` });
}

/** What is wider than the window. */
export const overflow = (page) => page.evaluate(() => {
	const root = document.documentElement;
	if (root.scrollWidth <= root.clientWidth)
		return "";
	const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1 &&
		!one.closest(".scroll")).slice(0, 5).map((one) => one.tagName + "." + one.className);
	return `${root.scrollWidth} > ${root.clientWidth}: ${wide.join(" ")}`;
});

/** What somebody does beside the browser; that it works is a part of every test. */
export async function api(method, path, body, role = "admin") {
	const headers = { Authorization: "Bearer " + settings.tokens[role], "Content-Type": "application/json" };
	const response = await fetch(url + path, { method, body: body === undefined ? undefined : JSON.stringify(body), headers });
	const document = await response.json().catch(() => null);
	if (method !== "GET" && !response.ok)
		throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(document)}`);
	return { status: response.status, document };
}

const stamp = (ms, ns) => new Date(ms).toISOString().replace("Z", String(ns).padStart(6, "0") + "Z");
let nAlerts = 0;

/** One Falco alert, some seconds ago. Each is another one. */
export function alert(pod, rule, { priority = "Warning", secondsAgo = 120, tags = [], fields = {}, output, namespace = "shop" } = {}) {
	nAlerts++;
	return { rule, priority, source: "syscall", time: stamp(Date.now() - secondsAgo * 1000, nAlerts), output: output ?? `${rule} in ${pod}`,
		hostname: "node-1", tags, output_fields: { "k8s.ns.name": namespace, "k8s.pod.name": pod, "container.id": "3f1c2b7a9d01",
			"container.image.repository": "registry.example/shop", "proc.name": "sh", "proc.cmdline": "sh -c id", "proc.pid": 100 + nAlerts,
			"proc.ppid": 1, "user.name": "root", ...fields } };
}

export async function send(...alerts) {
	const response = await fetch(url + "/ingest/falco", { method: "POST", headers: { Authorization: "Bearer " + settings.tokens.ingest },
		body: alerts.map((one) => JSON.stringify(one)).join("\n") });
	const told = await response.json();
	if (response.status !== 200 || told.accepted !== alerts.length)
		throw new Error(`ingest: ${response.status} ${JSON.stringify(told)}`);
}

/** The number of the incident of a pod, when it is there. */
export async function numberOf(pod) {
	for (let i = 0; i < 300; i++) {
		const { document } = await api("GET", "/api/v1/incidents?pod=" + encodeURIComponent(pod));
		if (document?.items?.length)
			return document.items[0].number.replace("INC-", "");
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	throw new Error("no incident of " + pod);
}

export const incident = async (number) => (await api("GET", "/api/v1/incidents/" + number)).document;

/** An incident of its own. -> number */
export async function newIncident(pod, options) {
	await send(alert(pod, "Terminal shell in container", options));
	return await numberOf(pod);
}
