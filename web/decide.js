// SPDX-License-Identifier: Apache-2.0
// Decisions about incidents: sent with the revision that the person saw, shown before they are
// stored, and told about when they were not. What can be taken back can be for ten seconds.
import { call, newKey } from "./api.js";
import { all, announce, find, hasText, pageName, say, toast } from "./page.js";
import { askInDialog, closeDialog, dialogFor, refuseInDialog } from "./dialogs.js";
import { clearSelection, currentRow, goToRow, move, selected, targets } from "./rows.js";
import { refreshNow } from "./view.js";

/** @typedef {{ number: string, revision: string, element: HTMLElement | null }} Target */
/** @typedef {{ target: Target, status: number, document: any, problem: string }} Outcome */

const UNDO_MS = 10000;
const AT_ONCE = 4; /* requests under way for one bulk decision */

/** @type {{ run: () => Promise<void>, close: () => void } | null} what `u` takes back */
let lastUndo = null;

/** @param {HTMLElement} row @returns {Target} */
const targetOf = (row) => ({
	number: row.dataset.number ?? "", revision: row.dataset.revision ?? "", element: row });

/** The incident that a page is about. */
const pageIncident = () => find('header[data-kind="incident"]', HTMLElement);

/** What keys and the bulk bar mean. @returns {Target[]} */
export function decisionTargets() {
	const own = pageName() === "incident" ? pageIncident() : null;
	const list = own ? [own] : targets().filter((row) => row.dataset.kind === "incident");
	return list.map(targetOf);
}

/** Paints what will be so, within the frame in which it was asked for. */
/** @param {Target} target @param {string} act */
function paint(target, act) {
	const row = target.element;
	if (!row)
		return;
	row.setAttribute("data-pending", act);
	const state = row.querySelector("[data-state]");
	if (state && hasText("painted_" + act))
		state.textContent = say("painted_" + act);
}

/** @param {Target} target */
function unpaint(target) {
	target.element?.removeAttribute("data-pending");
}

/** @param {Target} target @param {string} act @param {any} body @param {string} key */
async function send(target, act, body, key) {
	const path = `/api/v1/incidents/${encodeURIComponent(target.number)}/${act}`;
	return await call("POST", path, { body, revision: target.revision, key });
}

/** One's own decision is no surprise: the next one is about what it made. @param {Target} target @param {any} document */
function adopt(target, document) {
	target.revision = String(document.revision ?? target.revision);
	if (String(document.number) !== "INC-" + target.number || !target.element)
		return;
	target.element.dataset.revision = target.revision;
	for (const key of SHOWN_TO_END)
		target.element.setAttribute("data-shown-" + key, String(document[key] ?? ""));
}

/**
 * Sends decisions about many incidents, a few at a time, in order.
 * @param {Target[]} list @param {string} act @param {any} body
 * @returns {Promise<Outcome[]>}
 */
async function sendAll(list, act, body) {
	/** @type {Outcome[]} */
	const outcomes = [];
	let next = 0;
	const work = async () => {
		while (next < list.length) {
			const i = next++, target = list[i];
			if (!target)
				return;
			const answer = await send(target, act, body, newKey());
			if (answer.status === 200 && answer.document)
				adopt(target, answer.document);
			outcomes[i] = { target, ...answer };
		}
	};
	await Promise.all(Array.from({ length: Math.min(AT_ONCE, list.length) }, work));
	return outcomes;
}

/** @param {any} document */
const nameOf = (document) => String(document?.number ?? "");

/** The decisions that take @outcome back; null: that cannot be. */
/** @param {string} act @param {Outcome} outcome @param {string} before the assignee before */
function inverse(act, outcome, before) {
	const edit = outcome.document?.decision?.edit;
	if (edit)
		return { act: "undo", body: { edit } };
	if (act === "resolve")
		return { act: "reopen", body: {} };
	if (act === "snooze")
		return { act: "snooze", body: { for: "0" } };
	if (act === "assign")
		return { act: "assign", body: { assignee: before } };
	return null;
}

