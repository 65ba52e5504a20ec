// SPDX-License-Identifier: Apache-2.0
// Tuning: `t` begins a suppression with what a row says, and the form shows what it would have
// hidden before it is saved.
import { call } from "./api.js";
import { find, make, pageName, say } from "./page.js";
import { currentRow } from "./rows.js";

const WAIT_MS = 400;

/** As matchers are written: name="value". @param {string} name @param {unknown} value */
function matcher(name, value) {
	const text = String(value).replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
	return `${name}="${text}"`;
}

/** @param {Record<string, unknown>} labels */
const matchersOf = (labels) => Object.entries(labels).filter(([, value]) => value !== undefined && value !== "")
	.map(([name, value]) => matcher(name, value));

/** The narrowest that still means this kind of alerts here. @param {any} incident @param {string} fingerprint */
function ofIncident(incident, fingerprint) {
	const row = (incident.story ?? []).find((/** @type {any} */ one) => one.fingerprint === fingerprint) ?? incident.story?.[0];
	const entity = incident.entity ?? {};
	return matchersOf({ rule: row?.rule, cluster: entity.cluster, namespace: entity.namespace, workload: entity.workload?.name,
		...(entity.workload?.name ? {} : { pod: entity.pod }) });
}

/** @param {any} alert */
const ofAlert = (alert) => matchersOf({ rule: alert.rule, cluster: alert.cluster, namespace: alert.namespace, pod: alert.pod, exe: alert.process?.exe });

/** @param {HTMLElement} row @returns {Promise<string[]>} */
async function matchersOfRow(row) {
	const own = find('header[data-kind="incident"]', HTMLElement);
	const { kind, number = "" } = row.dataset;
	if (kind === "incident" || (kind === "fingerprint" && own)) {
		const answer = await call("GET", `/api/v1/incidents/${(kind === "incident" ? row : own ?? row).dataset.number}`);
		return answer.document?.title === undefined ? [] : ofIncident(answer.document, number);
	}
	if (kind === "fingerprint")
		return [matcher("fingerprint", number)];
	const answer = await call("GET", "/api/v1/alerts/" + encodeURIComponent(row.dataset.id ?? number));
	return answer.status === 200 ? ofAlert(answer.document) : [];
}

/** Goes to the form, filled with what the current row is. */
export function tune() {
	const link = find("a[data-tune]", HTMLAnchorElement, currentRow() ?? document);
	if (link) {
		location.assign(link.href);
		return true;
	}
	const row = currentRow() ?? (pageName() === "incident" || pageName() === "alert" ? find("[data-row]", HTMLElement) : null);
	if (!row)
		return false;
	void matchersOfRow(row).then((matchers) => {
		if (matchers.length)
			location.assign("/suppressions?matchers=" + encodeURIComponent(matchers.join("\n")));
	});
	return true;
}

/** One matcher a line. @param {HTMLFormElement} form */
const linesOf = (form) => String(new FormData(form).get("matchers") ?? "").split("\n").map((line) => line.trim()).filter(Boolean);

/** @param {HTMLFormElement} form @param {string} problem */
function refuse(form, problem) {
	const place = find("[data-error]", HTMLElement, form);
	if (!place)
		return;
	place.textContent = problem;
	place.hidden = !problem;
}

/** The form of a suppression, if the page has one. */
export function startPreview() {
	const form = find('form[data-form="suppress"]', HTMLFormElement);
	if (form)
		previewOf(form);
}

/** @param {HTMLFormElement} form */
function previewOf(form) {
	const place = find("[data-preview]", HTMLElement, form);
	let timer = 0, asked = 0;
	const show = async () => {
		const matchers = linesOf(form), mine = ++asked;
		const answer = matchers.length ? await call("POST", "/api/v1/suppressions/preview", { body: { matchers } }) : null;
		if (mine !== asked || !place)
			return;
		refuse(form, answer && answer.status >= 400 && answer.status < 500 && answer.status !== 404 ? answer.problem : "");
		const found = answer?.status === 200 ? answer.document : null;
		place.replaceChildren(...(found ? described(found) : []));
	};
	form.addEventListener("input", () => {
		clearTimeout(timer);
		timer = window.setTimeout(show, WAIT_MS);
	});
	void show();
}

/** What it would have hidden: of stored alerts, and of open incidents. @param {any} found @returns {Node[]} */
function described({ alerts = {}, fingerprints = {}, incidents = {} }) {
	const text = say("suppress_preview", alerts.matched ?? 0, alerts.of ?? 0, fingerprints.count ?? 0);
	const hidden = (incidents.items ?? []).slice(0, 8).map((/** @type {any} */ one) => make("li", {}, `${one.number} ${one.title} (${one.severity})`));
	return [make("p", {}, text), make("p", {}, say("suppress_incidents", incidents.hidden ?? 0, incidents.open ?? 0)), make("ul", {}, ...hidden)];
}
