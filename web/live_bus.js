// SPDX-License-Identifier: Apache-2.0
// How tabs tell each other what the one that reads has heard, and how far it had come.

/**
 * @typedef {{ kind: "state", state: string } | { kind: "event", event: string, data: string } |
 *   { kind: "id", id: string } | { kind: "ask" }} Signal
 */

/** @type {Set<(heard: Signal) => void>} */
const listeners = new Set();
const channel = "BroadcastChannel" in window ? new BroadcastChannel("tocsin-live") : null;
let lastId = "";
let lastState = "";

/** @param {Signal} heard */
function take(heard) {
	if (heard.kind === "id")
		lastId = heard.id;
	for (const listener of listeners)
		listener(heard);
}

/** @param {MessageEvent} message */
function fromOther(message) {
	/** @type {Signal} */
	const heard = message.data;
	if (heard.kind === "ask") {
		// Only who reads knows; the others have no state of their own to tell.
		if (lastState)
			channel?.postMessage({ kind: "state", state: lastState });
		return;
	}
	if (heard.kind === "state")
		lastState = "";
	take(heard);
}

channel?.addEventListener("message", fromOther);

/** Tells this tab and all others. @param {Signal} what */
export function signal(what) {
	if (what.kind === "state")
		lastState = what.state;
	channel?.postMessage(what);
	take(what);
}

/** Where the stream was last; "" at the beginning. */
export const recall = () => lastId;

/** @param {string} id */
export const remember = (id) => signal({ kind: "id", id });

/** @param {(heard: Signal) => void} listener */
export function listen(listener) {
	listeners.add(listener);
	channel?.postMessage({ kind: "ask" });
}
