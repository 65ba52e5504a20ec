#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tocsin.intake.v1.Intake as other implementations speak it: gRPC's own client and protobuf's own messages, made from our .proto file.

A spool is emptied through streams that break and a daemon that is killed: every record is in the ledger once.
"""
import base64
import hashlib
import json
import os
import queue
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import venv_programs  # noqa: E402
from checks import check, finish  # noqa: E402
from daemon import BUILD, SOURCE, Daemon, wait_for  # noqa: E402

PROTO, FOLDER = "tocsin/intake/v1/intake.proto", os.path.join(BUILD, "push-stubs")
CORPUS = os.path.join(SOURCE, "tests/corpus/falco-live/default-rules.jsonl")
PUSH = os.path.join(BUILD, "tests/lib/tocsin-push")
RECORDS, BATCH, SERVICE = 3000, 40, "tocsin.intake.v1.Intake/"
STREAMS, LIVES, CALLS, GREEDY = 40, 3, 24, 10


def make_stubs():
    """Under the Python that has grpcio; the messages' classes from our .proto file."""
    python = venv_programs.path("python")
    os.makedirs(FOLDER, exist_ok=True)
    subprocess.run([python, "-m", "grpc_tools.protoc", "-I", os.path.join(SOURCE, "schema/proto"), "--python_out", FOLDER,
                    "--grpc_python_out", FOLDER, PROTO], check=True)
    if sys.prefix == sys.base_prefix:
        os.execv(python, [python, os.path.abspath(__file__)] + sys.argv[1:])
    sys.path.insert(0, FOLDER)


class Stream:
    """One call of Push. Answers are taken from it in order; ended: the status when it is over."""

    def __init__(self, channel, token):
        self.requests, self.code, self.details = queue.SimpleQueue(), None, None
        self.answers = stub(channel).Push(iter(self.requests.get, None), metadata=bearer(token))

    def hello(self, spool, node, first=1, boot="boot"):
        self.send(hello=pb.Hello(spool=spool, node=node, boot=boot, version="test", next=first))
        return self.answer()

    def send(self, **kind):
        self.requests.put(pb.PushRequest(**kind))

    def batch(self, first, records, **more):
        self.send(batch=pb.Batch(first=first, records=records, **more))

    def answer(self):
        """-> the next acknowledged number; None: the call is over."""
        try:
            return next(self.answers).acknowledged
        except StopIteration:
            self.code = grpc.StatusCode.OK
        except grpc.RpcError as err:
            self.code, self.details = err.code(), err.details()
        return None

    def until(self, number):
        answer = 0
        while answer is not None and answer < number:
            answer = self.answer()
        return answer

    def close(self):
        self.requests.put(None)
        while self.answer() is not None:
            pass
        return self.code


def bearer(token):
    return [("authorization", "Bearer " + token)] if token else []


def stub(channel):
    return rpc.IntakeStub(channel)


