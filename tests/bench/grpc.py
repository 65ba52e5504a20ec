#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures gRPC in interleaved rounds of one run: tocsind with everything on, our front end alone, and grpc-go, which only counts;
streams and one call a batch, many nodes at once, and what those who send little wait beside those who send much.

CPU is the server's own (from /proc). One JSON line per figure, then medians and ratios. grpc.py [--rounds N] [--alerts N] [--nodes N]
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../system"))
from daemon import BUILD, SOURCE, Daemon, free_port, wait_for  # noqa: E402
from figures import Figures, cpu_seconds, memory_mib  # noqa: E402

QUIET_SECONDS = 5
MEMORY_BACK_SECONDS = 12  # what a burst needed is given back by then
LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")


def load_words(port, token, alerts, batch, connections=1):
    return [os.path.join(BUILD, "tests/lib/tocsin-push"), "--port", str(port), "--file", LINES, "--alerts", str(alerts), "--batch", str(batch),
             "--connections", str(connections), "--first", str(time.time_ns() - alerts * 10**6), "--token", token]


def push(pid, port, token, alerts, batch, connections=1, unary=False):
    before = cpu_seconds(pid)
    words = load_words(port, token, alerts, batch, connections)
    done = subprocess.run(words + (["--unary"] if unary else []), capture_output=True, text=True)
    if done.returncode:
        sys.exit("bench: the load failed: " + done.stdout + done.stderr)
    told = json.loads(done.stdout)
    return {"cpu_us": round((cpu_seconds(pid) - before) * 1e6 / alerts, 2), "per_second": round(alerts / told["seconds"])}


class Counter:
    """A server that only counts; -> port, pid."""

    def __init__(self, words):
        self.port = free_port()
        self.process = subprocess.Popen(words + [str(self.port)], stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", self.port)) == 0, 30, words[0] + " listens")

    def stop(self):
        self.process.kill()
        self.process.wait()


def grpc_go():
    if not shutil.which("go"):
        print("no Go here: grpc-go is not measured")
        return None
    binary = os.path.join(BUILD, "grpc-count")
    subprocess.run(["go", "build", "-mod=readonly", "-buildvcs=false", "-o", binary, "."], cwd=os.path.join(HERE, "grpc-count"), check=True,
                   env=dict(os.environ, CGO_ENABLED="0"))
    return Counter([binary])


def measure(daemon, others, args, note):
    pid, token = daemon.process.pid, daemon.token("ingest")
    push(pid, daemon.grpc_port, token, args.alerts, 500)  # warm-up
    for _, other in others:
        push(other.pid, other.port, "", args.alerts, 500)
    for i in range(args.rounds):
        note("tocsind, stream of 500", push(pid, daemon.grpc_port, token, args.alerts, 500))
        note("tocsind, one a call, c=64", push(pid, daemon.grpc_port, token, args.alerts // 4, 1, 64, True))
        for name, other in others:
            note(name + ", stream of 500", push(other.pid, other.port, "", args.alerts * 4, 500))
            note(name + ", stream of 1", push(other.pid, other.port, "", args.alerts, 1))
            note(name + ", one a call, c=64", push(other.pid, other.port, "", args.alerts // 4, 1, 64, True))
    before = memory_mib(pid)
    figure = push(pid, daemon.grpc_port, token, args.alerts * 2, 100, args.nodes)
    figure["mib_more"] = round(memory_mib(pid) - before, 1)
    time.sleep(MEMORY_BACK_SECONDS)
    figure["mib_kept"] = round(memory_mib(pid) - before, 1)
    note("tocsind, %d nodes" % args.nodes, figure)
    for _ in range(args.rounds):
        fairness(daemon.grpc_port, token, note)


def quiet(port, token):
    """Twenty nodes with 20 alerts a second each, whatever becomes of them: how long an alert waits from when it is due until it is acknowledged."""
    done = subprocess.run(load_words(port, token, 400 * QUIET_SECONDS, 500, 20) + ["--rate", "20"], capture_output=True, text=True)
    if done.returncode:
        sys.exit("bench: the load failed: " + done.stdout + done.stderr)
    return json.loads(done.stdout)


def fairness(port, token, note):
    """Quiet nodes alone, beside one that sends without an end and beside ten of these: all share the writer, and one token."""
    for greedy in (0, 1, 10):
        name = "quiet nodes beside %d greedy" % greedy
        if not greedy:
            note(name, quiet(port, token))
            continue
        load = subprocess.Popen(load_words(port, token, 10**8, 1000, greedy), stdout=subprocess.DEVNULL)
        try:
            note(name, quiet(port, token))
        finally:
            load.kill()
            load.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alerts", type=int, default=60000)
    parser.add_argument("--nodes", type=int, default=500)
    args = parser.parse_args()
    figures = Figures()
    note = figures.note

    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        others = [("our front end", Counter([os.path.join(BUILD, "tests/lib/tocsin-push-count")]))]
        go = grpc_go()
        if go:
            others.append(("grpc-go", go))
        try:
            measure(daemon, others, args, note)
            daemon.stop()
        finally:
            daemon.kill()
            for _, other in others:
                other.stop()
    print("\n%-28s %10s %12s   median (least to most) of %d" % ("", "CPU us", "alerts/s", args.rounds))
    for name, rows in figures.items():
        if name.startswith("quiet"):
            continue
        cpu, rate = [r["cpu_us"] for r in rows], [r["per_second"] for r in rows]
        print("%-28s %10.2f %12.0f   (%.2f-%.2f)" % (name, statistics.median(cpu), statistics.median(rate), min(cpu), max(cpu)))
    for name, rows in figures.items():
        if name.startswith("quiet"):
            print("%-28s %s" % (name, ", ".join("%s %.1f" % (key, figures.median(name, key)) for key in ("p50_ms", "p99_ms", "max_ms"))
                                + ", %.3f of them in time" % figures.median(name, "in_time")))
    middle = {name: statistics.median(r["cpu_us"] for r in rows) for name, rows in figures.items() if "cpu_us" in rows[0]}
    for kind in ("stream of 500", "stream of 1", "one a call, c=64"):
        if "grpc-go, " + kind in middle:
            print("%s: grpc-go takes %.1f times the CPU of our front end" % (kind, middle["grpc-go, " + kind] / middle["our front end, " + kind]))


main()