/** @param {string} act @param {Outcome[]} good @param {Map<string, string>} assignees */
function makeUndo(act, good, assignees) {
	const steps = good.map((outcome) => ({ outcome, step: inverse(act, outcome, assignees.get(outcome.target.number) ?? "") }));
	if (!steps.some(({ step }) => step))
		return null;
	return async () => {
		lastUndo = null;
		/** @type {string[]} */
		const bad = [];
		for (const { outcome, step } of steps) {
			if (!step)
				continue;
			const target = { ...outcome.target, revision: "" };
			const answer = await send(target, step.act, step.body, newKey());
			if (answer.status !== 200)
				bad.push(`INC-${target.number}: ${answer.problem}`);
		}
		toast(bad.length ? say("undo_failed") : say("undone"), { kind: bad.length ? "bad" : "good", lines: bad });
		announce(bad.length ? say("undo_failed") : say("undone"));
		await refreshNow();
	};
}

/** Takes the last decision back, while its message is there. @returns {boolean} */
export function undoLast() {
	const undo = lastUndo;
	if (!undo)
		return false;
	undo.close();
	void undo.run();
	return true;
}

/** @param {string} act @param {Outcome[]} outcomes @param {Map<string, string>} assignees */
function tell(act, outcomes, assignees) {
	const good = outcomes.filter((one) => one.status === 200);
	const bad = outcomes.filter((one) => one.status !== 200);
	const first = good[0];
	const text = good.length === 1 && first ? say("done_" + act, nameOf(first.document) || `INC-${first.target.number}`)
		: say("done_many", good.length, outcomes.length);
	const undo = good.length ? makeUndo(act, good, assignees) : null;
	/** @type {import("./page.js").ToastAction[]} */
	const actions = undo ? [{ label: say("undo"), run: () => void undo() }] : [];
	const lines = bad.map((one) => `INC-${one.target.number}: ${one.problem}`);
	const close = toast(text, { kind: bad.length ? "bad" : "good", actions, lines });
	announce([text, ...lines].join(". "));
	const mine = undo && { run: undo, close };
	lastUndo = mine;
	if (mine)
		setTimeout(() => {
			if (lastUndo === mine)
				lastUndo = null;
		}, UNDO_MS);
}

/** What people decide by, as rows have it in data-shown-…; more of it where an end or grouping is decided. */
const SHOWN = ["state", "assignee", "severity"];
const SHOWN_TO_END = [...SHOWN, "alerts"];
const ENDS = new Set(["resolve", "merge", "cut", "unlink"]);

/** What the page shows of an incident, in the words of its document. @param {HTMLElement | null} row */
function shownOf(row) {
	/** @type {Record<string, string>} */
	const shown = {};
	for (const key of SHOWN_TO_END) {
		const value = row?.getAttribute("data-shown-" + key);
		if (typeof value === "string")
			shown[key] = value;
	}
	return shown;
}

/** @param {Record<string, string>} shown @param {any} now @param {string} act @returns {string[]} */
function differences(shown, now, act) {
	return (ENDS.has(act) ? SHOWN_TO_END : SHOWN).filter((key) => key in shown && shown[key] !== String(now[key] ?? ""))
		.map((key) => say("change", say("member_" + key), shown[key] || "–", String(now[key] ?? "–")));
}

/**
 * Somebody, or an alert, was faster. When nothing is different that was decided by, it is asked
 * again with the new revision; else the person sees what is and decides.
 * @param {Target} target @param {string} act @param {any} body @param {Record<string, string>} shown
 * @returns {Promise<Outcome>}
 */
async function afterConflict(target, act, body, shown) {
	const now = await call("GET", `/api/v1/incidents/${encodeURIComponent(target.number)}`);
	if (now.status !== 200 || !now.document)
		return { target, ...now };
	const changes = differences(shown, now.document, act);
	const retry = async () => {
		target.revision = String(now.document.revision);
		return { target, ...await send(target, act, body, newKey()) };
	};
	if (!changes.length && Object.keys(shown).length)
		return await retry();
	return { target, status: 409, document: now.document, problem: [say("conflict"), ...changes].join(" ") };
}

/** @type {Promise<unknown>} the decision before, which the next one is about */
let underWay = Promise.resolve();

/** What was decided here since the person chose is no surprise. @param {Target} target */
function follow(target) {
	const now = target.element?.dataset.revision ?? "";
	if (target.revision && Number(now) > Number(target.revision))
		target.revision = now;
}

/**
 * Carries one decision out for all @list and tells how it went.
 * @param {string} act @param {Target[]} list @param {any} body
 * @returns {Promise<string>} "" or why it was refused, when there was one only
 */
