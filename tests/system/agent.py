#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real tocsin-agent before a real tocsind: every alert that the agent answered is in the ledger once, whatever happens between.

agent.py [--rate N] [--seconds N]: alerts a second, and for how long in each case. Needs root (a tmpfs) and cc.
"""
import argparse
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]
from daemon import BUILD, SOURCE, Daemon, free_port, wait_for  # noqa: E402
from falco_times import moved  # noqa: E402

RSS_MAX_KB = 15 * 1024
SENDERS = 4
results = []


def check(what, good, told=""):
    results.append(bool(good))
    print("%sok %d - %s%s" % ("" if good else "not ", len(results), what, "" if good else ": %s" % (told,)), flush=True)


class Bodies:
    """Falco's alerts, each at a nanosecond of its own."""

    def __init__(self):
        with open(os.path.join(SOURCE, "tests/corpus/falco-live/default-rules.jsonl")) as f:
            self.alerts = [line for line in f if '"evt.time"' in line and '"time"' in line]
        self.next_ns, self.lock = time.time_ns() - 3600 * 10**9, threading.Lock()

    def take(self):
        """-> event time, body"""
        with self.lock:
            self.next_ns += 1000003
            ns = self.next_ns
        return ns, json.dumps(moved(json.loads(self.alerts[ns % len(self.alerts)]), ns)).encode()


