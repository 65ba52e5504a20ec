#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command of the table prints what -o asks for: JSON, lines of JSON, YAML, or a table; or says that it takes no -o.

The commands are those that `tocsin reference commands` lists. One that needs arguments must be in ARGUMENTS, or the test fails.
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]
from checks import check, finish  # noqa: E402
from daemon import BUILD, Daemon  # noqa: E402
from falco_times import now_text  # noqa: E402

OWN_FORM = {"alerts raw", "suppress export", "config sample", "reference commands", "reference settings", "reference query", "reference manual", "reference completion"}
FORMS = ["json", "jsonl", "yaml", "table"]


class Yaml:
    """What the command line writes of YAML: nested maps and lists by indentation, leaves as JSON."""

    def __init__(self, text):
        self.lines, self.at = text.splitlines(), 0

    def block(self, depth):
        out = None
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if len(line) - len(line.lstrip(" ")) != 2 * depth:
                break
            item = re.fullmatch(r' *(?:-|("(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*):)(?: (.+))?', line)
            assert item, "no YAML: %r" % line
            self.at += 1
            value = json.loads(item[2]) if item[2] else self.block(depth + 1)
            if item[1] is None:
                out = (out or []) + [value]
            else:
                out = dict(out or {}, **{json.loads(item[1]) if item[1][0] == '"' else item[1]: value})
        return out

    def read(self):
        if self.lines in (["{}"], ["[]"]):
            return json.loads(self.lines[0])
        out = self.block(0)
        assert self.at == len(self.lines), "no YAML: %r" % self.lines[self.at]
        return out


def read(form, text):
    """-> the documents in it; raises where the text is not of that form."""
    if form == "json":
        return [json.loads(text)]
    if form == "jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return [Yaml(part).read() for part in text.split("---\n") if part]


def shape(document):
    """Names and types: values move on between two calls."""
    if isinstance(document, dict):
        return sorted((k, type(v).__name__) for k, v in document.items())
    return type(document).__name__


def call(daemon, command, arguments, form):
    offline = ["--data", daemon.data] if command == "ledger verify" else \
        ["--server", daemon.url, "--token-file", os.path.join(daemon.data, "ingest.token" if command == "ingest" else "admin.token")]
    words = [os.path.join(BUILD, "bin/tocsin")] + command.split() + offline + (["-o", form] if form else []) + arguments
    if command != "tail":
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    first = os.read(child.stdout.fileno(), 1 << 16)  # the last alerts are printed in one go
    child.send_signal(signal.SIGTERM)
    rest, told = child.communicate()
    return child.returncode, (first + rest).decode(), told.decode()


def commands():
    listed = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "reference", "commands"], capture_output=True, text=True).stdout
    for row in re.findall(r"^\| `tocsin (.+?)` \|", listed, re.M):
        yield re.match(r"[a-z][a-z-]*(?: [a-z][a-z-]*)?", row)[0], row


def alert(n, pod):
    return {"hostname": "n", "output": "shell %d: \u202e \"q\"" % n, "priority": "Warning", "rule": "shell", "source": "syscall", "time": now_text(n),
            "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": pod, "proc.name": "yes: no"}}


