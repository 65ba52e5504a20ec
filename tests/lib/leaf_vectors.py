# SPDX-License-Identifier: Apache-2.0
"""Reproduces every vector of the leaf format from its inputs alone: leaf_vectors.py FILE"""
import hashlib, json, sys
sha = lambda b: hashlib.sha256(b).digest()
be = lambda n: n.to_bytes(8, "big")
part = lambda s: be(len(s.encode())) + s.encode()

def root(h):
    if len(h) < 2: return h[0] if h else sha(b"")
    k = 1 << (len(h) - 1).bit_length() - 1
    return sha(b"\1" + root(h[:k]) + root(h[k:]))

vectors = json.load(open(sys.argv[1]))
for v in vectors["leaves"]:
    cut = [sha(b"\0" + bytes.fromhex(c["salt"]) + part(c["path"]) + part(c.get("value", ""))) for c in v["cut"]]
    raw = v["raw"].encode()
    data = (bytes([1, v["kind"]]) + be(v["received_ns"]) + be(len(raw)) + sha(raw) + (root(cut) if cut else bytes(32))
            + part(v["source"]) + part(v["cluster"]) + part(str(v["credential"])))
    assert data.hex() == v["data"] and sha(b"\0" + data).hex() == v["hash"], v
for v in vectors["roots"]:
    assert root([sha(b"\0" + str(i).encode()) for i in range(v["leaves"])]).hex() == v["root"], v
