// SPDX-License-Identifier: Apache-2.0
// The form that makes a suppression, and the buttons that end one, a session or a token.
import { call, newKey } from "./api.js";
import { all, find, say, toast } from "./page.js";

/** The form's members as the API wants them. @param {HTMLFormElement} form */
function wishOf(form) {
	const data = new FormData(form);
	const matchers = String(data.get("matchers") ?? "").split("\n").map((line) => line.trim()).filter(Boolean);
	return { matchers, reason: String(data.get("reason") ?? "").trim(), for: String(data.get("for") ?? "") };
}

/** @param {HTMLFormElement} form */
async function make(form) {
	const refusal = find("[data-error]", HTMLElement, form);
	const answer = await call("POST", "/api/v1/suppressions", { body: wishOf(form), key: newKey() });
	if (answer.status === 200 && answer.document?.id) {
		location.assign("/suppressions/" + encodeURIComponent(answer.document.id));
		return;
	}
	if (refusal) {
		refusal.textContent = answer.problem;
		refusal.hidden = false;
	}
}

/** @param {HTMLElement} button */
async function end(button) {
	if (!confirm(say("really", button.textContent ?? "")))
		return;
	const answer = await call("DELETE", button.dataset.delete ?? "", { key: newKey() });
	if (answer.status === 200)
		location.reload();
	else
		toast(answer.problem || say("no_answer"), { kind: "bad" });
}

/** Makes the page's form and buttons work, where it has some. */
export function startSuppressions() {
	const form = find('form[data-form="suppress"]', HTMLFormElement);
	form?.addEventListener("submit", (event) => {
		event.preventDefault();
		void make(form);
	});
	for (const button of all("[data-delete]"))
		button.addEventListener("click", () => void end(button));
}