def arguments_of(daemon, folder):
    """What each command is called with; a function gets the call's number and gives arguments that are new each time."""
    config = os.path.join(folder, "t.yaml")
    with open(config, "w") as f:
        f.write("retention:\n  size: 64MiB\n")
    more = os.path.join(folder, "more.jsonl")
    with open(more, "w") as f:
        f.write(json.dumps(alert(9, "other")) + "\n")
    one = json.loads(daemon.get("/api/v1/alerts")[1])["items"][0]["id"]
    first = json.loads(daemon.get("/api/v1/incidents/INC-1")[1])
    prints = [row["fingerprint"] for row in first["story"]]

    daemon.request("POST", "/api/v1/incidents/INC-9/comment", b'{"text":"a word"}')

    def token(n):
        made = json.loads(daemon.request("POST", "/api/v1/tokens", json.dumps({"name": "gone%d" % n, "role": "viewer"}).encode())[1])
        return [str(made["id"])]

    def suppression():
        wish = {"matchers": ['rule="shell 30"'], "reason": "a test", "for": "2h"}
        return json.loads(daemon.request("POST", "/api/v1/suppressions", json.dumps(wish).encode())[1])["id"]

    def edit(n):
        answer = daemon.request("POST", "/api/v1/incidents/INC-2/merge", b'{"with":"INC-3"}')
        return ["INC-2", json.loads(answer[1])["decision"]["edit"]]
    return {
        "incidents show": ["INC-1"], "incidents activity": ["INC-9"], "alerts show": [one], "alerts raw": [one],
        "incidents ack": lambda n: ["INC-%d" % (n + 10)], "incidents assign": ["INC-1", "ann"], "incidents comment": ["INC-1", "a", "word"],
        "incidents resolve": lambda n: ["INC-%d" % (n + 20), "--verdict", "test"], "incidents reopen": lambda n: ["INC-%d" % (n + 20)],
        "incidents snooze": ["INC-1", "--for", "2h"], "incidents cut": ["INC-1", "--at", now_text(4000)], "incidents merge": lambda n: ["INC-1", "INC-%d" % (n + 30)],
        "incidents unlink": lambda n: ["INC-1", prints[n]], "incidents undo": edit,
        "ingest": [more, "--source", "falco"], "tokens create": lambda n: ["t%d" % n, "--role", "viewer"], "tokens revoke": token,
        "suppress show": [suppression()], "suppress hits": [suppression()], "suppress expire": lambda n: [suppression()],
        "suppress preview": ['rule="shell 31"'], "suppress export": [suppression(), "--format", "alertmanager"],
        "suppress add": ['rule="shell 31"', "--reason", "a test", "--for", "2h"],
        "entities show": ["pod", "shop/p0"],
        "config check": [config], "config show": [config],
    }


def try_command(daemon, command, row, given):
    if command in OWN_FORM:
        code, out, told = call(daemon, command, given.get(command, []), None)
        check("%s prints what it has" % command, code == 0 and out, (code, told))
        code, out, told = call(daemon, command, given.get(command, []), "json")
        check("%s says that it takes no -o" % command, code == 64 and not out and "-o" in told, (code, out, told))
        return
    needed = re.sub(r"\[[^]]*\]", "", row[len(command):]).strip()
    if needed and command not in given:
        check("%s is known to this test: say how it is called in ARGUMENTS" % command, False, row)
        return
    seen = {}
    for n, form in enumerate(FORMS):
        words = given.get(command, [])
        code, out, told = call(daemon, command, words(n) if callable(words) else words, form)
        try:
            # What goes on for ever is a row of documents in JSON, too.
            seen[form] = read("jsonl" if command == "tail" and form == "json" else form, out) if form != "table" else out
        except (ValueError, AssertionError) as err:
            told = "%s in %r" % (err, out[:300])
        empty = form == "jsonl" and "json" in seen and seen["json"][0].get("items") == []
        check("%s -o %s" % (command, form), code == 0 and (empty or seen.get(form)), (code, told))
    if len(seen) < len(FORMS):
        return
    json_form = seen["json"][0] if command != "tail" else seen["json"]
    items = json_form["items"] if isinstance(json_form, dict) and "items" in json_form else json_form if command == "tail" else [json_form]
    check("%s: JSON lines are its items" % command, [shape(i) for i in seen["jsonl"]] == [shape(i) for i in items], (seen["jsonl"], items))
    yaml = seen["yaml"] if command == "tail" else seen["yaml"][0]
    check("%s: YAML says the same as JSON" % command, shape(yaml) == shape(json_form), (yaml, json_form))


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            lines = []
            for i in range(40):
                lines += [dict(alert(2 * i, "p%d" % i), rule="shell %d" % i)]
            for i in range(6):  # kinds of INC-1 that can be taken out one by one
                lines.append(dict(alert(200 + i, "p0"), rule="kind %d" % i))
            for line in lines:
                daemon.ingest(json.dumps(line).encode())
            given = arguments_of(daemon, folder)
            order = sorted(commands(), key=lambda c: c[0] == "ledger verify")
            check("the table has commands", len(order) > 30, order)
            for command, row in order:
                try_command(daemon, command, row, given)
            check("an unknown form is refused", call(daemon, "status", [], "xml")[0] == 64)
            check("it ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
    return finish()


sys.exit(main())
