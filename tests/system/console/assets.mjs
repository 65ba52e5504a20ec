// SPDX-License-Identifier: Apache-2.0
// Files of the console: addresses of one version, kept for ever, right types.
import { check, settings, url } from "./rig.mjs";

export default async function assets() {
	const page = await (await fetch(url + "/incidents", { headers: { Authorization: "Bearer " + settings.tokens.viewer } })).text();
	const paths = [...page.matchAll(/(?:src|href)="(\/assets\/[0-9a-f]{16}\/[A-Za-z_.-]+)"/g)].map((found) => found[1]);
	check("a page names its files", paths.some((path) => path.endsWith("/app.js")) && paths.some((path) => path.endsWith(".css")), paths);
	for (const path of paths) {
		const got = await fetch(url + path), headers = got.headers, bytes = (await got.arrayBuffer()).byteLength;
		const name = path.split("/")[3];
		check(`${name} is immutable, of its type and never sniffed`, got.status === 200 && headers.get("cache-control")?.includes("immutable") &&
			headers.get("content-type")?.startsWith(({ js: "text/javascript", css: "text/css", svg: "image/svg+xml" })[name.split(".")[1]]) &&
			headers.get("x-content-type-options") === "nosniff" && headers.get("content-encoding") === "gzip" && bytes > 0, [...headers]);
		const again = await fetch(url + path, { headers: { "If-None-Match": headers.get("etag") } });
		check(`${name} is not sent twice`, again.status === 304);
	}
	const old = await fetch(url + "/assets/0000000000000000/app.js");
	check("another version's file is not there, and nobody keeps that", old.status === 404 && old.headers.get("cache-control") === "no-store");
}
