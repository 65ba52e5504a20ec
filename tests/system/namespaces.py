#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who sees some namespaces only: every endpoint of a real tocsind is asked, and none tells of what lies outside."""
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish  # noqa: E402
from daemon import BUILD, Daemon, wait_for  # noqa: E402
from events import Stream, pump  # noqa: E402

NOW = datetime.datetime.now(datetime.timezone.utc)
# Words of alerts in pay, and of none in shop.
SECRETS = (b"payroll", b"Forbidden fruit", b"node-of-pay")


def alert(second, namespace, pod, rule, node):
    when = (NOW - datetime.timedelta(seconds=600 - second)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "001Z"
    fields = {"proc.cmdline": rule.lower()}
    if namespace:
        fields.update({"k8s.ns.name": namespace, "k8s.pod.name": pod})
    return {"rule": rule, "priority": "Critical", "source": "syscall", "time": when, "output": "%s in %s" % (rule, pod),
            "hostname": node, "tags": ["mitre_privilege_escalation"], "output_fields": fields}


def send(daemon, *alerts):
    status, body = daemon.ingest("\n".join(json.dumps(a) for a in alerts).encode())
    assert status == 200 and json.loads(body)["accepted"] == len(alerts), (status, body)


def make_token(daemon, **wish):
    status, body = daemon.request("POST", "/api/v1/tokens", json.dumps(wish).encode())
    return status, json.loads(body)


def items(daemon, path, token="admin"):
    status, body = daemon.get(path, token=token)
    assert status == 200, (path, status, body)
    return json.loads(body)["items"]


def endpoints():
    lines = subprocess.run([os.path.join(BUILD, "tests/lib/endpoints-dump")], capture_output=True, text=True, check=True).stdout
    found = [(e["method"], e["path"]) for e in map(json.loads, lines.splitlines())]
    pages = ("/", "/incidents", "/incidents/{n}", "/incidents/{n}/alerts", "/incidents/{n}/activity", "/alerts", "/alerts/{id}",
             "/suppressions", "/health", "/admin")
    return found + [("GET", page) for page in pages if ("GET", page) not in found]


def fill(path, incident, one_alert):
    return path.replace("{n}", incident).replace("{part}", "activity").replace("{kind}", "pod").replace(
        "{id}", one_alert if "alerts" in path else "999999").replace("{version}", "0").replace("{name}", "x").replace("{source}", "falco")


def everything_is_asked(daemon, who, hidden, hidden_alert):
    """What is about a thing outside is not there; what is about all tells nothing of it."""
    for method, path in sorted(set(endpoints())):
        if path in ("/api/v1/events", "/sign-in", "/sign-out", "/preferences") or path.startswith(("/ingest", "/v1/", "/assets")):
            continue
        asked = fill(path, hidden, hidden_alert)
        body = b"{}" if method in ("POST", "PUT") else None
        status, answer = daemon.request(method, asked, body, token=who)
        if "{n}" in path or ("{id}" in path and "alerts" in path):
            # A decision's body is read before anything is looked up, and refused alike for all numbers.
            check("%s %s of what lies outside is 404" % (method, path), status in ((404, 422) if method == "POST" else (404,)),
                  (status, answer[:300]))
        leaked = [word for word in SECRETS if word in answer]
        check("%s %s tells nothing of what lies outside" % (method, path), not leaked and status != 500 and status > 0,
              (status, leaked, answer[:600]))


def of_everything(daemon, who):
    """What is about everything is refused with a reason, for programs and for people."""
    for path in ("sources", "coverage", "ledger", "recorrelation"):
        status, answer = daemon.get("/api/v1/" + path, token=who)
        problem = json.loads(answer)
        check("%s is 403 with a reason" % path, status == problem.get("status") == 403 and problem.get("title") == "Forbidden" and
              "you see some namespaces only" in problem.get("detail", ""), (status, problem))
    status, page = daemon.request("GET", "/health", token=who, headers={"Accept": "text/html"})
    check("the page of health too", status == 403 and b"you see some namespaces only" in page, (status, page[-300:]))


def lists(daemon, who):
    shown = items(daemon, "/api/v1/incidents", who)
    check("incidents of the namespace are listed", {i["entity"]["namespace"] for i in shown} == {"shop"} and shown, shown)
    by_risk = items(daemon, "/api/v1/incidents?sort=risk&rollup=true", who)
    check("by risk too", [i["number"] for i in by_risk] == [i["number"] for i in shown], by_risk)
    alerts = items(daemon, "/api/v1/alerts", who)
    check("alerts of the namespace are listed", {a["namespace"] for a in alerts} == {"shop"} and len(alerts) == 2, alerts)
    check("a filter widens nothing", items(daemon, "/api/v1/alerts?namespace=pay", who) == [] and
          items(daemon, "/api/v1/incidents?namespace=pay", who) == [])
    check("nor does a query", items(daemon, "/api/v1/alerts?q=ns:pay", who) == [] and
          items(daemon, "/api/v1/incidents?q=-ns:nothing", who) == shown)
    check("quarantine of the cluster is not shown", items(daemon, "/api/v1/quarantine", who) == [])
    number, one = shown[0]["number"], alerts[0]["id"]
    for path in ("/api/v1/incidents/%s" % number, "/api/v1/incidents/%s/alerts" % number, "/api/v1/incidents/%s/timeline" % number,
                 "/api/v1/incidents/%s/activity" % number, "/api/v1/alerts/%s" % one, "/api/v1/alerts/%s/raw" % one):
        check("%s is there" % path.replace(number, "N").replace(one, "ID"), daemon.get(path, token=who)[0] == 200)
    entity = json.loads(daemon.get("/api/v1/entities/pod/shop%2Fcart", token=who)[1])
    check("an entity of the namespace is shown", entity["alerts"] == 2 and [i["number"] for i in entity["incidents"]] == [number], entity)
    check("a node shows of it what is inside", json.loads(daemon.get("/api/v1/entities/node/node-of-shop", token=who)[1])["alerts"] == 2)
    for path in ("pod/pay%2Fpayroll", "node/node-of-pay"):
        never = daemon.get("/api/v1/entities/" + path.replace("pay", "nil"), token=who)
        outside = daemon.get("/api/v1/entities/" + path, token=who)
        check("entity %s outside is 404, as what never was" % path, outside[0] == never[0] == 404 and
              outside[1].replace(b"pay", b"nil") == never[1], (outside, never))
    groups = {g["value"] for field in ("pod", "rule", "node") for kind in ("alerts", "incidents")
              for g in items(daemon, "/api/v1/%s?group=%s" % (kind, field), who)}
    check("groups count what is inside", groups == {"cart", "Shop rule", "Second rule", "node-of-shop"}, groups)
    status, text = daemon.get("/metrics", token=who)
    check("metrics count what is in it", status == 200 and b'container_privilege_escalation{namespace="shop",pod="cart"} 1' in text
          and b'tocsin_incidents{state="new",severity="critical"} 1' in text, text)
    status, text = daemon.get("/metrics")
    check("metrics of everything count everything", b'pod="payroll"' in text, text[-500:])
    status = json.loads(daemon.get("/api/v1/status", token=who)[1])
    check("status says what is nobody's", set(status) == {"started", "store", "retention", "ledger"} and set(status["ledger"]) == {"leaves"}, status)
    tail = subprocess.Popen([os.path.join(BUILD, "bin/tocsin"), "tail", "-q", "ns:*"], stdout=subprocess.PIPE, text=True,
                            env=dict(os.environ, TOCSIN_SERVER=daemon.url, TOCSIN_TOKEN=who))
    line = tail.stdout.readline()
    tail.send_signal(signal.SIGINT)
    rest = tail.communicate()[0]
    check("tail works for them", "Shop rule" in line and "Forbidden" not in rest and tail.returncode == 0, (line, rest, tail.returncode))
    me = json.loads(daemon.get("/api/v1/me", token=who)[1])
    check("/me says which", me["namespaces"] == ["shop"], me)
    return number


def suppressions(daemon, who):
    """Those that are wholly inside their namespaces are theirs; the others are not there."""
    def call(method, path, body=None, token=who):
        status, answer = daemon.request(method, path, None if body is None else json.dumps(body).encode(), token=token,
                                        headers={"Content-Type": "application/json"})
        return status, json.loads(answer) if answer else None

    def wish(*matchers, **more):
        return dict({"matchers": list(matchers), "reason": "theirs", "for": "1h"}, **more)
    _, outside = call("POST", "/api/v1/suppressions", wish('namespace="pay"'), "admin")
    _, across = call("POST", "/api/v1/suppressions", wish('rule="Shop rule"'), "admin")
    _, theirs = call("POST", "/api/v1/suppressions", wish('namespace="shop"', 'rule="Nothing"'), "admin")
    for body in (wish('namespace="pay"'), wish('rule="Shop rule"'), wish('namespace=~"sh.*"'), wish('namespace!="pay"', "pod=cart"),
                 {"query": "ns:shop", "reason": "x", "for": "1h"}, {"query": "namespace=shop OR rule:x", "reason": "x", "for": "1h"}):
        status, answer = call("POST", "/api/v1/suppressions", body)
        check("beyond their namespaces: %s" % json.dumps(body)[:50], status == 422 and "namespace" in answer["detail"], (status, answer))
        body = {k: v for k, v in body.items() if k in ("matchers", "query")}
        check("nor is it previewed", call("POST", "/api/v1/suppressions/preview", body)[0] == 422)
    seen = call("POST", "/api/v1/suppressions/preview", {"matchers": ['namespace="shop"']})[1]
    check("a preview counts what is inside", seen["alerts"]["matched"] == seen["alerts"]["of"] == 2 and seen["incidents"]["open"] == 1, seen)
    status, made = call("POST", "/api/v1/suppressions", wish('namespace="shop"', 'rule="Second rule"'))
    check("inside they may suppress", status == 200, made)
    listed = call("GET", "/api/v1/suppressions")[1]
    check("and see what is inside", {s["id"] for s in listed["items"]} == {made["id"], theirs["id"]} and listed["counts"]["active"] == 2, listed)
    check("as silences too", {s["id"] for s in call("GET", "/api/v2/silences")[1]} == {made["id"], theirs["id"]})
    never = "00000000-0000-4000-8000-000000000000"
    for other in (outside["id"], across["id"]):
        for method, path in (("GET", "/api/v1/suppressions/%s"), ("GET", "/api/v1/suppressions/%s/hits"), ("DELETE", "/api/v1/suppressions/%s"),
                             ("GET", "/api/v1/suppressions/%s/export?format=alertmanager"), ("GET", "/api/v2/silence/%s"), ("DELETE", "/api/v2/silence/%s")):
            status, answer = call(method, path % other)
            nothing = call(method, path % never)
            check("%s %s of others is 404, as of what never was" % (method, path), status == nothing[0] == 404 and
                  json.dumps(answer).replace(other, "") == json.dumps(nothing[1]).replace(never, ""), (answer, nothing))
    def page(path):
        status, answer = daemon.request("GET", path, token=who, headers={"Accept": "text/html"})
        return status, answer.decode()
    status, listed = page("/suppressions")
    check("the page lists those that are inside", status == 200 and made["id"] in listed and theirs["id"] in listed and
          outside["id"] not in listed and across["id"] not in listed, (status, listed[-300:]))
    check("and shows one", page("/suppressions/" + made["id"])[0] == 200)
    check("of others nothing", [page("/suppressions/" + other)[0] for other in (outside["id"], across["id"], never)] == [404] * 3)
    check("places about everything are not offered", 'href="/health"' not in listed and 'href="/suppressions"' in listed and
          'href="/health"' in daemon.request("GET", "/suppressions")[1].decode())
    check("others' inside may be ended", call("DELETE", "/api/v1/suppressions/" + theirs["id"])[0] == 200)
    for one in (outside, across, made):
        check("an admin ends all", call("DELETE", "/api/v1/suppressions/" + one["id"], None, "admin")[0] == 200)


def decisions(daemon, who, own, hidden):
    def post(number, action, body):
        status, answer = daemon.request("POST", "/api/v1/incidents/%s/%s" % (number, action), json.dumps(body).encode(), token=who)
        return status, json.loads(answer)

    check("a decision inside is carried out", post(own, "ack", {})[0] == 200)
    before = daemon.get("/api/v1/incidents/" + hidden)[1]
    for action, body in (("ack", {}), ("comment", {"text": "hello"}), ("resolve", {"verdict": "test"}), ("snooze", {"for": "1h"}), ("cut", {})):
        status, answer = post(hidden, action, body)
        never = post("INC-4711", action, body)
        check("%s outside is 404, as of what never was" % action, status == never[0] == 404 and
              answer["detail"].replace(hidden, "") == never[1]["detail"].replace("INC-4711", ""), (answer, never))
    check("a merge with what lies outside is 404", post(own, "merge", {"with": hidden})[0] == 404)
    check("nothing was changed outside", daemon.get("/api/v1/incidents/" + hidden)[1] == before)
    merged = daemon.request("POST", "/api/v1/incidents/%s/merge" % own, json.dumps({"with": hidden}).encode())
    edit = json.loads(merged[1])["edit"] if "edit" in json.loads(merged[1]) else json.loads(merged[1])["decision"]["edit"]
    number = json.loads(merged[1])["number"]
    status, answer = post(number, "undo", {"edit": edit})
    check("a merge of others with what lies outside is not theirs to undo", status == 404, (status, answer))
    check("an admin undoes it", daemon.request("POST", "/api/v1/incidents/%s/undo" % number, json.dumps({"edit": edit}).encode())[0] == 200)


def events(daemon, who):
    stream = Stream(daemon.port, who, "?alerts=1")
    whole = Stream(daemon.port, daemon.token("admin"), "?alerts=1")
    pump([stream, whole], lambda: stream.status and whole.status)
    send(daemon, alert(400, "pay", "payroll", "Forbidden fruit again", "node-of-pay"),
         alert(401, "shop", "cart", "Second thing in shop", "node-of-shop"))
    pump([stream, whole], lambda: len(whole.named("alert")) == 2 and stream.named("alert") and
         len(whole.named("incident")) >= 2 and stream.named("incident"))
    check("events: alerts of the namespace alone", {a["namespace"] for a in stream.named("alert")} == {"shop"}, stream.events)
    check("events: incidents of the namespace alone", {i["entity"]["namespace"] for i in stream.named("incident")} == {"shop"}, stream.events)
    for one in (stream, whole):
        one.close()


def sessions(daemon, token):
    """A session sees what its token sees."""
    from access import Browser
    browser = Browser(daemon)
    browser.sign_in(token)
    shown = json.loads(browser.get("/api/v1/incidents").text)["items"]
    check("a session is bound as its token", {i["entity"]["namespace"] for i in shown} == {"shop"}, shown)
    check("and says so", json.loads(browser.get("/api/v1/me").text)["namespaces"] == ["shop"])


def tokens(daemon):
    for wish, what in (({"namespaces": []}, "no namespaces"), ({"namespaces": ["a b"]}, "a space"), ({"namespaces": ["a/b/c"]}, "two slashes"),
                       ({"namespaces": ["*"]}, "a lone star"), ({"namespaces": ["x"] * 65}, "too many"), ({"namespaces": "shop"}, "no array"),
                       ({"namespaces": ["shop"], "role": "admin"}, "an admin"), ({"namespaces": ["shop"], "role": "source"}, "a source"),
                       ({"namespaces": ["a,b"]}, "a comma")):
        status, body = make_token(daemon, **{"name": "bad", "role": "viewer", **wish})
        check("namespaces: %s is refused" % what, status in (400, 413, 503) and "detail" in body, (status, body))
    listed = [t for t in items(daemon, "/api/v1/tokens") if t["name"] == "narrow"]
    check("tokens are listed with their namespaces", listed[0]["namespaces"] == ["shop"], listed)
    done = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "--server", daemon.url, "--token-file", os.path.join(daemon.data, "admin.token"),
                           "tokens", "create", "by-cli", "--role", "viewer", "--namespace", "other/shop,*/pay"], capture_output=True, text=True)
    token = json.loads(done.stdout)["token"]
    shown = {a["namespace"] for a in items(daemon, "/api/v1/alerts", token)}
    check("tocsin tokens create --namespace: of another cluster nothing is seen", shown == {"pay"}, shown)
    status, whole = make_token(daemon, name="cluster", role="viewer", namespaces=["default/*"])
    shown = {a.get("namespace") for a in items(daemon, "/api/v1/alerts", whole["token"])}
    check("CLUSTER/* shows what has no namespace, too", shown == {"shop", "pay", None}, shown)
    check("and what could not be decoded", len(items(daemon, "/api/v1/quarantine", whole["token"])) == 1)


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            send(daemon, alert(0, "shop", "cart", "Shop rule", "node-of-shop"), alert(1, "shop", "cart", "Second rule", "node-of-shop"),
                 alert(2, "pay", "payroll", "Forbidden fruit", "node-of-pay"), alert(3, "", "", "Forbidden fruit of a node", "node-of-pay"))
            daemon.ingest(b'{"rule": "Forbidden fruit", "priority": 5')
            hidden = wait_for(lambda: [i["number"] for i in items(daemon, "/api/v1/incidents?namespace=pay")], 30, "an incident in pay")[0]
            hidden_alert = items(daemon, "/api/v1/alerts?namespace=pay")[0]["id"]
            status, narrow = make_token(daemon, name="narrow", role="responder", namespaces=["shop"])
            check("a token may be bound to namespaces", status == 201, narrow)
            who = narrow["token"]
            tokens(daemon)
            own = lists(daemon, who)
            of_everything(daemon, who)
            everything_is_asked(daemon, who, hidden, hidden_alert)
            decisions(daemon, who, own, hidden)
            suppressions(daemon, who)
            events(daemon, who)
            sessions(daemon, who)
            check("tocsind ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
    return finish()


if __name__ == "__main__":
    sys.exit(main())
