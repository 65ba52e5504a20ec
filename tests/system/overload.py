#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The writer blocked under Falco-like senders: all are held, none refused, then all is stored.

Another program holds a lock on the database; each sender is as Falco is: one request in flight, statuses ignored.
overload.py [--seconds N] (default 60)
"""
import argparse
import json
import os
import sqlite3
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish, results  # noqa: E402
from daemon import SOURCE, Daemon, wait_for  # noqa: E402

LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")
SENDERS = 30


def resident_mib(pid):
    with open("/proc/%d/statm" % pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def sender(daemon, lines, answers):
    for line in lines:
        answers.append(daemon.request("POST", "/ingest/falco", line, token="ingest", timeout=600)[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    args = parser.parse_args()
    with open(LINES, "rb") as f:
        lines = f.read().splitlines()
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        lock = sqlite3.connect(os.path.join(daemon.data, "tocsin.db"), isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        blocked_until = time.monotonic() + args.seconds
        answers = []
        threads = [threading.Thread(target=sender, args=(daemon, lines[i::SENDERS], answers)) for i in range(SENDERS)]
        for thread in threads:
            thread.start()

        def status():
            return json.loads(daemon.get("/api/v1/status")[1] or b"{}")
        wait_for(lambda: daemon.ready() == 503, args.seconds, "/readyz says that the store does not work")
        check("/readyz says so", True)
        before = resident_mib(daemon.process.pid)
        wait_for(lambda: time.monotonic() > blocked_until, args.seconds + 5, "the time of the lock")
        check("nobody was answered, so nobody was refused", answers == [], answers[:5])
        sources = json.loads(daemon.get("/api/v1/sources")[1])["addresses"]
        check("held for is shown, per sender and for all",
              any(s.get("held_since") for s in sources) and status()["held"] == SENDERS and status()["held_for_s"] >= args.seconds - 5, (sources, status()))
        check("memory stays where it was", resident_mib(daemon.process.pid) < before + 50, resident_mib(daemon.process.pid))
        lock.execute("ROLLBACK")
        lock.close()
        for thread in threads:
            thread.join(120)
        check("all are answered 200", len(answers) == len(lines) and set(answers) == {200}, (len(answers), set(answers)))
        told = wait_for(lambda: status()["held"] == 0 and status(), 10, "nobody is shown as held")
        check("all is stored, nobody is held", int(told["ledger"]["leaves"]) == len(lines) and told["held"] == 0, told)
        check("tocsind ends with 0", daemon.stop() == 0)
        if not all(results):
            print("# " + open(os.path.join(folder, "tocsind.log"), errors="replace").read()[-3000:].replace("\n", "\n# "))
    return finish()


sys.exit(main())
