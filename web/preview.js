// SPDX-License-Identifier: Apache-2.0
// What a cut, a merge or an unlink would come to, as the server computes it without doing it.
import { call } from "./api.js";
import { say } from "./page.js";

const SHOWN = 6;

/** @typedef {{ severity: string, risk: number, alerts: number }} Side */
/** @typedef {{ number?: string, change: "changed" | "new" | "gone", before?: Side, after?: Side }} Change */

/** @param {Side | undefined} side */
const sideText = (side) => (side ? say("preview_side", side.alerts, say("severity_" + side.severity), side.risk) : "");

/** @param {Change} one */
function changeText(one) {
	if (one.change === "new")
		return say("preview_new", sideText(one.after));
	if (one.change === "gone")
		return say("preview_gone", one.number ?? "", sideText(one.before));
	return say("preview_changed", one.number ?? "", sideText(one.before), sideText(one.after));
}

/** @param {any} found a GroupingPreview @returns {string[]} */
function lines(found) {
	const changes = /** @type {Change[]} */ (found.changes ?? []);
	const told = changes.slice(0, SHOWN).map(changeText);
	if (found.changed > SHOWN)
		told.push(say("preview_more", found.changed - SHOWN));
	if (found.linked)
		told.push(say("preview_linked", found.incident, found.linked));
	return told.length ? told : [say("preview_nothing")];
}

/**
 * In words, one line for each incident that would be otherwise; a refusal is one line.
 * @param {string} act @param {string} number @param {Record<string, unknown>} body
 * @returns {Promise<string[]>}
 */
export async function preview(act, number, body) {
	const answer = await call("POST", `/api/v1/incidents/${encodeURIComponent(number)}/${act}?dry_run=true`, { body });
	return answer.status === 200 && answer.document?.dry_run ? lines(answer.document) : [answer.problem];
}
