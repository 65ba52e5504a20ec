#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Secrets by every road and encoding: none reaches a file or the log, and each leaf commits to what was cut from it."""
import base64
import ctypes
import gzip
import hashlib
import json
import os
import random
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish  # noqa: E402
from daemon import SOURCE, Daemon  # noqa: E402
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
import sidekick  # noqa: E402

SEED = int(os.environ.get("TOCSIN_SEED", "20261124"))
MARK = "[redacted]"
CONFIGMAP, DATA = "ka.req.configmap.obj", "jevt.value[/requestObject/data/password]"
STATUS = "jevt.value[/responseObject/status/token]"
dice = random.Random(SEED)
zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_compressBound.restype = zstd.ZSTD_compress.restype = zstd.ZSTD_decompress.restype = ctypes.c_size_t
secrets, canaries, expected = [], [], {}


def sha(data):
    return hashlib.sha256(data).digest()


def be(number):
    return number.to_bytes(8, "big")


def part(data):
    return be(len(data)) + data


def pointer(*keys):
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def new_secret(kind):
    """A password of its own, in one of the shapes that they have; what is looked for later is its unique part."""
    core = "".join(dice.choice("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(24))
    secrets.append(core)
    return {"plain": core, "base64": base64.b64encode(core.encode()).decode(), "markup": "<a&b>\"\\\n\u00e9\U0001f600 " + core,
            "object": json.dumps({"data": {"password": core, "user": "x"}}), "long": "-----BEGIN\n" + core * 60}[kind]


def event(key, kind, **more):
    """An event as Falco sends it, with a secret in a field and in its output; remembers what must be cut."""
    secret, canary = new_secret(kind), "canary%012x" % dice.getrandbits(48)
    canaries.append(canary)
    time_ns = 1795290748000000000 + len(canaries) * 1000003
    fields = {"evt.time": time_ns, "ka.target.name": canary, "ka.target.resource": "secrets", key: secret}
    out = {"hostname": "n1", "output": "19:52:28.000000000: Notice made (value=%s) by %s" % (secret, canary), "output_fields": fields,
           "priority": "Notice", "rule": "K8s Secret Created", "source": "k8s_audit", "tags": ["k8s"],
           "time": "2026-11-21T19:52:28.%09dZ" % (time_ns % 10**9), **more}
    out = {name: value for name, value in out.items() if value is not None}
    expected[canary] = [("/output", quoted(secret)[1:-1]), (pointer("output_fields", key), quoted(secret))]
    return out


def line(one):
    return json.dumps(one, ensure_ascii=False).encode()


def expect_forwarded(one, canary):
    """The same event as falcosidekick writes it: its escapes, and its cut of what is long."""
    sent = sidekick.forward(line(one))
    key = next(name for name in (CONFIGMAP, DATA, STATUS) if name in one["output_fields"])
    secret, output = json.loads(sent)["output_fields"][key], json.loads(sent)["output"]
    said = secret[:-len("[...]")] if secret.endswith("[...]") else secret
    while not output.endswith(said + "[...]") and said not in output:
        said = said[:-1]
    expected[canary] = [("/output", sidekick.go_json(said)[1:-1]), (pointer("output_fields", key), sidekick.go_json(secret))]
    return sent


def zstd_compress(data):
    out = ctypes.create_string_buffer(zstd.ZSTD_compressBound(ctypes.c_size_t(len(data))))
    size = zstd.ZSTD_compress(out, ctypes.c_size_t(len(out)), data, ctypes.c_size_t(len(data)), 3)
    return out.raw[:size]


def zstd_expand(frame, size):
    out = ctypes.create_string_buffer(size + 1)
    assert zstd.ZSTD_decompress(out, ctypes.c_size_t(size), frame, ctypes.c_size_t(len(frame))) == size, "a frame does not expand"
    return out.raw[:size]


def post(daemon, what, body, n, source="falco", headers=None, kind="accepted", path=""):
    status, answer = daemon.request("POST", "/ingest/" + source + path, body, None if path else "ingest", headers)
    got = json.loads(answer) if status == 200 else {}
    check("%s: %d %s" % (what, n, kind), status == 200 and got.get(kind) == n == sum(got.values()), (status, answer))


def send_all(daemon):
    kinds = ("plain", "base64", "markup", "object", "long")
    ones = [event(key, kind) for key in (CONFIGMAP, DATA, STATUS) for kind in kinds]
    post(daemon, "one object", line(ones[0]), 1)
    post(daemon, "token in the path", line(ones[1]), 1, path="/" + daemon.token("ingest"))
    post(daemon, "array", b"[" + b",\n ".join(line(one) for one in ones[2:6]) + b"]", 4)
    post(daemon, "NDJSON", b"\r\n".join(line(one) for one in ones[6:9]), 3)
    post(daemon, "gzip", gzip.compress(line(ones[9])), 1, headers={"Content-Encoding": "gzip"})
    post(daemon, "zstd, NDJSON", zstd_compress(b"\n".join(line(one) for one in ones[10:15])), 5, headers={"Content-Encoding": "zstd"})
    post(daemon, "replayed", b"\n".join(line(one) for one in ones), len(ones), kind="duplicate")
    again = b"".join(sidekick.forward(line(one)) for one in ones)
    post(daemon, "the same by falcosidekick", again, len(ones), "falcosidekick", kind="duplicate")
    for kind in kinds:
        one = event(CONFIGMAP, kind, padding="p" * 4000) if kind == "long" else event(DATA, kind)
        post(daemon, "falcosidekick, " + kind, expect_forwarded(one, canaries[-1]), 1, "falcosidekick")
    post(daemon, "falcosidekick, gzip, array", gzip.compress(b"[" + expect_forwarded(event(STATUS, "markup"), canaries[-1]) + b"]"),
         1, "falcosidekick", {"Content-Encoding": "gzip"})
    post(daemon, "an unusable time", line(event(DATA, "base64", time="never")), 1)


def send_lines(daemon):
    """Falco's plain text: its own rule about ConfigMaps, an object of the audit log, a field by its name."""
    lines = []
    for i, shape in enumerate(("config=%s)", "object={\"kind\":\"Secret\",\"data\":%s} of x)", CONFIGMAP + "=%s)")):
        value, canary = json.dumps({"password": new_secret("markup")}), "canary%012x" % dice.getrandbits(48)
        canaries.append(canary)
        expected[canary] = [(pointer(("config", "data", CONFIGMAP)[i]), value)]
        lines.append("19:52:28.%09d: Notice K8s configmap (user=%s " % (i, canary) + shape % value)
    post(daemon, "plain text lines", "\n".join(lines).encode(), len(lines))
    post(daemon, "plain text that is no alert", lines[0][9:].encode(), 1, kind="quarantined")


def send_broken(daemon):
    post(daemon, "no rule", line(event(DATA, "plain", rule=None)), 1, kind="quarantined")
    body = line(event(DATA, "plain"))
    expected.pop(canaries[-1])  # by scanning: other paths
    post(daemon, "no JSON", body.replace(b'"priority"', b'priority'), 1, kind="quarantined")
    body = line(event(CONFIGMAP, "object"))
    expected.pop(canaries[-1])
    post(daemon, "cut inside the secret", body[:body.index(b"output_fields")] + b'output_fields":{"%s":' % CONFIGMAP.encode()
         + quoted(secrets[-1]).encode()[:-9], 1, kind="quarantined")
    refused = line(event(DATA, "plain"))
    check("broken for falcosidekick is 400", daemon.ingest(refused[:-5], "falcosidekick")[0] == 400)
    check("without a token it is 401", daemon.request("POST", "/ingest/falco", refused, token=None)[0] == 401)
    check("broken gzip is 400", daemon.request("POST", "/ingest/falco", gzip.compress(refused)[:-9], "ingest",
                                               {"Content-Encoding": "gzip"})[0] == 400)
    narrow = json.loads(daemon.request("POST", "/api/v1/tokens", b'{"name":"n","sources":["falco"],"node":"n2"}')[1])["token"]
    one = event(DATA, "plain", source="syscall", hostname="n1")
    status, body = daemon.request("POST", "/ingest/falco", line(one), narrow)
    check("another node's: quarantined", status == 200 and json.loads(body)["quarantined"] == 1, (status, body))


def spellings():
    for core in secrets:
        raw = core.encode()
        yield raw
        for skip in range(3):  # in base64 inside something longer, where its beginning is not on a border
            yield base64.b64encode(b"x" * skip + raw)[4:-4]


def find_secrets(data):
    return [word for word in spellings() if word in data]


def files(folder):
    for base, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(base, name), "rb") as f:
                yield name, f.read()


def check_files(daemon, when):
    seen = dict(files(daemon.log_folder))
    found = {name: find_secrets(data) for name, data in seen.items() if find_secrets(data)}
    check("no secret in any file %s: %s" % (when, ", ".join(sorted(seen))), seen and not found, found)
    check("the write-ahead log was among them" if when == "killed" else "the log has lines",
          any(name.endswith("-wal") and data for name, data in seen.items()) if when == "killed" else seen["tocsind.log"])


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def entries(db):
    """What store/block.h says: leaf, kind, origin, received_ns, commitment, raw, record."""
    for block, size, dictionary, frame in db.execute("SELECT id, size, dictionary, frame FROM block ORDER BY id"):
        assert dictionary == 0
        data, at, first = zstd_expand(frame, size), 0, block & ((1 << 44) - 1)
        while at < len(data):
            leaf, at = varint(data, at)
            kind, flags = data[at], data[at + 1]
            origin, at = varint(data, at + 2)
            received_ns, at = int.from_bytes(data[at:at + 8], "big"), at + 8
            raw_size, at = varint(data, at)
            record_size, at = varint(data, at)
            commitment = bytes(32)
            if flags & 2:
                commitment, at = data[at:at + 32], at + 32
            yield first + leaf, kind, origin, received_ns, commitment, data[at:at + raw_size], data[at + raw_size:at + raw_size + record_size]
            at += raw_size + record_size


def root(hashes):
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return sha(b"\1" + root(hashes[:k]) + root(hashes[k:]))


def check_commitments(daemon):
    """As tests/lib/leaf_vectors.py has it, from what the store holds and what this test cut by itself."""
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(daemon.data, "tocsin.db"), uri=True)
    origins = {row[0]: row[1:] for row in db.execute("SELECT id, source, cluster, credential FROM origin")}
    names = {1: "falco", 2: "falcosidekick", 3: "tocsin"}
    bad_leaves, bad_cuts, unsaid, n_cut, met = [], [], [], 0, set()
    for leaf, kind, origin, received_ns, commitment, raw, record in entries(db):
        source, cluster, credential = origins[origin]
        tile = db.execute("SELECT hashes FROM tile WHERE id = ?", (leaf // 256,)).fetchone()[0]
        data = (bytes([1, kind]) + be(received_ns) + be(len(raw)) + sha(raw) + commitment + part(names[source].encode())
                + part(cluster.encode()) + part(str(credential).encode()))
        at = leaf % 256 * 32
        if sha(b"\0" + data) != tile[at:at + 32]:
            bad_leaves.append(leaf)
        unsaid += find_secrets(raw) + find_secrets(record)
        canary = next((word for word in canaries if word.encode() in raw), None)
        met.add(canary)
        if canary not in expected:
            continue
        row = db.execute("SELECT salts FROM salt WHERE leaf = ?", (leaf,)).fetchone()
        salts = row[0] if row else b""
        cuts = [sha(b"\0" + salts[16 * i:16 * i + 16] + part(path.encode()) + part(value.encode()))
                for i, (path, value) in enumerate(expected[canary])]
        n_cut += len(cuts)
        if root(cuts) != commitment or len(salts) != 16 * len(cuts) or len(set(salts[i:i + 16] for i in range(0, len(salts), 16))) != len(cuts):
            bad_cuts.append((leaf, raw, expected[canary]))
    check("no secret in any stored event or record", not unsaid, unsaid)
    check("what is no secret is there", len(met & set(expected)) == len(expected) - 1 > 20, met)  # one was refused
    check("every leaf's hash can be computed anew", not bad_leaves, bad_leaves)
    check("each of %d commitments, from salt, path and value" % n_cut, n_cut > 40 and not bad_cuts, bad_cuts[:2])
    db.close()


def check_documents(daemon):
    """What people see, offline."""
    code, shown = daemon.cli("-o", "json", "alerts", "list", "--limit", "500")
    items = json.loads(shown)["items"]
    check("no secret in the documents of %d alerts" % len(items), code == 0 and items and not find_secrets(shown.encode()), shown[:500])
    flags = [item for item in items if "redacted_at_ingest" not in item.get("flags", [])]
    check("all are marked redacted_at_ingest", not flags, flags)
    raws = [daemon.cli("alerts", "raw", item["id"])[1] for item in items]
    check("nor in their raw bytes, which have marks", all(MARK in (json.loads(raw)["output"] if raw.startswith("{") else raw) for raw in raws)
          and not find_secrets("".join(raws).encode()), raws[:2])
    code, report = daemon.cli("ledger", "verify")
    check("the ledger verifies", code == 0, report)


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            send_all(daemon)
            send_lines(daemon)
            send_broken(daemon)
            check("the search finds a secret", find_secrets(b"x" + base64.b64encode(b"ab" + secrets[3].encode()))
                  and find_secrets(secrets[0].encode()))
            check_files(daemon, "while it runs")
            daemon.kill()
            check_files(daemon, "killed")
            daemon.start()
            check("SIGTERM drains and ends with 0", daemon.stop() == 0)
            check_files(daemon, "ended")
            check_commitments(daemon)
            check_documents(daemon)
        finally:
            daemon.kill()
    print("# seed %d" % SEED)
    return finish()


sys.exit(main())
