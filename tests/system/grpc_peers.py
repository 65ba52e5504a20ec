#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our gRPC beside that of others: grpc-go as client of our server and as server of our client, grpcurl against tocsind, h2load, and
peers that are too slow. Needs Go and nghttp2-client."""
import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish  # noqa: E402
from daemon import BUILD, SOURCE, Daemon, wait_for  # noqa: E402

GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4"
TOOLS, PEER = os.path.join(BUILD, "go-tools"), os.path.join(BUILD, "go-tools", "grpc-peer")
ECHO, CALL = os.path.join(BUILD, "tests/lib/grpc-echo"), os.path.join(BUILD, "tests/lib/grpc-call")
IDLE_S, MOST_MIB, SLOW_MS, LOAD_CALLS = 21, 20, 300, 20000
PREFACE, SETTINGS = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\4\0\0\0\0\0"


def build():
    os.makedirs(TOOLS, exist_ok=True)
    setting = dict(os.environ, CGO_ENABLED="0", GOBIN=TOOLS, GOFLAGS="-buildvcs=false")
    subprocess.run(["go", "build", "-mod=readonly", "-o", PEER, "."], cwd=os.path.join(SOURCE, "tests/system/grpc-peer"), check=True, env=setting)
    subprocess.run(["go", "install", GRPCURL], cwd=TOOLS, check=True, env=setting)


class Server:
    """A program that prints its port. -> by `with`; stop: SIGTERM, -> exit code."""

    def __init__(self, *words):
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.address, self.place = "127.0.0.1:%d" % self.port, ["--port", str(self.port)]

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def resident_mib(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1]) / 1024


def make_certificates(folder):
    subprocess.run([ECHO, "--make-certificates", folder], check=True)
    return {name: os.path.join(folder, "echo" + end) for name, end in
            (("ca", "-ca.pem"), ("certificate", ".pem"), ("key", ".key"), ("client", "-client.pem"), ("client_key", "-client.key"))}


# ---- our server, grpc-go's client ----

def peer(*words):
    return subprocess.run([PEER] + list(words), capture_output=True, text=True, timeout=120)


def all_checks(place, *words):
    done = peer("check", *words)
    rows = re.findall(r"^(not ok|ok) - (.*)$", done.stdout, re.M)
    check("grpc-go calls us over %s: it went through its list" % place, len(rows) > 15, done.stdout + done.stderr)
    for result, what in rows:
        check("grpc-go calls us over %s: %s" % (place, what), result == "ok")


def goes_while_called(address, server):
    """The server is stopped while a call is under way."""
    with subprocess.Popen([PEER, "leave", "-address", address], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        began = process.stdout.readline()
        code = server.stop() if began == "begun\n" else None
        told = process.communicate(timeout=30)[0]
    check("our server leaves: grpc-go's call ends well, a new one is UNAVAILABLE", told == "ended well\n", began + told)
    check("and it ends by itself then", code == 0, code)


def our_server(files, folder):
    path = os.path.join(folder, "echo.sock")
    with Server(ECHO) as plain, Server(ECHO, "--unix", path), \
            Server(ECHO, "--certificate", files["certificate"], "--key", files["key"], "--client-ca", files["ca"]) as tls:
        idle = subprocess.Popen([PEER, "idle", "-address", plain.address, "-for", "%ds" % IDLE_S], stderr=subprocess.PIPE, text=True)
        all_checks("TCP", "-address", plain.address)
        all_checks("a path", "-address", "unix:" + path)
        all_checks("mTLS", "-address", tls.address, "-ca", files["ca"], "-certificate", files["client"], "-key", files["client_key"])
        all_checks("TLS", "-address", tls.address, "-ca", files["ca"])
        done = peer("idle", "-address", tls.address, "-ca", files["stranger"])
        check("a server that the client's authority does not know is not talked to",
              done.returncode and "Unavailable" in done.stderr and "certificate" in done.stderr, done.stderr)
        yield  # others have their turn while the idle ones ping
        check("connections that ping every ten seconds stay, with calls and without", idle.wait(60) == 0, idle.stderr.read())
        goes_while_called(plain.address, plain)


# ---- grpc-go's server, our client ----

class Called(list):
    """What grpc-call printed; texts as bytes."""

    def __init__(self, done):
        rows = [json.loads(line) for line in done.splitlines() if line.startswith("{")]
        list.__init__(self, [dict(row, **{name: bytes.fromhex(row[name]) for name in ("message", "details", "last") if name in row}) for row in rows])
        self.lost = next((row for row in self if "lost" in row), None)
        self.first = self[0] if self else {}

    def ended(self, code, n=None, same=None):
        row = self.first
        return row.get("code") == code and n in (None, row["n"]) and same in (None, row["same"])


def call(server, method, *words):
    done = subprocess.run([CALL] + server.place + ["--path", "/test.Echo/" + method] + [str(word) for word in words],
                          capture_output=True, text=True, timeout=60)
    return Called(done.stdout + done.stderr)


def counts(server):
    """-> of our server: calls, connections (with this one), floods, calls that ended well."""
    return [int(word) for word in call(server, "Counts").first["last"].split()]


def messages(server):
    for what, method, words, code, n, same in (
            ("an empty message", "Unary", (), "OK", 1, 1),
            ("a message of 4 MiB", "Unary", ("--size", 4 << 20), "OK", 1, 1),
            ("a message too long for it is RESOURCE_EXHAUSTED", "Unary", ("--size", 5 << 20), "RESOURCE_EXHAUSTED", 0, 0),
            ("twenty thousand small messages there and back", "Talk", ("--size", 10, "--count", 20000), "OK", 20000, 20000),
            ("fifty messages of a MiB there and back", "Talk", ("--size", 1 << 20, "--count", 50), "OK", 50, 50),
            ("a stream without messages ends well", "Talk", ("--count", 0), "OK", 0, 0),
            ("a thousand long messages down", "ServerStream", ("--text", "1000 100000"), "OK", 1000, None),
            ("fifty thousand short messages down", "ServerStream", ("--text", "50000 3"), "OK", 50000, None),
            ("gzip", "Unary", ("--size", 1 << 20, "--gzip"), "OK", 1, 1),
            ("gzip of what packs well", "Talk", ("--text", "".join("word %d " % i for i in range(8000)), "--count", 50, "--gzip"), "OK", 50, 50),
            ("a method that is not there is UNIMPLEMENTED", "Nothing", (), "UNIMPLEMENTED", 0, 0),
            ("a call that we cancel", "Talk", ("--count", 3, "--stay-open", "--cancel-after", 2), "CANCELLED", None, None),
            ("a call that we cancel at once", "Silent", ("--cancel-after", 0), "CANCELLED", 0, 0)):
        told = call(server, method, *words)
        check("we call grpc-go: %s" % what, told.ended(code, n, same), told)
    told = call(server, "ClientStream", "--size", 10000, "--count", 1000)
    check("we call grpc-go: a thousand messages up, one down", told.ended("OK", 1) and told.first["last"] == b"1000 10000000", told)
    told = call(server, "Silent", "--timeout", 100, "--calls", 300)  # its clock is first for some of them
    check("we call grpc-go: a deadline ends each call", [row.get("code") for row in told] == ["DEADLINE_EXCEEDED"] * 300, told)
    wait_for(lambda: call(server, "Counts").first.get("last") == b"0", 10, "grpc-go has heard that calls were given up")


def texts(server):
    for code, name in ((1, "CANCELLED"), (5, "NOT_FOUND"), (9, "FAILED_PRECONDITION"), (16, "UNAUTHENTICATED")):
        text = "no: 100% ärger \x01 \"why\" %41"
        told = call(server, "Fail", "--text", text, "--metadata", "x-status=%d" % code)
        check("we call grpc-go: status %s, its text and its details" % name,
              told.ended(name, 0) and told.first["message"] == text.encode() and b"google.protobuf.StringValue" in told.first["details"], told)
    binary = bytes(range(256))
    told = call(server, "Metadata", "--metadata", "x-word=plain", "--metadata", "x-word-bin=" + base64.b64encode(binary).decode().rstrip("="))
    check("we call grpc-go: metadata of texts and of bytes", told.ended("OK", 1) and told.first["last"] == (b"plain" + binary)[:256], told)


def many(server):
    told = call(server, "Unary", "--size", 3000, "--calls", 100)
    check("we call grpc-go: more calls at once than it takes wait", [row.get("code") for row in told] == ["OK"] * 100, told)


class Held(Server):
    """A call of ours that is under way: one message went there and back."""

    def __init__(self, server, *words):
        self.process = subprocess.Popen([CALL, "--port", str(server.port), "--path", "/test.Echo/Talk", "--text", "word", "--count", "100",
                                         "--hold"] + list(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.began = self.process.stdout.readline() == "begun\n"

    def release(self):
        return Called(self.process.communicate(timeout=30)[0])


def leaves(server):
    with Held(server, "--until-lost") as held:
        server.process.send_signal(signal.SIGTERM)
        server.process.stdout.readline()  # "stopping"
        told = held.release()
        check("grpc-go leaves: our call ends well, then the connection", held.began and told.ended("OK", 100, 100) and told.lost, told)
    check("and it ends then", server.process.wait(20) == 0)


def lives_long():
    """GOAWAY for the connection's age; pings once a second, while our call says nothing."""
    with Server(PEER, "serve", "-ping", "1s") as pings, Server(PEER, "serve", "-age", "1s") as ages:
        with Held(pings) as quiet, Held(ages, "--until-lost") as old:
            time.sleep(4)  # nothing is awaited: that it stays is the condition
            told = quiet.release()
            check("grpc-go pings a call of ours that is quiet: it stays", quiet.began and told.ended("OK", 100, 100), told)
            told = old.release()
            check("grpc-go finds the connection old: our call ends well, then it is lost", told.ended("OK", 100, 100) and told.lost, told)


