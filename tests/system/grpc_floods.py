#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that only make work: floods of HTTP/2 frames against the gRPC port, made by hand from a socket. Each is ended with GOAWAY
within a bound, counted, costs little memory, and others are served meanwhile."""
import os
import socket
import struct
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish  # noqa: E402
from daemon import Daemon, wait_for  # noqa: E402

PADDED = 8
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CALM = 11  # ENHANCE_YOUR_CALM
MOST_MIB = 20


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    """A string of HPACK, not packed; shorter than 127 bytes."""
    assert len(value) < 127
    return bytes([len(value)]) + value


def field(name, value):
    return b"\x00" + text(name) + text(value)


def request(path=b"/grpc.health.v1.Health/Watch"):
    return b"".join(field(*pair) for pair in ((b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"x"),
                                              (b"te", b"trailers"), (b"content-type", b"application/grpc")))


class Peer:
    """A connection whose frames are written as they are; what comes is read until its end."""

    def __init__(self, daemon):
        self.socket = socket.create_connection(("127.0.0.1", daemon.grpc_port), timeout=30)
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0))
        self.left = b""

    def send(self, *frames):
        """false: the other side has closed."""
        try:
            self.socket.sendall(b"".join(frames))
            return True
        except OSError:
            return False

    def frames(self):
        while True:
            while len(self.left) >= 9:
                size = int.from_bytes(self.left[:3], "big")
                if len(self.left) < 9 + size:
                    break
                head, body, self.left = self.left[:9], self.left[9:9 + size], self.left[9 + size:]
                yield head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF, body
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return
            if not more:
                return
            self.left += more

    def end(self):
        """-> the code of the last GOAWAY before the end; None: there was none."""
        code = None
        for kind, _, _, body in self.frames():
            if kind == GOAWAY:
                code = int.from_bytes(body[4:8], "big")
        self.socket.close()
        return code

    def answer(self, stream):
        """The first DATA of a stream."""
        for kind, _, which, body in self.frames():
            if kind == DATA and which == stream:
                return body
        return None


def resident_mib(daemon):
    with open("/proc/%d/status" % daemon.process.pid) as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1]) / 1024


def floods_counted(daemon):
    for line in daemon.get("/metrics")[1].decode().splitlines():
        if line.startswith("tocsin_grpc_floods_total"):
            return float(line.split()[1])
    return 0


def health(peer, stream=1):
    peer.send(frame(HEADERS, END_HEADERS, stream, request(b"/grpc.health.v1.Health/Check")), frame(DATA, END_STREAM, stream, b"\0\0\0\0\0"))
    return peer.answer(stream)


def flood(daemon, what, frames, rounds=400, call_before=False):
    """@frames(i): bytes of round i. They are sent until the peer is thrown out, or @rounds are over. @call_before: stream 1 is over."""
    honest, peer, before = Peer(daemon), Peer(daemon), resident_mib(daemon)
    if call_before:
        health(peer)
    n = next((i for i in range(rounds) if not peer.send(frames(i))), rounds)
    code = peer.end()
    check("%s: ended with ENHANCE_YOUR_CALM or a reset" % what, code == CALM or (code is None and n < rounds), (code, n))
    check("%s: others are served" % what, health(honest) == b"\0\0\0\0\x02\x08\x01")
    honest.socket.close()
    grown = resident_mib(daemon) - before
    check("%s: costs no memory" % what, grown < MOST_MIB, "%.1f MiB" % grown)


def rapid_reset(i):
    first = 1 + i * 200
    return b"".join(frame(HEADERS, END_HEADERS, first + 2 * j, request()) + frame(RST_STREAM, 0, first + 2 * j, b"\0\0\0\x08") for j in range(100))


def empty_data(i):
    head = frame(HEADERS, END_HEADERS, 1, request()) if i == 0 else b""
    return head + frame(DATA, 0, 1) * 500


def hollow_data(i):
    """Padding alone: not empty, and yet nothing is in it."""
    head = frame(HEADERS, END_HEADERS, 1, request()) if i == 0 else b""
    return head + frame(DATA, PADDED, 1, b"\1\0") * 500


def late_windows(i):
    return frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)) * 500


def made_to_reset(wrong, more=b""):
    """Calls that we have to reset for what is wrong with them: a rapid reset by our own hand. @wrong(stream): frames."""
    def frames(i):
        first = 1 + i * 200
        return b"".join(frame(HEADERS, END_HEADERS, stream, request() + more) + wrong(stream) for stream in range(first, first + 200, 2))
    return frames


def all_floods(daemon):
    flood(daemon, "rapid reset", rapid_reset)
    flood(daemon, "PING", lambda i: frame(PING, 0, 0, b"12345678") * 500)
    flood(daemon, "SETTINGS", lambda i: frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)) * 500)
    flood(daemon, "empty DATA", empty_data)
    flood(daemon, "WINDOW_UPDATE", lambda i: frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) * 500)
    flood(daemon, "PRIORITY", lambda i: frame(PRIORITY, 0, 1, b"\0\0\0\x03\x10") * 500)
    flood(daemon, "DATA that is padding", hollow_data)
    flood(daemon, "WINDOW_UPDATE of a call that is over", late_windows, call_before=True)
    flood(daemon, "frames that nobody knows", lambda i: (frame(0x0A, 0, 0) + frame(0x42, 0, 1, b"12345678")) * 250)
    flood(daemon, "frames of a call that is over", lambda i: (frame(DATA, 0, 1) + frame(HEADERS, END_HEADERS, 1, request())) * 50, call_before=True)
    flood(daemon, "acknowledgements of no PING", lambda i: frame(PING, ACK, 0, b"12345678") * 500)
    flood(daemon, "a second HEADERS that does not end", made_to_reset(lambda stream: frame(HEADERS, END_HEADERS, stream, field(b"x", b"y"))))
    flood(daemon, "less than its content-length", made_to_reset(lambda stream: frame(DATA, END_STREAM, stream), field(b"content-length", b"5")))
    flood(daemon, "a field in capitals", made_to_reset(lambda stream: b"", field(b"Bad", b"y")))
    flood(daemon, "calls over the limit", made_to_reset(lambda stream: b""))
    check("each was counted", wait_for(lambda: floods_counted(daemon) >= 15, 70, "the metric is shown: a new series begins at 0") is True)


def without_end(daemon):
    """Headers that never end: too many pieces, or too long."""
    for what, piece in (("CONTINUATION of nothing", b""), ("CONTINUATION with fields", field(b"x-word", b"y" * 100) * 20)):
        peer, before = Peer(daemon), resident_mib(daemon)
        peer.send(frame(HEADERS, 0, 1, request()))
        n = next((i for i in range(20000) if not peer.send(frame(CONTINUATION, 0, 1, piece) * 10)), 20000)
        code = peer.end()
        check("%s: the connection ends" % what, n < 20000 or code is not None, (n, code))
        check("%s: costs no memory" % what, resident_mib(daemon) - before < MOST_MIB)


def too_long_headers(daemon):
    peer = Peer(daemon)
    long = request() + b"".join(field(b"x-%d" % i, b"v" * 100) for i in range(200))
    parts = [long[i:i + 8000] for i in range(0, len(long), 8000)]
    peer.send(frame(HEADERS, 0, 1, parts[0]), *[frame(CONTINUATION, END_HEADERS if part is parts[-1] else 0, 1, part) for part in parts[1:]])
    kinds = {kind for kind, _, _, _ in up_to(peer, 1)}
    check("too long headers: this call is reset", RST_STREAM in kinds, kinds)
    check("and the connection goes on", health(peer, 3) == b"\0\0\0\0\x02\x08\x01")
    peer.socket.close()


def up_to(peer, stream):
    for one in peer.frames():
        yield one
        if one[2] == stream:
            return


def too_many_calls(daemon):
    peer = Peer(daemon)
    peer.send(*[frame(HEADERS, END_HEADERS, 1 + 2 * i, request()) for i in range(150)])
    refused = set()
    for kind, _, stream, _ in peer.frames():
        if kind == RST_STREAM:
            refused.add(stream)
        if len(refused) == 50 or kind == GOAWAY:
            break
    check("more than 100 calls at once: the rest are refused", refused == set(range(201, 301, 2)), sorted(refused))
    peer.socket.close()


def never_reads(daemon):
    """Asks and does not read the answers: what is made for it has a limit, and the sender is stopped."""
    before = resident_mib(daemon)
    peer = socket.create_connection(("127.0.0.1", daemon.grpc_port))
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.settimeout(2)
    peer.sendall(PREFACE + frame(SETTINGS, 0, 0))
    try:
        for _ in range(4000):
            peer.sendall(frame(PING, 0, 0, b"12345678") * 100)
        ended = False
    except (socket.timeout, OSError):
        ended = True
    check("a peer that never reads is stopped or ended", ended)
    check("and costs no memory", resident_mib(daemon) - before < MOST_MIB, resident_mib(daemon) - before)
    peer.close()


def nonsense(daemon):
    for what, sent in (("HTTP/1.1", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("noise", bytes(range(256)) * 40),
                       ("a frame that is too long", PREFACE + frame(SETTINGS, 0, 0) + b"\xff\xff\xff\0\0\0\0\0\1")):
        peer = socket.create_connection(("127.0.0.1", daemon.grpc_port), timeout=20)
        peer.sendall(sent)
        try:
            while peer.recv(4096):
                pass
            ended = True
        except ConnectionResetError:
            ended = True
        except socket.timeout:
            ended = False
        check("%s is hung up on" % what, ended)
        peer.close()


def varint(n):
    out = b""
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def member(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def framed(message):
    return b"\0" + struct.pack(">I", len(message)) + message


def push_of_a_gap(daemon, stream):
    """A stream that says hello and, unasked, sends what its hello passed over: an acknowledgement is due at once when it is resumed."""
    hello = member(1, member(1, os.urandom(16)) + member(2, b"n") + member(5, 100))
    batch = member(2, member(1, 1) + member(2, member(1, b"falco") + member(2, b"x")))
    head = request(b"/tocsin.intake.v1.Intake/Push") + field(b"authorization", b"Bearer " + daemon.token("ingest").encode())
    return frame(HEADERS, END_HEADERS, stream, head) + frame(DATA, 0, stream, framed(hello) + framed(batch))


def many_are_answered_at_once(folder):
    """A thousand streams whose hellos are answered in one go, on a small stack: what one causes must not nest in the other."""
    daemon = Daemon(os.path.join(folder, "small")).start(wrap=("prlimit", "--stack=262144"))
    try:
        peers = [Peer(daemon) for _ in range(10)]
        event = '{"output":"x","priority":"Warning","rule":"R","time":"2026-11-25T09:00:00.%09dZ","output_fields":{"proc.name":"p"}}'
        busy = threading.Thread(target=lambda: daemon.ingest("\n".join(event % i for i in range(60000)).encode()))
        busy.start()
        for peer in peers:
            peer.send(b"".join(push_of_a_gap(daemon, 1 + 2 * i) for i in range(100)))
        busy.join()
        answered = [peer.answer(1) for peer in peers]
        check("a thousand streams answered in one go: all are", all(answered), answered)
        check("and it ends well", daemon.stop() == 0)
    finally:
        daemon.kill()


def main():
    with tempfile.TemporaryDirectory() as folder:
        many_are_answered_at_once(folder)
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            all_floods(daemon)
            without_end(daemon)
            too_long_headers(daemon)
            too_many_calls(daemon)
            never_reads(daemon)
            nonsense(daemon)
            check("an honest peer is served after all that", health(Peer(daemon)) == b"\0\0\0\0\x02\x08\x01")
            check("it ends well", daemon.stop() == 0)
        finally:
            daemon.kill()
    sys.exit(finish())


main()
