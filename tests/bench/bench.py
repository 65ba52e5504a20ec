#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures, in interleaved rounds of one run: HTTP at several concurrencies, batches, the pipeline without network, raw SQLite,
and the peers that are there (Alertmanager always if installed; falcosidekick when TOCSIN_FALCOSIDEKICK names it).

CPU is the server's own (from /proc), not the client's. One JSON line per figure, then medians and ratios. Nothing is compared
across runs. bench.py [--rounds N] [--alerts N] [--only readers]
"""
import argparse
import json
import os
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from daemon import BUILD, SOURCE, Daemon, free_port, wait_for  # noqa: E402
from figures import Figures, cpu_seconds  # noqa: E402

LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")
READERS = 200


def thread_ns(pid, name):
    """CPU time of the thread of that name, in nanoseconds; 0: there is none."""
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/comm" % (pid, task)) as f:
            if f.read().strip() != name:
                continue
        with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
            return int(f.read().split()[0])
    return 0


def load(pid, port, path, file, connections, alerts, batch):
    before, writer = cpu_seconds(pid), thread_ns(pid, "writer")
    done = subprocess.run([os.path.join(BUILD, "tests/lib/tocsin-load"), "--url", "127.0.0.1:%d" % port, "--path", path, "--file", file,
                           "--connections", str(connections), "--alerts", str(alerts), "--batch", str(batch),
                           # Of the last minutes, none sent before: older than the horizon they would be stored and not correlated.
                           "--first", str(time.time_ns() - alerts * 10**6)],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit("bench: the load failed: " + done.stdout + done.stderr)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return {"writer_us": round((thread_ns(pid, "writer") - writer) / 1e3 / alerts, 2), "cpu_us": round((cpu_seconds(pid) - before) * 1e6 / alerts, 2), "per_second": round(alerts / told["seconds"]),
            "p50_ms": told["p50_ms"], "p99_ms": told["p99_ms"]}


class Peer:
    """A program that takes one alert a POST."""

    def __init__(self, name, words, port, path, file, ready, env=None):
        self.name, self.port, self.path, self.file = name, port, path, file
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))

        def up():
            try:
                return urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, ready), timeout=1).status == 200
            except OSError:
                return False
        wait_for(up, 30, name + " answers")

    def stop(self):
        self.process.kill()
        self.process.wait()


class Readers:
    """200 readers of /api/v1/events, emptied by a thread that looks at nothing."""

    def __init__(self, daemon, tokens, query):
        self.before = resident_bytes(daemon.process.pid)
        self.pid, self.sockets, self.poll, self.bytes = daemon.process.pid, {}, select.epoll(), 0
        for i in range(READERS):
            one = socket.create_connection(("127.0.0.1", daemon.port))
            one.sendall(("GET /api/v1/events%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n" % (query, tokens[i // 50])).encode())
            self.sockets[one.fileno()] = one
            self.poll.register(one, select.EPOLLIN)
        self.ending = False
        self.thread = threading.Thread(target=self.empty)
        self.thread.start()
        wait_for(lambda: self.bytes > READERS * 100, 30, "all readers are greeted")

    def empty(self):
        while not self.ending:
            for fd, _ in self.poll.poll(0.1):
                got = len(self.sockets[fd].recv(1 << 20))
                self.bytes += got
                if not got:
                    self.poll.unregister(fd)

    def stop(self):
        """-> what they cost the server by now, in bytes of memory."""
        cost = resident_bytes(self.pid) - self.before
        self.ending = True
        self.thread.join()
        for one in self.sockets.values():
            one.close()
        return cost


def resident_bytes(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1]) * 1024


def make_token(daemon, name):
    return json.loads(daemon.request("POST", "/api/v1/tokens", json.dumps({"name": name, "role": "viewer"}).encode())[1])["token"]


def measure_readers(daemon, args, note):
    """The same load with and without 200 readers, in turns. The warm-up shows the daemon the load, so that memory is the readers' own."""
    path, pid = "/ingest/falco/" + daemon.token("ingest"), daemon.process.pid
    tokens = [make_token(daemon, "reader-%d" % i) for i in range(4)]
    turns = (("no readers", None), ("200 readers", ""), ("200 readers of alerts", "?alerts=1"))
    for i in range(args.rounds):
        # The database grows meanwhile: who is first in one round is last in the next.
        for name, query in turns if i % 2 == 0 else turns[::-1]:
            readers = Readers(daemon, tokens, query) if query is not None else None
            figure = load(pid, daemon.port, path, LINES, 4, args.alerts, 500)
            if readers:
                figure["readers_bytes"] = readers.stop()
            note("batches, " + name, figure)


