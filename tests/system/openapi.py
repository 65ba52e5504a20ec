#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The API does what schema/openapi.yaml says: a real tocsind with data in it, driven by hand and by schemathesis."""
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import venv_programs  # noqa: E402
from checks import check, finish  # noqa: E402
from daemon import SOURCE, Daemon, wait_for  # noqa: E402

CONTRACT = os.path.join(SOURCE, "schema/openapi.yaml")
LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")
SEED = int(os.environ.get("TOCSIN_SEED", "20261125"))
EXAMPLES = int(os.environ.get("TOCSIN_EXAMPLES", "20"))
PROBLEM = "application/problem+json"


def ask(daemon, method, path, body=None, token="admin", **headers):
    """-> status, {header: value}, body as bytes"""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    sent = {k.replace("_", "-"): v for k, v in headers.items()}
    if token:
        sent["Authorization"] = "Bearer " + (daemon.token(token) if token in ("admin", "ingest") else token)
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def is_problem(answer, status):
    """An RFC 9457 document that says the same as the status line."""
    got, headers, body = answer
    try:
        problem = json.loads(body)
    except ValueError:
        return False
    return got == status == problem.get("status") and headers.get("content-type") == PROBLEM and bool(problem.get("title")) \
        and "type" in problem and bool(problem.get("detail")) and headers.get("x-content-type-options") == "nosniff" \
        and headers.get("cache-control") == "no-store"


def problem(what, answer, status):
    check("%s is a problem of %d" % (what, status), is_problem(answer, status), answer)
    return answer[1]


def fill(daemon):
    """Alerts, incidents, something quarantined and something decided of each kind. -> {parameter: values that are there}"""
    assert daemon.ingest(open(LINES, "rb").read())[0] == 200
    assert daemon.ingest(b'{"rule": "cut off')[0] == 200
    for path, body in (("1/ack", None), ("1/comment", {"text": "seen"}), ("2/snooze", {"for": "1h"}), ("3/merge", {"with": "INC-4"}),
                       ("5/resolve", {"verdict": "test"})):
        status, answer = daemon.request("POST", "/api/v1/incidents/" + path, json.dumps(body).encode() if body else None)
        assert status == 200, (path, answer)
    alerts = json.loads(daemon.get("/api/v1/alerts?limit=3")[1])["items"]
    assert len(alerts) == 3
    return {"n": ["INC-1", "2", "INC-3", "inc-5"], "alert": [alerts[0]["id"], alerts[1]["leaf"]], "namespace": [alerts[0]["namespace"]],
            "cluster": ["default"], "rule": [alerts[1]["rule"]], "pod": [alerts[2]["pod"]]}


def errors(daemon):
    problem("an unknown path", ask(daemon, "GET", "/api/v1/nothing"), 404)
    problem("an unknown path outside a version", ask(daemon, "GET", "/api/"), 404)
    problem("no such incident", ask(daemon, "GET", "/api/v1/incidents/INC-99999"), 404)
    allow = problem("another method", ask(daemon, "DELETE", "/api/v1/incidents"), 405)
    check("with what is allowed", allow.get("allow") == "GET, HEAD", allow)
    problem("a method nobody knows", ask(daemon, "BREW", "/api/v1/tokens"), 405)
    for name, token in (("no credential", None), ("a wrong one", "tsn_wrong")):
        headers = problem(name, ask(daemon, "GET", "/api/v1/status", token=token), 401)
        check("with how to authenticate", headers.get("www-authenticate", "").startswith("Bearer"), headers)
    problem("too small a role", ask(daemon, "GET", "/api/v1/status", token="ingest"), 403)
    for query in ("limit=0", "limit=1001", "limit=x", "limit=", "limit=1&limit=2", "lmit=1", "pod=%zz", "pod=%00", "pod=%ff", "pod=" + "a" * 513,
                  "severity=HIGH", "since=yesterday", "after=x"):
        problem("?" + query[:20], ask(daemon, "GET", "/api/v1/alerts?" + query), 400)
    check("512 characters of a parameter are taken", ask(daemon, "GET", "/api/v1/alerts?pod=" + "%C3%A4" * 512)[0] == 200)
    problem("a broken escape in the path", ask(daemon, "GET", "/api/v1/incidents/%zz"), 400)
    problem("a body that is not JSON by its type", ask(daemon, "POST", "/api/v1/incidents/1/comment", b'{"text":"x"}', Content_Type="text/plain"), 415)
    problem("a body that is not JSON", ask(daemon, "POST", "/api/v1/incidents/1/comment", b"{", Content_Type="application/json"), 400)
    problem("too large a body", ask(daemon, "POST", "/api/v1/tokens", b" " * 200000, Content_Type="application/json"), 413)
    problem("a body where none is wanted", ask(daemon, "GET", "/api/v1/status", b"{}"), 413)
    problem("a token's name that is taken", ask(daemon, "POST", "/api/v1/tokens", b'{"name":"admin"}', Content_Type="application/json"), 409)
    problem("a verdict nobody knows", ask(daemon, "POST", "/api/v1/incidents/1/resolve", b'{"verdict":"x"}', Content_Type="application/json"), 422)


