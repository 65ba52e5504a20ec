#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts and decisions with hostile text in every field, through each answer of the API and each view of the command line."""
import json
import os
import subprocess
import sys
import tempfile
import unicodedata

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish  # noqa: E402
from daemon import BUILD, Daemon  # noqa: E402

# What a terminal, a browser or a reader could be made to believe. Each is put into each field.
HOSTILE = {
    "ansi": "\x1b[2J\x1b[31mroot\x1b]52;c;ZXZpbA==\x07\x1b]0;title\x07",
    "c1": "\x9b31m\x85\x90q\x9c",
    "controls": "a\x00b\x08\x08c\rd\ne\tf\x7f\x0c",
    "bidi": "\u202egnp.exe\u202c \u2066x\u2069 \u200f\u061c",
    "hidden": "ad\u200bmin\u2060\ufeff\u00ad\u2028\u2029\U000e0041",
    "markup": "<script>alert(1)</script>&amp;\"'</textarea>",
    "json": "\",\"severity\":\"info\",\"x\":\"\\",
    "formula": "=cmd|' /C calc'!A0",
    "combining": "e" + "\u0301" * 300,
    "long": "A" * 20000,
    "surrogate": "\ud800x\udfff",
    "format": "%s%n%x${jndi:ldap://x}{{7*7}}",
}
FIELDS = ["sensor", "node", "namespace", "pod", "pod_uid", "container", "container_id", "image", "image_digest", "runtime_class", "rule",
          "severity_reported", "message", "resource", "operation"]
PROCESS = ["name", "exe", "cmdline", "parent", "user", "exec_id"]


def alerts():
    """-> [(source, bytes of one body)]"""
    for n, (name, text) in enumerate(HOSTILE.items()):
        time = "2026-11-21T19:%02d:28.%09dZ" % (n, n)
        alert = {"time": time, "severity": "high", **{f: "%s %s" % (f, text) for f in FIELDS}, "process": {f: text for f in PROCESS},
                 "tags": [text], "workload": {"kind": text, "name": text, "inferred": False}, "attack_reported": [text], "via": [text]}
        yield "tocsin", json.dumps(alert).encode()
        event = {"rule": text, "priority": "Critical", "source": text, "time": time, "output": text, "hostname": text, "tags": [text],
                 "output_fields": {"k8s.ns.name": text, "k8s.pod.name": text, "proc.cmdline": text, "proc.name": text, "container.id": text,
                                   "fd.name": text, "user.name": text, text[:200]: text}}
        yield "falco", json.dumps(event).encode()
        # the same bytes without escapes: invalid UTF-8 and raw controls
        event["time"] = time.replace("2026-11-21", "2026-11-22")
        yield "falco", json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")
    yield "falco", b'{"rule":"bytes \xff\xfe\xc0\xaf \xed\xa0\x80 \xf8\x88\x80\x80\x80","priority":"Error","output":"\x80","hostname":"\xff"}'
    yield "falco", b"\x1b[31mnot json \xff\xfe at all\x00"
    yield "kubearmor", json.dumps({"Timestamp": 1763754748, "UpdatedTime": "2026-11-21T19:52:28.000000Z", "ClusterName": HOSTILE["ansi"],
                                   "HostName": HOSTILE["bidi"], "NamespaceName": HOSTILE["hidden"], "PodName": HOSTILE["ansi"], "PolicyName": HOSTILE["markup"],
                                   "Severity": "5", "Type": "MatchedPolicy", "Source": HOSTILE["c1"], "Operation": "Process", "Resource": HOSTILE["ansi"],
                                   "Data": HOSTILE["json"], "Action": "Block", "Result": HOSTILE["controls"], "Message": HOSTILE["bidi"],
                                   "Tags": HOSTILE["ansi"], "ATags": [HOSTILE["bidi"]]}).encode()


def send(daemon):
    n = 0
    for source, body in alerts():
        status, answer = daemon.ingest(body, source)
        if status == 200 and sum(json.loads(answer)[k] for k in ("accepted", "quarantined")) >= 1:
            n += 1
        else:
            check("%s takes or refuses %r" % (source, body[:60]), status in (200, 400), (status, answer))
    check("nearly all is stored, however hostile", n >= 3 * len(HOSTILE), n)


def misleads(character):
    return unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs") and character != "\U0001f3fb"


def look_at(what, body):
    """A JSON answer: whole, and nothing in it that a terminal or a browser acts upon."""
    try:
        text = body.decode()
        document = json.loads(text)
    except ValueError as err:
        check("%s is JSON in UTF-8" % what, False, (err, body[:200]))
        return None
    bad = sorted({"%04x" % ord(c) for c in text if misleads(c)} | {c for c in text if c in "<>&"})
    check("%s is JSON, and shows nothing that misleads" % what, not bad, bad)
    return document


