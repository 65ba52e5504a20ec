#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Readers of /api/v1/events and tocsin tail against a real tocsind: who may, what they see, how they resume, who is cut."""
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish  # noqa: E402
from daemon import BUILD, SOURCE, Daemon, free_port, wait_for  # noqa: E402

LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")
WAIT_S = 30
YESTERDAY = (datetime.now(timezone.utc) - timedelta(days=1)).strftime("%Y-%m-%d")


class Stream:
    """One reader: HTTP/1.0, so that the body is what is sent until the end."""

    def __init__(self, port, token, query="", last_id=None, receive_bytes=None):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(("127.0.0.1", port))
        words = ["GET /api/v1/events%s HTTP/1.0" % query, "Host: x"]
        if token:
            words.append("Authorization: Bearer " + token)
        if last_id is not None:
            words.append("Last-Event-ID: " + last_id)
        self.socket.sendall(("\r\n".join(words) + "\r\n\r\n").encode())
        self.socket.setblocking(False)
        self.bytes, self.status, self.closed = b"", None, False
        self.events, self.raw, self.comments, self.last_id = [], [], 0, last_id

    def read(self):
        """Takes what is there; one event is (id, name, data)."""
        try:
            more = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        self.closed = not more
        self.bytes += more
        if self.status is None:
            if b"\r\n\r\n" not in self.bytes:
                return
            head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
            self.status = int(head.split()[1])
        *blocks, self.bytes = self.bytes.split(b"\n\n")
        for block in blocks:
            fields = {}
            for line in block.decode().split("\n"):
                name, _, value = line.partition(":")
                fields[name] = value.strip()
            self.comments += "" in fields
            self.last_id = fields.get("id", self.last_id)
            if "event" in fields:
                self.raw.append((fields["event"], fields["data"]))
                self.events.append((fields["id"], fields["event"], json.loads(fields["data"])))

    def close(self):
        self.socket.close()
        self.closed = True

    def leaves(self):
        return [int(data["leaf"]) for _, name, data in self.events if name == "alert"]

    def has(self, n_leaves):
        """Has it seen all that there is?"""
        return self.last_id is not None and self.last_id.endswith(".%d" % n_leaves)

    def named(self, name):
        return [data for _, told, data in self.events if told == name]


def pump(streams, condition, seconds=WAIT_S):
    """Reads from all until the condition holds; -> did it?"""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        still = [s for s in streams if not s.closed]
        ready = select.select([s.socket for s in still], [], [], 0.05)[0] if still else []
        for stream in still:
            if stream.socket in ready:
                stream.read()
    return True


def token(daemon, name, role):
    status, body = daemon.request("POST", "/api/v1/tokens", json.dumps({"name": name, "role": role}).encode())
    assert status == 201, (status, body)
    told = json.loads(body)
    return told["token"], told["id"]


def count_leaves(daemon):
    return int(json.loads(daemon.get("/api/v1/status")[1])["ledger"]["leaves"])


