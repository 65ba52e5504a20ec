#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long each list, document and page takes on a full store, and what the daemon holds in memory meanwhile.

A million alerts of one rule in 200 pods, and 10 000 incidents beside them. read.py [--alerts N] [--incidents N] [--rounds N] [--check]
prints one JSON line per address, then what is over the goals of performance.md (200 ms, 120 MB of memory).
--check fails when an answer is not 200, or not what was stored, or takes ten times the goal: for machines whose speed nobody knows.
"""
import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from daemon import BUILD, Daemon, wait_for  # noqa: E402

GOAL_MS, GOAL_MB, PODS = 200, 120, 200
RULES = [("Read sensitive file untrusted", "Warning", "T1555"), ("Terminal shell in container", "Notice", "T1059"),
         ("Drop and execute new binary in container", "Critical", "TA0003")]


def event(rule, priority, tag, pod, namespace):
    return json.dumps(separators=(",", ":"), obj={"rule": rule, "priority": priority, "source": "syscall", "time": "2026-11-21T19:52:28.429697301Z", "hostname": "node-1",
                       "tags": [tag], "output": "%s in %s (command=cat /etc/shadow user=root)" % (rule, pod),
                       "output_fields": {"k8s.ns.name": namespace, "k8s.pod.name": pod, "proc.name": "cat", "proc.cmdline": "cat /etc/shadow",
                                         "proc.exepath": "/usr/bin/cat", "container.id": "%012x" % (abs(hash(pod)) % 16**12), "user.name": "root"}})


def load(daemon, folder, lines, alerts, first_ns, step_ns):
    path = os.path.join(folder, "lines.jsonl")
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    done = subprocess.run([os.path.join(BUILD, "tests/lib/tocsin-load"), "--url", "127.0.0.1:%d" % daemon.port, "--path",
                           "/ingest/falco/" + daemon.token("ingest"), "--file", path, "--connections", "4", "--alerts", str(alerts), "--batch", "500",
                           "--first", str(first_ns), "--step", str(step_ns)], capture_output=True, text=True)
    if done.returncode:
        sys.exit("read: the load failed: " + done.stdout + done.stderr)


def fill(daemon, folder, args):
    """Incidents first, then the storm: what is newest is one rule's."""
    now = time.time_ns()
    began = time.monotonic()
    lines = [event(*RULES[r], "web-%05d" % i, "team-%02d" % (i % 40)) for i in range(args.incidents) for r in range(3)]
    load(daemon, folder, lines, len(lines), now - 1500 * 10**9, 1400 * 10**9 // len(lines))
    lines = [event(*RULES[0], "storm-%03d" % i, "storm") for i in range(PODS)]
    load(daemon, folder, lines, args.alerts, now - 900 * 10**9, 890 * 10**9 // args.alerts)
    print("# filled in %.0f s" % (time.monotonic() - began), flush=True)


def status_of(daemon):
    return json.loads(daemon.get("/api/v1/status")[1])


def memory_mb(daemon):
    with open("/proc/%d/status" % daemon.process.pid) as f:
        rows = dict(line.split(":", 1) for line in f)
    return int(rows["VmRSS"].split()[0]) / 1024, int(rows["VmHWM"].split()[0]) / 1024


def addresses(daemon):
    """What people and programs look at, with the oldest, the newest, and the largest incident."""
    def items(path):
        return json.loads(daemon.get("/api/v1/" + path)[1])["items"]
    newest, oldest = items("incidents?limit=1")[0]["number"], "INC-1"
    largest = items("incidents?namespace=storm&limit=1")[0]["number"]
    alert = items("alerts?limit=1")[0]["id"]
    rule = RULES[0][0].replace(" ", "%20")
    found = ["status", "sources", "ledger", "tokens", "audit", "recorrelation", "quarantine", "me", "sessions", "suppressions",
             "incidents", "incidents?limit=1000", "incidents?after=5000", "incidents?sort=risk", "incidents?rollup=true", "incidents?sort=risk&rollup=true",
             "incidents?namespace=team-07", "incidents?pod=web-00001", "incidents?severity=critical", "incidents?q=namespace:team-07", "incidents?q=nothing",
             "alerts", "alerts?limit=1000", "alerts?after=1000", "alerts?rule=" + rule, "alerts?pod=web-00001", "alerts?pod=nobody", "alerts?severity=critical",
             "alerts?namespace=team-07", "alerts?incident=" + oldest, "alerts?incident=" + largest, "alerts?q=namespace:team-07", "alerts?q=nothing",
             "alerts/" + alert, "alerts/0", "alerts/%s/raw" % alert]
    found = ["/api/v1/" + path for path in found]
    for number in (newest, oldest, largest):
        found += ["/api/v1/incidents/%s%s" % (number, part) for part in ("", "/examples", "/alerts", "/timeline", "/activity")]
        found += ["/incidents/%s%s" % (number, part) for part in ("", "/tactics", "/processes", "/entities", "/alerts", "/activity", "/similar")]
    return found + ["/", "/incidents", "/incidents?sort=risk", "/incidents?q=namespace:team-07", "/alerts", "/alerts/" + alert, "/suppressions", "/health", "/admin",
                    "/metrics", "/api/openapi.yaml"]


def measure(daemon, paths, rounds):
    """-> {path: (status, [milliseconds], bytes)}; in turns, on one connection, as a browser would."""
    seen, headers = {}, {"Authorization": "Bearer " + daemon.token("admin")}
    for _ in range(rounds):
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=120)
        for path in paths:
            began = time.perf_counter()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            taken = (time.perf_counter() - began) * 1000
            seen.setdefault(path, (answer.status, [], len(body)))[1].append(taken)
        connection.close()
    return seen


def report(seen, args, memory):
    wrong, slow = [], []
    for path, (status, taken, size) in seen.items():
        middle = statistics.median(taken)
        print(json.dumps({"path": path, "status": status, "ms": round(middle, 1), "most_ms": round(max(taken), 1), "bytes": size}))
        if status != 200:
            wrong.append("%s: %d" % (path, status))
        if middle > GOAL_MS:
            slow.append("%s: %.0f ms" % (path, middle))
        if middle > 10 * GOAL_MS and args.check:
            wrong.append("%s: %.0f ms" % (path, middle))
    print("# memory: %.0f MB after filling, %.0f MB after reading, %.0f MB at most" % memory)
    print("# over %d ms: %s" % (GOAL_MS, "; ".join(slow) or "nothing"))
    if memory[1] > GOAL_MB:
        print("# over %d MB of memory: %.0f" % (GOAL_MB, memory[1]))
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--alerts", type=int, default=1000000)
    parser.add_argument("--incidents", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            fill(daemon, folder, args)
            wanted = 3 * args.incidents + args.alerts
            wait_for(lambda: int(status_of(daemon)["ledger"]["leaves"]) >= wanted, 60, "all is stored")
            status, full = status_of(daemon), memory_mb(daemon)[0]
            seen = measure(daemon, addresses(daemon), args.rounds)
            now, most = memory_mb(daemon)
            wrong = report(seen, args, (full, now, most))
            print("# %s alerts, %d incidents" % (status["ledger"]["leaves"], status["incidents"]))
            if int(status["ledger"]["leaves"]) != wanted or status["incidents"] < args.incidents:
                wrong.append("stored: %s" % status)
        finally:
            daemon.kill()
    for row in wrong:
        print("# wrong: " + row)
    print("# PASS: %d\n# FAIL: %d" % (len(seen) - len(wrong), len(wrong)))
    return bool(wrong) and args.check


sys.exit(main())
