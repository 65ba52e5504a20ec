#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Queries find what they say, by the API and in the terminal; faults have a place; many incidents and alerts are answered at once."""
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish, results  # noqa: E402
from daemon import BUILD, SOURCE, Daemon  # noqa: E402

LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")
PODS, SECONDS = 10000, 1.5
HOSTILE = "x' OR '1'='1\"; DROP TABLE incident; --"


def alert(pod, rule, namespace="shop", priority="Notice", at=0, command="id"):
    event = json.loads(open(LINES).readline())
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime(time.time() - at))
    event.update(rule=rule, priority=priority, time=moment, output="%s in %s" % (rule, pod), tags=["mitre_execution"])
    event["output_fields"] = {"k8s.ns.name": namespace, "k8s.pod.name": pod, "proc.name": "sh", "proc.cmdline": "sh -c " + command, "user.name": "root"}
    return json.dumps(event)


def ask(daemon, path, **query):
    began = time.monotonic()
    status, body = daemon.get("/api/v1/%s?%s" % (path, urllib.parse.urlencode(query)))
    return status, json.loads(body), time.monotonic() - began


def found(daemon, path, q, **query):
    status, document, _ = ask(daemon, path, q=q, **query)
    return [] if status != 200 else document["items"]


def check_finding(daemon):
    check("alerts by rule, place and words", len(found(daemon, "alerts", 'rule:"read*" ns:Bank secret')) == 1)
    check("a command line that only the alert has", [a["pod"] for a in found(daemon, "alerts", "cmdline:*passwd*")] == ["ledger-0"])
    check("what is old is not new", not found(daemon, "alerts", "last>1h ns:bank") and len(found(daemon, "alerts", "last<1h ns:bank")) == 2)
    check("incidents by severity, state and tactic", [i["entity"]["pod"] for i in found(daemon, "incidents", "sev>=critical state:open tactic:execution")] == ["ledger-0"])
    check("matchers of Alertmanager", len(found(daemon, "incidents", '{alertname=~"Read.*",namespace!="shop"}')) == 1)
    check("the other parameters are combined", not found(daemon, "incidents", "ns:bank", severity="critical", namespace="shop"))
    number = found(daemon, "incidents", "ns:bank")[0]["number"]
    check("alerts of an incident", len(found(daemon, "alerts", "incident:" + number)) == 2)
    check("and of none", ask(daemon, "alerts", q="incident:INC-999")[1]["items"] == [] and not found(daemon, "alerts", "incident:%s -ns:bank" % number))
    check("fingerprints of a workload", [(f["rule"], f["alerts"]) for f in found(daemon, "fingerprints", "ns:bank alerts>=1", sort="count")] in
          ([("Read secret", 1), ("Shell", 1)], [("Shell", 1), ("Read secret", 1)]))
    daemon.request("POST", "/api/v1/incidents/%s/assign" % number, b'{"assignee":"admin"}', headers={"Content-Type": "application/json"})
    check("me is who asks", [i["number"] for i in found(daemon, "incidents", "assignee:me")] == [number])
    for path in ("incidents", "alerts", "fingerprints"):
        status, document, _ = ask(daemon, path, q='ns:"%s"' % HOSTILE.replace('"', '\\"'))
        check("an injection finds nothing in " + path, status == 200 and not document["items"], document)
    check("and does nothing", len(found(daemon, "incidents", "ns:bank")) == 1)


def check_faults(daemon):
    for path, q, position, length in (("incidents", "ns:bank foo:bar", 8, 3), ("alerts", "risk>70", 0, 4), ("fingerprints", "pod:x", 0, 3),
                                      ("incidents", "ns:\u00fc (a", 6, 1), ("alerts", "x" * 1100, 1024, 1)):
        status, problem, _ = ask(daemon, path, q=q)
        check("%s of %s: 400 with its place" % (q[:20], path), (status, problem.get("position"), problem.get("length")) == (400, position, length), (status, problem))
    code, text = daemon.cli("incidents", "list", "-q", "ns:bank foo:bar")
    check("the terminal marks it", code == 1 and "\n  ns:bank foo:bar\n          ^^^\n" in text, text)
    online = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "--server", daemon.url, "alerts", "list", "-q", "ns:bank sev:bad"],
                            capture_output=True, text=True, env=dict(os.environ, TOCSIN_DATA=daemon.data))
    check("of a server too", online.returncode == 1 and "\n  ns:bank sev:bad\n              ^^^\n" in online.stderr, online.stderr)
    code, text = daemon.cli("alerts", "kinds", "-q", "ns:bank")
    check("kinds in the terminal", code == 0 and "Read secret" in text and "ledger" in text, text)


