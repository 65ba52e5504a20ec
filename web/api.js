// SPDX-License-Identifier: Apache-2.0
// Requests to /api/v1: the CSRF token, problem+json, and the way to the sign-in.
import { csrf, hasText, say } from "./page.js";

/**
 * @typedef {{ status: number, document: any, problem: string }} Answer
 * problem: why it was refused, for people; "" when it was not
 */

/** A key under which a request is carried out once, however often it is sent. */
export function newKey() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A refusal for people. Details are the API's, in English: in another language what kind of refusal it is stands first.
 * @param {number} status @param {any} document
 */
export function refusal(status, document) {
	const detail = document?.detail || document?.title || say("failed", status);
	const kind = globalThis.document.body.dataset.language === "en" || !hasText("problem_" + status) ? "" : say("problem_" + status);
	return kind ? say("refused", kind, detail) : detail;
}

/** The session is over: the sign-in knows the way back. */
export function signInAgain() {
	location.assign("/sign-in?next=" + encodeURIComponent(location.pathname + location.search));
}

/**
 * @param {Response} response
 * @returns {Promise<Answer>}
 */
async function read(response) {
	let document = null;
	try {
		document = await response.json();
	} catch (_) {
		// The status says enough.
	}
	const problem = response.ok ? "" : refusal(response.status, document);
	return { status: response.status, document, problem };
}

/**
 * Sends one request. Never throws: without an answer the status is 0.
 * @param {string} method
 * @param {string} path "/api/v1/…"
 * @param {{ body?: unknown, revision?: string, key?: string, signal?: AbortSignal }} options
 * @returns {Promise<Answer>}
 */
export async function call(method, path, options = {}) {
	/** @type {Record<string, string>} */
	const headers = { Accept: "application/json" };
	if (method !== "GET")
		headers["X-CSRF-Token"] = csrf();
	if (options.body !== undefined)
		headers["Content-Type"] = "application/json";
	if (options.revision)
		headers["If-Match"] = `"${options.revision}"`;
	if (options.key)
		headers["Idempotency-Key"] = options.key;
	try {
		const body = options.body === undefined ? null : JSON.stringify(options.body);
		const response = await fetch(path, { method, headers, body, signal: options.signal ?? null, cache: "no-store" });
		if (response.status === 401)
			signInAgain();
		return await read(response);
	} catch (_) {
		return { status: 0, document: null, problem: say("no_answer") };
	}
}