def report_readers(figures):
    plain, alone = ([row[key] for row in figures["batches, no readers"]] for key in ("per_second", "writer_us"))
    for name in ("200 readers", "200 readers of alerts"):
        rows = figures["batches, " + name]
        ratio = statistics.median(row["per_second"] / none for row, none in zip(rows, plain))
        most = max(row["readers_bytes"] for row in rows) / 1048576
        # The rate is what is left of the cores for all; what readers cost commits is the writer's own time.
        writer = statistics.median(none / row["writer_us"] for row, none in zip(rows, alone))
        print("%s: the writer does %.2f of the alerts per CPU second that it does without; %.2f of the alerts/s; at most %.1f MiB of memory more"
              % (name, writer, ratio, most))


def peers(folder):
    found = []
    binary = shutil.which("prometheus-alertmanager")
    if binary:
        file = os.path.join(folder, "alertmanager.jsonl")
        with open(LINES) as f, open(file, "w") as out:
            for line in f:
                alert = json.loads(line)
                labels = {"alertname": alert["rule"], "time": alert["time"], "output": alert["output"]}
                out.write('[{"time":"%s","labels":%s}]\n' % (alert["time"], json.dumps(labels)))
        config, port = os.path.join(folder, "alertmanager.yml"), free_port()
        with open(config, "w") as f:
            f.write("route: {receiver: none}\nreceivers: [{name: none}]\n")
        found.append(Peer("alertmanager", [binary, "--config.file=" + config, "--storage.path=" + folder, "--cluster.listen-address=",
                                           "--web.listen-address=127.0.0.1:%d" % port], port, "/api/v2/alerts", file, "/-/ready"))
    binary = os.environ.get("TOCSIN_FALCOSIDEKICK")
    if binary:
        port = free_port()
        found.append(Peer("falcosidekick", [binary], port, "/", LINES, "/ping", {"LISTENADDRESS": "127.0.0.1", "LISTENPORT": str(port)}))
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alerts", type=int, default=30000)
    parser.add_argument("--only", choices=["readers"], help="only what readers of events cost")
    args = parser.parse_args()
    figures = Figures()
    note = figures.note

    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        path, pid = "/ingest/falco/" + daemon.token("ingest"), daemon.process.pid
        if args.only == "readers":
            load(pid, daemon.port, path, LINES, 4, args.alerts, 500)  # warm-up
            measure_readers(daemon, args, note)
            daemon.stop()
            report_readers(figures)
            return
        others = peers(folder)
        load(pid, daemon.port, path, LINES, 32, 5000, 1)  # warm-up
        for i in range(args.rounds):
            for connections, alerts in ((1, args.alerts // 10), (32, args.alerts), (256, args.alerts)):
                note("http c=%d" % connections, load(pid, daemon.port, path, LINES, connections, alerts, 1))
            note("http batches of 500", load(pid, daemon.port, path, LINES, 4, args.alerts * 3, 500))
            for peer in others:
                note(peer.name + " c=256", load(peer.process.pid, peer.port, peer.path, peer.file, 256, args.alerts, 1))
        for peer in others:
            peer.stop()
        measure_readers(daemon, args, note)
        daemon.stop()
        store = os.path.join(folder, "store")
        os.mkdir(store)
        done = subprocess.run([os.path.join(BUILD, "tests/bench/bench-store"), LINES, store, str(args.rounds)], capture_output=True, text=True)
        for line in done.stdout.splitlines():
            told = json.loads(line)
            name = told.pop("bench")
            note("%s N=%d" % (name, told["per_commit"]) if told["per_commit"] else name, told)
    print("\n%-24s %10s %12s   median (least to most) of %d" % ("", "CPU us", "alerts/s", args.rounds))
    for name, rows in figures.items():
        if "cpu_us" in rows[0]:
            cpu, rate = [r["cpu_us"] for r in rows], [r["per_second"] for r in rows]
            print("%-24s %10.1f %12.0f   (%.1f-%.1f, %d-%d)" % (name, statistics.median(cpu), statistics.median(rate), min(cpu), max(cpu), min(rate), max(rate)))
    report_readers(figures)
    middle = {n: statistics.median(r["cpu_us"] for r in rows) for n, rows in figures.items() if "cpu_us" in rows[0]}
    for name in ("alertmanager c=256", "falcosidekick c=256"):
        if name in middle:
            print("%s takes %.1f times the CPU of ours at c=256" % (name, middle[name] / middle["http c=256"]))
    for n in (1, 64, 256, 1000):
        print("N=%d: the pipeline takes %.1f times the CPU of raw SQLite inserts" % (n, middle["pipeline N=%d" % n] / middle["raw-sqlite N=%d" % n]))
    for name, rows in figures.items():
        if name.startswith("stored-"):
            print("%-28s %s" % (name, json.dumps(rows[0])))


main()
