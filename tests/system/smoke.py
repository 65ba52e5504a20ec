#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon as a whole: loaded and read at once, ended, started again; refusals; the demo replayed twice.

Plain checks that any build must pass; sanitizer builds turn what they find into a failure of tocsind's exit.
"""
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish, results  # noqa: E402
from daemon import BUILD, SOURCE, Daemon  # noqa: E402

ALERTS = 20000
FIRST = str(time.time_ns() - ALERTS * 10**6)  # of the last minutes: what is older than the horizon is not correlated
LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")


def read_along(daemon, stop, seen):
    """Reads everything that can be read while the load runs."""
    paths = ["/api/v1/status", "/api/v1/incidents", "/api/v1/alerts?limit=20", "/api/v1/sources", "/metrics", "/readyz",
             "/api/v1/audit", "/api/v1/tokens", "/api/v1/incidents/1", "/api/v1/ledger"]
    while not stop.is_set():
        for path in paths:
            status, _ = daemon.get(path)
            seen[path] = seen.get(path, set()) | {status}


def load(daemon):
    return subprocess.run(
        [os.path.join(BUILD, "tests/lib/tocsin-load"), "--url", "127.0.0.1:%d" % daemon.port, "--path",
         "/ingest/falco/" + daemon.token("ingest"), "--file", LINES, "--connections", "64", "--alerts", str(ALERTS), "--first", FIRST],
        capture_output=True, text=True)


def under_load(daemon):
    stop, seen = threading.Event(), {}
    reader = threading.Thread(target=read_along, args=(daemon, stop, seen))
    reader.start()
    done = load(daemon)
    stop.set()
    reader.join()
    check("every alert of the load is answered", done.returncode == 0, done.stdout + done.stderr)
    odd = {path: codes for path, codes in seen.items() if not codes <= {200, 404}}
    check("everything can be read meanwhile", seen and not odd, odd)
    status = json.loads(daemon.get("/api/v1/status")[1])
    items = json.loads(daemon.get("/api/v1/alerts?limit=2")[1])["items"]
    found = json.loads(daemon.get("/api/v1/alerts/" + items[1]["id"])[1])
    check("an unknown query parameter is 400", daemon.get("/api/v1/incidents?rule=x")[0] == 400)
    check("an alert is found by its id", found == items[1], found)
    check("they became incidents", status["incidents"] > 10, status)
    check("the ledger has a leaf for each", int(status["ledger"]["leaves"]) == ALERTS, status)
    again = load(daemon)
    status = json.loads(daemon.get("/api/v1/status")[1])
    check("sending all of it again adds nothing", again.returncode == 0 and int(status["ledger"]["leaves"]) == ALERTS, status)


def refusals(daemon):
    line = open(LINES, "rb").readline()
    check("no token is 401", daemon.request("POST", "/ingest/falco", line, token=None)[0] == 401)
    check("a wrong token is 401", daemon.request("POST", "/ingest/falco/tsn_wrong", line, token=None)[0] == 401)
    check("a token of another role is 403", daemon.request("POST", "/ingest/falco", line, token="admin")[0] == 403)
    check("an ingest token reads nothing", daemon.get("/api/v1/alerts", token="ingest")[0] == 403)
    check("an unknown source is 404", daemon.request("POST", "/ingest/nothing", line, token="ingest")[0] == 404)
    check("an unknown encoding is 415", daemon.request("POST", "/ingest/falco", line, "ingest", {"Content-Encoding": "br"})[0] == 415)
    bomb = gzip.compress(b" " * (64 << 20))
    check("a gzip bomb is 413", daemon.request("POST", "/ingest/falco", bomb, "ingest", {"Content-Encoding": "gzip"})[0] == 413)
    check("over the cap is 413", daemon.ingest(b"[" + b" " * (9 << 20))[0] in (413, 0))
    status, body = daemon.ingest(b'{"rule": "a", "priority": 5')
    check("a broken event is quarantined, not refused", status == 200 and json.loads(body)["quarantined"] == 1, (status, body))
    status, body = daemon.ingest(b'{"rule": broken}\n' + line)
    check("bad input loses nothing that was good", status == 200 and sum(json.loads(body)[k] for k in ("accepted", "duplicate")) == 1, body)
    check("broken JSON for another source is 400", daemon.ingest(b"nonsense", "tocsin")[0] == 400)
    for year in ("1970", "2100"):
        event = json.loads(line)
        event["time"] = year + event["time"][4:]
        event["output_fields"].pop("evt.time", None)
        event["rule"] += year
        check("the year %s is stored, flagged" % year, daemon.ingest(json.dumps(event).encode())[0] == 200)
        found = json.loads(daemon.get("/api/v1/alerts?limit=1")[1])["items"][0]
        check("… as time_untrusted", "time_untrusted" in found.get("flags", []), found)


def hostile(daemon):
    event = json.loads(open(LINES).readline())
    event["rule"] = "<script>alert(1)</script> \x1b[31m \u202e \u0000"
    event["time"] = event["time"][:-4] + "001Z"
    event["cluster"] = event["output_fields"]["cluster"] = "elsewhere"
    check("a hostile rule is stored", daemon.ingest(json.dumps(event).encode())[0] == 200)
    _, body = daemon.get("/api/v1/alerts?limit=1")
    check("the API shows no markup and no controls", b"<script" not in body and b"\x1b" not in body, body[:300])
    item = json.loads(body)["items"][0]
    check("a foreign cluster in the payload is ignored", item["cluster"] == "default", item["cluster"])
    check("the raw bytes are verbatim", daemon.get("/api/v1/alerts/%s/raw" % item["id"])[1] == json.dumps(event).encode())
    _, shown = daemon.cli("alerts", "list", "--limit", "1")
    check("the terminal shows escapes", "\x1b" not in shown and "\u202e" not in shown and "\\x1b" in shown, shown)


def tokens(daemon):
    status, body = daemon.request("POST", "/api/v1/tokens", b'{"name":"narrow","sources":["tocsin"],"node":"n1"}')
    made = json.loads(body)
    check("a token is made", status == 201 and made["token"].startswith("tsn_"), body)
    line = open(LINES, "rb").readline()
    check("it may not send for other sources", daemon.request("POST", "/ingest/falco", line, made["token"])[0] == 403)
    check("it is revoked", daemon.request("DELETE", "/api/v1/tokens/%d" % made["id"])[0] == 200)
    check("and then opens nothing", daemon.request("POST", "/ingest/tocsin", b"{}", made["token"])[0] == 401)
    actions = [e["action"] for e in json.loads(daemon.get("/api/v1/audit")[1])["items"]]
    check("both are audited", actions[:2] == ["token.revoke", "token.create"], actions)


def demo(folder):
    daemon = Daemon(os.path.join(folder, "demo"))
    try:
        demo_shows(daemon.start())
    finally:
        daemon.kill()


def undelivered(document):
    """An incident's document without its counters of deliveries."""
    return json.loads(document, object_hook=lambda o: {k: v for k, v in o.items() if k != "deliveries"})