def check_completion(daemon):
    def texts(q, **query):
        return [item["text"] for item in ask(daemon, "query/complete", q=q, **query)[1]["items"]]
    check("completes fields", texts("-na") == ["namespace:"] and "state:" in texts("ns:bank (st"))
    check("operators", "severity>=" in texts("severity"))
    check("words", texts("sev>=hi") == ["high"] and "execution" in texts("tactic:"))
    check("stored names, quoted where they must be", texts('ns:ba') == ["bank"] and texts("rule:read") == ['"Read secret"'])
    check("what is replaced", {k: ask(daemon, "query/complete", q="ns:shop,ba sev", at=10)[1][k] for k in ("position", "length")} == {"position": 8, "length": 2})
    check("each of its own", texts("cmdl", of="alerts") == ["cmdline:"] and texts("cmdl") == [] and ask(daemon, "query/complete", q="", of="x")[0] == 400)


def check_views(daemon):
    def send(method, path, token="admin", **wish):
        status, body = daemon.request(method, "/api/v1/views" + path, json.dumps(wish).encode() if wish else None, token=token, headers={"Content-Type": "application/json"})
        return status, json.loads(body)

    def token(name, role):
        return json.loads(daemon.request("POST", "/api/v1/tokens", json.dumps({"name": name, "role": role}).encode(), headers={"Content-Type": "application/json"})[1])["token"]
    ann, bob = token("ann", "analyst"), token("bob", "viewer")
    status, view = send("POST", "", ann, name="Bank", of="incidents", query="ns:bank assignee:me", sort="risk", columns=["risk", "title"], shared=True)
    check("a view is saved", status == 200 and view["columns"] == ["risk", "title"] and view["owner"] == "token:ann" and view["shared"], view)
    again = send("POST", "", ann, name="Bank", of="incidents", query="ns:bank", shared=True)[1]
    check("its name replaces it", again["id"] == view["id"] and again["query"] == "ns:bank" and again["columns"] == [], again)
    mine = send("POST", "", bob, name="Mine", of="alerts", query="shell")[1]
    check("own and shared are seen", [v["name"] for v in send("GET", "", bob)[1]["items"]] == ["Bank", "Mine"] and
          [v["name"] for v in send("GET", "", ann)[1]["items"]] == ["Bank"])
    check("sharing needs a role", send("POST", "", bob, name="Ours", of="alerts", shared=True)[0] == 403)
    check("a fault has a place", [send("POST", "", ann, name="x", of="alerts", query="risk>70")[1].get(k) for k in ("position", "length")] == [0, 4])
    for wish in ({"of": "alerts"}, {"name": "x"}, {"name": "x", "of": "alerts", "sort": "risk"}, {"name": "x", "of": "alerts", "columns": ["A"]},
                 {"name": "a\nb", "of": "alerts"}, {"name": "x" * 121, "of": "alerts"}, {"name": "x", "of": "alerts", "more": 1}):
        check("refused: %s" % str(wish)[:60], send("POST", "", ann, **wish)[0] == 400)
    check("others' are theirs", send("DELETE", "/%d" % view["id"], bob)[0] == 403 and send("DELETE", "/%d" % mine["id"], ann)[0] == 404)
    check("an administrator may", send("DELETE", "/%d" % view["id"])[0] == 200 and send("DELETE", "/%d" % mine["id"], bob)[0] == 200)
    check("it is gone", send("GET", "", ann)[1]["items"] == [] and send("DELETE", "/%d" % view["id"])[0] == 404)
    audit = json.loads(daemon.get("/api/v1/audit?limit=100")[1])["items"]
    check("all of it is audited", [a["action"] for a in audit if a["action"].startswith("view.")] == ["view.remove"] * 2 + ["view.save"] * 3, audit)


def counted(items, value):
    """value(item) gives the values that it counts for; -> {value: (count, severity, last_seen)} as groups must say it."""
    order, groups = ["info", "low", "medium", "high", "critical"], {}
    for item in items:
        last = item.get("last_seen") or item["time"]
        for v in value(item):
            n, worst, when = groups.get(v, (0, "info", ""))
            groups[v] = (n + 1, max(worst, item["severity"], key=order.index), max(when, last))
    return groups