class Agent:
    def __init__(self, folder, server, token_file, spool=None, words=()):
        self.folder, self.spool = folder, spool or os.path.join(folder, "spool")
        self.server, self.token_file, self.words = server, token_file, list(words)
        self.port, self.process, self.environment = free_port(), None, {}

    def start(self):
        self.log = open(os.path.join(self.folder, "agent.log"), "ab")
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "bin/tocsin-agent"), "--server", self.server, "--tls", "off", "--listen", "127.0.0.1:%d" % self.port,
             "--spool", self.spool, "--node", "node-1", "--token-file", self.token_file] + self.words,
            stderr=self.log, stdin=subprocess.DEVNULL, env=dict(os.environ, **self.environment))
        wait_for(lambda: self.process.poll() is not None or self.get("/livez")[0] == 200, 30, "the agent listens")
        return self

    def request(self, method, path, body=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def metric(self, name):
        for line in self.get("/metrics")[1].decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return 0.0

    def rss_kb(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self.log.close()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(30)
        self.log.close()
        return code


class Load:
    """Sends in the background, one alert a request; remembers the event times of those that were answered with 200."""

    def __init__(self, agent, bodies, rate):
        self.agent, self.bodies, self.pause = agent, bodies, SENDERS / rate
        self.answered, self.refused, self.ends = [], 0, False
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def run(self):
        connection, due = None, time.monotonic()
        while not self.ends:
            ns, body = self.bodies.take()
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.agent.port, timeout=120)
                connection.request("POST", "/ingest/falco", body)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.answered.append(ns)
                else:
                    self.refused += 1
            except (OSError, http.client.HTTPException):
                if connection:
                    connection.close()
                connection = None
            due = max(due + self.pause, time.monotonic() - 1)
            threading.Event().wait(max(0.0, due - time.monotonic()))

    def goes_on(self, n):
        """Waits until @n more are answered: what happens then comes at some write or other."""
        wanted = len(self.answered) + n
        wait_for(lambda: len(self.answered) >= wanted, 120, "%d more answers" % n)

    def end(self):
        self.ends = True
        for thread in self.threads:
            thread.join(130)
        return self.answered


class Case:
    """A collector, an agent, and all that was answered."""

    def __init__(self, folder, args, words=(), spool=None):
        self.args, self.bodies, self.answered = args, Bodies(), []
        self.untimely = 0  # rows that have no time of their own
        self.daemon = Daemon(os.path.join(folder, "data"))
        self.start_daemon()
        self.token = os.path.join(folder, "token")
        with open(self.token, "w") as f:
            f.write(self.daemon.token("ingest"))
        self.agent = Agent(folder, "127.0.0.1:%d" % self.daemon.grpc_port, self.token, spool, words)

    def start_daemon(self):
        self.daemon.start()

    def load(self):
        return Load(self.agent, self.bodies, self.args.rate)

    def run_for(self, seconds=None):
        load = self.load()
        threading.Event().wait(seconds or self.args.seconds)
        self.answered += load.end()
        return load

    def stored(self):
        db = sqlite3.connect("file:%s?mode=ro" % os.path.join(self.daemon.data, "tocsin.db"), uri=True)
        try:
            return [row[0] for row in db.execute("SELECT time_ns FROM alert")]
        finally:
            db.close()

    def wait_until_sent(self, seconds=60):
        wait_for(lambda: self.agent.metric("tocsin_agent_waiting_records") == 0 and len(self.stored()) >= len(set(self.answered)),
                 seconds, "the spool is empty")

    def is_whole(self, what):
        """Each that was answered is there once. Others, whose answer did not arrive, may be there, once too."""
        try:
            self.wait_until_sent()
        except AssertionError as err:
            check(what, False, "%s: %d answered, %d stored, %s" % (err, len(self.answered), len(self.stored()),
                                                                   open(os.path.join(self.agent.folder, "agent.log")).read()[-1500:]))
            return
        stored = self.stored()
        missing = set(self.answered) - set(stored)
        check("%s: %d answered, each stored once" % (what, len(self.answered)),
              self.answered and not missing and len(stored) - self.untimely == len(set(stored)) and len(self.answered) == len(set(self.answered)),
              "%d missing, %d twice" % (len(missing), len(stored) - len(set(stored))))

    def end(self):
        self.agent.kill()
        self.daemon.kill()


def in_peace(case):
    case.agent.start()
    case.run_for()
    case.is_whole("in peace")
    check("the agent needs at most 15 MB", case.agent.rss_kb() <= RSS_MAX_KB, case.agent.rss_kb())
    status, answer = case.agent.request("POST", "/ingest/falco", case.bodies.take()[1])
    check("it answers as the collector does", status == 200 and json.loads(answer) == {"accepted": 1, "duplicate": 0, "quarantined": 0}, answer)
    agents = case.daemon.get("/metrics")[1].decode()
    check("the collector knows the agent", 'tocsin_agents{state="' in agents, agents[:300])


def collector_down(case):
    case.daemon.stop()
    load = case.load()
    wait_for(lambda: len(load.answered) > 50, 30, "answers without a collector")
    check("without a collector alerts are taken", True)
    case.start_daemon()
    load.goes_on(150)
    case.answered += load.end()
    case.is_whole("the collector was down")


def collector_hangs(case):
    os.kill(case.daemon.process.pid, signal.SIGSTOP)
    load = case.run_for()
    os.kill(case.daemon.process.pid, signal.SIGCONT)
    check("nobody is refused while the collector hangs", load.refused == 0, load.refused)
    case.is_whole("the collector hung")


def collector_refuses(case):
    right = open(case.token).read()
    case.agent.stop()
    with open(case.token, "w") as f:
        f.write("toc_wrong")
    case.agent.start()
    case.run_for(1)
    check("with a wrong token it keeps all", case.agent.metric("tocsin_agent_connected") == 0)
    with open(case.token, "w") as f:
        f.write(right)
    case.is_whole("the token was wrong")


def collector_is_killed(case):
    load = case.load()
    for _ in range(case.args.kills):
        load.goes_on(random.randint(case.args.rate // 3, case.args.rate))
        case.daemon.kill()
        case.start_daemon()
    case.answered += load.end()
    case.is_whole("the collector was killed %d times" % case.args.kills)


def agent_is_killed(case):
    load = case.load()
    for _ in range(case.args.kills):
        load.goes_on(random.randint(case.args.rate // 3, case.args.rate))
        case.agent.kill()
        case.agent.start()
    case.answered += load.end()
    case.is_whole("the agent was killed %d times" % case.args.kills)


def clock_jumps(case, folder):
    library = os.path.join(folder, "shifted_clock.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, os.path.join(HERE, "../lib/shifted_clock.c")], check=True)
    for shift in (40 * 86400, -40 * 86400):
        case.agent.stop()
        case.daemon.stop()
        case.agent.environment = {"LD_PRELOAD": library, "SHIFTED_S": str(shift)}
        case.agent.start()
        case.run_for(0.7)
        case.start_daemon()
    case.agent.stop()
    case.agent.environment = {}
    case.agent.start()
    case.run_for(0.7)
    # An alert from 40 days ahead of its arrival is stored with the time of that: they are counted.
    wait_for(lambda: len(case.stored()) >= len(case.answered), 60, "as many are stored as were answered")
    case.wait_until_sent()
    stored = case.stored()
    check("the agent's clock jumped by 40 days, both ways: %d answered, as many stored" % len(case.answered),
          len(case.answered) <= len(stored) <= len(case.answered) + 2 * SENDERS * case.args.kills, len(stored))
    case.answered = [ns for ns in case.answered if ns in set(stored)]
    case.untimely = len(stored) - len(set(stored))


def damaged(case):
    """A torn end costs nothing. A flipped bit costs one record, which is told."""
    case.daemon.stop()
    last = os.path.join(case.agent.spool, sorted(n for n in os.listdir(case.agent.spool) if n.endswith(".segment"))[-1])
    before = os.path.getsize(last)
    case.run_for(1)
    case.agent.kill()
    with open(last, "r+b") as f:
        size = f.seek(0, os.SEEK_END)
        with open(os.path.join(case.agent.spool, "mark"), "rb") as mark:
            f.write(mark.read()[8:12] + b"\0\0\x10\0half a record")  # its id begins like this
        f.seek((before + size) // 2)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 16]))
    case.agent.start()
    case.start_daemon()
    wait_for(lambda: case.agent.metric('tocsin_agent_records{outcome="lost"}') == 1, 30, "the loss is told")
    wait_for(lambda: case.agent.metric("tocsin_agent_waiting_records") == 0, 60, "the spool is empty")
    stored = set(case.stored())
    missing = set(case.answered) - stored
    check("a flipped bit costs one of %d, which is told" % len(case.answered), len(missing) == 1, len(missing))
    case.answered = [ns for ns in case.answered if ns in stored]
    case.run_for(0.5)
    case.is_whole("after the damage")


def full_disk(folder, args):
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    subprocess.check_call(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk])
    case = Case(folder, args, spool=os.path.join(disk, "spool"))
    try:
        case.daemon.stop()
        case.agent.start()
        load = case.load()
        wait_for(lambda: case.agent.get("/readyz")[0] == 503, 60, "/readyz says that the disk is full")
        n = len(load.answered)
        status = case.agent.request("POST", "/ingest/tetragon", b'{"process_exec":{}}', timeout=20)[0]
        check("a full disk holds Falco, others are told to come again", status == 503 and load.refused == 0 and len(load.answered) == n,
              (status, load.refused, n, len(load.answered)))
        subprocess.check_call(["mount", "-o", "remount,size=64m", disk])
        wait_for(lambda: len(load.answered) > n + 20, 30, "answers come again")
        case.answered += load.end()
        case.start_daemon()
        case.is_whole("the disk was full")
    finally:
        case.end()
        subprocess.call(["umount", disk])


def sheds(folder, args):
    """What has no room is shed, and every one of it told of."""
    case = Case(folder, args, words=["--spool_size", "1MiB"])
    try:
        case.daemon.stop()
        case.agent.start()
        many = b""
        n = 0
        while n < 6000:
            ns, body = case.bodies.take()
            many += body + b"\n"
            n += 1
            if n % 500 == 0:
                check("a batch is taken", case.agent.request("POST", "/ingest/falco", many)[0] == 200) if n == 500 else \
                    case.agent.request("POST", "/ingest/falco", many)
                many = b""
        case.start_daemon()

        def told():
            text = case.daemon.get("/metrics")[1].decode()
            shed = sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("tocsin_shed_total{"))
            return shed, len(case.stored())
        try:
            wait_for(lambda: sum(told()) >= n, 90, "all is stored, or told of as shed")
        except AssertionError as err:
            check(str(err), False, (told(), open(os.path.join(folder, "agent.log")).read()[-1500:]))
            return
        shed, stored = told()
        check("of %d alerts %d were shed, %d stored" % (n, shed, stored), shed + stored == n and shed > 0 and stored > 0, (shed, stored))
    finally:
        case.end()


def other_ways(folder, args):
    """A unix socket, a file that is rotated, standard input."""
    case = Case(folder, args)
    path, rotated = os.path.join(folder, "falco.json"), os.path.join(folder, "falco.json.1")
    try:
        open(path, "w").close()
        case.agent.words = ["--listen", "unix:" + os.path.join(folder, "socket"), "--follow", path + "=falco"]
        case.agent.process = subprocess.Popen(
            [os.path.join(BUILD, "bin/tocsin-agent"), "--server", case.agent.server, "--tls", "off", "--spool", case.agent.spool,
             "--token-file", case.token, "--stdin", "falco"] + case.agent.words,
            stderr=open(os.path.join(folder, "agent.log"), "ab"), stdin=subprocess.PIPE)
        case.agent.log = open(os.devnull)
        wait_for(lambda: os.path.exists(os.path.join(folder, "socket")), 30, "the socket is there")
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(folder, "socket"))
            ns, body = case.bodies.take()
            s.sendall(b"POST /ingest/falco HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            check("a unix socket takes alerts", s.recv(100).startswith(b"HTTP/1.1 200"))
            case.answered.append(ns)
        for name in (path, rotated, path):
            if name == rotated:
                os.rename(path, rotated)
            with open(name, "ab") as f:
                for _ in range(100):
                    ns, body = case.bodies.take()
                    f.write(body + b"\n")
                    case.answered.append(ns)
        for _ in range(100):
            ns, body = case.bodies.take()
            case.agent.process.stdin.write(body + b"\n")
            case.answered.append(ns)
        case.agent.process.stdin.flush()
        wait_for(lambda: set(case.answered) <= set(case.stored()), 30, "socket, files and input are stored")
        check("a socket, a rotated file and standard input: %d stored once" % len(case.answered),
              sorted(case.answered) == sorted(case.stored()), len(case.stored()))
        ns, body = case.bodies.take()
        case.agent.process.stdin.write(body)
        case.agent.process.stdin.close()
        check("it ends with its input", case.agent.process.wait(30) == 0)
    finally:
        case.end()


def words(folder):
    def code(*arguments):
        return subprocess.run([os.path.join(BUILD, "bin/tocsin-agent")] + list(arguments), capture_output=True, timeout=30).returncode
    config = os.path.join(folder, "agent.yaml")
    with open(config, "w") as f:
        f.write("server: collector\n")
    check("exit codes", [code("--help"), code("--wrong", "x"), code(), code("--config", config),
                         code("--server", "a:1", "--spool", "/proc/none", "--tls", "off")] == [0, 64, 64, 78, 74],
          [code("--help"), code("--wrong", "x"), code(), code("--config", config), code("--server", "a:1", "--spool", "/proc/none", "--tls", "off")])


def run(name, what):
    with tempfile.TemporaryDirectory() as folder:
        try:
            what(folder)
        except AssertionError as err:
            check("%s: %s" % (name, err), False, "".join(open(os.path.join(folder, n), errors="replace").read()[-1500:]
                                                          for n in ("agent.log", "tocsind.log") if os.path.exists(os.path.join(folder, n))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--kills", type=int, default=3)
    args = parser.parse_args()

    def one_after_the_other(folder):
        case = Case(folder, args)
        try:
            for step in (in_peace, collector_down, collector_hangs, collector_refuses, collector_is_killed, agent_is_killed,
                         lambda c: clock_jumps(c, folder), damaged):
                step(case)
            check("the agent ends with 0", case.agent.stop() == 0)
            check("the collector ends with 0", case.daemon.stop() == 0)
            code, report = case.daemon.cli("ledger", "verify")
            check("the ledger verifies", code == 0, report)
        finally:
            case.end()
    run("words", words)
    run("one after the other", one_after_the_other)
    run("full disk", lambda folder: full_disk(folder, args))
    run("sheds", lambda folder: sheds(folder, args))
    run("other ways", lambda folder: other_ways(folder, args))
    print("1..%d\n# PASS: %d\n# FAIL: %d" % (len(results), sum(results), len(results) - sum(results)))
    return not all(results)


sys.exit(main())
