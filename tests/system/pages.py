#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The console's pages without scripts: whole, readable, small, and safe with hostile alerts, in both languages.

Asserts: tags are balanced, ids unique, one h1, fields have labels, tables have captions and headings, pictures have names, every
link of ours leads somewhere; no inline script or style; what attackers wrote is shown and never interpreted; the size of the list
and of one incident; the time of the first pages with 10 000 incidents.
"""
import html.parser
import json
import os
import re
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish  # noqa: E402
from daemon import Daemon, SOURCE, wait_for  # noqa: E402

VOID = {"input", "meta", "link", "br", "hr", "img"}
EVIL = "<script>alert(1)</script>\"'&\u202egpj.exe\x1b[31m\u200b"
LIST_MS, INCIDENT_MS = 400, 400
HTML_BYTES = 30 * 1024  # what a list and an incident may be long


class Page(html.parser.HTMLParser):
    """What a browser would complain about, and what the checks look for."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.wrong, self.open, self.ids, self.links, self.tags, self.texts = [], [], [], [], [], []
        self.labelled, self.named, self.headings = set(), {}, 0
        self.feed(text)
        self.close()
        self.wrong += ["<%s> is not closed" % tag for tag in self.open]
        self.text = "".join(self.texts)

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        values = dict(attributes)
        self.tags.append((tag, values))
        if len(set(names)) != len(names):
            self.wrong.append("<%s> has an attribute twice" % tag)
        if any(name == "style" or name.startswith("on") for name in names):
            self.wrong.append("<%s> has an inline style or script: %s" % (tag, names))
        if tag == "script" and "src" not in values:
            self.wrong.append("inline script")
        if tag == "style":
            self.wrong.append("inline style")
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a" and values.get("href", "").startswith("/"):
            self.links.append(values["href"])
        if tag in ("input", "select", "textarea") and values.get("type") != "hidden" and "aria-label" not in values and "label" not in self.open:
            self.wrong.append("<%s name=%s> has no label" % (tag, values.get("name")))
        if tag == "svg" and values.get("aria-hidden") != "true" and not (values.get("role") == "img" and values.get("aria-label")):
            self.wrong.append("a picture without a name")
        if tag == "th" and not values.get("scope"):
            self.wrong.append("a heading without scope")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append("</%s> closes %s" % (tag, self.open[-1:] or "nothing"))
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if not self.open or self.open[-1] != "script":
            self.texts.append(data)

    def count(self, tag):
        return sum(1 for name, _ in self.tags if name == tag)

    def faults(self):
        wrong = list(self.wrong)
        if self.count("h1") != 1:
            wrong.append("%d h1" % self.count("h1"))
        if self.count("table") != self.count("caption"):
            wrong.append("a table without caption")
        twice = {i for i in self.ids if self.ids.count(i) > 1}
        if twice:
            wrong.append("ids twice: %s" % sorted(twice)[:4])
        if "main" not in self.ids or "search" not in self.ids:
            wrong.append("no main, or no search box")
        if any(ord(c) in (0x202e, 0x1b, 0x200b) for c in self.text):
            wrong.append("a character that misleads is in the page")
        return wrong


def fetch(daemon, path, language="en", token="admin"):
    """-> status, headers, text; redirects are not followed."""
    headers = {"Accept": "text/html", "Accept-Language": language}
    if token:
        headers["Authorization"] = "Bearer " + daemon.token(token)

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None
    opener = urllib.request.build_opener(Stay)
    try:
        answer = opener.open(urllib.request.Request(daemon.url + path, headers=headers), timeout=30)
    except urllib.error.HTTPError as err:
        answer = err
    return answer.getcode(), answer.headers, answer.read().decode("utf-8")


def demo(daemon):
    """The recorded attack, as ./bootstrap run --demo has it."""
    import subprocess
    replay = subprocess.run([sys.executable, os.path.join(SOURCE, "packaging/demo/replay.py"), daemon.data], capture_output=True, check=True)
    status, answer = daemon.ingest(replay.stdout)
    assert status == 200, answer