def check_groups(daemon):
    def grouped(path, **query):
        document = ask(daemon, path, limit=1000, **query)[1]
        return {(g.get("namespace", "") + "/" if g.get("namespace") else "") + g["value"]: (g["count"], g["severity"], g["last_seen"])
                for g in document["items"]} if document.get("complete") else document
    of_alerts = {"rule": lambda a: [a["rule"]], "severity": lambda a: [a["severity"]], "namespace": lambda a: [a.get("namespace", "")],
                 "pod": lambda a: ["%s/%s" % (a["namespace"], a["pod"]) if "pod" in a else ""], "sensor": lambda a: [a["sensor"]],
                 "node": lambda a: [a.get("node", "")], "source": lambda a: [a["source"]], "fingerprint": lambda a: [a["fingerprint"]]}
    for q in ("", "ns:bank", "cmdline:*passwd*", "-cmdline:*passwd*", "shell OR sev>=high", "NOT (ns:shop shell)", "tag:mitre_execution last<1h"):
        listed = ask(daemon, "alerts", q=q, limit=1000)[1]["items"]
        for field, value in of_alerts.items():
            check("alerts '%s' by %s" % (q, field), grouped("alerts", q=q, group=field) == counted(listed, value), grouped("alerts", q=q, group=field))
    of_incidents = {"rule": lambda i: [r["name"] for r in i["rules"]], "severity": lambda i: [i["severity"]], "state": lambda i: [i["state"]],
                    "assignee": lambda i: [i.get("assignee", "")], "tactic": lambda i: [t["name"] for t in i["tactics"]] or [""],
                    "namespace": lambda i: [i["entity"].get("namespace", "")], "sensor": lambda i: i["sensors"]}
    for q in ("", "sev>=high", "assignee:me", "ns:nothing"):
        listed = ask(daemon, "incidents", q=q, limit=1000)[1]["items"]
        for field, value in of_incidents.items():
            check("incidents '%s' by %s" % (q, field), grouped("incidents", q=q, group=field) == counted(listed, value), grouped("incidents", q=q, group=field))
    pages, after = [], {}
    while len(pages) < 10:
        page = ask(daemon, "alerts", group="pod", limit=1, **after)[1]
        pages += [g["value"] for g in page["items"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    check("groups come page by page, most first", pages == ["ledger-0", "web-0"], pages)
    for group in ask(daemon, "alerts", group="pod")[1]["items"] + ask(daemon, "alerts", group="image")[1]["items"]:
        check("q of a group finds it: " + group["q"], len(found(daemon, "alerts", group["q"])) == group["count"])
    number = found(daemon, "incidents", "ns:bank")[0]["number"]
    check("alerts of one incident are grouped", grouped("alerts", group="rule", incident=number).keys() == {"Read secret", "Shell"})
    check("a field that is none is refused, and which there are", "severity" in ask(daemon, "alerts", group="cmdline")[1].get("detail", ""))
    check("a page that was never said is refused", ask(daemon, "alerts", group="pod", after="x")[0] == 400)
    check("groups have no other order", ask(daemon, "incidents", group="rule", sort="risk")[1] == ask(daemon, "incidents", group="rule")[1] and
          ask(daemon, "incidents", group="rule", sort="x")[0] == 400)
    code, text = daemon.cli("alerts", "list", "--group", "rule", "-q", "ns:bank")
    check("groups in the terminal", code == 0 and "COUNT" in text and "Read secret" in text, text)


def check_entities(daemon):
    def show(kind, name, **query):
        status, document, _ = ask(daemon, "entities/%s/%s" % (kind, urllib.parse.quote(name, safe="")), **query)
        return document if status == 200 else status
    pod = show("pod", "bank/ledger-0")
    check("an entity's rules with counts", {r["rule"]: r["alerts"] for r in pod["rules"]} == {"Read secret": 1, "Shell": 1} and pod["alerts"] == 2 and
          pod["severity"] == "critical" and pod["complete"], pod)
    listed = found(daemon, "alerts", "ns:bank")
    check("since when, until when", (pod["first_seen"], pod["last_seen"]) == (min(a["time"] for a in listed), max(a["time"] for a in listed)), pod)
    check("its incidents", [i["number"] for i in pod["incidents"]] == [i["number"] for i in found(daemon, "incidents", "ns:bank")], pod["incidents"])
    around = {(n["kind"], n["id"]) for n in pod["neighbours"]}
    node = listed[0]["node"]
    check("its neighbours, without itself", {("namespace", "bank"), ("node", node)} <= around and ("pod", "bank/ledger-0") not in around, around)
    check("q finds its alerts", len(found(daemon, "alerts", pod["q"])) == 2, pod["q"])
    other = show("node", node)
    check("a node has its pods", {("pod", "bank/ledger-0"), ("pod", "shop/web-0")} <= {(n["kind"], n["id"]) for n in other["neighbours"]} and other["alerts"] == 3, other)
    check("a cluster narrows", show("node", node, cluster="nowhere") == 404 and show("node", node, cluster=listed[0]["cluster"])["alerts"] == 3)
    container = next((a["container_id"] for a in listed if "container_id" in a), None)
    check("a container, by its id", container is None or show("container", container)["alerts"] >= 1)
    for kind, name in (("pod", "bank/nothing"), ("node", "x' OR 1=1"), ("image", "nothing"), ("workload", "a/b"), ("planet", "earth"), ("pod", HOSTILE)):
        check("nothing is known of %s %s" % (kind, name[:20]), show(kind, name) == 404, show(kind, name))
    code, text = daemon.cli("entities", "show", "pod", "bank/ledger-0")
    check("an entity in the terminal", code == 0 and "Read secret" in text, text)
    code, text = daemon.cli("entities", "show", "pod", "bank/nothing")
    check("and none", code == 1 and "nothing is known of pod" in text, text)


def check_speed(daemon):
    for i in range(0, PODS, 2000):
        daemon.ingest("\n".join(alert("web-%d" % n, "Rule %d" % (n % 50), at=n % 3000) for n in range(i, i + 2000)).encode())
    check("%d incidents are there" % PODS, ask(daemon, "status")[1]["incidents"] > PODS)
    for path, q, query in (("incidents", 'rule:"rule 7" sev>=medium', {}), ("incidents", "ns:bank", {}), ("incidents", "pod:web-77*", {}),
                           ("incidents", "-ns:shop", {"sort": "risk"}), ("incidents", "state:open last<2h", {"rollup": "true"}), ("incidents", "nothing has this", {}),
                           ("alerts", "ns:bank last<2h", {}), ("alerts", "nothing has this", {}), ("alerts", "pod:ledger-0", {}), ("alerts", "", {"group": "rule"}), ("alerts", "ns:shop", {"group": "pod"}),
                           ("alerts", "message:*web*", {"group": "severity"}), ("incidents", "", {"group": "rule"}), ("incidents", "state:open", {"group": "namespace"}), ("fingerprints", "", {"sort": "count"})):
        status, document, seconds = ask(daemon, path, q=q, **query)
        check("%s in less than %.1f s of %s" % (q, SECONDS, path), status == 200 and seconds < SECONDS, (status, seconds))
        if path == "alerts" and query.get("group") in ("rule", "pod"):
            check("counts them all", document["complete"], document.get("from_leaf"))
        if q == "ns:bank last<2h":
            check("finds them all", len(document["items"]) == 2 and "next" not in document, document.get("next"))
    numbers, after = [], {}
    while True:
        _, page, _ = ask(daemon, "incidents", q='rule:"rule 7"', limit=70, **after)
        numbers += [item["number"] for item in page["items"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    rules, after = [], {}
    while len(rules) < 100:
        page = ask(daemon, "alerts", group="rule", limit=7, **after)[1]
        rules += [(g["count"], g["value"]) for g in page["items"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    whole = [(g["count"], g["value"]) for g in ask(daemon, "alerts", group="rule", limit=1000)[1]["items"]]
    check("pages of groups with equal counts are the whole", rules == whole and len(whole) == 52, (len(rules), len(whole)))
    check("pages neither repeat nor leave out", len(numbers) == len(set(numbers)) == PODS // 50, len(numbers))


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            daemon.ingest("\n".join([alert("ledger-0", "Read secret", "bank", "Critical", command="'cat /etc/passwd'"),
                                     alert("ledger-0", "Shell", "bank", "Warning", at=60), alert("web-0", "Shell", at=90)]).encode())
            check_finding(daemon)
            check_faults(daemon)
            check_completion(daemon)
            check_views(daemon)
            check_groups(daemon)
            check_entities(daemon)
            check_speed(daemon)
            check("tocsind ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
            if not all(results):
                print("# " + open(os.path.join(folder, "tocsind.log"), errors="replace").read()[-3000:].replace("\n", "\n# "))
    return finish()


sys.exit(main())
