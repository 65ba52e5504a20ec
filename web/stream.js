// SPDX-License-Identifier: Apache-2.0
// Server-sent events over fetch: unlike EventSource it can begin where another tab ended
// (Last-Event-ID), sees refusals, and chooses how long it waits.

/** @typedef {{ event: string, id: string, data: string }} Message */

/**
 * Cuts a stream of text into messages.
 * @param {(message: Message) => void} tell
 * @returns {(text: string) => void}
 */
export function parser(tell) {
	let rest = "", event = "", id = "";
	/** @type {string[]} */
	let data = [];
	/** @param {string} line */
	const take = (line) => {
		if (line === "") {
			if (data.length || id)
				tell({ event: event || "message", id, data: data.join("\n") });
			event = "";
			id = "";
			data = [];
			return;
		}
		const colon = line.indexOf(":");
		const name = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
		if (name === "event")
			event = value;
		else if (name === "data")
			data.push(value);
		else if (name === "id")
			id = value;
	};
	return (text) => {
		const lines = (rest + text).split(/\r\n|\n/);
		rest = lines.pop() ?? "";
		lines.forEach(take);
	};
}

const SILENT_MS = 45000; /* the server says something every 15 s */

/**
 * Reads the stream until it ends. Resolves with the status that ended it: 200 it was cut or fell
 * silent, 0 no answer, else a refusal.
 * @param {{ lastId: string, signal: AbortSignal, opened: () => void, tell: (message: Message) => void }} options
 * @returns {Promise<number>}
 */
export async function readStream({ lastId, signal, opened, tell }) {
	const silence = new AbortController();
	let timer = 0;
	const heard = () => {
		clearTimeout(timer);
		timer = window.setTimeout(() => silence.abort(), SILENT_MS);
	};
	const give_up = () => silence.abort();
	signal.addEventListener("abort", give_up);
	let status = 0;
	try {
		/** @type {Record<string, string>} */
		const headers = { Accept: "text/event-stream" };
		if (lastId)
			headers["Last-Event-ID"] = lastId;
		heard();
		const response = await fetch("/api/v1/events", { headers, signal: silence.signal, cache: "no-store" });
		status = response.status;
		if (!response.ok || !response.body)
			return status;
		opened();
		const feed = parser(tell), decoder = new TextDecoder(), reader = response.body.getReader();
		for (;;) {
			const { done, value } = await reader.read();
			if (done)
				return status;
			heard();
			feed(decoder.decode(value, { stream: true }));
		}
	} catch (_) {
		return status;
	} finally {
		clearTimeout(timer);
		signal.removeEventListener("abort", give_up);
		silence.abort();
	}
}
