# SPDX-License-Identifier: Apache-2.0
"""A real tocsin-agent before a real tocsind, for tests: what was answered, what is stored."""
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]
from checks import check  # noqa: E402
from daemon import BUILD, SOURCE, Daemon, free_port, wait_for  # noqa: E402
from falco_times import moved  # noqa: E402

SENDERS = 4


class Bodies:
    """Falco's alerts, each at a nanosecond of its own; from the host of the recording, or from @hostname."""

    def __init__(self, hostname=None):
        with open(os.path.join(SOURCE, "tests/corpus/falco-live/default-rules.jsonl")) as f:
            self.alerts = [json.loads(line) for line in f if '"evt.time"' in line and '"time"' in line]
        self.own = {"hostname": hostname} if hostname else {}
        self.next_ns, self.lock = time.time_ns() - 3600 * 10**9, threading.Lock()

    def take(self):
        """-> event time, body"""
        with self.lock:
            self.next_ns += 1000003
            ns = self.next_ns
        alert = self.alerts[ns % len(self.alerts)]
        return ns, json.dumps(moved(dict(alert, output_fields=dict(alert["output_fields"]), **self.own), ns)).encode()


class Agent:
    def __init__(self, folder, server, token_file, spool=None, words=()):
        self.folder, self.spool = folder, spool or os.path.join(folder, "spool")
        self.server, self.token_file, self.words = server, token_file, list(words)
        self.port, self.process, self.environment, self.tls = free_port(), None, {}, ["--tls", "off"]

    def start(self):
        self.log = open(os.path.join(self.folder, "agent.log"), "ab")
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "bin/tocsin-agent"), "--server", self.server, "--listen", "127.0.0.1:%d" % self.port, "--spool", self.spool,
             "--node", "node-1", "--token-file", self.token_file] + self.tls + self.words,
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

    def log_text(self):
        with open(os.path.join(self.folder, "agent.log"), errors="replace") as f:
            return f.read()

    def metric(self, name):
        for line in self.get("/metrics")[1].decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return 0.0

    def rss_kb(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))

    def wakes(self):
        """How often its threads have waited for something since their start."""
        n = 0
        for task in os.listdir("/proc/%d/task" % self.process.pid):
            with open("/proc/%d/task/%s/status" % (self.process.pid, task)) as f:
                n += next(int(line.split()[1]) for line in f if line.startswith("voluntary_ctxt_switches"))
        return n

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
        self.set_up(folder)
        self.start_daemon()
        self.token = os.path.join(folder, "token")
        with open(self.token, "w") as f:
            f.write(self.daemon.token("ingest"))
        self.agent = Agent(folder, "127.0.0.1:%d" % self.daemon.grpc_port, self.token, spool, words)

    def set_up(self, folder):
        """Before the first start."""

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
            # what waits is counted now and then only, and rows of before may make up for some of now
            wait_for(lambda: set(self.answered) <= set(self.stored()), 30, "each that was answered is stored")
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


class Tap:
    """A TCP proxy in the clear before the collector: what the agent sent is kept."""

    def __init__(self, port):
        self.port, self.sent = port, bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.port))
            except OSError:  # nobody is there: nobody here, either
                near.close()
                continue
            threading.Thread(target=self.carry, args=(near, far, self.sent), daemon=True).start()
            threading.Thread(target=self.carry, args=(far, near, bytearray()), daemon=True).start()

    @staticmethod
    def carry(source, sink, kept):
        try:
            while data := source.recv(65536):
                kept += data
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
