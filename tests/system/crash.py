#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills tocsind at a random write under load: every 200 is in the ledger, none twice, the tree verifies.

A round: a load over HTTP (one alert a POST, or NDJSON batches) against a tocsind that strace kills at its
N-th write to the database; restart; the client sends all that was not answered and some that was; then
each alert is looked for in the database by its event time, which is different for each.
crash.py [--rounds N] [--alerts N] [--seed N]
"""
import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import BUILD, SOURCE, Daemon  # noqa: E402

LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")
LOAD = os.path.join(BUILD, "tests/lib/tocsin-load")


def load(daemon, folder, alerts, batch, first, resume=False):
    record = os.path.join(folder, "record")
    words = [LOAD, "--url", "127.0.0.1:%d" % daemon.port, "--path", "/ingest/falco/" + daemon.token("ingest"),
             "--file", LINES, "--connections", "32", "--alerts", str(alerts), "--batch", str(batch), "--first", str(first)]
    if resume:
        words += ["--resume-from", record, "--again", "10", "--record", record + "2"]
    else:
        words += ["--record", record]
    done = subprocess.run(words, capture_output=True, text=True)
    return done.returncode, done.stdout, record


def answered(record):
    with open(record) as f:
        return {int(line.split()[0]) for line in f if line.strip() and line.split()[0].isdigit()}


def times(daemon):
    """Event times of all stored alerts, with repeats."""
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(daemon.data, "tocsin.db"), uri=True)
    try:
        return [row[0] for row in db.execute("SELECT time_ns FROM alert")]
    finally:
        db.close()


def one_round(rnd, alerts, folder):
    batch = rnd.choice([1, 1, 20, 200])
    # Of the last minutes: what is older than the horizon is not correlated.
    first = time.time_ns() - alerts * 10**6 - rnd.randrange(10**9)
    daemon = Daemon(os.path.join(folder, "data")).start()
    daemon.stop()
    # Up to as many writes as the load takes, so that some rounds die early and some late: so many alerts go into one.
    when = rnd.randrange(1, max(60, alerts // {1: 6, 20: 25, 200: 60}[batch]))
    daemon.start(wrap=["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64",
                       "-e", "inject=pwrite64:signal=KILL:when=%d" % when])
    load(daemon, folder, alerts, batch, first)
    died = daemon.process.poll() is not None
    daemon.kill()
    before = answered(os.path.join(folder, "record"))
    daemon.start()
    stored = times(daemon)
    assert len(stored) == len(set(stored)), "an alert is stored twice after the crash"
    assert len(stored) >= len(before), "%d answered, %d stored" % (len(before), len(stored))
    code, out, _ = load(daemon, folder, alerts, batch, first, resume=True)
    assert code == 0, "sending the rest failed: %s" % out
    assert daemon.stop() == 0, "tocsind did not end cleanly"
    after = times(daemon)
    assert len(after) == len(set(after)), "an alert is stored twice after sending again"
    assert len(after) == alerts, "%d alerts sent, %d stored" % (alerts, len(after))
    assert set(stored) <= set(after), "an alert went away"
    code, report = daemon.cli("ledger", "verify")
    assert code == 0, "ledger verify says:\n" + report
    return {"batch": batch, "when": when, "died": died, "answered": len(before)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--alerts", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    args = parser.parse_args()
    print("# seed %d, %d rounds of %d alerts" % (args.seed, args.rounds, args.alerts), flush=True)
    failed = died = 0
    for i in range(args.rounds):
        with tempfile.TemporaryDirectory() as folder:
            try:
                told = one_round(random.Random("%d/%d" % (args.seed, i)), args.alerts, folder)
                died += told["died"]
                print("ok %d - %s" % (i + 1, json.dumps(told)), flush=True)
            except AssertionError as err:
                failed += 1
                print("not ok %d - %s" % (i + 1, err), flush=True)
                with open(os.path.join(folder, "tocsind.log"), errors="replace") as f:
                    print("# " + f.read()[-2000:].replace("\n", "\n# "), flush=True)
    if died * 2 < args.rounds:
        failed += 1
        print("not ok %d - only %d of %d rounds killed tocsind" % (args.rounds + 1, died, args.rounds))
    print("# PASS: %d\n# FAIL: %d" % (args.rounds - min(failed, args.rounds), failed))
    return failed > 0


sys.exit(main())
