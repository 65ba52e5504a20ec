#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a hostile or broken sender may try against the real daemon, on raw sockets: each ends as promised, in flat memory."""
import json
import os
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish, results  # noqa: E402
from daemon import SOURCE, Daemon, wait_for  # noqa: E402

LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")
IDLE = 2000


def resident_mib(daemon):
    with open("/proc/%d/statm" % daemon.process.pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def connect(daemon):
    return socket.create_connection(("127.0.0.1", daemon.port), timeout=60)


def talk(daemon, data):
    """Sends bytes on a connection of its own -> the whole answer."""
    with connect(daemon) as s:
        try:
            s.sendall(data)
            answer = b""
            while chunk := s.recv(65536):
                answer += chunk
        except OSError:
            pass
        return answer


def status_of(answer):
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def framing(daemon, path):
    head = "POST %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\n" % path
    check("two Content-Lengths are 400", status_of(talk(daemon, (head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x").encode())) == 400)
    check("Content-Length beside chunked is 400",
          status_of(talk(daemon, (head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").encode())) == 400)
    answer = talk(daemon, (head + "Content-Length: 99999999999\r\n\r\n").encode())
    check("a claimed length over the cap is 413 at once", status_of(answer) == 413, answer[:100])
    line = open(LINES, "rb").readline().strip()
    chunked = (head + "Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(line)).encode() + line + b"\r\n0\r\n\r\n"
    check("a chunked body is read", b'"accepted":1' in talk(daemon, chunked))
    answer = talk(daemon, (head + "X: " + "a" * 40000 + "\r\n\r\n").encode())
    check("a header beyond the pool is refused", 400 <= status_of(answer) < 500, answer[:100])


def floods(daemon):
    floods = {
        "depth": b'{"rule":"r","a":' + b"[" * 10000 + b"]" * 10000 + b"}",
        "keys": b'{"rule":"r","output_fields":{' + b",".join(b'"k%d":1' % i for i in range(100000)) + b"}}",
        "string": b'{"rule":"' + b"a" * (3 << 20) + b'"}',
    }
    before = resident_mib(daemon)
    for name, body in floods.items():
        status, answer = daemon.ingest(body)
        check("a %s flood is quarantined" % name, status == 200 and json.loads(answer)["quarantined"] == 1, answer)
    reasons = [i["quarantine_reason"] for i in json.loads(daemon.get("/api/v1/quarantine?limit=3")[1])["items"]]
    check("each with its reason", all(reasons) and len(set(reasons)) == 3, reasons)
    for _ in range(20):
        daemon.ingest(b"[" + b" " * (9 << 20))
    check("memory stays flat", resident_mib(daemon) < before + 64, (before, resident_mib(daemon)))


def slow(daemon, path):
    """One byte each few seconds, in the header and in the body: cut off by their deadlines."""
    told = {}

    def drip(name, begin, every):
        started = time.monotonic()
        with connect(daemon) as s:
            s.sendall(begin)
            s.settimeout(every)
            while time.monotonic() - started < 60:
                try:
                    if s.recv(1024) == b"":
                        break
                    continue
                except socket.timeout:
                    pass
                except OSError:
                    break
                try:
                    s.sendall(b"a")
                except OSError:
                    break
        told[name] = time.monotonic() - started
    head = ("POST %s HTTP/1.1\r\nHost: t\r\n" % path).encode()
    threads = [threading.Thread(target=drip, args=("header", head + b"X: ", 3)),
               threading.Thread(target=drip, args=("body", head + b"Content-Length: 1000\r\n\r\n{", 3))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check("a slow header is cut off", 5 < told["header"] < 30, told)
    check("a slow body is cut off", 5 < told["body"] < 45, told)


def idle(daemon):
    before = resident_mib(daemon)
    connections = []
    try:
        for _ in range(IDLE):
            s = connect(daemon)
            s.sendall(b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n")
            connections.append(s)
        for s in connections:
            assert s.recv(4096).startswith(b"HTTP/1.1 200")
        grown = resident_mib(daemon) - before
        check("%d idle connections cost at most 100 MB" % IDLE, grown <= 100, grown)
        print("# they cost %.0f MiB" % grown)
        check("others are served meanwhile", daemon.ready() == 200)
    finally:
        for s in connections:
            s.close()


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            path = "/ingest/falco/" + daemon.token("ingest")
            waiting = threading.Thread(target=slow, args=(daemon, path))
            waiting.start()
            framing(daemon, path)
            floods(daemon)
            idle(daemon)
            waiting.join()
            wait_for(lambda: daemon.ready() == 200, 10, "/readyz is 200 at the end")
            check("tocsind ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
            if not all(results):
                print("# " + open(os.path.join(folder, "tocsind.log"), errors="replace").read()[-3000:].replace("\n", "\n# "))
    return finish()


sys.exit(main())
