#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One load on an agent that never ends, while one fault after the other happens: every alert that was answered is in the ledger once.

agent_faults.py [--rate N] [--seconds N]: alerts a second, real Falco bodies, one a request. The collector is stopped, hangs, refuses, is
killed; the agent is killed, its disk is full, its clock jumps, its files are torn and flipped. Nothing depends on time: a fault lasts for
a number of answers, and a slow machine takes longer. Needs root (a tmpfs) and cc.
"""
import argparse
import json
import os
import random
import re
import selectors
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import types
from datetime import datetime, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]
from agent_rig import Case  # noqa: E402
from checks import check, finish  # noqa: E402
from daemon import SOURCE, wait_for  # noqa: E402
from falco_times import moved  # noqa: E402

CONNECTIONS, AGAIN_S, TURN_S = 16, 0.05, 0.01
WAIT_S = 900  # for whatever has to come: a busy machine is no fault
STEP_NS = 1000003  # between two alerts
BACK_NS = 10 * 3600 * 10**9  # the first one's age: whatever the clock jumps, none is of the future
DISK = "768m"
STEPS = 16  # parts of the load; each fault lasts for one or two


class Requests:
    """Alert i as a request: its time is pasted into one of the recording's bodies."""

    def __init__(self):
        mark_ns = 1700000000123456789
        stamp = self.stamp(mark_ns)
        places = re.compile("(%s|%s|%d)" % (re.escape(stamp), re.escape(stamp[11:]), mark_ns))
        self.first_ns, self.bodies = time.time_ns() - BACK_NS, []
        with open(os.path.join(SOURCE, "tests/corpus/falco-live/default-rules.jsonl")) as f:
            for line in f:
                if '"evt.time"' in line and '"time"' in line:
                    self.bodies.append(places.split(json.dumps(moved(json.loads(line), mark_ns))))
        self.marks = {stamp: 0, stamp[11:]: 1, str(mark_ns): 2}

    @staticmethod
    def stamp(ns):
        return datetime.fromtimestamp(ns // 10**9, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + ".%09d" % (ns % 10**9)

    def make(self, i):
        ns = self.first_ns + i * STEP_NS
        stamp = self.stamp(ns)
        own = (stamp, stamp[11:], str(ns))
        body = "".join(part if n % 2 == 0 else own[self.marks[part]] for n, part in enumerate(self.bodies[i % len(self.bodies)])).encode()
        return b"POST /ingest/falco HTTP/1.1\r\nHost: agent\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Sender:
    """One connection, one request at a time."""

    def __init__(self):
        self.socket, self.number, self.answer, self.after = None, None, b"", 0.0


class Load(threading.Thread):
    """Sends alert after alert when it is due; who is behind catches up. What was not answered is not sent again."""

    def __init__(self, port, rate, total):
        super().__init__(daemon=True)
        self.port, self.rate, self.total = port, rate, total
        self.requests, self.answered = Requests(), bytearray(total)
        self.next, self.n_answered, self.n_refused, self.n_unanswered, self.cpu_s, self.ends = 0, 0, 0, 0, 0.0, False
        self.selector, self.senders = selectors.DefaultSelector(), [Sender() for _ in range(CONNECTIONS)]

    def drop(self, sender):
        if sender.socket:
            self.selector.unregister(sender.socket)
            sender.socket.close()
        self.n_unanswered += sender.number is not None
        sender.socket, sender.number, sender.answer, sender.after = None, None, b"", time.monotonic() + AGAIN_S

    def send(self, sender):
        """The next alert; it is used up even if nobody takes it."""
        try:
            if not sender.socket:
                sender.socket = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)
                self.selector.register(sender.socket, selectors.EVENT_READ, sender)
            sender.number, self.next = self.next, self.next + 1
            sender.socket.sendall(self.requests.make(sender.number))
        except OSError:
            self.drop(sender)

    def receive(self, sender):
        try:
            data = sender.socket.recv(4096)
        except OSError:
            data = b""
        sender.answer += data
        head, found, body = sender.answer.partition(b"\r\n\r\n")
        size = re.search(rb"(?i)content-length: (\d+)", head) if found else None
        if not data:
            self.drop(sender)
        elif size and len(body) >= int(size[1]):
            if sender.answer.startswith(b"HTTP/1.1 200"):
                self.answered[sender.number] = 1
                self.n_answered += 1
            else:
                self.n_refused += 1
            sender.number, sender.answer = None, b""

    def run(self):
        begun = time.monotonic()
        while not self.ends and (self.next < self.total or any(sender.number is not None for sender in self.senders)):
            now = time.monotonic()
            due = min(self.total, int((now - begun) * self.rate))
            for sender in self.senders:
                if self.next < due and sender.number is None and sender.after <= now:
                    self.send(sender)
            for key, _ in self.selector.select(0 if self.next < due and any(s.number is None and s.socket for s in self.senders) else TURN_S):
                self.receive(key.data)
            if self.next >= due or not self.selector.get_map():
                threading.Event().wait(TURN_S)
        self.cpu_s = time.thread_time()

    def goes_on(self, n):
        """Until @n more are answered."""
        wanted = min(self.n_answered + n, self.total - self.n_unanswered - self.n_refused)
        wait_for(lambda: self.n_answered >= wanted or not self.is_alive(), WAIT_S, "%d more answers" % n)


