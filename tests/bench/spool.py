#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the node agent with a full spool: taking alerts without a collector, starting again, and delivering all of it.

Starts are interleaved with reading and hashing the same files once (OpenSSL's SHA-256), which is what a start that must look at every
record cannot undercut. One JSON line per figure, then medians. spool.py [--mib N] [--rounds N]
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../system"))
from agent_rig import Agent  # noqa: E402
from daemon import BUILD, SOURCE, Daemon, wait_for  # noqa: E402
from figures import Figures, cpu_seconds, memory_mib  # noqa: E402

LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")


def load(agent, alerts, batch, connections, first):
    words = [os.path.join(BUILD, "tests/lib/tocsin-load"), "--url", "127.0.0.1:%d" % agent.port, "--path", "/ingest/falco", "--file", LINES,
             "--connections", str(connections), "--batch", str(batch), "--alerts", str(alerts), "--first", str(first)]
    before, began = cpu_seconds(agent.process.pid), time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        sys.exit("bench: the load failed: " + done.stdout + done.stderr)
    return {"cpu_us": round((cpu_seconds(agent.process.pid) - before) * 1e6 / alerts, 2),
            "per_second": round(alerts / (time.monotonic() - began))}


def spool_bytes(folder):
    return sum(os.path.getsize(os.path.join(folder, n)) for n in os.listdir(folder))


def fill(agent, mib, note):
    """-> alerts in the spool"""
    n, each, first = 0, 50000, time.time_ns() - 1800 * 10**9
    while spool_bytes(agent.spool) < mib * 2**20:
        batch, connections = (1, 64) if n == each else (200, 8)
        note("agent takes, %s" % ("one a POST, c=64" if batch == 1 else "200 a POST, c=8"), load(agent, each, batch, connections, first + n * 10**6))
        n += each
        print("# %d MiB" % (spool_bytes(agent.spool) >> 20), flush=True)
    return n


def read_and_hash(folder):
    began = time.monotonic()
    for name in sorted(os.listdir(folder)):
        digest = hashlib.sha256()
        with open(os.path.join(folder, name), "rb") as f:
            while piece := f.read(65536):
                digest.update(piece)
    return {"seconds": round(time.monotonic() - began, 3)}


def start(agent):
    """Until it takes alerts."""
    began = time.monotonic()
    agent.start()
    wait_for(lambda: agent.get("/readyz")[0] == 200, 120, "the agent is ready")
    return {"seconds": round(time.monotonic() - began, 3), "cpu_s": cpu_seconds(agent.process.pid), "most_mib": memory_mib(agent.process.pid, "VmHWM")}


def lose_ends(folder):
    """As if every file's end were damaged: then each is read to know what is in it."""
    for name in os.listdir(folder):
        if name.endswith(".segment"):
            with open(os.path.join(folder, name), "r+b") as f:
                f.seek(-8, os.SEEK_END)
                last = f.read(8)
                f.seek(-8, os.SEEK_END)
                f.write(bytes(byte ^ 255 for byte in last))


def starts(agent, folder, rounds, note):
    whole, damaged = agent.spool, os.path.join(folder, "damaged")
    for _ in range(rounds):
        note("start after an orderly end", start(agent))
        agent.kill()
        note("start after a kill", start(agent))
        agent.stop()
        shutil.copytree(whole, damaged)
        lose_ends(damaged)
        note("reading and hashing the files", read_and_hash(damaged))
        agent.spool = damaged
        note("start when every record is read", start(agent))
        agent.kill()
        agent.spool = whole
        shutil.rmtree(damaged)


def deliver(agent, daemon, n, note):
    agent.start()
    pids = agent.process.pid, daemon.process.pid
    before, began = [cpu_seconds(pid) for pid in pids], time.monotonic()
    wait_for(lambda: agent.metric("tocsin_agent_connected") == 1, 60, "the agent is connected")
    wait_for(lambda: agent.metric("tocsin_agent_waiting_records") == 0, 600, "all is delivered")
    seconds = time.monotonic() - began
    for name, pid, used in zip(("agent", "collector"), pids, before):
        note("delivers all, " + name, {"cpu_us": round((cpu_seconds(pid) - used) * 1e6 / n, 2), "per_second": round(n / seconds),
                                       "seconds": round(seconds, 1), "most_mib": memory_mib(pid, "VmHWM")})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    figures = Figures()
    note = figures.note

    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        token = os.path.join(folder, "token")
        with open(token, "w") as f:
            f.write(daemon.token("ingest"))
        daemon.stop()
        agent = Agent(folder, "127.0.0.1:%d" % daemon.grpc_port, token, words=["--spool_size", "%dMiB" % (args.mib * 2)])
        try:
            agent.start()
            n = fill(agent, args.mib, note)
            agent.stop()
            starts(agent, folder, args.rounds, note)
            daemon.start()
            deliver(agent, daemon, n, note)
            agent.stop()
            daemon.stop()
        finally:
            agent.kill()
            daemon.kill()
    print("\n%d alerts, %d MiB" % (n, args.mib))
    for name, rows in figures.items():
        print("%-36s %s" % (name, "  ".join("%s %.2f" % (key, figures.median(name, key)) for key in rows[0])))
    floor = figures.median("reading and hashing the files", "seconds")
    print("a start that reads every record takes %.2f times as long as reading and hashing the files"
          % (figures.median("start when every record is read", "seconds") / floor))


main()