def load(daemon, alerts):
    """Alerts of the last minutes, none sent before: what is older than the horizon becomes no incident."""
    done = subprocess.run([os.path.join(BUILD, "tests/lib/tocsin-load"), "--url", "127.0.0.1:%d" % daemon.port, "--path",
                           "/ingest/falco/" + daemon.token("ingest"), "--file", LINES, "--connections", "2", "--alerts", str(alerts),
                           "--batch", "500", "--first", str(time.time_ns() - alerts * 10**6)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def falco(when, pod):
    return json.dumps({"hostname": "n1", "priority": "Warning", "rule": "Events test", "source": "syscall", "tags": [],
                       "time": "%sT%s.000000001Z" % (YESTERDAY, when), "output": "x %s %s" % (pod, when),
                       "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": pod}}).encode()


def status_of(daemon, who, query="", last_id=None):
    stream = Stream(daemon.port, who, query, last_id)
    pump([stream], lambda: stream.status is not None)
    stream.close()
    return stream.status


def who_may(daemon, viewer):
    check("without a token: 401", status_of(daemon, None) == 401)
    check("a source may not: 403", status_of(daemon, daemon.token("ingest")) == 403)
    check("a viewer may: 200", status_of(daemon, viewer) == 200)
    check("an unknown parameter: 400", status_of(daemon, viewer, "?limit=1") == 400)
    check("alerts that is no switch: 400", status_of(daemon, viewer, "?alerts=yes") == 400)
    check("a query that is wrong: 400", status_of(daemon, viewer, "?alerts=1&q=sev%3E%3Dloud") == 400)
    check("a severity that is none: 400", status_of(daemon, viewer, "?alerts=1&severity=loud") == 400)


def resumes(daemon, viewer, lines):
    """Over a dozen ends of the connection, two stops and a kill: each alert once, in order; incidents as the list has them."""
    leaves, numbers, last_id = [], {}, None
    stream = Stream(daemon.port, viewer, "?alerts=1")
    pump([stream], lambda: stream.comments or stream.status)
    for i in range(0, 300, 25):
        daemon.ingest(b"".join(lines[i:i + 25]))
        if i % 100 == 50:
            stream.close()
            daemon.kill() if i == 150 else daemon.stop()
            daemon.start()
        elif i % 50 == 25:
            stream.close()
        else:
            wanted = count_leaves(daemon)
            pump([stream], lambda: stream.has(wanted))
            stream.close()
        leaves += stream.leaves()
        numbers.update((data["number"], data) for data in stream.named("incident"))
        last_id = stream.last_id
        stream = Stream(daemon.port, viewer, "?alerts=1", last_id)
    wanted = count_leaves(daemon)
    pump([stream], lambda: (leaves + stream.leaves())[-1:] == [wanted - 1])
    leaves += stream.leaves()
    check("every alert once and in order, through stops and a kill", leaves == list(range(wanted)), (len(leaves), wanted))

    def same():
        numbers.update((data["number"], data) for data in stream.named("incident"))
        shown = json.loads(daemon.get("/api/v1/incidents?limit=1000")[1])["items"]
        return {item["number"]: item for item in shown} == {k: v for k, v in numbers.items() if "redirect_to" not in v and "gone" not in v}
    check("what was told of incidents is what the list shows", pump([stream], same))
    check("no reset was needed", not stream.named("reset"))
    stream.close()


def resets(daemon, viewer):
    for last_id in ("999999.1", "1.999999", "nonsense", "1", "-1.5"):
        stream = Stream(daemon.port, viewer, "", last_id)
        pump([stream], lambda: stream.events)
        check("an id that cannot be served (%s) is reset" % last_id, [e[1] for e in stream.events] == ["reset"], stream.events)
        stream.close()
    check("the id of a reset can be resumed from", status_of(daemon, viewer, "", stream.last_id) == 200 and stream.last_id.count(".") == 1)


def filters(daemon, viewer, lines):
    stream = Stream(daemon.port, viewer, "?incidents=0&alerts=1&severity=high", "0.0")
    pump([stream], lambda: len(stream.events) >= 3)
    listed = json.loads(daemon.get("/api/v1/alerts?severity=high&limit=1000")[1])["items"]
    pump([stream], lambda: len(stream.events) >= len(listed), 10)
    check("filters are those of the list", [d["id"] for d in stream.named("alert")] == [d["id"] for d in reversed(listed)])
    check("only alerts were asked for", not stream.named("incident"))
    stream.close()


def by_query(daemon, viewer):
    """What a query finds in the list is what the stream tells; what stops matching is told as outside."""
    query = "(rule:*shell* OR sev>=high) -ns:kube-system"
    stream = Stream(daemon.port, viewer, "?incidents=0&alerts=1&q=" + urllib.parse.quote(query), "0.0")
    listed = json.loads(daemon.get("/api/v1/alerts?limit=1000&q=" + urllib.parse.quote(query))[1])["items"]
    pump([stream], lambda: len(stream.events) >= len(listed) or stream.closed)
    check("a query tells what it finds in the list", listed and [d["id"] for d in stream.named("alert")] == [d["id"] for d in reversed(listed)],
          (len(listed), len(stream.events)))
    stream.close()
    status, body = daemon.request("GET", "/api/v1/events?alerts=1&q=" + urllib.parse.quote("sev>=high cmdline:nc"), None)
    told = json.loads(body)
    check("a query that incidents have not is refused, and where", status == 400 and told["position"] == 10 and "incidents=0" not in body.decode(),
          (status, body))
    stream = Stream(daemon.port, viewer, "?q=" + urllib.parse.quote("state:new pod:query-1"))
    pump([stream], lambda: stream.status)
    daemon.ingest(falco("15:00:00", "query-1"))
    daemon.ingest(falco("15:00:00", "query-2"))
    pump([stream], lambda: stream.named("incident") and stream.named("outside"))
    check("an incident that matches is told whole, another one by its number", [d["entity"]["pod"] for d in stream.named("incident")] == ["query-1"]
          and all(list(d) == ["number"] for d in stream.named("outside")), stream.events)
    number = stream.named("incident")[0]["number"] if stream.named("incident") else "INC-0"
    daemon.request("POST", "/api/v1/incidents/%s/ack" % number[4:], b"{}")
    check("and when it does not match any more that is told", pump([stream], lambda: {"number": number} in stream.named("outside")), stream.events)
    stream.close()


def merges(daemon, viewer):
    stream = Stream(daemon.port, viewer)
    pump([stream], lambda: stream.comments or stream.status)
    daemon.ingest(falco("10:00:00", "merged-1"))
    daemon.ingest(falco("11:40:00", "merged-1"))
    daemon.ingest(falco("10:50:00", "merged-1"))
    found = pump([stream], lambda: any("redirect_to" in data for data in stream.named("incident")))
    check("who was merged away is told", found, stream.named("incident"))
    stream.close()


def decisions(daemon, viewer):
    stream = Stream(daemon.port, viewer)
    pump([stream], lambda: stream.comments or stream.status)
    status, body = daemon.request("POST", "/api/v1/incidents/1/ack", b"{}")
    found = pump([stream], lambda: any(d["number"] == "INC-1" and d["state"] == "acknowledged" for d in stream.named("incident")), 10)
    check("what people decide is told", status == 200 and found, (status, body[:200], stream.events[-1:]))
    stream.close()


def many(daemon, tokens):
    streams = [Stream(daemon.port, tokens[i // 50], "?alerts=1") for i in range(200)]
    opened = pump(streams, lambda: all(s.status == 200 and s.bytes == b"" for s in streams))
    load(daemon, 300)
    wanted = count_leaves(daemon)
    pump(streams, lambda: all(s.has(wanted) for s in streams))

    def told(stream):
        """Who was let in a little later may have seen one state less on the way; where it ends is the same."""
        return sorted(d for n, d in stream.raw if n == "alert"), {d["number"]: d for d in stream.named("incident")}
    same = pump(streams, lambda: all(told(s) == told(streams[0]) for s in streams))
    check("200 readers are let in", opened)
    check("and see every alert", all(len(s.leaves()) == 300 for s in streams), sorted(len(s.leaves()) for s in streams)[:3])
    check("all of them the same", same)
    more = [Stream(daemon.port, tokens[0]) for _ in range(20)]
    pump(more, lambda: all(s.status for s in more))
    refused = [s.status for s in more].count(503)
    check("a credential has at most 64 readers", refused == 50 + 20 - 64, [s.status for s in more])
    for stream in streams + more:
        stream.close()
    wait_for(lambda: status_of(daemon, tokens[0]) == 200, 10, "readers who left make room")
    check("readers who left make room", True)


def slow(daemon, viewer):
    begin = count_leaves(daemon)
    stream = Stream(daemon.port, viewer, "?incidents=0&alerts=1", "0.%d" % begin, receive_bytes=4096)
    other = Stream(daemon.port, viewer, "?incidents=0&alerts=1", "0.%d" % begin)
    pump([stream, other], lambda: stream.status and other.status)
    load(daemon, 8000)
    wanted = count_leaves(daemon)
    pump([other], lambda: other.has(wanted))
    check("who reads gets all of a burst", other.leaves() == list(range(begin, wanted)), len(other.leaves()))
    check("who does not read is cut", pump([stream], lambda: stream.closed) and len(stream.leaves()) < wanted - begin, len(stream.leaves()))
    had = stream.leaves()
    again = Stream(daemon.port, viewer, "?incidents=0&alerts=1", stream.last_id)
    pump([again], lambda: again.has(wanted))
    check("and goes on where it was", had + again.leaves() == list(range(begin, wanted)), (len(had), len(again.leaves())))
    for one in (stream, other, again):
        one.close()


def tail_start(daemon, *words):
    environment = dict(os.environ, TOCSIN_SERVER=daemon.url, TOCSIN_TOKEN=daemon.token("admin"))
    return subprocess.Popen([os.path.join(BUILD, "bin/tocsin"), "tail"] + list(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=environment, bufsize=0)


def tail_lines(process, n):
    """n whole lines within the time."""
    out, end = b"", time.monotonic() + WAIT_S
    while out.count(b"\n") < n and time.monotonic() < end:
        if select.select([process.stdout], [], [], 0.1)[0]:
            more = os.read(process.stdout.fileno(), 65536)
            if not more:
                break
            out += more
    return out.decode().splitlines()


def tail(daemon):
    hostile = falco("12:00:00", "tail-1").replace(b"Events test", b"Evil \\u001b[2J rule")
    process = tail_start(daemon, "--pod", "tail-1")
    query_process = tail_start(daemon, "-q", "pod:tail-2 -rule:Evil*", "--limit", "1")
    json_process = tail_start(daemon, "--pod", "tail-1", "-o", "jsonl", "--limit", "1")
    # Both are there once an alert that they want reaches them; more of the same is harmless.
    daemon.ingest(hostile)
    lines = tail_lines(process, 1)
    check("tail prints a line an alert, escaped", len(lines) == 1 and "Evil" in lines[0] and "\x1b" not in lines[0], lines)
    lines = tail_lines(json_process, 1)
    check("tail -o jsonl prints the alert", json.loads(lines[0])["pod"] == "tail-1", lines)
    daemon.stop()
    told = process.stderr.read(1)
    daemon.start()
    daemon.ingest(falco("12:01:00", "tail-1"))
    daemon.ingest(falco("12:02:00", "tail-2"))
    daemon.ingest(falco("12:03:00", "tail-1"))
    lines = tail_lines(process, 2)
    check("tail goes on after a restart, without a gap", [line.rsplit(" ", 1)[1] for line in lines] == ["12:01:00", "12:03:00"], lines)
    lines = tail_lines(query_process, 1)
    check("tail -q prints what its query finds", [line.rsplit(" ", 1)[1] for line in lines] == ["12:02:00"], lines)
    query_process.send_signal(signal.SIGINT)
    query_process.wait(WAIT_S)
    wrong = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "tail", "-q", "sev>=loud"], capture_output=True,
                           env=dict(os.environ, TOCSIN_SERVER=daemon.url, TOCSIN_TOKEN=daemon.token("admin")))
    check("tail -q with a fault says where", wrong.returncode and b"^" in wrong.stderr, wrong)
    process.send_signal(signal.SIGINT)
    code = process.wait(WAIT_S)
    told += process.stderr.read()
    check("tail says when the server is gone and back", b"gone" in told and b"back" in told, told)
    check("tail ends cleanly on SIGINT", code == 0, code)
    json_process.stdout.close()
    daemon.ingest(falco("12:04:00", "tail-1"))
    check("tail ends cleanly when nobody reads it", json_process.wait(WAIT_S) == 0, json_process.returncode)
    nowhere = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "tail", "--server", "http://127.0.0.1:%d" % free_port()],
                             env=dict(os.environ, TOCSIN_TOKEN="x"), capture_output=True)
    check("tail without a server: 69 and why", nowhere.returncode == 69 and b"nobody answers" in nowhere.stderr, nowhere)


def main():
    with open(LINES, "rb") as f:
        lines = f.readlines()
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            viewer, _ = token(daemon, "viewer", "viewer")
            tokens = [token(daemon, "reader-%d" % i, "viewer")[0] for i in range(4)]
            who_may(daemon, viewer)
            resumes(daemon, viewer, lines)
            idle = Stream(daemon.port, viewer, "?incidents=0")
            short, short_id = token(daemon, "short", "viewer")
            revoked = Stream(daemon.port, short, "?incidents=0")
            pump([idle, revoked], lambda: idle.status and revoked.status)
            daemon.request("DELETE", "/api/v1/tokens/%d" % short_id)
            resets(daemon, viewer)
            filters(daemon, viewer, lines)
            by_query(daemon, viewer)
            merges(daemon, viewer)
            decisions(daemon, viewer)
            many(daemon, tokens)
            slow(daemon, viewer)
            check("silence is broken by comments", pump([idle, revoked], lambda: idle.comments > 0))
            check("a revoked token reads no further", pump([idle, revoked], lambda: revoked.closed))
            began = time.monotonic()
            code = daemon.stop()
            check("a stop does not wait for readers", code == 0 and time.monotonic() - began < 5, (code, time.monotonic() - began))
            check("and ends them", pump([idle], lambda: idle.closed))
            daemon.start()
            tail(daemon)
            daemon.stop()
        finally:
            daemon.kill()
    sys.exit(finish())


if __name__ == "__main__":
    main()