def hostile(daemon):
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    alerts = [{"uuid": "00000000-0000-0000-0000-%012d" % i, "time": "%s.%09dZ" % (now, i), "rule": "Read " + EVIL, "priority": "Critical",
               "source": "syscall", "hostname": "node" + EVIL, "tags": ["mitre_execution", "T1059", EVIL], "output": EVIL,
               "output_fields": {"k8s.ns.name": "ns" + EVIL, "k8s.pod.name": "pod" + EVIL, "container.id": "0123456789ab",
                                 "proc.name": EVIL, "proc.cmdline": EVIL * 40, "proc.exepath": "/tmp/" + EVIL, "proc.pname": EVIL,
                                 "fd.name": "/etc/" + EVIL, "user.name": EVIL, "evt.type": "openat"}} for i in range(3)]
    status, answer = daemon.ingest("\n".join(map(json.dumps, alerts)).encode())
    assert status == 200, answer


def many(daemon, n=10000):
    """So many incidents of pods of their own."""
    base = int(time.time()) - 7200
    for start in range(0, n, 1000):
        lines = []
        for i in range(start, start + 1000):
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(base + i % 7000))
            lines.append(json.dumps({"time": "%s.%09dZ" % (at, i), "rule": "Rule %d" % (i % 300), "priority": ("Notice", "Warning", "Critical")[i % 3],
                                     "source": "syscall", "hostname": "node-%d" % (i % 40), "tags": ["mitre_execution"], "output": "x %d" % i,
                                     "output_fields": {"k8s.ns.name": "team-%d" % (i % 50), "k8s.pod.name": "app-%d-5d4f8c7b9-%05x" % (i % 700, i),
                                                       "container.id": "%012x" % (i + 1), "proc.name": "sh"}}))
        status, answer = daemon.ingest("\n".join(lines).encode())
        assert status == 200, answer


def incidents(daemon, query="limit=1000"):
    return json.loads(daemon.get("/api/v1/incidents?" + query)[1])["items"]


def check_structure(daemon, paths):
    for path in paths:
        for language in ("en", "zh-CN"):
            status, headers, text = fetch(daemon, path, language)
            page = Page(text)
            faults = page.faults() + ([] if status == 200 else ["status %d" % status])
            check("%s is whole in %s" % (path, language), not faults, faults[:6])


def check_languages(daemon):
    english, chinese = (Page(fetch(daemon, "/incidents", language)[2]) for language in ("en", "zh-CN"))
    check("the reader's language is the browser's", "Severity" in english.text and "严重" in chinese.text and
          ("html", "zh-CN") in [(t, a.get("lang")) for t, a in chinese.tags])
    title = json.loads(daemon.get("/api/v1/incidents/1")[1])["title"]
    heading = re.search("<h1>(.*?)</h1>", fetch(daemon, "/incidents/1", "zh-CN")[2]).group(1)
    check("titles are told in Chinese, and the API's stay", title == "Impact in shop/front" and heading.endswith("影响（shop/front）"), (title, heading))
    health = Page(fetch(daemon, "/health", "zh-CN")[2]).text
    check("so is how the store is", "存储正常" in health and "works" not in health, health[:300])
    refused = fetch(daemon, "/incidents?q=sev%3E%3D%3Dx", "zh-CN")[2]
    check("what went wrong begins in Chinese; the API's detail says that it is English", "请求无效" in refused and '<p class="detail" lang="en">' in refused, refused[:300])
    check("nothing of ours is left in English", not re.search(r"\b(Severity|Incidents|Acknowledge|Sign out|Store)\b", chinese.text), chinese.text[:300])


def check_headers(daemon):
    status, headers, _ = fetch(daemon, "/incidents")
    policy = headers.get("Content-Security-Policy", "")
    check("pages forbid what they do not need", status == 200 and "default-src 'none'" in policy and "unsafe" not in policy and
          "frame-ancestors 'none'" in policy and headers.get("X-Content-Type-Options") == "nosniff" and headers.get("Cache-Control") == "no-store",
          dict(headers))
    page = Page(fetch(daemon, "/sign-in", "zh-CN", token=None)[2])
    faults = [f for f in page.faults() if "search box" not in f]
    check("the sign-in page is whole", not faults and "登录" in page.text, faults)
    status, headers, _ = fetch(daemon, "/incidents/1", token=None)
    check("without a credential a page leads to the sign-in", status == 303 and headers["Location"].startswith("/sign-in"), (status, dict(headers)))