def our_client(files):
    tls = ("-certificate", files["certificate"], "-key", files["key"], "-client-ca", files["ca"])
    ours = ("--ca", files["ca"], "--certificate", files["client"], "--key", files["client_key"])
    with Server(PEER, "serve", "-streams", "10") as plain, Server(PEER, "serve", *tls) as secure:
        messages(plain)
        texts(plain)
        many(plain)
        told = call(secure, "Talk", "--size", 1 << 20, "--count", 20, *ours)
        check("we call grpc-go over mTLS: messages of a MiB there and back", told.ended("OK", 20, 20), told)
        told = call(secure, "Unary", "--ca", files["ca"])
        check("we call grpc-go without the certificate it wants: the connection is lost",
              not told.ended("OK") and (told.lost or told.ended("UNAVAILABLE")), told)
        told = call(secure, "Unary", "--ca", files["stranger"])
        check("we do not talk to a server that our authority does not know", told.lost and b"certificate" in told.lost["message"], told)
        leaves(plain)
    told = call(plain, "Unary")
    check("where nobody listens the connection is lost", told.lost and b"refused" in told.lost["message"], told)
    lives_long()


# ---- tocsind and grpcurl ----

def grpcurl(daemon, proto, method, *words):
    return subprocess.run([os.path.join(TOOLS, "grpcurl"), "-plaintext", "-import-path", os.path.join(SOURCE, "schema/proto"), "-proto", proto]
                          + list(words) + ["127.0.0.1:%d" % daemon.grpc_port, method], capture_output=True, text=True, timeout=30)


