#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our gRPC beside the h2 library, an HTTP/2 of another make that lets each frame be chosen: as client of our server and as server of our
client. What grpc-go never sends is sent here: odd splits, padding, priorities, small windows, small frames, other table sizes."""
import json
import os
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import venv_programs  # noqa: E402
from checks import check, finish  # noqa: E402
from daemon import BUILD  # noqa: E402

if sys.prefix == sys.base_prefix:  # again, under the Python that has h2
    os.execv(venv_programs.path("python"), [venv_programs.path("python"), os.path.abspath(__file__)])

import h2.config  # noqa: E402
import h2.connection  # noqa: E402
import h2.errors  # noqa: E402
import h2.events as events  # noqa: E402
import h2.settings  # noqa: E402

ECHO, CALL = os.path.join(BUILD, "tests/lib/grpc-echo"), os.path.join(BUILD, "tests/lib/grpc-call")
CODES = h2.settings.SettingCodes


def framed(message, packed=False):
    return bytes([packed]) + len(message).to_bytes(4, "big") + message


def messages(data):
    """-> whole messages, what is left"""
    found = []
    while len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[1:5], "big"):
        size = int.from_bytes(data[1:5], "big")
        found.append(data[5:5 + size])
        data = data[5 + size:]
    return found, data


class Side:
    """One end of a connection. What happened on each stream is in streams: headers, bytes, trailers, reset."""

    def __init__(self, link, client, settings=()):
        self.link, self.streams, self.gone, self.pinged = link, {}, None, False
        link.settimeout(30)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=client, header_encoding="utf-8"))
        if settings:
            self.h2.local_settings = h2.settings.Settings(client=client, initial_values=dict(settings))
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        self.link.sendall(self.h2.data_to_send())

    def at(self, stream):
        return self.streams.setdefault(stream, {"headers": None, "data": b"", "trailers": None, "reset": None, "ended": False})

    def note(self, event):
        if isinstance(event, (events.ResponseReceived, events.RequestReceived)):
            self.at(event.stream_id)["headers"] = dict(event.headers)
        elif isinstance(event, events.TrailersReceived):
            self.at(event.stream_id)["trailers"] = dict(event.headers)
        elif isinstance(event, events.DataReceived):
            self.at(event.stream_id)["data"] += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, events.StreamEnded):
            self.at(event.stream_id)["ended"] = True
        elif isinstance(event, events.StreamReset):
            self.at(event.stream_id)["reset"] = event.error_code
        elif isinstance(event, events.ConnectionTerminated):
            self.gone = event.error_code
        elif isinstance(event, events.PingAckReceived):
            self.pinged = True

    def turn(self):
        """Reads once. false: the other side has closed."""
        data = self.link.recv(65536)
        for event in self.h2.receive_data(data) if data else ():
            self.note(event)
        self.flush()
        return bool(data)

    def until(self, condition):
        while not condition():
            if not self.turn():
                return False
        return True

    def send(self, stream, data, end=False, step=None, pad=None):
        """As windows and frame sizes allow, in pieces of @step bytes."""
        while True:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size) - (pad + 1 if pad is not None else 0)
            n = max(0, min(room, step or len(data), len(data)))
            if n or not data:
                self.h2.send_data(stream, data[:n], end_stream=end and n == len(data), pad_length=pad)
                self.flush()
                data = data[n:]
                if not data:
                    return
            else:
                self.turn()


class Client(Side):
    def __init__(self, port, settings=()):
        Side.__init__(self, socket.create_connection(("127.0.0.1", port)), True, settings)

    def call(self, method, more=(), **priority):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", "POST"), (":scheme", "http"), (":path", "/test.Echo/" + method), (":authority", "x"),
                                      ("te", "trailers"), ("content-type", "application/grpc")] + list(more), **priority)
        self.flush()
        return stream

    def answer(self, stream):
        """-> status, messages"""
        at = self.at(stream)
        self.until(lambda: at["ended"] or at["reset"] is not None)
        status = (at["trailers"] or at["headers"] or {}).get("grpc-status")
        return status, messages(at["data"])[0]

    def unary(self, message, method="Unary", more=(), **how):
        stream = self.call(method, more)
        self.send(stream, framed(message), end=True, **how)
        return self.answer(stream)


def our_server(port):
    long = os.urandom(300000)
    client = Client(port)
    for what, message, how in (("a message", b"hello", {}), ("an empty message", b"", {}), ("a long one", long, {}),
                               ("a byte a frame", b"hello, byte by byte", {"step": 1}), ("padded frames", long, {"pad": 200}),
                               ("padding alone is 255", b"x" * 1000, {"step": 10, "pad": 255})):
        told = client.unary(message, **how)
        check("h2 calls us: %s" % what, told == ("0", [message]), (told[0], [len(m) for m in told[1]]))
    stream = client.call("Unary")
    client.send(stream, framed(b"half")[:7])
    client.h2.end_stream(stream)
    client.flush()
    told = client.answer(stream)
    check("half a message and then the end is an error", told[0] not in (None, "0") and not told[1], told)
    stream = client.call("Unary", priority_weight=200, priority_depends_on=0, priority_exclusive=True)
    client.h2.prioritize(stream, weight=10, depends_on=0)
    client.send(stream, framed(b"first"), end=True)
    check("priorities change nothing", client.answer(stream) == ("0", [b"first"]))
    told = client.unary(b"x", "Metadata", [("x-word", "w" * 9000), ("x-word-bin", "AAEC")])
    check("metadata that needs a CONTINUATION comes whole", told[0] == "0" and told[1][0].startswith(b"w" * 200), told)
    told = client.unary(b"x", "Metadata", [("x-word", "w" * 17000)])
    check("too much metadata ends the call, not the connection", told[0] != "0" and client.unary(b"still")[1] == [b"still"], told)
    stream = client.call("Silent")
    client.send(stream, framed(b"x"))
    client.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
    client.h2.ping(b"12345678")
    client.flush()
    check("a call that is cancelled is forgotten, a PING is answered", client.until(lambda: client.pinged))
    talk(client)
    odd_settings(port)


def talk(client):
    streams = [client.call("Talk") for _ in range(20)]
    for i in range(10):
        for stream in streams:
            client.send(stream, framed(b"%d of %d" % (i, stream)), end=i == 9)
    told = {stream: client.answer(stream) for stream in streams}
    check("twenty calls that take turns frame by frame: each has its own, in order",
          all(told[s] == ("0", [b"%d of %d" % (i, s) for i in range(10)]) for s in streams), told)


def odd_settings(port):
    for what, settings in (("a window of 100 bytes", {CODES.INITIAL_WINDOW_SIZE: 100}), ("no window at first", {CODES.INITIAL_WINDOW_SIZE: 0}),
                           ("no header table", {CODES.HEADER_TABLE_SIZE: 0}), ("a great header table", {CODES.HEADER_TABLE_SIZE: 65536}),
                           ("frames of a MiB", {CODES.MAX_FRAME_SIZE: 1 << 20}), ("no push", {CODES.ENABLE_PUSH: 0})):
        client = Client(port, settings)
        stream = client.call("Unary")
        client.send(stream, framed(b"y" * 5000), end=True)
        if settings.get(CODES.INITIAL_WINDOW_SIZE) == 0:
            client.until(lambda: client.at(stream)["headers"])
            check("with no window the answer's head comes and waits", not client.at(stream)["data"])
            client.h2.increment_flow_control_window(1000000, stream)
            client.flush()
        check("h2 asks for %s: the answer is whole" % what, client.answer(stream) == ("0", [b"y" * 5000]), client.at(stream))
        client.h2.update_settings({CODES.INITIAL_WINDOW_SIZE: 70000})
        client.flush()
        check("and after other SETTINGS in the middle, too", client.unary(b"again") == ("0", [b"again"]))


class Server(Side):
    """Answers one connection of our client in a thread, as @answer says: answer(server, stream, headers, messages)."""

    def __init__(self, answer, settings=()):
        self.listener, self.answer, self.settings = socket.create_server(("127.0.0.1", 0)), answer, settings
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        link, _ = self.listener.accept()
        Side.__init__(self, link, False, self.settings)
        done = set()
        try:
            while self.turn():
                for stream, at in list(self.streams.items()):
                    if at["ended"] and stream not in done:
                        done.add(stream)
                        self.answer(self, stream, at["headers"], messages(at["data"])[0])
                        self.flush()
        except OSError:
            pass  # our client has ended
        link.close()

    def head(self, stream, more=()):
        self.h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")] + list(more))

    def end(self, stream, status="0", more=()):
        self.h2.send_headers(stream, [("grpc-status", status)] + list(more), end_stream=True)


def echo(server, stream, _, got, **how):
    server.head(stream)
    for message in got:
        server.send(stream, framed(message), **how)
    server.end(stream)


def only_trailers(server, stream, *_):
    server.h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5"), ("grpc-message", "not%20here")],
                           end_stream=True)


def no_status(server, stream, _, got):
    server.head(stream)
    server.send(stream, framed(got[0]), end=True)


def interim(server, stream, headers, got):
    server.h2.send_headers(stream, [(":status", "103"), ("link", "</x>")])
    echo(server, stream, headers, got)


def leaves_politely(server, stream, headers, got):
    server.h2.close_connection(last_stream_id=stream)
    server.flush()
    # The library itself sends nothing more; its answer would be lost: our client must say so.


def proxy(server, stream, *_):
    server.h2.send_headers(stream, [(":status", "503"), ("content-type", "text/html")])
    server.h2.send_data(stream, b"<h1>no</h1>", end_stream=True)


def call(port, *words):
    done = subprocess.run([CALL, "--port", str(port), "--path", "/test.Echo/Any"] + [str(word) for word in words], capture_output=True, text=True,
                          timeout=60)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [row for row in rows if "code" in row], done


def our_client():
    size = 200000
    for what, answer, settings, words, code, n in (
            ("a message there and back", echo, {}, ("--text", "hello"), "OK", 1),
            ("a long one", echo, {}, ("--size", size), "OK", 1),
            ("a byte a frame", lambda *a: echo(*a, step=1), {}, ("--size", 500), "OK", 1),
            ("padded frames", lambda *a: echo(*a, pad=100), {}, ("--size", size), "OK", 1),
            ("a window of 100 bytes", echo, {CODES.INITIAL_WINDOW_SIZE: 100}, ("--size", 20000), "OK", 1),
            ("no header table", echo, {CODES.HEADER_TABLE_SIZE: 0}, ("--text", "x", "--metadata", "x-word=" + "w" * 3000), "OK", 1),
            ("ten calls, two at once", echo, {CODES.MAX_CONCURRENT_STREAMS: 2}, ("--text", "x", "--calls", 10), "OK", 1),
            ("trailers alone", only_trailers, {}, ("--text", "x"), "NOT_FOUND", 0),
            ("an end without a status", no_status, {}, ("--text", "x"), None, None),
            ("an interim answer", interim, {}, ("--text", "x"), "OK", 1),
            ("a proxy's page", proxy, {}, ("--text", "x"), "UNAVAILABLE", 0),
            ("GOAWAY in place of an answer", leaves_politely, {}, ("--text", "x"), "UNAVAILABLE", 0)):
        server = Server(answer, settings)
        rows, done = call(server.port, *words)
        good = rows and all((row["code"] == code if code else row["code"] != "OK") and n in (None, row["n"]) for row in rows)
        check("we call h2: %s" % what, good, (done.stdout, done.stderr))


def main():
    with subprocess.Popen([ECHO], stdout=subprocess.PIPE, text=True) as process:
        try:
            our_server(int(process.stdout.readline()))
        finally:
            process.terminate()
        check("our server ends well", process.wait(20) == 0)
    our_client()
    sys.exit(finish())


main()