def check_links(daemon, paths):
    """Every link of ours on these pages leads to a page, or away on purpose."""
    seen, broken = set(), []
    for path in paths:
        for link in Page(fetch(daemon, path)[2]).links:
            target = link.split("#")[0]
            if target in seen or not target:
                continue
            seen.add(target)
            status = fetch(daemon, target)[0]
            if status not in (200, 303):
                broken.append((path, target, status))
    check("every link leads somewhere (%d)" % len(seen), not broken and len(seen) > 20, broken[:5])


def check_hostile(daemon):
    status, _, text = fetch(daemon, "/incidents?sort=risk")
    page = Page(text)
    check("what attackers wrote is shown as text", "<script>alert(1)</script>" in page.text and "⟨U+202E⟩" in page.text and "⟨U+001B⟩" in page.text)
    number = next(i["number"][4:] for i in incidents(daemon) if "ns" + EVIL[:8] in json.dumps(i, ensure_ascii=False))
    for part in ("", "/tactics", "/processes", "/entities", "/alerts", "/activity", "/similar"):
        status, _, text = fetch(daemon, "/incidents/%s%s" % (number, part))
        page = Page(text)
        faults = page.faults()
        scripts = [a for t, a in page.tags if t == "script" and not a.get("src", "").startswith("/assets/")]
        check("an attacker's incident%s is whole" % part, status == 200 and not faults and not scripts, (status, faults[:4], scripts[:2]))
    alert = json.loads(daemon.get("/api/v1/incidents/%s/alerts" % number)[1])["items"][0]["id"]
    status, _, text = fetch(daemon, "/alerts/" + alert)
    page = Page(text)
    check("so is an alert with its raw bytes", status == 200 and not page.faults() and "uuid" in page.text, page.faults()[:4])
    for query in ("?q=" + urllib.parse.quote('"><script>'), "?severity=%3Cb%3E", "?after=%22", "?sort=x", "?limit=0"):
        status, _, text = fetch(daemon, "/incidents" + query)
        faults = Page(text).faults()
        check("a bad query is a page that says so: %s" % query, status == 400 and not faults or status == 200 and not faults, (status, faults))


def check_refused_query(daemon):
    page = Page(fetch(daemon, "/incidents?q=sev%3E%3D%3Dx")[2])
    box = [a for t, a in page.tags if t == "input" and a.get("id") == "search"]
    check("a query that cannot be read stays in its box, and the page says why", box and box[0]["value"] == "sev>==x" and "severity" in page.text, page.text)


def check_errors(daemon):
    for path, wanted in (("/incidents/999999", 404), ("/incidents/x", 400), ("/incidents/1/nothing", 404), ("/alerts/" + "0" * 32, 404), ("/nothing/here", 404)):
        status, headers, text = fetch(daemon, path)
        check("%s is a page with status %d" % (path, wanted), status == wanted and headers["Content-Type"].startswith("text/html") and
              not Page(text).faults(), (status, Page(text).faults()))