def demo_shows(daemon):
    """The recorded attack, replayed twice: what a new user is promised to see, and nothing else."""
    lists, shown = [], []
    for _ in range(2):
        lines = subprocess.run([sys.executable, os.path.join(SOURCE, "packaging/demo/replay.py"), daemon.data], capture_output=True).stdout
        status, body = daemon.ingest(lines)
        assert status == 200, body
        lists.append(json.loads(daemon.get("/api/v1/incidents?sort=risk&limit=1000")[1])["items"])
        shown.append(daemon.get("/api/v1/incidents/" + lists[-1][0]["number"])[1])
    told = json.loads(body)
    deliveries = [json.loads(document)["deliveries"] for document in shown]
    shown = [undelivered(document) for document in shown]
    check("a second replay of the demo changes nothing",
          lists[0] == lists[1] and shown[0] == shown[1] and told["accepted"] == 0 and told["duplicate"] == len(lines.splitlines()), told)
    check("… but how often it was delivered", deliveries[1] == 2 * deliveries[0] > 0, deliveries)
    by_number = json.loads(daemon.get("/api/v1/incidents?limit=1000")[1])["items"]
    check("by risk they are the same, riskiest first, of one risk the newest first",
          lists[0] == sorted(by_number, key=lambda i: (-i["risk"], -int(i["number"][4:]))), [i["number"] for i in lists[0]])
    worst, storm, rest = lists[0][0], lists[0][1], lists[0][2:]
    check("the demo has one critical incident, at the top", worst["risk"] >= 90 and [i["severity"] for i in lists[0]].count("critical") == 1, lists[0])
    check("the storm is one line", storm["alerts"] == 320 and len(storm["rules"]) == 1 and storm["severity"] == "medium", storm)
    check("the rest is little and low", 4 <= len(rest) <= 6 and all(i["severity"] in ("info", "low") and i["risk"] < 40 for i in rest), rest)
    story = shown[0]
    check("the attack is of one pod", story["entity"]["pod"] == "front-95c77778b-7flww" and len(story["tactics"]) >= 4, story["entity"])
    chain = [("Web Server Spawned Suspicious Child Process", ""), ("Web Server Spawned Suspicious Child Process", "serviceaccount/token"),
             ("Contact K8S API Server From Container", "/api/v1/secrets"), ("Detect release_agent File Container Escapes", "release_agent"),
             ("Detect crypto miners using the Stratum protocol", "stratum+tcp")]
    examples = json.loads(daemon.get("/api/v1/incidents/%s/examples" % worst["number"])[1])["items"]
    told = {item["fingerprint"]: item["example"] for item in examples}
    check("each row of its story has an example", [i["fingerprint"] for i in examples] == [r["fingerprint"] for r in story["story"]], examples)
    steps = iter(story["story"])
    check("its story tells web shell, token, API, escape, miner, in that order",
          all(any(row["rule"] == rule and words in told.get(row["fingerprint"], "") for row in steps) for rule, words in chain), (story["story"], told))
    _, text = daemon.cli("incidents", "show", worst["number"])
    check("the terminal shows them", all(words in text for _, words in chain), text)
    _, text = daemon.cli("incidents", "list", "--sort", "risk")
    check("the terminal has them in the same order", [line.split()[0] for line in text.splitlines()[1:]] == [i["number"] for i in lists[0]], text)
    check("another order is refused", daemon.get("/api/v1/incidents?sort=title")[0] == 400)
    check("a page after by risk is refused", daemon.get("/api/v1/incidents?sort=risk&after=3")[0] == 400)
    check("the demo's daemon ends with 0", daemon.stop() == 0)


def unsealed_incidents(daemon):
    """All incidents, but for what time alone changes: sealing goes on while the daemon stops and starts."""
    items = json.loads(daemon.get("/api/v1/incidents?limit=1000")[1])["items"]
    return [{k: v for k, v in item.items() if k not in ("sealed", "sealed_at", "revision")} for item in items]


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            under_load(daemon)
            refusals(daemon)
            hostile(daemon)
            tokens(daemon)
            incidents = unsealed_incidents(daemon)
            check("SIGTERM drains and ends with 0", daemon.stop() == 0)
            daemon.start()
            again = unsealed_incidents(daemon)
            check("a restart shows the same incidents", again == incidents,
                  [(a, b) for a, b in zip(again, incidents) if a != b][:2] or (len(again), len(incidents)))
            check("it ends with 0 again", daemon.stop() == 0)
            code, report = daemon.cli("ledger", "verify")
            check("the ledger verifies", code == 0, report)
            demo(folder)
        finally:
            daemon.kill()
            if not all(results):
                print("# " + open(os.path.join(folder, "tocsind.log"), errors="replace").read()[-6000:].replace("\n", "\n# "))
    return finish()


sys.exit(main())