def queries(daemon):
    for where, query in (("incidents", "severity>=high namespace:ml"), ("alerts", "rule:shell*"), ("incidents", "")):
        answer = ask(daemon, "GET", "/api/v1/%s?q=%s" % (where, urllib.parse.quote(query)))
        check("%s?q=%s is answered" % (where, query), answer[0] == 200, answer)
    for where in ("incidents", "alerts"):
        answer = ask(daemon, "GET", "/api/v1/%s?q=%s" % (where, urllib.parse.quote("rule:x (")))
        problem("a fault in a query", answer, 400)
        check("with its position", json.loads(answer[2]).get("position", -1) >= 7, answer)
    wish = {"name": "Bank at night", "of": "incidents", "query": "ns:bank state:open", "sort": "risk", "shared": True}
    answer = ask(daemon, "POST", "/api/v1/views", json.dumps(wish), Content_Type="application/json")
    check("a view is saved", answer[0] == 200, answer)
    for member, value in (("query", "rule:x ("), ("sort", "count"), ("of", "pods"), ("shared", "yes"), ("name", ""), ("more", 1)):
        answer = ask(daemon, "POST", "/api/v1/views", json.dumps({**wish, member: value}), Content_Type="application/json")
        problem("a view with %s %r" % (member, value), answer, 400)
    problem("a query that is too long", ask(daemon, "GET", "/api/v1/incidents?q=" + "a" * 5000), 400)
    check("by risk there is one page", ask(daemon, "GET", "/api/v1/incidents?sort=risk&limit=5")[0] == 200)


def tags(daemon):
    status, headers, body = ask(daemon, "GET", "/api/v1/incidents/INC-1")
    tag, revision = headers.get("etag", ""), json.loads(body)["revision"]
    check("an incident has an ETag of its revision", re.fullmatch('"%d-[0-9a-f]{16}"' % revision, tag), headers)
    check("and may be kept by its reader", headers["cache-control"] == "private, no-cache", headers)
    for given in (tag, 'W/%s, "x"' % tag, "*"):
        status, headers, body = ask(daemon, "GET", "/api/v1/incidents/INC-1", If_None_Match=given)
        check("If-None-Match %s is 304 without a body" % given[:6], (status, headers.get("etag"), body) == (304, tag, b""), (status, headers, body))
    check("another tag is not", ask(daemon, "GET", "/api/v1/incidents/INC-1", If_None_Match='"%d"' % revision)[0] == 200)
    status, headers, body = ask(daemon, "POST", "/api/v1/incidents/INC-1/comment", b'{"text":"x"}', If_Match=tag)
    check("a decision with If-Match is answered with the new ETag", status == 200 and headers.get("etag", "").startswith('"%d-' % (revision + 1)),
          (status, headers))
    status, headers, body = ask(daemon, "GET", "/api/v1/incidents/INC-1", If_None_Match=headers.get("etag", ""))
    check("which is not quite the document's: it has the decision, too", status == 200)
    answer = ask(daemon, "POST", "/api/v1/incidents/INC-1/comment", b'{"text":"x"}', If_Match=tag)
    problem("the old ETag", answer, 409)
    told = json.loads(answer[2])
    check("with the present revision, and where to look", (told["revision"], told["instance"]) == (revision + 1, "/api/v1/incidents/INC-1"), told)
    check("a list has none", "etag" not in ask(daemon, "GET", "/api/v1/incidents")[1])


def pages(daemon):
    """Every list that has pages: the same items in pages of 7 as in one, however much comes meanwhile."""
    for path in ("/incidents", "/alerts?namespace=ml", "/audit", "/quarantine", "/incidents/1/alerts", "/incidents/1/activity"):
        where = "/api/v1" + path + ("&" if "?" in path else "?") + "limit="
        whole, cut, after = json.loads(ask(daemon, "GET", where + "1000")[2])["items"], [], ""
        for _ in range(1000):
            page = json.loads(ask(daemon, "GET", where + "7" + after)[2])
            cut += page["items"]
            if "next" not in page:
                break
            after = "&after=" + page["next"]
        check("%s: pages of 7 are the whole" % path, cut == whole and whole, (len(cut), len(whole)))