def check_documents(daemon, number):
    """What the pages of one incident are made of."""
    def read(part, token="admin"):
        status, answer = daemon.get("/api/v1/incidents/%s%s" % (number, part), token)
        return json.loads(answer) if status == 200 else {"status": status}
    incident, rate, tree, graph, similar = (read(p) for p in ("", "/rate", "/processes", "/entities", "/similar"))
    counted = sum(sum(bins) for bins in rate["bins"])
    check("the rate has every alert once", counted == rate["counted"] == incident["alerts"] and not rate["partial"] and len(rate["bins"]) == 60, rate)
    ends = [sum(rate["bins"][0]), sum(rate["bins"][-1])]
    check("its first and last part are not empty", all(ends) and rate["from"] == incident["first_seen"] and rate["to"] == incident["last_seen"], ends)
    names = {node["id"]: node["name"] for node in tree["items"]}
    pairs = {(names.get(node.get("parent")), node["name"]) for node in tree["items"]}
    check("processes are a tree", all(node.get("parent", 0) < node["id"] for node in tree["items"]) and ("nginx", "sh") in pairs and
          ("sh", "curl") in pairs, pairs)
    check("each alert with a process is in it", sum(node.get("alerts", 0) for node in tree["items"]) == incident["alerts"], tree)
    kinds = {item["kind"] for item in graph["items"]}
    ids = {item["id"] for item in graph["items"]}
    check("entities and what belongs to what", {"workload", "pod", "node", "container", "image", "process", "file", "address"} <= kinds and
          graph["edges"] and all(edge["from"] in ids and edge["to"] in ids for edge in graph["edges"]), (kinds, graph["edges"][:3]))
    likes = {item["number"]: item for item in similar["items"]}
    check("its workload's other incident is like it, itself is not", any(i["same_workload"] for i in likes.values()) and
          incident["number"] not in likes, similar)
    rules = {rule["name"]: rule["tactics"] for rule in incident["rules"]}
    check("rules say which tactics they show", rules["Detect crypto miners using the Stratum protocol"] == ["TA0040"], rules)
    for act, body in (("resolve", {"verdict": "false-positive"}),):
        other = next(n for n, item in likes.items() if item["same_workload"])[4:]
        status, answer = daemon.request("POST", "/api/v1/incidents/%s/%s" % (other, act), json.dumps(body).encode(),
                                        headers={"Content-Type": "application/json"})
        assert status == 200, answer
    again = {item["number"][4:]: item for item in read("/similar")["items"]}
    check("and says what came of it, and who said so", again[other].get("verdict") == "false-positive" and again[other].get("resolved_by") == "token:admin", again[other])
    kinds = Page(fetch(daemon, "/alerts?sort=count")[2])
    rows = [link for link in kinds.links if "q=fingerprint%3A" in link]
    opened = Page(fetch(daemon, rows[0])[2]) if rows else None
    check("kinds of alerts open to their alerts", len(rows) > 5 and opened and
          any(a.get("id", "").startswith("alert-") for t, a in opened.tags if t == "tr"), len(rows))
    check("the page says it, too", "false positive" in Page(fetch(daemon, "/incidents/" + number)[2]).text)


def check_groups(daemon):
    """A list counted by a field: each value leads to as many rows as it counts."""
    def rows(path, kind):
        text = fetch(daemon, path)[2]
        return re.findall(r'<tr id="%s-.*?</tr>' % kind, text, re.S)

    for path, kind in (("/incidents?group=workload", "incident"), ("/incidents?group=severity&q=" + urllib.parse.quote("ns:shop OR risk>90"), "incident"),
                       ("/incidents?group=tactic", "incident"), ("/alerts?group=rule", "alert"), ("/alerts?group=namespace&q=" + urllib.parse.quote("sev>=low"), "alert")):
        groups, wrong = rows(path, "group"), []
        for row in groups:
            link = re.search('href="([^"]+)"', row).group(1).replace("&amp;", "&")
            count = int(re.search('<td class="number">([0-9]+)</td>', row).group(1))
            found = len(rows(link + "&limit=1000", kind))
            if found != min(count, 1000):
                wrong.append((link, count, found))
        check("%s: each value leads to what it counts" % path, len(groups) > 1 and not wrong, (len(groups), wrong[:3]))