def with_grpcurl(daemon):
    done = grpcurl(daemon, "grpc/health/v1/health.proto", "grpc.health.v1.Health/Check")
    check("grpcurl: tocsind serves", done.returncode == 0 and json.loads(done.stdout) == {"status": "SERVING"}, done)
    intake, method = "tocsin/intake/v1/intake.proto", "tocsin.intake.v1.Intake/PushBatch"
    with open(os.path.join(SOURCE, "tests/corpus/falco-live/default-rules.jsonl")) as f:
        event = json.loads(f.readline())
    event["time"] = time.strftime("%Y-%m-%dT%H:%M:%S.000000001Z", time.gmtime())
    batch = json.dumps({"node": "node-1", "records": [{"source": "falco", "raw": base64.b64encode(json.dumps(event).encode()).decode()},
                                                      {"raw": base64.b64encode(b"nonsense").decode()}]})
    bearer = ("-H", "authorization: Bearer " + daemon.token("ingest"))
    done = grpcurl(daemon, intake, method, "-d", batch, *bearer)
    check("grpcurl: a batch is stored, and what is no event is in quarantine",
          done.returncode == 0 and json.loads(done.stdout) == {"accepted": "1", "quarantined": "1"}, done)
    done = grpcurl(daemon, intake, method, "-d", batch, *bearer)
    check("grpcurl: again it is known", done.returncode == 0 and "duplicate" in json.loads(done.stdout), done)
    done = grpcurl(daemon, intake, method, "-d", batch)
    check("grpcurl: without a token it is UNAUTHENTICATED", "Unauthenticated" in done.stderr, done)
    done = grpcurl(daemon, intake, method, "-d", batch, "-H", "authorization: Bearer wrong")
    check("grpcurl: with a wrong one, too", "Unauthenticated" in done.stderr, done)


# ---- load, and peers that are slow ----

