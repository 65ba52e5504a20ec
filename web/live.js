// SPDX-License-Identifier: Apache-2.0
// One event stream for all tabs of a browser. The tab that holds a lock reads it and tells the
// others; a hidden tab lets the lock go, so that a browser nobody looks at reads nothing. Where
// there are no locks (plain HTTP from elsewhere), each visible tab reads for itself.
import { recall, remember, signal } from "./live_bus.js";
import { signInAgain } from "./api.js";
import { readStream } from "./stream.js";

const FIRST_WAIT_MS = 1000, LAST_WAIT_MS = 30000;
const LOCK = "tocsin-live";

/** @type {AbortController | null} what this tab has under way: waiting for the lock, or reading */
let turn = null;

/** @param {number} ms @param {AbortSignal} until */
const pause = (ms, until) => new Promise((resolve) => {
	const timer = setTimeout(resolve, ms);
	until.addEventListener("abort", () => {
		clearTimeout(timer);
		resolve(undefined);
	});
});

/**
 * Reads, waits and reads again until the tab lets go.
 * @param {AbortSignal} until
 */
async function lead(until) {
	let wait = FIRST_WAIT_MS;
	while (!until.aborted) {
		signal({ kind: "state", state: "connecting" });
		const status = await readStream({
			lastId: recall(),
			signal: until,
			opened: () => {
				wait = FIRST_WAIT_MS;
				signal({ kind: "state", state: "live" });
			},
			tell: (message) => {
				if (message.id)
					remember(message.id);
				if (message.data)
					signal({ kind: "event", event: message.event, data: message.data });
			},
		});
		if (until.aborted)
			return;
		if (status === 401) {
			signal({ kind: "state", state: "signed-out" });
			signInAgain();
			return;
		}
		signal({ kind: "state", state: "waiting" });
		// A little by chance, so that not all browsers come back at once after a restart.
		await pause(wait * (0.75 + Math.random() / 2), until);
		wait = Math.min(wait * 2, LAST_WAIT_MS);
	}
}

function begin() {
	if (turn)
		return;
	const own = new AbortController();
	turn = own;
	if (!navigator.locks) {
		void lead(own.signal);
		return;
	}
	navigator.locks.request(LOCK, { signal: own.signal }, () => lead(own.signal)).catch(() => undefined);
}

function letGo() {
	turn?.abort();
	turn = null;
}

function follow() {
	if (document.visibilityState === "visible")
		begin();
	else
		letGo();
}

export function startLive() {
	document.addEventListener("visibilitychange", follow);
	// A page in the back-forward cache holds nothing either.
	window.addEventListener("pagehide", letGo);
	window.addEventListener("pageshow", follow);
	follow();
}
