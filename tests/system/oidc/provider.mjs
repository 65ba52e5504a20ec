// SPDX-License-Identifier: Apache-2.0
// An identity provider for tests: oidc-provider, and on demand one whose tokens lie.
// provider.mjs PORT CALLBACK...: POST /test/lie says how the next tokens are made wrong.
import http from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const tools = createRequire(pathToFileURL(process.env.TOOLS + "/").href);
const { default: Provider } = await import(pathToFileURL(tools.resolve("oidc-provider")).href);
const jose = await import(pathToFileURL(tools.resolve("jose")).href);
const [port, ...callbacks] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const algorithms = { RS256: {}, ES256: {}, EdDSA: { crv: "Ed25519" } };
const people = {
	ann: { preferred_username: "ann", groups: ["staff", "shop-team"] },
	bob: { preferred_username: "bob", groups: ["CN=ops,OU=x"] },
	eve: { preferred_username: "eve", groups: ["nobodies"] },
	mal: { preferred_username: "line\none", groups: ["staff"] },
};

const pairs = {};
for (const [algorithm, options] of Object.entries(algorithms))
	pairs[algorithm] = await jose.generateKeyPair(algorithm, { extractable: true, ...options });
const keys = await Promise.all(
	Object.entries(pairs).map(async ([alg, pair]) => ({ ...(await jose.exportJWK(pair.privateKey)), alg, use: "sig", kid: `key-${alg}` })));
const stranger = await jose.generateKeyPair("RS256", { extractable: true });

const provider = new Provider(issuer, {
	jwks: { keys },
	clients: Object.keys(algorithms).map((alg) => ({
		client_id: `tocsin-${alg}`,
		client_secret: "s3cret & more/+",
		redirect_uris: callbacks,
		id_token_signed_response_alg: alg,
	})),
	enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
	claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
	conformIdTokenClaims: process.env.THIN === "1",
	findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
	cookies: { keys: ["test"] },
	ttl: { Grant: 600, Session: 600, Interaction: 600, AccessToken: 600, IdToken: 600 },
});

let lie = "";
const lies = {
	nonce: (claims) => (claims.nonce = "another"),
	"no nonce": (claims) => delete claims.nonce,
	audience: (claims) => (claims.aud = "somebody-else"),
	"two audiences": (claims) => (claims.aud = [claims.aud, "somebody-else"]),
	azp: (claims) => (claims.azp = "somebody-else"),
	issuer: (claims) => (claims.iss = "https://evil.example"),
	expired: (claims) => (claims.exp = claims.iat - 3600),
	"no expiry": (claims) => delete claims.exp,
	"not yet": (claims) => (claims.nbf = claims.iat + 3600),
	"made tomorrow": (claims) => (claims.iat += 86400),
	"no subject": (claims) => delete claims.sub,
};

async function tampered(token) {
	const header = jose.decodeProtectedHeader(token), claims = jose.decodeJwt(token);
	const [first, second, third] = token.split(".");
	const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
	if (lie === "alg none")
		return `${encode({ alg: "none" })}.${second}.`;
	if (lie === "alg none with the signature")
		return `${encode({ ...header, alg: "none" })}.${second}.${third}`;
	if (lie === "HS256 with the public key") {
		const secret = new TextEncoder().encode(await jose.exportSPKI(pairs.RS256.publicKey));
		return new jose.SignJWT(claims).setProtectedHeader({ ...header, alg: "HS256" }).sign(secret);
	}
	if (lie === "another key")
		return new jose.SignJWT(claims).setProtectedHeader(header).sign(stranger.privateKey);
	if (lie === "changed claims")
		return `${first}.${encode({ ...claims, groups: ["CN=ops,OU=x"] })}.${third}`;
	if (lie === "crit")
		return new jose.SignJWT(claims).setProtectedHeader({ ...header, crit: ["b64"], b64: true }).sign(pairs[header.alg].privateKey);
	if (lie === "no token")
		return undefined;
	if (lie === "rubbish")
		return "a.b.c";
	lies[lie]?.(claims);
	return new jose.SignJWT(claims).setProtectedHeader(header).sign(pairs[header.alg].privateKey);
}

/** Replaces the ID token in what the provider answers. */
function tamper(response) {
	const end = response.end.bind(response);
	response.end = async (body, ...rest) => {
		const answer = JSON.parse(body);
		if (answer.id_token)
			answer.id_token = await tampered(answer.id_token);
		const text = JSON.stringify(answer);
		response.setHeader("Content-Length", Buffer.byteLength(text));
		end(text, ...rest);
	};
}

http.createServer((request, response) => {
	const { pathname, searchParams } = new URL(request.url, issuer);
	if (pathname === "/test/lie") {
		lie = searchParams.get("how");
		response.end("ok");
		return;
	}
	if (pathname === "/token" && lie)
		tamper(response);
	if (pathname === "/token" && lie === "error 500") {
		response.end = http.ServerResponse.prototype.end;
		response.writeHead(500).end();
		return;
	}
	provider.callback()(request, response);
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
