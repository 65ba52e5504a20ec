#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tocsin as an Alertmanager: a real amtool asks and silences it, a real Prometheus sends it alerts that fire, go on and end.

Also what is not told of (suppressions): by API, by command line and by amtool they are one thing; what they hide is stored, counted
and shown again as soon as they end.
"""
import datetime
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
from checks import check, finish  # noqa: E402
from daemon import BUILD, Daemon, free_port, wait_for  # noqa: E402

EVIL = 'x"><script>alert(1)</script>{{.Evil}}\u202e\\ \'"'


def stamp(minutes=0):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def send(daemon, rule, pod, n=1, severity="low", namespace="shop"):
    bodies = [{"rule": rule, "severity": severity, "namespace": namespace, "pod": pod, "node": "n1", "time": stamp(-5 + i / 600),
               "message": "%s %d" % (rule, i)} for i in range(n)]
    status, answer = daemon.ingest("\n".join(map(json.dumps, bodies)).encode(), "tocsin")
    assert status == 200 and json.loads(answer)["accepted"] == n, (status, answer)


def call(daemon, method, path, body=None, token="admin"):
    headers = {"Content-Type": "application/json"} if body is not None else {}
    status, text = daemon.request(method, path, None if body is None else json.dumps(body).encode(), token, headers)
    return status, json.loads(text) if text else None


class Amtool:
    def __init__(self, daemon, folder, token="admin"):
        self.url = daemon.url
        self.http = os.path.join(folder, "amtool-%s.yml" % token)
        with open(self.http, "w") as f:
            json.dump({"authorization": {"type": "Bearer", "credentials": daemon.token(token)}}, f)

    def run(self, *arguments, code=0):
        done = subprocess.run(["amtool", "--alertmanager.url", self.url, "--http.config.file", self.http] + list(arguments),
                              capture_output=True, text=True)
        if code is not None:
            check("amtool %s ends with %d" % (" ".join(arguments)[:60], code), (done.returncode == 0) == (code == 0),
                  (done.returncode, done.stdout, done.stderr))
        return done.stdout if done.returncode == 0 else done.stderr

    def json(self, *arguments):
        return json.loads(self.run("-o", "json", *arguments))


def by_amtool(daemon, folder):
    amtool = Amtool(daemon, folder)
    send(daemon, "Terminal shell in container", "web-1", 3)
    send(daemon, "Read sensitive file", "web-1", severity="high")
    send(daemon, "Terminal shell in container", "db-1", namespace="data")
    alerts = amtool.json("alert", "query")
    labels = sorted((a["labels"]["alertname"], a["labels"]["namespace"], a["labels"]["pod"], a["labels"]["severity"]) for a in alerts)
    check("fingerprints of open incidents are alerts", labels == [
        ("Read sensitive file", "shop", "web-1", "high"), ("Terminal shell in container", "data", "db-1", "low"),
        ("Terminal shell in container", "shop", "web-1", "low")], labels)
    check("they are active, of the one receiver, with an incident", all(
        a["status"]["state"] == "active" and a["receivers"] == [{"name": "tocsin"}] and a["annotations"]["incident"].startswith("INC-")
        and a["labels"]["cluster"] == "default" and len(a["fingerprint"]) == 16 for a in alerts), alerts)
    check("filters", len(amtool.json("alert", "query", "pod=web-1")) == 2 and len(amtool.json("alert", "query", "pod=~web.*", "severity=high")) == 1
          and amtool.json("alert", "query", "nolabel=x") == [])
    groups = call(daemon, "GET", "/api/v2/alerts/groups")[1]
    check("groups by cluster, namespace and pod", [(g["labels"], len(g["alerts"])) for g in groups] == [
        ({"cluster": "default", "namespace": "data", "pod": "db-1"}, 1), ({"cluster": "default", "namespace": "shop", "pod": "web-1"}, 2)], groups)

    first = amtool.run("silence", "add", "-a", "ann", "-c", "a test of ours", "-d", "2h", "pod=web-1", "alertname=~Terminal.*").strip()
    shown = call(daemon, "GET", "/api/v1/suppressions/" + first)[1]
    check("a silence is a suppression", shown["matcher_text"] == '{pod="web-1",alertname=~"Terminal.*"}' and shown["author"] == "ann"
          and shown["reason"] == "a test of ours" and shown["created_by"].startswith("token:") and shown["state"] == "active", shown)
    states = {a["labels"]["alertname"] + a["labels"]["pod"]: (a["status"]["state"], a["status"]["silencedBy"])
              for a in amtool.json("alert", "query", "--silenced", "--active")}
    check("what it matches is suppressed at once", states["Terminal shell in containerweb-1"] == ("suppressed", [first])
          and states["Read sensitive fileweb-1"][0] == "active" and states["Terminal shell in containerdb-1"][0] == "active", states)
    check("amtool leaves it out", len(amtool.json("alert", "query")) == 2)
    check("an incident with more in it is not suppressed", call(daemon, "GET", "/api/v1/incidents?suppressed=true")[1]["items"] == [])
    second = amtool.run("silence", "add", "-a", "ann", "-c", "the rest", "pod=web-1").strip()
    hidden = call(daemon, "GET", "/api/v1/incidents?suppressed=true")[1]["items"]
    check("one that is matched wholly is", len(hidden) == 1 and hidden[0]["entity"]["pod"] == "web-1" and second in hidden[0]["suppressed_by"]
          and "suppressed" in hidden[0]["flags"], hidden)
    listed = amtool.json("silence", "query")
    check("silences are listed", {s["id"] for s in listed} == {first, second} and all(s["status"]["state"] == "active" for s in listed), listed)
    check("and found by a matcher", [s["id"] for s in amtool.json("silence", "query", "alertname=~Terminal.*")] == [first])

    updated = amtool.run("silence", "update", "-d", "4h", "-c", "still", first)
    check("an update keeps the id", first in updated and call(daemon, "GET", "/api/v1/suppressions/" + first)[1]["reason"] == "still", updated)
    amtool.run("silence", "expire", second)
    check("expired: shown again the same second", call(daemon, "GET", "/api/v1/incidents?suppressed=true")[1]["items"] == [])
    check("who ended it is known", call(daemon, "GET", "/api/v1/suppressions/" + second)[1]["expired_by"].startswith("token:"))
    check("expired ones are listed apart", [s["id"] for s in amtool.json("silence", "query", "--expired", "--within", "1h")] == [second])
    amtool.run("silence", "expire", second, code=1)
    told = amtool.run("silence", "add", "-a", "ann", "-c", "c", "job=x", code=1)
    check("labels that nothing has are refused by name", "'job' is no label here" in told, told)
    exported = os.path.join(folder, "silences.json")
    with open(exported, "w") as f:
        json.dump(listed, f)
    amtool.run("silence", "import", "--force", exported)
    check("an import makes them anew", len(amtool.json("silence", "query")) == 3)
    check("config show", "receiver: tocsin" in amtool.run("config", "show") and "group_by" in amtool.run("config", "show"))
    check("config routes test", "tocsin" in amtool.run("config", "routes", "test", "pod=web-1"))
    check("cluster show", "disabled" in amtool.run("cluster", "show"))

    Amtool(daemon, folder, "ingest").run("alert", "add", "alertname=ByHand", "severity=critical", "pod=web-9", "namespace=shop", "--annotation=summary=said by hand")
    wait_for(lambda: amtool.json("alert", "query", "alertname=ByHand"), 30, "the alert is shown")
    found = call(daemon, "GET", "/api/v1/alerts?source=alertmanager")[1]["items"]
    check("alert add", len(found) == 1 and found[0]["rule"] == "ByHand" and found[0]["message"] == "said by hand"
          and found[0]["severity"] == "critical" and found[0]["pod"] == "web-9", found)


def by_http(daemon):
    status, body = daemon.request("POST", "/api/v2/alerts", b'[{"labels":{}}]', "ingest", {"Content-Type": "application/json"})
    check("an alert without labels is 400 with a JSON string", status == 400 and "1 of 1" in json.loads(body), (status, body))
    status, body = daemon.request("POST", "/api/v2/alerts", b'{"no', "ingest")
    check("no JSON is 400", status == 400 and isinstance(json.loads(body), str), (status, body))
    check("no token is 401, as a string", (lambda r: r[0] == 401 and isinstance(json.loads(r[1]), str))(
        daemon.request("POST", "/api/v2/alerts", b"[]", None)))
    check("a reader may not send", daemon.request("POST", "/api/v2/alerts", b"[]", "admin")[0] == 403)
    check("a sender may not read", daemon.request("GET", "/api/v2/alerts", None, "ingest")[0] == 403)
    check("an unknown silence is 404", call(daemon, "GET", "/api/v2/silence/00000000-0000-4000-8000-000000000000")[0] == 404)
    check("a wrong filter is 400", call(daemon, "GET", "/api/v2/alerts?filter=" + urllib.parse.quote('a=~"("'))[0] == 400)
    check("a receiver that is not there has nothing", call(daemon, "GET", "/api/v2/alerts?receiver=other")[1] == [])
    check("healthy and ready", daemon.get("/-/healthy", None)[0] == 200 and daemon.get("/-/ready", None)[0] == 200)
    status = call(daemon, "GET", "/api/v2/status")[1]
    check("status", status["cluster"]["status"] == "disabled" and status["versionInfo"]["version"] and status["uptime"] and status["config"]["original"])
    check("receivers", call(daemon, "GET", "/api/v2/receivers")[1] == [{"name": "tocsin"}])
    alert = {"labels": {"alertname": EVIL, "pod": EVIL, "namespace": "shop", EVIL: "v"}, "startsAt": stamp(-1), "annotations": {"summary": EVIL}}
    check("hostile labels are taken", daemon.request("POST", "/api/v2/alerts", json.dumps([alert]).encode(), "ingest")[0] == 200)
    shown = [a for a in call(daemon, "GET", "/api/v2/alerts")[1] if a["labels"]["alertname"] == EVIL]
    check("and shown as they are", len(shown) == 1 and shown[0]["labels"]["pod"] == EVIL and EVIL not in shown[0]["labels"], shown)
    raw = daemon.get("/api/v2/alerts")[1]
    check("but never as markup", b"<script" not in raw)
    silence = {"matchers": [{"name": "pod", "value": EVIL, "isRegex": False}], "startsAt": stamp(), "endsAt": stamp(60), "createdBy": EVIL[:80], "comment": EVIL}
    code, made = call(daemon, "POST", "/api/v2/silences", silence)
    back = call(daemon, "GET", "/api/v2/silence/%s" % made["silenceID"])[1]
    check("a silence reads back as it was", code == 200 and back["matchers"][0]["value"] == EVIL and back["matchers"][0]["isEqual"]
          and back["comment"] == EVIL, back)
    for wrong in ({}, dict(silence, matchers=[]), dict(silence, comment=""), dict(silence, endsAt="soon"), dict(silence, endsAt=stamp(-1)),
                  dict(silence, endsAt=stamp(60 * 24 * 91)), dict(silence, matchers=[{"name": "pod", "value": ".*", "isRegex": True}]),
                  dict(silence, matchers=silence["matchers"] * 17), []):
        code, told = call(daemon, "POST", "/api/v2/silences", wrong)
        check("refused: %s" % json.dumps(wrong)[:40], code == 400 and isinstance(told, str) and told, (code, told))


def by_query(daemon):
    """A suppression that is a query hides, is previewed and exported as one of matchers; where matchers cannot say it, it is no silence."""
    def make(query, **more):
        return call(daemon, "POST", "/api/v1/suppressions", dict({"query": query, "reason": "asked", "for": "1h"}, **more))
    code, told = make("ns:q1 cmdline:x")
    check("a field that alerts differ in is refused, and where", code == 422 and (told["position"], told["length"]) == (6, 9), (code, told))
    check("what hides everything is refused", make("-ns:q1")[0] == 422 and make("")[0] == 422)
    send(daemon, "Query noise", "q-1", 3, namespace="q1")
    send(daemon, "Other", "q-2", 1, namespace="q1")
    query = "ns:q1 (rule:\"query *\" OR pod:q-9)"
    seen = call(daemon, "POST", "/api/v1/suppressions/preview", {"query": query})[1]
    check("a preview by a query", (seen["alerts"]["matched"], seen["incidents"]["hidden"], seen["query"]) == (3, 1, query), seen)
    code, made = make(query)
    check("a query suppresses", code == 200 and made["query"] == query and made["matchers"] == [] and "matcher_text" not in made, made)
    send(daemon, "Query noise", "q-1", 2, namespace="q1")
    now = call(daemon, "GET", "/api/v1/suppressions/" + made["id"])[1]
    check("its hits are counted at once", now["hits"] == 2, now)
    shown = {i["entity"]["pod"]: i.get("suppressed_by") for i in call(daemon, "GET", "/api/v1/incidents?namespace=q1")[1]["items"]}
    check("incidents are judged by it", shown["q-1"] == [made["id"]] and not shown["q-2"], shown)
    daemon.stop()
    daemon.start()
    again = call(daemon, "GET", "/api/v1/suppressions/" + made["id"])[1]
    check("it survives a restart", again == now, again)
    for form in ("falco", "alertmanager"):
        code, told = call(daemon, "GET", "/api/v1/suppressions/%s/export?format=%s" % (made["id"], form))
        check("what matchers cannot say is not exported to " + form, code == 422 and "matchers cannot say" in told["detail"], (code, told))
    check("nor is it a silence", call(daemon, "GET", "/api/v2/silence/" + made["id"])[0] == 404 and
          made["id"] not in [s["id"] for s in call(daemon, "GET", "/api/v2/silences")[1]])
    code, plain = make('namespace=q1 rule="Query noise"')
    silence = call(daemon, "GET", "/api/v2/silence/" + plain["id"])[1]
    check("what they can say is one", sorted((m["name"], m["value"]) for m in silence["matchers"]) == [("alertname", "Query noise"), ("namespace", "q1")], silence)
    check("and is exported", daemon.get("/api/v1/suppressions/%s/export?format=falco" % plain["id"])[0] == 200)
    code, both = make("sev<=low", matchers=["namespace=q1", "pod!=q-9"])
    check("matchers and a query are both of them", code == 200 and both["matcher_text"] == '{namespace="q1",pod!="q-9"}' and both["query"] == "sev<=low", both)
    for one in (made, plain, both):
        call(daemon, "DELETE", "/api/v1/suppressions/" + one["id"])
    environment = dict(os.environ, TOCSIN_SERVER=daemon.url, TOCSIN_TOKEN=daemon.token("admin"))
    run = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "suppress", "add", "-q", "ns:q1 rule:other", "--reason", "cli", "--for", "1h"],
                         capture_output=True, text=True, env=environment)
    check("tocsin suppress add -q", run.returncode == 0 and "query: ns:q1 rule:other" in run.stdout.replace('"', ""), run)
    run = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "suppress", "add", "-q", "ns:q1 cmdline:x", "--reason", "cli", "--for", "1h"],
                         capture_output=True, text=True, env=environment)
    check("and its faults are marked", run.returncode == 1 and "^" in run.stderr, run)


def says_what_is_missing(daemon):
    """Of more open incidents than fit, the header says so."""
    def ask(path):
        request = urllib.request.Request(daemon.url + path, headers={"Authorization": "Bearer " + daemon.token("admin")})
        with urllib.request.urlopen(request) as answer:
            return len(json.loads(answer.read())), answer.headers.get("X-Tocsin-Truncated"), answer.headers.get("Warning", "")
    check("what is whole says nothing", ask("/api/v2/alerts")[1:] == (None, ""))
    bodies = [{"rule": "Many", "severity": "low", "namespace": "many", "pod": "many-%d" % i, "node": "n1", "time": stamp(-5), "message": "x"} for i in range(2050)]
    daemon.ingest("\n".join(map(json.dumps, bodies)).encode(), "tocsin")
    for path in ("/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/alerts?active=false"):
        n, header, warning = ask(path)
        check("%s says that there are more" % path, header == "true" and "2000" in warning and n <= 2000, (n, header, warning))


def token(daemon, role):
    return call(daemon, "POST", "/api/v1/tokens", {"name": role, "role": role})[1]["token"]


def suppressions(daemon):
    """By our own API: roles, hits, marks, lists."""
    roles = {role: token(daemon, role) for role in ("viewer", "analyst", "responder")}
    wish = {"matchers": ['rule="Noise"', {"name": "namespace", "op": "=", "value": "shop"}], "reason": "a noisy job", "for": "2h"}
    check("a viewer may look and not suppress", call(daemon, "POST", "/api/v1/suppressions", wish, roles["viewer"])[0] == 403
          and call(daemon, "GET", "/api/v1/suppressions", None, roles["viewer"])[0] == 200)
    for role, good, bad in (("analyst", "24h", "25h"), ("responder", "7d", "8d"), ("admin", "90d", "91d")):
        name = roles.get(role, "admin")
        code, made = call(daemon, "POST", "/api/v1/suppressions", dict(wish, **{"for": good}), name)
        check("%s may for %s" % (role, good), code == 200, made)
        check("%s may not for %s" % (role, bad), call(daemon, "POST", "/api/v1/suppressions", dict(wish, **{"for": bad}), name)[0] == 422)
        call(daemon, "DELETE", "/api/v1/suppressions/" + made["id"], None, name)
    headers = {"Idempotency-Key": "one", "Content-Type": "application/json"}
    twice = [daemon.request("POST", "/api/v1/suppressions", json.dumps(wish).encode(), headers=headers) for _ in range(2)]
    made = json.loads(twice[0][1])
    check("asked twice by one key it is one", twice[0][0] == 200 and made["id"] == json.loads(twice[1][1])["id"], twice)
    send(daemon, "Noise", "job-1", 20)
    send(daemon, "Noise", "job-2", 5)
    send(daemon, "Noise", "job-3", 1, namespace="data")
    now = call(daemon, "GET", "/api/v1/suppressions/" + made["id"])[1]
    check("hits are counted", now["hits"] == 25 and now["kinds"] == 2 and now["last_hit"], now)
    hits = call(daemon, "GET", "/api/v1/suppressions/%s/hits?limit=1" % made["id"])[1]
    rest = call(daemon, "GET", "/api/v1/suppressions/%s/hits?after=%s" % (made["id"], hits["next"]))[1]
    check("and listed in pages", [(i["entity"]["pod"], i["alerts"], i["rule"]) for i in hits["items"] + rest["items"]] == [
        ("job-1", 20, "Noise"), ("job-2", 5, "Noise")], (hits, rest))
    alerts = call(daemon, "GET", "/api/v1/alerts?rule=Noise&limit=100")[1]["items"]
    check("all is stored, and marked", len(alerts) == 26 and sum("suppressed" in a.get("flags", []) for a in alerts) == 25, len(alerts))
    hidden = {i["entity"]["pod"] for i in call(daemon, "GET", "/api/v1/incidents?suppressed=true&limit=100")[1]["items"]}
    check("incidents are suppressed", {"job-1", "job-2"} <= hidden and "job-3" not in hidden, hidden)
    shown = call(daemon, "GET", "/api/v1/suppressions?show=expiring")[1]
    check("what ends soon is listed", made["id"] in [i["id"] for i in shown["items"]] and shown["counts"]["active"] >= 1, shown)
    check("other lists", all(call(daemon, "GET", "/api/v1/suppressions?show=" + which)[0] == 200 for which in
          ("all", "active", "pending", "expired", "unmatched", "oldest")) and call(daemon, "GET", "/api/v1/suppressions?show=x")[0] == 400)
    done = daemon.request("DELETE", "/api/v1/suppressions/" + made["id"])
    check("it ends", done[0] == 200 and json.loads(done[1])["state"] == "expired", done)
    check("once", daemon.request("DELETE", "/api/v1/suppressions/" + made["id"])[0] == 409)
    audit = [e["action"] for e in call(daemon, "GET", "/api/v1/audit?limit=100")[1]["items"]]
    check("audited", {"suppression.create", "suppression.update", "suppression.expire"} <= set(audit), audit)


def by_cli(daemon, folder):
    def run(*arguments):
        done = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "--server", daemon.url, "--token-file", os.path.join(daemon.data, "admin.token")] +
                              list(arguments), capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr
    code, made = run("suppress", "add", "namespace=cli", "pod=~x-.*", "--reason", "a test", "--for", "1h", "-o", "json")
    check("suppress add", code == 0 and json.loads(made)["matcher_text"] == '{namespace="cli",pod=~"x-.*"}', made)
    identity = json.loads(made)["id"]
    check("suppress list", identity in run("suppress", "list")[1] and "matched nothing" in run("suppress", "list")[1])
    check("suppress show", "a test" in run("suppress", "show", identity)[1])
    check("suppress hits", run("suppress", "hits", identity)[0] == 0)
    check("suppress expire", run("suppress", "expire", identity) == (0, "ended\n"))
    check("suppress preview", "matched: 0" in run("suppress", "preview", "namespace=cli")[1])
    check("suppress export", json.loads(run("suppress", "export", identity, "--format", "alertmanager")[1])[0]["comment"] == "a test")
    check("without a reason it is refused", run("suppress", "add", "namespace=cli", "--for", "1h")[0] == 1)


def preview_and_export(daemon, folder):
    send(daemon, "Preview me", "pre-1", 7)
    send(daemon, "Preview me", "pre-2", 2, severity="high")
    send(daemon, "Other", "pre-2", 1)
    wish = {"matchers": ["namespace=shop", "alertname=\"Preview me\""]}
    code, seen = call(daemon, "POST", "/api/v1/suppressions/preview", wish)
    check("a preview says which incidents it would hide", code == 200 and seen["incidents"]["hidden"] == 1 and seen["incidents"]["complete"]
          and seen["incidents"]["items"][0]["severity"] == "low" and seen["incidents"]["severities"]["low"] == 1, seen)
    check("and of what is stored, which alerts", seen["alerts"]["matched"] == 9 and seen["alerts"]["of"] > 9 and seen["alerts"]["complete"]
          and seen["fingerprints"]["count"] == 2 and {i["entity"]["pod"]: i["alerts"] for i in seen["fingerprints"]["items"]} == {"pre-1": 7, "pre-2": 2}, seen)
    high = call(daemon, "POST", "/api/v1/suppressions/preview", {"matchers": ["severity=high", "namespace=shop", "pod=pre-2"]})[1]
    check("severities are told apart", high["alerts"]["matched"] == 2 and high["incidents"]["hidden"] == 0, high)
    check("it hides nothing", call(daemon, "GET", "/api/v1/incidents?suppressed=true&pod=pre-1")[1]["items"] == [])
    check("wrong matchers are refused", call(daemon, "POST", "/api/v1/suppressions/preview", {"matchers": ["x=y"]})[0] == 422)

    def make(matchers):
        return call(daemon, "POST", "/api/v1/suppressions", {"matchers": matchers, "reason": EVIL + "\u2028- rule: x\n", "for": "1h"})[1]["id"]

    def export(identity, form):
        return daemon.request("GET", "/api/v1/suppressions/%s/export?format=%s" % (identity, form))
    one = make(["alertname=~\"Terminal shell in container|Read sensitive file\"", "namespace=shop", "pod=~\"web-.*\"", "exe=~\"/bin/sh|/bin/bash\"", "node!=n9"])
    code, text = export(one, "falco")
    rules = yaml.safe_load(text)
    exception = rules[0]["exceptions"][0]
    check("an exception of Falco's rules is YAML that says the same", code == 200 and [r["rule"] for r in rules] == [
        "Terminal shell in container", "Read sensitive file"] and rules[0]["override"] == {"exceptions": "append"} and
        exception["fields"] == ["k8s.ns.name", "k8s.pod.name", "proc.exepath", "evt.hostname"] and exception["comps"] == ["=", "startswith", "in", "!="]
        and exception["values"] == [["shop", "web-", ["/bin/sh", "/bin/bash"], "n9"]], text)
    quoted = make(["alertname=r", {"name": "pod", "op": "=", "value": EVIL}])
    rules = yaml.safe_load(export(quoted, "falco")[1])
    check("hostile values stay values", len(rules) == 1 and rules[0]["exceptions"][0]["values"] == [[EVIL]], rules)
    for matchers in (["alertname=r", "fingerprint=aa"], ["alertname=r", "pod!~web.*"], ["alertname=r", "pod=~w[ab]"], ["alertname=r"],
                     ["namespace=nothing-here"], ["alertname=r", "source=tetragon"]):
        code, text = export(make(matchers), "falco")
        check("what Falco cannot say is refused: %s" % matchers[-1], code == 422, (code, text))
    check("so is another format", export(one, "sigma")[0] == 400)
    code, text = export(one, "alertmanager")
    name = os.path.join(folder, "one.json")
    with open(name, "wb") as f:
        f.write(text)
    amtool = Amtool(daemon, folder)
    before = {s["id"] for s in amtool.json("silence", "query")}
    amtool.run("silence", "import", name)
    new = [s for s in amtool.json("silence", "query") if s["id"] not in before]
    old = call(daemon, "GET", "/api/v2/silence/" + one)[1]
    check("amtool imports what was exported", code == 200 and len(new) == 1 and new[0]["matchers"] == old["matchers"] and new[0]["comment"] == old["comment"],
          (text, new))


class Prometheus:
    """A real one, with one rule about the metrics of a file that the test writes."""

    def __init__(self, daemon, folder):
        self.port, self.log = free_port(), open(os.path.join(folder, "prometheus.log"), "wb")
        self.value = 1
        rules, config = os.path.join(folder, "rules.yml"), os.path.join(folder, "prometheus.yml")
        with open(rules, "w") as f:
            json.dump({"groups": [{"name": "g", "interval": "1s", "rules": [
                {"alert": "PodIsLoud", "expr": "test_loud > 0", "labels": {"severity": "warning"}, "annotations": {"summary": "pod {{ $labels.pod }} is loud"}}]}]}, f)
        with open(config, "w") as f:
            json.dump({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [rules],
                       "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:%d" % daemon.port]}], "api_version": "v2",
                                                       "authorization": {"credentials": daemon.token("ingest")}}]},
                       "scrape_configs": [{"job_name": "t", "static_configs": [{"targets": ["127.0.0.1:%d" % self.serve()]}]}]}, f)
        self.process = subprocess.Popen(["prometheus", "--config.file=" + config, "--storage.tsdb.path=" + os.path.join(folder, "tsdb"),
                                         "--web.listen-address=127.0.0.1:%d" % self.port, "--rules.alert.resend-delay=1s"],
                                        stdout=self.log, stderr=subprocess.STDOUT)

    def serve(self):
        import http.server
        import threading
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = ('test_loud{pod="loud-1",namespace="shop"} %d\n' % outer.value).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_address[1]

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.server.shutdown()
        self.log.close()


def by_prometheus(daemon, folder):
    prometheus = Prometheus(daemon, folder)
    try:
        def alerts():
            return [a for a in call(daemon, "GET", "/api/v1/alerts?source=alertmanager&limit=100")[1]["items"] if a["rule"] == "PodIsLoud"]

        def heard():
            return sum(s["duplicate"] for s in call(daemon, "GET", "/api/v1/sources")[1]["items"] if s["source"] == "alertmanager")
        first = wait_for(alerts, 60, "Prometheus' alert arrives")[0]
        before = heard()
        # `sources` is written when there is nothing else to do; the daemon idles between these.
        wait_for(lambda: heard() >= before + 3, 60, "it is sent again")
        again = alerts()
        # The exported labels: what was scraped comes before who scraped it.
        check("a real Prometheus' alert that is sent again is one", len(again) == 1 and again[0]["id"] == first["id"], again)
        check("it is about the pod", (first["namespace"], first["pod"], first["message"], first["severity"]) ==
              ("shop", "loud-1", "pod loud-1 is loud", "medium"), first)
        check("it is firing", "resolved" not in again[0] and again[0]["firing_until"] > first["firing_until"], (first, again))
        prometheus.value = 0
        ended = wait_for(lambda: [a for a in alerts() if "resolved" in a], 60, "it ends")
        check("its end is no new alert", len(alerts()) == 1 and ended[0]["id"] == first["id"] and ended[0]["resolved"] > ended[0]["time"], ended)
        prometheus.value = 1
        wait_for(lambda: len(alerts()) == 2, 60, "fired again, it is another")
        check("fired again, it is another", len({a["id"] for a in alerts()}) == 2)
    finally:
        prometheus.stop()


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            by_amtool(daemon, folder)
            by_http(daemon)
            suppressions(daemon)
            by_cli(daemon, folder)
            preview_and_export(daemon, folder)
            by_prometheus(daemon, folder)
            by_query(daemon)
            says_what_is_missing(daemon)
            check("tocsind ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
    return finish()


if __name__ == "__main__":
    sys.exit(main())
