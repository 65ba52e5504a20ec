// SPDX-License-Identifier: Apache-2.0
// What the console has to show: an attack, ordinary noise, and texts that attackers would choose.
import { alert, numberOf, send } from "./rig.mjs";

const long = "A".repeat(6000);

/** Each goes into every field of an alert that a sender can fill. */
export const hostileTexts = [
	'<script>alert("script")</script>',
	'"><img src=x onerror=alert("attribute")>',
	"'-alert(1)-'\"`${alert(2)}`",
	"</script></title></textarea><svg onload=alert(3)>",
	"\u202egnp.exe\u202c \u2066hidden\u2069 \u200bzero\ufeff",
	"{{constructor.constructor('alert(4)')()}} {2} {3}",
	"nul\u0000 esc\u001b[31m bell\u0007 del\u007f",
	"🏴‍☠️ 👩‍👩‍👧‍👦 ﷽ ก็็็็็็็็็็ Z̸̡͓̗a̶l̷g̴o̵",
	"javascript:alert(5)//https://evil.example/?x=1",
	long,
];

const hostile = (text, i) => alert(text.slice(0, 200) + i, text.slice(0, 300), { priority: "Critical", output: text, tags: [text.slice(0, 60), "T1611"],
	namespace: text.slice(0, 60), fields: { "container.image.repository": text.slice(0, 200), "container.name": text.slice(0, 60),
		"proc.cmdline": text, "proc.exepath": text, "proc.pcmdline": text, "proc.name": text.slice(0, 30), "user.name": text.slice(0, 60),
		"fd.name": text, [text.slice(0, 40)]: text, "evt.type": text.slice(0, 20) } });

const attack = [
	["Terminal shell in container", "Notice", ["T1059"], "sh -i"],
	["Contact K8S API Server From Container", "Notice", ["T1565"], "curl -k https://10.96.0.1/api"],
	["Read sensitive file untrusted", "Warning", ["T1555", "mitre_credential_access"], "cat /etc/shadow"],
	["Drop and execute new binary in container", "Critical", ["TA0003", "mitre_persistence"], "/tmp/xmrig -o pool.example:3333"],
	["Detect release_agent File Container Escapes", "Critical", ["T1611", "mitre_privilege_escalation"], "sh -c echo 1 > release_agent"],
];

/** Sends it all. -> numbers of incidents by name, and an alert's id */
export async function fill() {
	await send(...attack.map(([rule, priority, tags, cmdline], i) => alert("front-5d4f7c9b6-x2k9p", rule,
		{ priority, tags, secondsAgo: 600 - 60 * i, fields: { "proc.cmdline": cmdline, "proc.pid": 4000 + i, "proc.ppid": 3999 + i } })));
	for (let i = 0; i < 8; i++)
		await send(alert(`web-${i}`, i % 2 ? "Terminal shell in container" : "Write below etc", { priority: i % 3 ? "Warning" : "Error", secondsAgo: 200 + i }),
			alert(`web-${i}`, "Read sensitive file untrusted", { secondsAgo: 150 + i }));
	await send(...hostileTexts.map(hostile));
	return { attack: await numberOf("front-5d4f7c9b6-x2k9p"), noise: await numberOf("web-7") };
}