export async function decide(act, list, body) {
	/** @type {Map<string, string>} */
	const assignees = new Map();
	list.forEach((target) => paint(target, act));
	const before = underWay;
	/** @type {() => void} */
	let done = () => undefined;
	underWay = new Promise((resolve) => (done = () => resolve(undefined)));
	await before;
	list.forEach(follow);
	const shown = list.map((target) => shownOf(target.element));
	list.forEach((target, i) => assignees.set(target.number, shown[i]?.assignee ?? ""));
	const outcomes = await sendAll(list, act, body).finally(done);
	for (const [i, outcome] of outcomes.entries())
		/* What it was merged into was not seen: the answer says where to look. */
		if (outcome.status === 409 && outcome.document?.revision !== undefined && !outcome.document.incident &&
			String(outcome.document.revision) !== outcome.target.revision)
			outcomes[i] = await afterConflict(outcome.target, act, body, shown[i] ?? {});
	list.forEach(unpaint);
	const only = outcomes.length === 1 ? outcomes[0] : undefined;
	if (only && only.status !== 200) {
		const document = only.document;
		/** @type {import("./page.js").ToastAction[]} */
		const actions = only.status === 409 && document?.state
			? [{ label: say("retry"), run: () => void decide(act, [{ ...only.target, revision: String(document.revision) }], body) }] : [];
		if (!dialogFor(act)?.open)
			toast(`INC-${only.target.number}: ${only.problem}`, { kind: "bad", actions });
		await refreshNow();
		return only.problem;
	}
	tell(act, outcomes, assignees);
	clearSelection();
	await refreshNow();
	return "";
}

/**
 * Asks for what the decision needs, if anything, and carries it out.
 * @param {string} act @param {Target[]} list
 */
export async function start(act, list) {
	if (!list.length) {
		announce(say("nothing_chosen"));
		return;
	}
	if (!dialogFor(act)) {
		await decide(act, list, {});
		return;
	}
	// Of several that are merged the first is what the others go to.
	const [first, ...others] = list;
	const isMany = act === "merge" && others.length > 0;
	const about = isMany ? others : list;
	askInDialog(act, about, async (body, comment) => {
		const problem = await decide(act, about, body);
		if (problem) {
			refuseInDialog(act, problem);
			return;
		}
		closeDialog(act);
		if (comment)
			await decide("comment", about.map((target) => ({ ...target, revision: "" })), { text: comment });
	}, isMany && first ? { with: "INC-" + first.number } : {});
}

/** @param {HTMLElement} button */
function onAct(button) {
	const row = button.closest('[data-row][data-kind="incident"]') ?? pageIncident();
	const act = button.dataset.act ?? "";
	/** @type {Target} */
	const target = { number: button.dataset.number ?? "", revision: button.dataset.revision ?? "",
		element: row instanceof HTMLElement ? row : null };
	if (act === "undo" && button.dataset.edit)
		void decide("undo", [target], { edit: button.dataset.edit });
	else
		void start(act, [target]);
}

/** The selected kinds of alerts become an incident of their own. */
function unlink() {
	const fingerprints = [...new Set(selected().map((row) => row.dataset.number ?? ""))], list = decisionTargets();
	if (!fingerprints.length)
		return;
	askInDialog("unlink", list, async () => {
		const problem = await decide("unlink", list, { fingerprints });
		if (problem)
			refuseInDialog("unlink", problem);
		else
			closeDialog("unlink");
	}, {}, { fingerprints });
}

/** A key that decides: about the selection, the current row, or the page's incident. */
/** @param {string} act */
export function decideByKey(act) {
	const list = decisionTargets();
	if (!list.length || !document.querySelector("[data-act], [data-bulk]"))
		return false;
	void start(act, list);
	return true;
}

export function startDecisions() {
	document.addEventListener("click", (event) => {
		const element = event.target instanceof Element ? event.target : null;
		const one = element?.closest("[data-act]"), many = element?.closest("[data-bulk]");
		if (one instanceof HTMLElement)
			onAct(one);
		else if (many instanceof HTMLElement && many.dataset.bulk === "clear")
			clearSelection();
		else if (many instanceof HTMLElement && many.dataset.bulk === "unlink")
			unlink();
		else if (many instanceof HTMLElement)
			void start(many.dataset.bulk ?? "", decisionTargets());
	});
	// After "taken in" the rows are others: the cursor finds its place.
	document.addEventListener("tocsin:taken-in", () => {
		const row = currentRow();
		if (!row && all("[data-row]").length && document.activeElement === document.body)
			move(1);
		else if (row)
			goToRow(row);
	});
}
