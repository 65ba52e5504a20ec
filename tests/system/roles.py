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
from checks import check, finish  # noqa: E402
from contract import Contract  # noqa: E402
from daemon import SOURCE, Daemon  # noqa: E402

# A greater role may all that a smaller one may; source stands alone.
ROLES = ["viewer", "analyst", "responder", "admin"]
# What is asked for is not there, so that nothing is changed: "allowed" is any answer but 401 and 403.
PARTS = {"n": "INC-99999", "id": "99999"}
QUERIES = {"beginRecorrelation": "?dry_run=true"}
LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")


def load_contract(folder):
    path = os.path.join(folder, "contract.json")
    with open(path, "w") as f:
        subprocess.run([venv_programs.path("python"), os.path.join(SOURCE, "tests/lib/contract.py"),
                        os.path.join(SOURCE, "schema/openapi.yaml")], stdout=f, check=True)
    return Contract(path)


def status_of(daemon, method, path, token, body=None):
    """The answer's body is not read: some have no end."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    headers = {"Content-Type": "application/json", **({"Authorization": "Bearer " + token} if token else {})}
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def make_token(daemon, **wish):
    status, body = daemon.request("POST", "/api/v1/tokens", json.dumps(wish).encode())
    assert status == 201, body
    return json.loads(body)


def has_namespaces(contract):
    """Can a token be bound to namespaces? The contract says so."""
    return "namespaces" in contract.document["components"]["schemas"]["TokenWish"]["properties"]


def make_tokens(daemon, contract):
    """-> {who: (token, role or None)}"""
    made = {role: (make_token(daemon, name="one-" + role, role=role)["token"], role) for role in ROLES}
    revoked = make_token(daemon, name="revoked", role="admin")
    assert daemon.request("DELETE", "/api/v1/tokens/%d" % revoked["id"])[0] == 200
    expired = make_token(daemon, name="expired", role="admin", expires="2020-01-01T00:00:00Z")
    bound = {"%s of ml" % role: (make_token(daemon, name="ml-" + role, role=role, namespaces=["ml"])["token"], role)
             for role in (ROLES[:3] if has_namespaces(contract) else [])}
    return {"nobody": (None, None), "a wrong token": ("tsn_" + "x" * 43, None), "a revoked admin": (revoked["token"], None),
            "an expired admin": (expired["token"], None), "a source": (daemon.token("ingest"), "source"), **made, **bound}


def expected(who, role, operation):
    wanted = operation["x-role"]
    if wanted == "open":
        return "allowed"
    if role is None:
        return "401"
    small = role not in ROLES or ROLES.index(role) < ROLES.index(wanted)
    return "403" if small or (who.endswith(" of ml") and operation["x-reach"] == "all") else "allowed"


def fits(status, wanted):
    return status < 500 and status not in (401, 403) if wanted == "allowed" else str(status) == wanted


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
                if not fits(status, expected(who, role, operation)):
                    wrong["%s, %s" % (who, one)] = (status, "wanted: " + expected(who, role, operation))
        check("%s %s is for %s" % (method, path, wanted), not wrong, wrong)


def numbers_of(daemon, token, query=""):
    status, body = daemon.get("/api/v1/incidents?limit=1000" + query, token)
    assert status == 200, body
    return {i["number"]: i["entity"].get("namespace") for i in json.loads(body)["items"]}


def namespaces(daemon, contract, tokens):
    """What is outside somebody's namespaces is not there for them: no list has it, no path finds it."""
    token, admin = tokens["analyst of ml"][0], daemon.token("admin")
    mine, every = numbers_of(daemon, token), numbers_of(daemon, admin)
    check("a list has what is in the namespace", mine and set(mine.values()) == {"ml"}, mine)
    check("all of it", set(mine) == {n for n, where in every.items() if where == "ml"}, (len(mine), len(every)))
    check("and no filter has more", set(numbers_of(daemon, token, "&namespace=shop")) == set() and set(numbers_of(daemon, token, "&q=namespace:shop")) == set())
    alerts = json.loads(daemon.get("/api/v1/alerts?limit=1000", token)[1])["items"]
    check("nor has the list of alerts", alerts and {a.get("namespace") for a in alerts} == {"ml"})
    check("what nobody could decode is in no namespace", json.loads(daemon.get("/api/v1/quarantine", token)[1])["items"] == [])
    other = next(n for n, where in every.items() if where == "shop")
    alert = json.loads(daemon.get("/api/v1/alerts?namespace=shop&limit=1", admin)[1])["items"][0]["id"]
    for (method, path), operation in contract.operations().items():
        if "{n}" not in path and not path.startswith("/api/v1/alerts/{id}"):
            continue
        where = path.replace("{n}", other).replace("{id}", alert)
        media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        found = {who: status_of(daemon, method, where, tokens[who][0], media.get("example")) for who in ("analyst of ml", "responder of ml")}
        check("%s %s of another namespace is 404" % (method, path), set(found.values()) == {404}, found)
    theirs = next(iter(mine))
    check("their own is found", daemon.get("/api/v1/incidents/" + theirs, token)[0] == 200)
    check("and decided about", daemon.request("POST", "/api/v1/incidents/%s/ack" % theirs, b"", token)[0] == 200)
    check("but not joined with another's", daemon.request("POST", "/api/v1/incidents/%s/merge" % theirs, json.dumps({"with": other}).encode(), token)[0]
          in (404, 422))
    seen = json.loads(daemon.get("/api/v1/incidents/" + other)[1])
    check("the other's is as it was", (seen["state"], seen["activities"], seen["links"]) == ("new", 0, []), seen)


def main():
    with tempfile.TemporaryDirectory() as folder:
        contract = load_contract(folder)
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            tokens = make_tokens(daemon, contract)
            before = len(json.loads(daemon.get("/api/v1/tokens")[1])["items"])
            matrix(daemon, contract, tokens)
            check("nothing was changed", len(json.loads(daemon.get("/api/v1/tokens")[1])["items"]) == before)
            with open(LINES, "rb") as f:
                assert daemon.ingest(f.read())[0] == 200
            assert daemon.ingest(b'{"rule": "cut off')[0] == 200
            if has_namespaces(contract):
                namespaces(daemon, contract, tokens)
            check("tocsind ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
    print("# %d operations, %d kinds of credential" % (len(contract.operations()), len(tokens)))
    return finish()


sys.exit(main())