def check_entities(daemon, number, entity):
    """From an incident to what it happened to, and back."""
    links = Page(fetch(daemon, "/incidents/" + number)[2]).links + Page(fetch(daemon, "/incidents/%s/entities" % number)[2]).links
    kinds = {link.split("/")[2] for link in links if link.startswith("/entities/")}
    check("an incident leads to what it happened to", {"pod", "workload", "container", "node", "image"} <= kinds, kinds)
    for kind in sorted(kinds):
        link = next(one for one in links if one.startswith("/entities/%s/" % kind))
        page = Page(fetch(daemon, link)[2])
        known = json.loads(daemon.get("/api/v1" + link)[1])
        check("the page of a %s has its incidents, its rules, and how many alerts" % kind, "/incidents/" + number in page.links and
              all(rule["rule"] in page.text for rule in known["rules"]) and "%d alerts" % known["alerts"] in page.text, (link, page.text[:300]))
        single = next(one for one in page.links if one.startswith("/alerts?view=single&q="))
        found = Page(fetch(daemon, single + "&limit=1000")[2])
        n = sum(1 for t, a in found.tags if t == "tr" and a.get("id", "").startswith("alert-"))
        check("its alerts are a link away", 0 < n and (n == known["alerts"] or kind == "image"), (single, n, known["alerts"]))
    check("nothing is known of what never was", fetch(daemon, "/entities/pod/no%2Fpod")[0] == 404 and fetch(daemon, "/entities/dog/rex")[0] == 404)


def check_lineage(daemon):
    """Whose child a process is: by pids where sensors say them, though another of the name came later."""
    now = int(time.time()) - 30

    def alert(second, name, pid, parent, ppid):
        at = "%s.%09dZ" % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now + second)), second)
        return json.dumps({"time": at, "rule": "Run " + name, "priority": "Warning", "source": "syscall", "hostname": "n1", "tags": [], "output": name,
                           "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "lineage-1", "container.id": "0f0f0f0f0f0f", "proc.name": name,
                                             "proc.cmdline": "%s %d" % (name, second), "proc.pid": pid, "proc.pname": parent, "proc.ppid": ppid}})
    sent = [alert(1, "curl", 12, "sh", 11), alert(2, "sh", 11, "runc", 10), alert(3, "sh", 21, "nginx", 20), alert(4, "cat", 13, "sh", 11),
            alert(5, "id", 22, "sh", 21), alert(6, "ls", 31, "sh", 30)]
    status, answer = daemon.ingest("\n".join(sent).encode())
    assert status == 200, answer
    number = incidents(daemon, "pod=lineage-1")[0]["number"][4:]
    nodes = json.loads(daemon.get("/api/v1/incidents/%s/processes" % number)[1])["items"]
    pids = {node["id"]: node.get("pid") for node in nodes}
    tree = {(node["name"], node.get("pid")): pids.get(node.get("parent")) for node in nodes}
    check("processes are children of the pid that they name, not of the last of that name", tree == {
        ("sh", 11): None, ("curl", 12): 11, ("nginx", 20): None, ("sh", 21): 20, ("cat", 13): 11, ("id", 22): 21, ("sh", 30): None, ("ls", 31): 30}, tree)
    text = fetch(daemon, "/incidents/%s/processes" % number)[2]
    check("and the page nests them", re.search(r'<span class="id">11</span>.*?<ul><li><b>curl.*?<li><b>cat', text) is not None, text[-3000:])


def check_missing_for_programs(daemon):
    status, answer = daemon.get("/nothing/here")
    check("programs get problem+json where nothing is", status == 404 and json.loads(answer)["status"] == 404, answer[:200])


def check_preferences(daemon):
    body = urllib.parse.urlencode({"theme": "dark", "language": "zh-CN", "zone": "local", "next": "/incidents?q=a%20b"}).encode()

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None
    opener = urllib.request.build_opener(Stay)
    for sent, wanted in ((body, "/incidents?q=a%20b"), (b"theme=dark&next=//evil.example/", "/"), (b"next=/%5Cevil.example", "/"),
                         (b"next=/a%0d%0aSet-Cookie:x=y", "/")):
        try:
            answer = opener.open(urllib.request.Request(daemon.url + "/preferences", data=sent), timeout=10)
        except urllib.error.HTTPError as err:
            answer = err
        check("preferences lead back to %s" % wanted, answer.getcode() == 303 and answer.headers["Location"] == wanted and
              "x" not in [c.split("=")[0] for c in answer.headers.get_all("Set-Cookie") or []], (answer.getcode(), dict(answer.headers)))
    request = urllib.request.Request(daemon.url + "/incidents", headers={
        "Authorization": "Bearer " + daemon.token("admin"), "Cookie": "tocsin_theme=dark; tocsin_language=zh-CN; tocsin_zone=local; tocsin_offset=480"})
    text = urllib.request.urlopen(request, timeout=10).read().decode()
    check("and are remembered", 'data-theme="dark"' in text and 'lang="zh-CN"' in text and 'data-zone="local"' in text and "UTC+08:00" in text)