def connect(daemon):
    """A connection of its own: else channels with the same options share one."""
    return grpc.insecure_channel("127.0.0.1:%d" % daemon.grpc_port,
                                 options=[("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)])


def lines():
    """RECORDS different events as a real Falco wrote them; every hundredth is none."""
    with open(CORPUS) as f:
        events = [json.loads(line) for line in f]
    second = int(time.time()) - RECORDS
    for i in range(RECORDS):
        event = dict(events[i % len(events)])
        event["time"] = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second + i)) + "%09dZ" % i
        text = json.dumps(event)
        yield (text[:-9] + str(i) if i % 100 == 99 else text).encode()


def records_of(raws):
    now = time.time_ns()
    return [pb.Record(source="falco" if i == 0 else "", raw=raw, received_ns=now + i - 10**6) for i, raw in enumerate(raws)]


def until_broken(stream, raws, number, last):
    """Sends from number on until the stream or `last` ends it; -> what was acknowledged by then."""
    acknowledged = number - 1
    for first in range(number, last + 1, BATCH):
        stream.batch(first, records_of(raws[first - 1:first - 1 + BATCH]))
        if first % (5 * BATCH) == 1:
            answer = stream.answer()
            acknowledged = answer if answer is not None else acknowledged
            if answer is None:
                break
    return acknowledged


def empties_a_spool(daemon, token, spool, raws):
    """Five lives: a stream that is cut off, a daemon that is killed three times, and the rest, each with an overlap."""
    channel = connect(daemon)
    stream = Stream(channel, token)
    check("an unknown spool begins at its first record", stream.hello(spool, "node-1") == 0)
    reached = until_broken(stream, raws, 1, RECORDS // 5)
    channel.close()  # in the middle: what was sent may be on its way
    channel = connect(daemon)
    stream = Stream(channel, token)
    known = stream.hello(spool, "node-1", reached + 1)
    check("hello says from where to go on", known is not None and reached <= known <= RECORDS // 5 + BATCH, (reached, known))
    stream.batch(max(1, known - 59), records_of(raws[max(0, known - 60):known + 20]))
    check("what overlaps is passed over", stream.until(known + 20) == known + 20, stream.details)
    known += 20
    for life in range(2, 5):
        reached = until_broken(stream, raws, known + 1, life * RECORDS // 5)
        daemon.kill()
        check("a daemon that is killed breaks the stream", stream.until(RECORDS) is None and stream.code == grpc.StatusCode.UNAVAILABLE)
        channel.close()
        daemon.start()
        channel = connect(daemon)
        stream = Stream(channel, token)
        known = stream.hello(spool, "node-1", max(1, reached - 100))
        check("what was acknowledged was on the disk", known is not None and known >= reached, (reached, known))
    for first in range(known + 1, RECORDS + 1, BATCH):
        stream.batch(first, records_of(raws[first - 1:first - 1 + BATCH]))
    check("the rest is acknowledged to its last record", stream.until(RECORDS) == RECORDS, stream.details)
    stream.batch(RECORDS - 10, records_of(raws[RECORDS - 11:]))
    check("what is known is acknowledged again", stream.answer() == RECORDS)
    check("behind a gap another hello goes on", stream.hello(spool, "node-1", RECORDS + 100) == RECORDS + 99, stream.details)
    check("a call that is closed ends well", stream.close() == grpc.StatusCode.OK, stream.details)
    channel.close()


def all_items(daemon, path):
    items, after = [], ""
    while True:
        status, body = daemon.get(path + ("&after=" + after if after else ""))
        assert status == 200, (status, body)
        page = json.loads(body)
        items += page["items"]
        after = page.get("next")
        if not after:
            return items


def each_once(daemon, raws):
    alerts = all_items(daemon, "/api/v1/alerts?limit=500")
    quarantined = all_items(daemon, "/api/v1/quarantine?limit=500")
    n_broken = len(range(99, RECORDS, 100))
    check("every record is stored once", len(alerts) == RECORDS - n_broken and len(quarantined) == n_broken, (len(alerts), len(quarantined)))
    check("they came by way of the agent", all(alert.get("via") == ["agent"] for alert in alerts))
    sample = alerts[::97] + quarantined[::5]
    bodies = [daemon.get("/api/v1/alerts/%s/raw" % alert["leaf"])[1] for alert in sample]
    sent = {hashlib.sha256(raw).digest() for raw in raws}
    check("raw is what was sent, byte for byte", all(hashlib.sha256(body).digest() in sent for body in bodies))
    nodes = {json.loads(raw).get("hostname", "node-1") for i, raw in enumerate(raws) if i % 100 != 99}
    check("a node that no alert names is the sender's", {alert["node"] for alert in alerts} == nodes, nodes)


def refusals(daemon, token, bound, viewer):
    channel, other = connect(daemon), os.urandom(16)
    one = records_of([b"{}"])

    def refused(what, code, words, act, by=token):
        stream = Stream(channel, by)
        act(stream)
        while stream.answer() is not None:
            pass
        check("%s is %s" % (what, code.name), stream.code == code and words in (stream.details or ""), (stream.code, stream.details))

    def gap(stream):
        stream.hello(other, "node-1")
        stream.batch(2, one)

    codes = grpc.StatusCode
    refused("a gap in the numbers", codes.FAILED_PRECONDITION, "records 1 to 1 are missing", gap)
    refused("another node than the token's", codes.PERMISSION_DENIED, "speaks for node node-7", lambda s: s.hello(other, "node-1"), bound)
    refused("a wrong token", codes.UNAUTHENTICATED, "not in force", lambda s: None, "tsn_wrong")
    refused("no token", codes.UNAUTHENTICATED, "valid token", lambda s: None, "")
    refused("a viewer's token", codes.PERMISSION_DENIED, "role source", lambda s: None, viewer)
    refused("a batch before hello", codes.FAILED_PRECONDITION, "hello", lambda s: s.batch(1, one))
    refused("a spool of 3 bytes", codes.INVALID_ARGUMENT, "3 bytes, not 16", lambda s: s.hello(b"abc", "node-1"))

    def large(size):
        def act(stream):
            stream.hello(os.urandom(16), "node-1")
            stream.batch(1, records_of([b"x" * size]))
            stream.answer()
            stream.requests.put(None)
        return act
    refused("a message of 10 MiB", codes.RESOURCE_EXHAUSTED, "", large(10 << 20))
    refused("one of 8 MiB is not, which", codes.OK, "", large(8 << 20))
    garbage = channel.stream_stream("/" + SERVICE + "Push")
    try:
        list(garbage(iter([b"\x0a\xff garbage"]), metadata=bearer(token)))
        check("garbage is INVALID_ARGUMENT", False)
    except grpc.RpcError as err:
        check("garbage is INVALID_ARGUMENT", err.code() == codes.INVALID_ARGUMENT and "offset" in err.details(), err)
    old, new = Stream(channel, token), Stream(channel, token)
    old.hello(other, "node-1")
    new.hello(other, "node-1")
    check("a newer call takes a spool over", old.answer() is None and old.code == codes.ABORTED, (old.code, old.details))
    new.close()
    channel.close()


def event(rule, **more):
    return dict({"time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".%09dZ" % (time.time_ns() % 10**9), "rule": rule,
                 "priority": "Warning", "source": "syscall", "output": rule, "output_fields": {}}, **more)


def reboots(daemon, channel, token, spool, before):
    """The agent speaks from another boot of its node: that and since when is shown. Another one of the node is a row of its own."""
    again, other = Stream(channel, token), Stream(channel, token)
    again.hello(spool, "node-7", boot="another boot")
    again.send(report=pb.Report(n_waiting=5))
    other.hello(os.urandom(16), "node-7")
    other.send(report=pb.Report(n_waiting=0))
    wait_for(lambda: sorted(a["waiting"] for a in json.loads(daemon.get("/api/v1/sources")[1])["agents"] if a["node"] == "node-7") == [0, 5], 20,
             "two agents of one node are told apart")

    def heard():
        agents = json.loads(daemon.get("/api/v1/sources")[1])["agents"]
        return [a for a in agents if a["node"] == "node-7" and a["spool"] == spool.hex() and a["boot"] != before["boot"]]
    after = wait_for(heard, 20, "the other boot is known")[0]
    check("a node that was rebooted is seen", before["boot"] == "boot" and after["boot"] == "another boot" and
          before["boot_first_heard"] < after["boot_first_heard"] <= after["last_heard"], (before, after))
    code, told = daemon.cli("sources")
    check("on the command line and the page, too", code == 0 and "BOOT SINCE" in told and b'title="another boot"' in daemon.get("/health")[1], told)


def reports(daemon, token, bound):
    """Beside alerts: progress, coverage, pods, what was cut and what was shed."""
    channel, now, spool = connect(daemon), time.time_ns(), os.urandom(16)
    stream = Stream(channel, bound)
    stream.hello(spool, "node-7")
    stream.send(report=pb.Report(oldest_ns=now - 10**9, n_waiting=5, waiting_bytes=999, coverage=[
        pb.Coverage(source="falco", sensor="falco 0.44", state=pb.Coverage.DROPPING, from_ns=now - 60 * 10**9, until_ns=now, n=3)]))
    container = os.urandom(32).hex()
    cut = pb.Cut(salt=b"s" * 16, hash=hashlib.sha256(b"h").digest())
    stream.batch(1, [
        pb.Record(source="falco", raw=json.dumps(event("cut")).encode(), cuts=[cut]),
        pb.Record(shed=pb.Shed(source="tetragon", severity="low", rule="Read", from_ns=now - 9, until_ns=now - 8, n=77, bytes=7)),
        pb.Record(source="falco", raw=json.dumps(event("elsewhere", hostname="node-8")).encode()),
    ], pods=[pb.ContainerPod(container=container, pod_uid="0a1b2c3d-0000-4000-8000-0123456789ab")])
    check("pods, cuts and what was shed are acknowledged with the records", stream.until(3) == 3, stream.details)
    sources = json.loads(daemon.get("/api/v1/sources")[1])
    agent = next((a for a in sources["agents"] if a.get("node") == "node-7"), None)
    check("the agent's report is shown", agent is not None and agent.get("waiting", agent.get("n_waiting")) == 5, sources["agents"])
    items = json.loads(daemon.get("/api/v1/coverage?node=node-7")[1])["items"]
    check("its coverage too", any(i["state"] == "dropping" and i.get("n") == "3" for i in items), items)
    check("what was shed is a gap", any(i["source"] == "tetragon" and i["state"] == "shed" and i.get("n") == "77" for i in items), items)
    shed = json.loads(daemon.get("/api/v1/coverage?node=node-7")[1]).get("shed")
    check("and listed with its rule", shed and len(shed) == 1 and {k: shed[0].get(k) for k in (
        "source", "node", "severity", "rule", "n", "bytes", "leaves")} == {
        "source": "tetragon", "node": "node-7", "severity": "low", "rule": "Read", "n": "77", "bytes": "7", "leaves": 1}, shed)
    code, told = daemon.cli("coverage", "--node", "node-7")
    check("on the command line too", code == 0 and "77" in told and "Read" in told and "shed" in told, told)
    check("and on the page of health", b'data-list="shed"' in daemon.get("/health")[1] and b"shed by a full spool" in daemon.get("/health")[1])
    check("the sender is shown with its agent", any(a.get("via") == "agent" and a.get("node") == "node-7" for a in sources["addresses"])
          or wait_for(lambda: any(a.get("node") == "node-7" for a in json.loads(daemon.get("/api/v1/sources")[1])["addresses"]), 10, "sender"))
    wait_for(lambda: sum(i["alerts_shed"] for i in json.loads(daemon.get("/api/v1/sources")[1])["items"]) == 77, 20, "what was shed is counted")
    daemon.get("/metrics")
    check("and in the metrics", 'tocsin_shed_total{source="tetragon"} 77' in daemon.get("/metrics")[1].decode())
    found = json.loads(daemon.get("/api/v1/alerts?q=rule%3Acut")[1])["items"]
    check("a cut is flagged", len(found) == 1 and "redacted_at_ingest" in found[0].get("flags", []), found)
    forged = [a for a in all_items(daemon, "/api/v1/quarantine?limit=500") if "node-8" in json.dumps(a)]
    check("a forged node goes to quarantine", len(forged) == 1, forged)
    direct = json.dumps(event("both roads", hostname="node-7")).encode()
    daemon.ingest(direct)
    stream.batch(4, [pb.Record(source="falco", raw=direct)])
    check("an alert that came directly is a duplicate by way of the agent", stream.until(4) == 4 and len(
        json.loads(daemon.get("/api/v1/alerts?q=rule%3A%22both%20roads%22")[1])["items"]) == 1)
    stream.close()
    reboots(daemon, channel, bound, spool, agent)
    channel.close()


def at_once(daemon, token, bound):
    channel, codes = connect(daemon), grpc.StatusCode

    def request(rule, node="node-9"):
        return pb.PushBatchRequest(node=node, records=[pb.Record(source="falco", raw=json.dumps(event(rule)).encode()),
                                                       pb.Record(raw=b"no event")])
    answer = stub(channel).PushBatch(request("unary"), metadata=bearer(token))
    check("PushBatch is answered after it is stored", (answer.accepted, answer.duplicate, answer.quarantined) == (1, 0, 1), answer)
    try:
        stub(channel).PushBatch(request("unary"), metadata=bearer(bound))
        check("of another node it is refused", False)
    except grpc.RpcError as err:
        check("of another node it is refused", err.code() == codes.PERMISSION_DENIED, err)
    path = "/" + SERVICE + "PushBatch"

    def post(body, kind, by=token, **more):
        return daemon.request("POST", path, body, token=by, headers=dict({"Content-Type": kind}, **more))
    status, body = post(request("posted").SerializeToString(), "application/x-protobuf")
    answer = pb.PushBatchResponse.FromString(body) if status == 200 else body
    check("it is a plain POST of protobuf as well", status == 200 and (answer.accepted, answer.duplicate, answer.quarantined) == (1, 1, 0), (status, answer))
    from google.protobuf import json_format
    for name, form in (("lowerCamelCase", {}), ("original names", {"preserving_proto_field_name": True})):
        wish = request(name)
        wish.records[0].received_ns = time.time_ns()
        status, body = post(json_format.MessageToJson(wish, **form).encode(), "application/json; charset=utf-8")
        read = json_format.Parse(body, pb.PushBatchResponse()) if status == 200 else body
        check("and of JSON with %s" % name, status == 200 and read.accepted == 1, (status, body))
    check("JSON says where it is wrong", b"no such member" in post(b'{"nodes":1}', "application/json")[1])
    check("garbage is 400", post(b"\x0a\xff garbage", "application/protobuf")[0] == 400)
    check("other types are 415", post(b"x", "text/plain")[0] == 415)
    check("without a token it is 401", post(b"", "application/x-protobuf", by=None)[0] == 401)
    check("a source that is not known is 400", post(json.dumps({"records": [{"source": "nessus", "raw": base64.b64encode(b"{}").decode()}]}).encode(),
                                                    "application/json")[0] == 400)
    channel.close()


def given_up(daemon, token):
    """Calls with a deadline, while another program holds the store: those that only waited for room leave nothing behind."""
    lock = sqlite3.connect(os.path.join(daemon.data, "tocsin.db"), isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    channels, calls = [connect(daemon) for _ in range(4)], []  # the messages under way on one connection have a limit
    for i in range(CALLS):
        channel = channels[i % 4]
        record = pb.Record(source="falco", raw=b"%d %s" % (i, b"x" * (4 << 20)))
        calls.append(stub(channel).PushBatch.future(pb.PushBatchRequest(records=[record]), metadata=bearer(token), timeout=4))

    def held():
        return json.loads(daemon.get("/api/v1/status")[1])["held"]
    wait_for(lambda: held() > CALLS // 2, 10, "the credential's half of the queue is full, the rest is held")
    codes = {call.code() for call in calls}
    check("calls that are given up leave what the writer has, and no more", codes == {grpc.StatusCode.DEADLINE_EXCEEDED} and
          wait_for(lambda: held() < CALLS // 2, 10, "the others are not held any more"), codes)
    lock.execute("ROLLBACK")
    lock.close()
    again = stub(channel).PushBatch(pb.PushBatchRequest(records=[pb.Record(source="falco", raw=json.dumps(event("afterwards")).encode())]),
                                    metadata=bearer(token), timeout=60)
    check("and then all goes on", again.accepted == 1, again)
    for channel in channels:
        channel.close()


def takes_turns(daemon, token):
    """While another program holds the store a greedy node fills its credential's half of the queue; another one's alert is next all the same."""
    channels = [connect(daemon), connect(daemon)]
    greedy, quiet = [Stream(channel, token) for channel in channels]
    greedy.hello(os.urandom(16), "greedy")
    quiet.hello(os.urandom(16), "quiet")

    def told(what):
        return sum(s[what] for s in json.loads(daemon.get("/api/v1/sources")[1])["addresses"] if s["source"] == "falco")
    lock = sqlite3.connect(os.path.join(daemon.data, "tocsin.db"), isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    greedy.batch(1, records_of([b"0 " + b"y" * (4 << 20)]))
    wait_for(lambda: json.loads(daemon.get("/api/v1/status")[1])["held"] == 1, 10, "the writer has the first of them in its hands")
    held = told("held")
    for i in range(1, GREEDY):
        greedy.batch(i + 1, records_of([b"%d %s" % (i, b"y" * (4 << 20))]))
    wait_for(lambda: told("held") > held, 10, "the half is full, and one is held")
    requests = told("requests")
    quiet.batch(1, records_of([json.dumps(event("of a quiet node")).encode()]))
    wait_for(lambda: told("requests") > requests, 10, "the quiet one is heard")
    lock.execute("ROLLBACK")
    lock.close()
    quiet.until(1)
    greedy.until(GREEDY)
    with closing(sqlite3.connect("file:%s/tocsin.db?mode=ro" % daemon.data, uri=True)) as db:
        place = db.execute("SELECT max(leaf) FROM alert").fetchone()[0]
        others = [leaf for leaf, in db.execute("SELECT leaf FROM quarantine ORDER BY leaf DESC LIMIT %d" % GREEDY)]
    check("who sends little is stored next, whatever another node has waiting", len([o for o in others if o < place]) == 1 and len(others) == GREEDY,
          (place, others))
    for channel in channels:
        channel.close()


def by_grpcurl(daemon, token):
    program = os.path.join(BUILD, "go/bin/grpcurl")
    if not os.path.exists(program):
        version = next(line.split("=")[1].strip() for line in open(os.path.join(SOURCE, "tests/rig/versions")) if line.startswith("GRPCURL="))
        subprocess.run(["go", "install", "github.com/fullstorydev/grpcurl/cmd/grpcurl@v" + version], check=True,
                       env=dict(os.environ, GOBIN=os.path.dirname(program), CGO_ENABLED="0"))
    base = [program, "-plaintext", "-import-path", os.path.join(SOURCE, "schema/proto"), "-proto", PROTO, "-H", "authorization: Bearer " + token]
    address = "127.0.0.1:%d" % daemon.grpc_port
    raw = base64.b64encode(json.dumps(event("grpcurl")).encode()).decode()
    done = subprocess.run(base + ["-d", json.dumps({"records": [{"source": "falco", "raw": raw}]}), address, SERVICE + "PushBatch"],
                          capture_output=True, text=True)
    check("grpcurl pushes a batch", done.returncode == 0 and json.loads(done.stdout).get("accepted") == "1", done.stdout + done.stderr)
    hello = json.dumps({"hello": {"spool": base64.b64encode(b"grpcurl's spool.").decode(), "node": "node-3", "next": "8"}})
    done = subprocess.run(base + ["-d", hello, address, SERVICE + "Push"], capture_output=True, text=True)
    check("grpcurl says hello", done.returncode == 0 and json.loads(done.stdout).get("acknowledged") == "7", done.stdout + done.stderr)


def ends(daemon, token):
    n_leaves = 1 + sum(len(all_items(daemon, "/api/v1/%s?limit=500" % kind)) for kind in ("alerts", "quarantine"))  # 1: what was shed
    channel = connect(daemon)
    stream = Stream(channel, token)
    stream.hello(os.urandom(16), "node-1")
    began = time.monotonic()
    code = daemon.stop()
    check("an open stream does not delay the end", code == 0 and time.monotonic() - began < 10, (code, time.monotonic() - began))
    check("the stream is told", stream.answer() is None and stream.code == grpc.StatusCode.UNAVAILABLE, (stream.code, stream.details))
    channel.close()
    code, told = daemon.cli("ledger", "verify")
    check("the ledger verifies", code == 0, told)
    check("it has a leaf for each record, and no more", str(n_leaves) in told.replace(",", " ").split(), (n_leaves, told))


def ends_under_load(daemon):
    """SIGTERM while many streams send as fast as they may: what was acknowledged on the wire is what is stored, no more and no less."""
    def spools():
        with closing(sqlite3.connect("file:%s/tocsin.db?mode=ro" % daemon.data, uri=True)) as db:
            return dict(db.execute("SELECT hex(id), acknowledged FROM spool WHERE acknowledged > 0"))

    for life in range(LIVES):
        daemon.start()
        before = len(spools())
        load = subprocess.Popen([PUSH, "--port", str(daemon.grpc_port), "--file", CORPUS, "--token", daemon.token("ingest"), "--connections",
                                 str(STREAMS), "--batch", "20", "--alerts", str(10**9), "--first", str(time.time_ns() - 3600 * 10**9),
                                 "--until-cut"], stdout=subprocess.PIPE, text=True)
        try:
            wait_for(lambda: len(spools()) >= before + STREAMS, 60, "all streams flow")
            code = daemon.stop()
            told = load.communicate(timeout=60)[0].split()
        finally:
            load.kill()
        wire = {told[i]: int(told[i + 1]) for i in range(0, len(told), 3)}
        stored = {spool: number for spool, number in spools().items() if spool in wire}
        check("life %d: what is stored was acknowledged on the wire before the end" % (life + 1),
              code == 0 and len(wire) == STREAMS and wire == stored, (code, [(s, wire[s], stored.get(s)) for s in wire if wire[s] != stored.get(s)]))


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            token = daemon.token("ingest")

            def made(**wish):
                return json.loads(daemon.request("POST", "/api/v1/tokens", json.dumps(wish).encode())[1])["token"]
            bound, viewer = made(name="bound", node="node-7"), made(name="viewer", role="viewer")
            raws = list(lines())
            empties_a_spool(daemon, token, os.urandom(16), raws)
            each_once(daemon, raws)
            refusals(daemon, token, bound, viewer)
            reports(daemon, token, bound)
            at_once(daemon, token, bound)
            given_up(daemon, token)
            takes_turns(daemon, token)
            by_grpcurl(daemon, token)
            ends(daemon, token)
            ends_under_load(daemon)
        finally:
            daemon.kill()
    sys.exit(finish())


if __name__ == "__main__":
    make_stubs()
    import grpc
    from tocsin.intake.v1 import intake_pb2 as pb
    from tocsin.intake.v1 import intake_pb2_grpc as rpc
    main()
