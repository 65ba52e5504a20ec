#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may ask what: every operation of schema/openapi.yaml with each kind of credential, against a real tocsind."""
import http.client
import json
import os
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib")]
import venv_programs  # noqa: E402
from contract import Contract  # noqa: E402
from daemon import SOURCE, Daemon  # noqa: E402

# A greater role may all that a smaller one may; source stands alone.
ROLES = ["viewer", "analyst", "responder", "admin"]
# What is asked for is not there, so that nothing is changed: "allowed" is any answer but 401 and 403.
PARTS = {"n": "INC-99999", "id": "99999"}
QUERIES = {"beginRecorrelation": "?dry_run=true"}
results = []


def check(what, good, told=""):
    results.append(bool(good))
    print("%sok %d - %s%s" % ("" if good else "not ", len(results), what, "" if good else ": %s" % (told,)), flush=True)


def load_contract(folder):
    path = os.path.join(folder, "contract.json")
    with open(path, "w") as f:
        subprocess.run([venv_programs.path("python"), os.path.join(SOURCE, "tests/lib/contract.py"),
                        os.path.join(SOURCE, "schema/openapi.yaml")], stdout=f, check=True)
    return Contract(path)


def status_of(daemon, method, path, token):
    """The body is not read: some have no end."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    try:
        connection.request(method, path, headers={"Authorization": "Bearer " + token} if token else {})
        return connection.getresponse().status
    finally:
        connection.close()


def make_token(daemon, **wish):
    status, body = daemon.request("POST", "/api/v1/tokens", json.dumps(wish).encode())
    assert status == 201, body
    return json.loads(body)


def make_tokens(daemon):
    """-> {who: (token, role or None)}"""
    made = {role: (make_token(daemon, name="one-" + role, role=role)["token"], role) for role in ROLES}
    revoked = make_token(daemon, name="revoked", role="admin")
    assert daemon.request("DELETE", "/api/v1/tokens/%d" % revoked["id"])[0] == 200
    expired = make_token(daemon, name="expired", role="admin", expires="2020-01-01T00:00:00Z")
    return {"nobody": (None, None), "a wrong token": ("tsn_" + "x" * 43, None), "a revoked admin": (revoked["token"], None),
            "an expired admin": (expired["token"], None), "a source": (daemon.token("ingest"), "source"), **made}


def expected(role, wanted):
    if wanted == "open":
        return "allowed"
    if role is None:
        return "401"
    return "allowed" if role in ROLES and ROLES.index(role) >= ROLES.index(wanted) else "403"


def told(status):
    return str(status) if status in (401, 403) else "allowed"


def concrete(path):
    for name, value in PARTS.items():
        path = path.replace("{%s}" % name, value)
    return path


def matrix(daemon, contract, tokens):
    for (method, path), operation in contract.operations().items():
        wanted, where = operation["x-role"], concrete(path) + QUERIES.get(operation["operationId"], "")
        methods = (method, "HEAD") if method == "GET" and operation["operationId"] != "events" else (method,)
        wrong = {}
        for who, (token, role) in tokens.items():
            for one in methods:
                status = status_of(daemon, one, where, token)
                if told(status) != expected(role, wanted) or status >= 500 and operation["operationId"] != "ready":
                    wrong["%s, %s" % (who, one)] = (status, "wanted: " + expected(role, wanted))
        check("%s %s is for %s" % (method, path, wanted), not wrong, wrong)


def main():
    with tempfile.TemporaryDirectory() as folder:
        contract = load_contract(folder)
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            tokens = make_tokens(daemon)
            before = len(json.loads(daemon.get("/api/v1/tokens")[1])["items"])
            matrix(daemon, contract, tokens)
            check("nothing was changed", len(json.loads(daemon.get("/api/v1/tokens")[1])["items"]) == before)
            check("tocsind ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
    print("# %d operations, %d kinds of credential" % (len(contract.operations()), len(tokens)))
    print("1..%d\n# PASS: %d\n# FAIL: %d" % (len(results), sum(results), len(results) - sum(results)))
    return not all(results)


sys.exit(main())