def loaded(folder):
    body = os.path.join(folder, "body")
    with open(body, "wb") as f:
        f.write(b"\0\0\0\0\x64" + b"x" * 100)
    with Server(ECHO) as server:
        before = resident_mib(server.process.pid)
        done = subprocess.run(["h2load", "-n", str(LOAD_CALLS), "-c", "10", "-m", "20", "-d", body, "-H", "content-type: application/grpc", "-H",
                               "te: trailers", "http://%s/test.Echo/Unary" % server.address], capture_output=True, text=True, timeout=60)
        check("h2load: all of %d calls are answered" % LOAD_CALLS, "%d succeeded, 0 failed, 0 errored" % LOAD_CALLS in done.stdout, done.stdout)
        ended = counts(server)[3]
        check("h2load: and each ended well as gRPC has it", ended == LOAD_CALLS, ended)
        rate = re.search(r"([\d.]+) req/s", done.stdout)
        print("# h2load: %s calls/s" % (rate.group(1) if rate else "?"))
        check("h2load: costs no memory", resident_mib(server.process.pid) - before < MOST_MIB, resident_mib(server.process.pid) - before)


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def field(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def request(path):
    return b"".join(field(*pair) for pair in ((b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"x"),
                                              (b"te", b"trailers"), (b"content-type", b"application/grpc")))


def connect(server, *sent):
    peer_socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    time.sleep(0.01)  # not in the first moment: the limit counts from the beginning, whatever comes later
    peer_socket.sendall(b"".join(sent))
    return peer_socket


def is_ended(peer_socket):
    """The other side closes within the ten seconds."""
    try:
        while peer_socket.recv(65536):
            pass
        return True
    except ConnectionResetError:
        return True
    except socket.timeout:
        return False


def slow(files):
    """The handshake's limit is short here; nothing may stay for the 600 s that an idle connection may."""
    limit = ("--handshake-ms", str(SLOW_MS))
    head = request(b"/test.Echo/Silent")
    with Server(ECHO, *limit) as plain, Server(ECHO, *limit, "--certificate", files["certificate"], "--key", files["key"]) as tls:
        peers = [(what, connect(server, *sent)) for what, server, sent in (
            ("says nothing", plain, ()),
            ("says half a preface", plain, (PREFACE[:10],)),
            ("says a preface and no SETTINGS", plain, (PREFACE,)),
            ("begins headers and does not end them", plain, (PREFACE, SETTINGS, frame(1, 0, 1, head[:20]))),
            ("says nothing of TLS", tls, ()),
            ("says half a record of TLS", tls, (b"\x16\x03\x01\x02\x00\x01",)))]
        stays = socket.create_connection(("127.0.0.1", plain.port))
        stays.sendall(PREFACE + SETTINGS + frame(1, 4, 1, head))  # all in the first moment, and nothing later
        for what, one in peers:
            check("a peer that %s is hung up on" % what, is_ended(one))
            one.close()
        stays.settimeout(0.1)
        try:
            while stays.recv(65536):
                pass
            good = False
        except socket.timeout:
            good = True
        check("one with a call that waits is not", good)
        stays.close()


def never_reads(folder):
    """It asks for much and reads nothing; then it floods, and GOAWAY finds no room. Over a path: its socket's room is small and fixed."""
    path = os.path.join(folder, "greedy.sock")
    with Server(ECHO, "--unix", path, "--handshake-ms", str(SLOW_MS)) as server:
        server.place = ["--unix", path]
        before = resident_mib(server.process.pid)
        wide = b"\0\4\x7f\xff\xff\xff"  # SETTINGS_INITIAL_WINDOW_SIZE
        text = b"1000 1000000"
        ask = b"\0" + len(text).to_bytes(4, "big") + text
        calls = b"".join(frame(1, 4, i, request(b"/test.Echo/ServerStream")) + frame(0, 1, i, ask) for i in range(1, 16, 2))
        greedy = socket.socket(socket.AF_UNIX)
        greedy.connect(path)
        greedy.sendall(PREFACE + frame(4, 0, 0, wide) + frame(8, 0, 0, b"\x7f\xff\x00\x00") + calls)
        told = call(server, "Talk", "--size", 100000, "--count", 100)
        check("beside a peer that asks for much and reads nothing others are served", told.ended("OK", 100, 100), told)
        grown = resident_mib(server.process.pid) - before
        check("it costs little memory", grown < MOST_MIB, "%.1f MiB" % grown)
        greedy.sendall(frame(8, 0, 0, b"\0\0\0\1") * 3000)
        wait_for(lambda: counts(server)[1] == 1, 10, "one that floods and does not read that it has to go is ended")
        check("one that floods and does not read that it has to go is ended", counts(server)[2] == 1, counts(server))
        greedy.close()


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "strangers"))
        build()
        files = make_certificates(folder)
        files["stranger"] = make_certificates(os.path.join(folder, "strangers"))["ca"]
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            for _ in our_server(files, folder):
                our_client(files)
                with_grpcurl(daemon)
                check("tocsind ends well", daemon.stop() == 0)
                loaded(folder)
                slow(files)
                never_reads(folder)
        finally:
            daemon.kill()
    sys.exit(finish())


main()