def api(daemon):
    """Every document about alerts. -> numbers of incidents, ids of alerts"""
    lists = {}
    for path in ("alerts?limit=1000", "incidents?limit=1000", "incidents?sort=risk&rollup=true", "quarantine", "sources", "audit", "tokens", "status"):
        status, body = daemon.get("/api/v1/" + path)
        check("/%s is answered" % path, status == 200, body[:300])
        lists[path.split("?")[0]] = (look_at("/" + path, body) or {}).get("items", [])
    numbers, ids = [i["number"] for i in lists["incidents"]], [a["id"] for a in lists["alerts"]]
    for what, paths in (("an incident", ["incidents/%s%s" % (n, part) for n in numbers for part in ("", "/timeline", "/activity", "/examples", "/alerts")]),
                        ("an alert", ["alerts/" + i for i in ids])):
        found = b"["
        for path in paths:
            status, body = daemon.get("/api/v1/" + path)
            if status != 200:
                check("/%s is answered" % path, False, (status, body[:300]))
            found += body + b","
        look_at("each document about %s (%d)" % (what, len(paths)), found[:-1] + b"]")
    return numbers, ids


def decide(daemon, number):
    """People's text is as hostile."""
    for name, text in HOSTILE.items():
        if name == "surrogate":
            continue
        for action, body in (("comment", {"text": text[:8000]}), ("assign", {"assignee": text[:100]})):
            status, answer = daemon.request("POST", "/api/v1/incidents/%s/%s" % (number, action), json.dumps(body).encode())
            if status not in (200, 422):
                check("%s with %s" % (action, name), False, (status, answer[:300]))
            look_at("the answer to %s with %s" % (action, name), answer)
    for path in ("/api/v1/incidents/\x1b[31m".replace("\x1b", "%1b"), "/api/v1/alerts/%e2%80%ae", "/api/v1/alerts?%3Cscript%3E=1", "/api/v1/alerts?source=%1b%5b31m",
                 "/api/v1/incidents?since=%e2%80%aex", "/api/v1/%9b"):
        status, answer = daemon.get(path)
        check("%s is refused" % path, status in (400, 404), (status, answer[:200]))
        look_at("its problem", answer)


def terminal(daemon, numbers, ids):
    commands = [["alerts", "list"], ["alerts", "list", "--limit", "1000"], ["incidents", "list"], ["incidents", "list", "--sort", "risk"], ["sources"],
                ["status"], ["tokens", "list"]]
    commands += [["incidents", verb, n] for n in numbers for verb in ("show", "activity")] + [["alerts", "show", i] for i in ids]
    commands += [["incidents", "show", "INC-\x1b[31m"], ["alerts", "show", "\u202e"], ["alerts", "list", "--severity", "\x1b[31m"],
                 ["alerts", "list", "-q", "rule:\x1b[31m\u202e ("], ["alerts", "list", "--\x1b[31m"], ["\x1b[31m"]]
    for how in (["--server", daemon.url, "--token-file", os.path.join(daemon.data, "admin.token")], ["--data", daemon.data]):
        for form in ("table", "json", "jsonl", "yaml"):
            bad, empty = {}, []
            for command in commands:
                done = subprocess.run([os.path.join(BUILD, "bin/tocsin")] + how + ["-o", form] + command, capture_output=True, timeout=60)
                for stream in (done.stdout, done.stderr):
                    try:
                        wrong = {"%04x" % ord(c) for c in stream.decode() if misleads(c) and c != "\n"}
                    except UnicodeDecodeError as err:
                        wrong = {str(err)}
                    if wrong:
                        bad[" ".join(command)[:60]] = sorted(wrong)
                if not done.stdout + done.stderr and not (form == "jsonl" and command[1] == "activity"):
                    empty.append(command)
            check("%s as %s: no terminal is told what to do (%d views)" % (how[0], form, len(commands)), not bad and not empty, (bad, empty))


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            send(daemon)
            numbers, ids = api(daemon)
            check("there are incidents of them", len(numbers) > 5, numbers)
            decide(daemon, numbers[0])
            # one of each kind is enough for the command line
            terminal(daemon, numbers[:6], ids[:20])
            check("tocsind ends with 0", daemon.stop() == 0)
            with open(os.path.join(folder, "tocsind.log"), "rb") as f:
                log = f.read().decode()
            check("its log has no controls", not {c for c in log if misleads(c) and c != "\n"}, log[-500:])
        finally:
            daemon.kill()
    return finish()


sys.exit(main())