class Storm(Case):
    def __init__(self, folder, args, disk):
        super().__init__(folder, args, spool=os.path.join(disk, "spool"))
        self.folder, self.disk, self.n_lost, self.step = folder, disk, 0, args.rate * args.seconds // STEPS
        self.agent.start()
        self.load = Load(self.agent.port, args.rate, args.rate * args.seconds)

    def collector_stops(self):
        self.daemon.stop()
        self.load.goes_on(self.step)
        self.daemon.start(seconds=WAIT_S)

    def collector_hangs(self):
        os.kill(self.daemon.process.pid, signal.SIGSTOP)
        self.load.goes_on(self.step)
        os.kill(self.daemon.process.pid, signal.SIGCONT)

    def collector_refuses(self):
        """The token is revoked in the middle of a stream; another one comes."""
        listed = json.loads(self.daemon.get("/api/v1/tokens")[1])["items"]
        token = next(item for item in listed if item["role"] == "source" and "revoked" not in item)
        self.daemon.request("DELETE", "/api/v1/tokens/%d" % token["id"])
        wait_for(lambda: "PERMISSION_DENIED" in self.agent.log_text() or "UNAUTHENTICATED" in self.agent.log_text(), WAIT_S,
                 "the log says that the token is refused")
        self.load.goes_on(self.step)
        status, answer = self.daemon.request("POST", "/api/v1/tokens", b'{"name": "another", "role": "source"}')
        with open(self.token + ".new", "w") as f:
            f.write(json.loads(answer)["token"])
        os.rename(self.token + ".new", self.token)
        check("another token", status == 201, answer)

    def collector_is_killed(self):
        for _ in range(3):
            self.load.goes_on(random.randint(1, self.step // 3))
            self.daemon.kill()
            self.daemon.start(seconds=WAIT_S)

    def agent_is_killed(self):
        for _ in range(3):
            self.load.goes_on(random.randint(1, self.step // 3))
            self.agent.kill()
            self.agent.start()

    def disk_is_full(self):
        filler = os.path.join(self.disk, "filler")
        with open(filler, "wb", buffering=0) as f:  # else what did not go in is tried again at close
            try:
                while True:
                    f.write(bytes(65536))
                    f.flush()
            except OSError:
                pass
        self.daemon.stop()  # else the spool gives its room back
        wait_for(lambda: self.agent.get("/readyz")[0] == 503, WAIT_S, "/readyz says that the disk is full")
        os.unlink(filler)
        self.load.goes_on(self.step // 2)
        self.daemon.start(seconds=WAIT_S)

    def clock_jumps(self):
        library = os.path.join(self.folder, "shifted_clock.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, os.path.join(HERE, "../lib/shifted_clock.c")], check=True)
        for shift_s in (40 * 86400, -9 * 3600, 0):
            self.daemon.stop()  # what was written by one clock is read by another
            self.load.goes_on(self.step // 3)
            self.agent.stop()
            self.agent.environment = {"LD_PRELOAD": library, "SHIFTED_S": str(shift_s)} if shift_s else {}
            self.agent.start()
            self.load.goes_on(self.step // 3)
            self.daemon.start(seconds=WAIT_S)

    def segments(self):
        return sorted(os.path.join(self.agent.spool, name) for name in os.listdir(self.agent.spool) if name.endswith(".segment"))

    def files_are_damaged(self):
        """What was written while the collector is away, and answered: a flipped bit costs one. The torn end was never answered."""
        self.daemon.stop()
        last, begin = self.segments()[-1], os.path.getsize(self.segments()[-1])
        self.load.goes_on(self.step // 2)
        self.agent.kill()
        if self.segments()[-1] != last:
            last, begin = self.segments()[-1], 0
        with open(last, "r+b") as f:
            size = f.seek(0, os.SEEK_END)
            with open(os.path.join(self.agent.spool, "mark"), "rb") as mark:
                f.write(mark.read()[8:12] + b"\0\0\x10\0half a record")  # its id begins like this
            f.seek((begin + size) // 2)
            byte = f.read(1)[0]
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte ^ 16]))
        self.agent.start()
        self.daemon.start(seconds=WAIT_S)
        wait_for(lambda: self.agent.metric('tocsin_agent_records{outcome="lost"}') > 0, WAIT_S, "the loss is told")
        self.n_lost = int(self.agent.metric('tocsin_agent_records{outcome="lost"}'))
        check("a flipped bit costs one record, which is told", self.n_lost == 1, self.n_lost)

    def rows(self):
        """-> number of rows of each alert; rows of none."""
        counts, others = bytearray(self.load.total), 0
        db = sqlite3.connect("file:%s?mode=ro" % os.path.join(self.daemon.data, "tocsin.db"), uri=True)
        for time_ns, in db.execute("SELECT time_ns FROM alert"):
            i, rest = divmod(time_ns - self.load.requests.first_ns, STEP_NS)
            if rest or not 0 <= i < len(counts):
                others += 1
            else:
                counts[i] += 1
        db.close()
        return counts, others

    def compare(self):
        load = self.load
        load.join(WAIT_S)
        check("the load came to its end: %d sent, %d answered, %d without an answer, %d refused; it took %.1f s of a CPU" % (
            load.next, load.n_answered, load.n_unanswered, load.n_refused, load.cpu_s), load.next == load.total and not load.n_refused)
        wait_for(lambda: self.agent.metric("tocsin_agent_waiting_records") == 0 and
                 self.agent.metric('tocsin_agent_records{outcome="stored"}') > 0, WAIT_S, "the spool is empty")
        missing = []

        def is_whole():
            counts, others = self.rows()
            missing[:] = [i for i in range(load.total) if load.answered[i] and not counts[i]]
            return (counts, others) if len(missing) <= self.n_lost else threading.Event().wait(1)
        try:
            counts, others = wait_for(is_whole, 60, "all that were answered are stored")
        except AssertionError:
            counts, others = self.rows()
        check("%d were answered: each is stored, but for %d of the flipped bit" % (load.n_answered, self.n_lost),
              len(missing) == self.n_lost, missing[:20])
        check("none is stored twice", max(counts) == 1 and others == 0, (sum(n > 1 for n in counts), others))
        check("the agent ends with 0", self.agent.stop() == 0)
        check("the collector ends with 0", self.daemon.stop(WAIT_S) == 0)
        code, report = self.daemon.cli("ledger", "verify")
        check("the ledger verifies", code == 0, report)


def storm(folder, args, disk):
    case = Storm(folder, args, disk)
    try:
        case.load.start()
        for fault in (case.collector_stops, case.collector_hangs, case.collector_refuses, case.collector_is_killed, case.agent_is_killed,
                      case.disk_is_full, case.clock_jumps, case.files_are_damaged):
            begun = case.load.n_answered
            fault()
            case.load.goes_on(case.step // 2)
            check("%s: %d answered meanwhile" % (fault.__name__.replace("_", " "), case.load.n_answered - begun),
                  case.load.is_alive() and case.load.n_answered > begun)
        case.compare()
    except AssertionError as err:
        check(str(err), False, "%d sent, %d answered; %s" % (case.load.next, case.load.n_answered, case.agent.log_text()[-1500:]))
    finally:
        case.load.ends = True
        case.load.join(60)
        case.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=300)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        disk = os.path.join(folder, "disk")
        os.mkdir(disk)
        subprocess.check_call(["mount", "-t", "tmpfs", "-o", "size=" + DISK, "tmpfs", disk])
        try:
            storm(folder, types.SimpleNamespace(rate=args.rate, seconds=args.seconds), disk)
        finally:
            subprocess.call(["umount", disk])
    return finish()


sys.exit(main())