def check_sizes(daemon):
    number = incidents(daemon, "sort=risk&limit=1")[0]["number"][4:]
    for path in ("/", "/incidents", "/incidents?sort=risk&severity=high", "/incidents/" + number):
        for language in ("en", "zh-CN"):
            size = len(fetch(daemon, path, language)[2].encode())
            check("%s has %.1f kB of HTML in %s" % (path, size / 1024, language), size <= HTML_BYTES, size)
    size = len(fetch(daemon, "/incidents?sort=risk&limit=50")[2].encode())
    check("fifty rows are %.1f kB" % (size / 1024), size <= 1.5 * HTML_BYTES, size)


def check_times(daemon):
    n = json.loads(daemon.get("/api/v1/status")[1])["incidents"]
    check("there are over ten thousand incidents", n > 10000, n)
    number = incidents(daemon, "sort=risk&limit=1")[0]["number"][4:]
    for path, limit in (("/incidents", LIST_MS), ("/incidents?sort=risk&q=state%3Aopen%20sev%3E%3Dhigh", LIST_MS), ("/", 2 * LIST_MS),
                        ("/incidents/" + number, INCIDENT_MS), ("/health", LIST_MS), ("/alerts", LIST_MS), ("/alerts?sort=count", LIST_MS)):
        times = []
        for _ in range(5):
            began = time.monotonic()
            status = fetch(daemon, path)[0]
            times.append((time.monotonic() - began) * 1000)
        best = min(times)
        check("%s takes %.0f ms with %d incidents" % (path, best, n), status == 200 and best < limit, times)


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data"))
        daemon.start()
        try:
            demo(daemon)
            wait_for(lambda: len(incidents(daemon)) >= 8, 60, "the attack's incidents are there")
            worst = max(incidents(daemon), key=lambda i: i["risk"])["number"][4:]
            alert = json.loads(daemon.get("/api/v1/incidents/%s/alerts" % worst)[1])["items"][0]["id"]
            first = json.loads(daemon.get("/api/v1/incidents/" + worst)[1])["entity"]
            entity = urllib.parse.quote("%s/%s" % (first["namespace"], first["pod"]), safe="")
            parts = ["/incidents/%s%s" % (worst, p) for p in ("", "/tactics", "/processes", "/entities", "/alerts", "/activity", "/similar")]
            status, made = daemon.request("POST", "/api/v1/suppressions", json.dumps({
                "matchers": ['namespace="nowhere"'], "reason": "A test", "for": "1h"}).encode(), headers={"Content-Type": "application/json"})
            assert status == 200, made
            paths = ["/", "/incidents", "/alerts", "/alerts?sort=count&q=sev%3E%3Dlow", "/alerts?view=single", "/incidents?group=severity", "/alerts?group=rule", "/suppressions", "/suppressions/" + json.loads(made)["id"], "/health", "/admin",
                     "/alerts/" + alert, "/entities/pod/" + entity, "/entities/node/vm"] + parts
            check_structure(daemon, paths)
            check_languages(daemon)
            check_headers(daemon)
            check_links(daemon, paths)
            check_errors(daemon)
            check_refused_query(daemon)
            check_missing_for_programs(daemon)
            check_documents(daemon, worst)
            check_groups(daemon)
            check_entities(daemon, worst, first)
            check_lineage(daemon)
            check_preferences(daemon)
            hostile(daemon)
            wait_for(lambda: len(incidents(daemon)) >= 9, 60, "the attacker's incident is there")
            check_hostile(daemon)
            many(daemon)
            wait_for(lambda: json.loads(daemon.get("/api/v1/status")[1])["incidents"] > 10000, 120, "ten thousand incidents")
            check_times(daemon)
            check_sizes(daemon)
        finally:
            daemon.kill()
    sys.exit(finish())


main()