def filters(daemon):
    """Every filter of alerts finds what a look at all of them finds."""
    everything = json.loads(ask(daemon, "GET", "/api/v1/alerts?limit=1000")[2])["items"]
    order = ["info", "low", "medium", "high", "critical"]
    first, middle = everything[0], everything[len(everything) // 2]
    wanted = {("severity", s): (lambda a, s=s: order.index(a["severity"]) >= order.index(s)) for s in order}
    for one in (first, middle):
        for name, key in (("rule", "rule"), ("cluster", "cluster"), ("namespace", "namespace"), ("pod", "pod"), ("node", "node"),
                          ("container", "container_id"), ("source", "source")):
            wanted[name, one[key]] = lambda a, key=key, value=one[key]: a.get(key) == value
    wanted["since", middle["time"]] = lambda a: a["time"] >= middle["time"]
    wanted["until", middle["time"]] = lambda a: a["time"] < middle["time"]
    wanted["pod", "nobody"] = lambda a: False
    last = int(everything[-1]["leaf"])
    for (name, value), fits in wanted.items():
        found = json.loads(ask(daemon, "GET", "/api/v1/alerts?limit=1000&%s=%s" % (name, urllib.parse.quote(value)))[2])["items"]
        check("?%s=%s finds what it should" % (name, value), [a["leaf"] for a in found if int(a["leaf"]) >= last] == [a["leaf"] for a in everything if fits(a)],
              len(found))
    both = json.loads(ask(daemon, "GET", "/api/v1/alerts?limit=1000&namespace=%s&q=%s" % (first["namespace"], urllib.parse.quote("severity>=high")))[2])["items"]
    check("a filter goes with a query", [a["leaf"] for a in both if int(a["leaf"]) >= last] ==
          [a["leaf"] for a in everything if a.get("namespace") == first["namespace"] and order.index(a["severity"]) >= 3], len(both))


def contract(daemon):
    status, headers, body = ask(daemon, "GET", "/api/openapi.yaml", token=None)
    check("the contract is served to everybody", status == 200 and body == open(CONTRACT, "rb").read() and headers["content-type"] == "application/yaml")
    status, headers, body = ask(daemon, "HEAD", "/api/v1/status")
    check("HEAD has the headers and no body", status == 200 and int(headers["content-length"]) > 0 and body == b"")
    status, headers, body = ask(daemon, "GET", "/api/v1/alerts/0/raw")
    check("raw bytes are for saving", status == 200 and headers["content-disposition"].startswith("attachment") and headers["cache-control"] == "no-store")


def fuzz(daemon, folder, facts):
    strict, report = os.path.join(folder, "strict.json"), os.path.join(folder, "report.json")
    subprocess.run([venv_programs.path("python"), os.path.join(SOURCE, "tests/lib/strict_contract.py"), SOURCE, strict, json.dumps(facts)], check=True)
    print("# schemathesis: seed %d (TOCSIN_SEED), %d examples an operation (TOCSIN_EXAMPLES)" % (SEED, EXAMPLES), flush=True)
    began = time.monotonic()
    done = subprocess.run(
        [venv_programs.path("st"), "--config-file", os.path.join(SOURCE, "tests/system/schemathesis.toml"), "run", strict, "--url", daemon.url,
         "--header", "Authorization: Bearer " + daemon.token("admin"), "--seed", str(SEED), "--max-examples", str(EXAMPLES), "--checks", "all",
         "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--exclude-operation-id", "events",
         # its body is in the query language: asked by hand
         "--exclude-operation-id", "saveView", "--workers", "1",
         "--report", "json", "--report-json-path", report], capture_output=True, text=True, cwd=folder)
    cases = re.search(r"(\d+) generated", done.stdout)
    check("schemathesis finds nothing", done.returncode == 0, "\n# " + (done.stdout + done.stderr)[-20000:].replace("\n", "\n# "))
    check("and has tried much", cases and int(cases.group(1)) > 1000, done.stdout[-2000:])
    print("# %s in %.0f s" % (cases.group(0) if cases else "nothing", time.monotonic() - began))


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            facts = fill(daemon)
            contract(daemon)
            errors(daemon)
            queries(daemon)
            tags(daemon)
            pages(daemon)
            filters(daemon)
            fuzz(daemon, folder, facts)
            wait_for(lambda: daemon.ready() == 200, 10, "/readyz is 200 at the end")
            check("tocsind ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
    return finish()


sys.exit(main())
