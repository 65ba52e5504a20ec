#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The alert rules that clusters already have (packaging/monitoring/rules.yml), against metrics of a real tocsind, judged by promtool.

Alerts go in between scrapes; a scrape is 15 s of Prometheus' time and none of ours. Each rule must fire when it should, with its
first alert too, and must not when it should not.
"""
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]
from checks import check, finish  # noqa: E402
from daemon import SOURCE, Daemon, wait_for  # noqa: E402
from falco_times import days_to_today, event_ns, moved  # noqa: E402
from prometheus import Scraper, promtool_test, read_rules  # noqa: E402

RULES = os.path.join(SOURCE, "packaging/monitoring/rules.yml")
# As the clusters have them. What tocsin exposes fits these, not the other way round.
EXPRESSIONS = {
    "FalcoCriticalAlert": 'sum(rate(falco_events_total{priority="Critical"}[5m])) > 0',
    "KubeArmorPolicyViolation": 'sum(rate(kubearmor_alerts_total{action="Block"}[5m])) > 0',
    "ContainerEscapeAttempt": 'sum(rate(container_runtime_operations_total{operation="exec",container_state="running"}[5m])) > 10',
    "AbnormalSyscallActivity": "sum(rate(security_syscalls_total[5m])) by (syscall) > 1000",
    "ContainerPrivilegeEscalation": "container_privilege_escalation > 0",
}
FAMILIES = ("falco_events_total", "kubearmor_alerts_total", "container_runtime_operations_total", "security_syscalls_total",
            "container_privilege_escalation")
CONTAINER = "5b1c2d3e4f60" + "0" * 52
PODS_MAX = 2000  # store/incident_counts.h
CACHE_S = 10     # console/incident_metrics.h
daemons, rules = [], read_rules(RULES)


def falco_bodies():
    """What a real Falco sent, moved to today."""
    with open(os.path.join(SOURCE, "tests/corpus/falco-live/default-rules.jsonl")) as f:
        alerts = [json.loads(line) for line in f]
    shift = days_to_today(max(map(event_ns, alerts)))
    return [moved(alert, event_ns(alert) + shift) for alert in alerts]


def send(daemon, bodies, source="falco"):
    status, answer = daemon.ingest("\n".join(map(json.dumps, bodies)).encode(), source)
    assert status == 200 and json.loads(answer)["accepted"] == len(bodies), (status, answer)


class Maker:
    """Events of other sensors, no two the same."""

    def __init__(self):
        self.n, self.begin = 0, datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=30)

    def tetragon(self, kind, binary, **more):
        self.n += 1
        process = {"exec_id": "e%d" % self.n, "pid": 41, "binary": binary, "arguments": "", "docker": CONTAINER[:31], "in_init_tree": False,
                   "pod": {"namespace": "shop", "name": "web-755f25fcf-799fh", "container": {"id": "containerd://" + CONTAINER, "name": "web"}}}
        stamp = (self.begin + datetime.timedelta(microseconds=self.n)).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        event = {kind: dict({"process": process, "parent": {"binary": "/usr/bin/containerd-shim-runc-v2"}}, **more.pop("members", {}))}
        return dict(event, node_name="node-1", time=stamp, **more)

    def execs(self, n):
        """Into a running container, from outside it."""
        return [self.tetragon("process_exec", "/bin/sh") for _ in range(n)]

    def syscalls(self, n):
        """One record of @n calls: the sensor's own aggregation."""
        return [self.tetragon("process_kprobe", "/usr/bin/nsenter", aggregation_info={"count": str(n)},
                              members={"function_name": "__x64_sys_setns", "policy_name": "escape"})]

    def kubearmor(self, action, result):
        self.n += 1
        stamp = self.begin + datetime.timedelta(seconds=self.n)
        return {"Timestamp": int(stamp.timestamp()), "UpdatedTime": stamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "HostName": "node-1",
                "NamespaceName": "shop", "PodName": "web-755f25fcf-799fh", "ContainerID": CONTAINER, "ProcessName": "/bin/cat", "HostPID": self.n,
                "PolicyName": "block-shadow", "Severity": "8", "Type": "MatchedPolicy", "Source": "/bin/cat /etc/shadow", "Operation": "File",
                "Resource": "/etc/shadow", "Data": "syscall=SYS_OPENAT", "Enforcer": "BPFLSM", "Action": action, "Result": result}


def fires(alert, **labels):
    """What promtool expects of a rule that fires once."""
    summary = rules[alert]["summary"]
    for name, value in labels.items():
        summary = summary.replace("{{ $labels.%s }}" % name, value)
    return [(dict(labels, severity=rules[alert]["severity"]), {"summary": summary})]


def judge(what, series, expectations):
    good, told = promtool_test(RULES, series, expectations)
    check(what, good, told)


def silent(alert, scraper, what, series=None):
    """Over all of its time."""
    judge("%s: %s" % (alert, what), series or scraper.series, [(at, alert, []) for at in range(0, scraper.seconds() + 1, Scraper.INTERVAL_S)])


def new_daemon(folder):
    daemon = Daemon(os.path.join(folder, "data-%d" % len(daemons)))
    daemons.append(daemon)
    return daemon.start()


def first_alert(folder, alert, source, quiet, loud):
    """One alert that was never there before fires the rule for minutes; the same without its first 0 would not."""
    daemon = new_daemon(folder)
    scraper = Scraper(daemon, FAMILIES)
    scraper.scrape(4)
    send(daemon, quiet, source)
    scraper.scrape(26)
    silent(alert, scraper, "others do not fire it")
    send(daemon, loud, source)
    before, scraped = set(scraper.series), scraper.scrape()
    born = scraper.seconds()
    new = {name: scraped[name] for name in set(scraped) - before if name.startswith(FAMILIES[:2])}
    check("%s: its series begins with 0" % alert, list(new.values()) == ["0"], new)
    scraper.scrape(30)
    seen = born + Scraper.INTERVAL_S
    judge("%s: the first alert fires it after its minute, and it ends" % alert, scraper.series,
          [(born, alert, []), (seen + 45, alert, []), (seen + 60, alert, fires(alert)), (seen + 240, alert, fires(alert)),
           (scraper.seconds(), alert, [])])
    silent(alert, scraper, "born with its value it would not fire", scraper.without_first_zero())
    check("%s: its daemon ends with 0" % alert, daemon.stop() == 0)


def falco_critical(folder):
    bodies = falco_bodies()
    first_alert(folder, "FalcoCriticalAlert", "falco", [b for b in bodies if b["priority"] != "Critical"],
                [b for b in bodies if b["priority"] == "Critical"][:1])


def kubearmor_block(folder):
    make = Maker()
    first_alert(folder, "KubeArmorPolicyViolation", "kubearmor", [make.kubearmor("Audit", "Passed")],
                [make.kubearmor("Block", "Permission denied")])


def rate(folder, alert, source, per_scrape, fired, **labels):
    """per_scrape(share): what comes between two scrapes, as a share of what the rule takes for too much; for @fired seconds."""
    for share, loud in ((0.6, False), (1.4, True)):
        daemon = new_daemon(folder)
        scraper = Scraper(daemon, FAMILIES)
        scraper.scrape(2)
        for _ in range(fired // Scraper.INTERVAL_S):
            send(daemon, per_scrape(share), source)
            scraper.scrape()
        if loud:
            judge("%s: too much for too long fires it, not sooner" % alert, scraper.series,
                  [(fired // 2, alert, []), (scraper.seconds(), alert, fires(alert, **labels))])
            scraper.scrape(25)
            judge("%s: silence ends it" % alert, scraper.series, [(scraper.seconds(), alert, [])])
        else:
            silent(alert, scraper, "what is usual does not fire it")
        check("%s: its daemon ends with 0" % alert, daemon.stop() == 0)


def privilege_escalation(folder):
    alert, daemon = "ContainerPrivilegeEscalation", new_daemon(folder)
    scraper, began = Scraper(daemon, FAMILIES), time.monotonic()
    scraper.scrape(2)
    bodies = falco_bodies()
    tagged = [b for b in bodies if "mitre_privilege_escalation" in b["tags"] and b["output_fields"].get("k8s.pod.name")]
    pod = {k: tagged[0]["output_fields"]["k8s." + k + ".name"] for k in ("ns", "pod")}
    series = 'container_privilege_escalation{namespace="%s",pod="%s"}' % (pod["ns"], pod["pod"])
    calm = [b for b in bodies if "mitre_privilege_escalation" not in b["tags"]]
    send(daemon, calm)
    wait_for(lambda: 'tocsin_incidents{state="new",severity="critical"} 0' not in daemon.get("/metrics")[1].decode(), 60, "incidents are counted anew")
    check("%s: the count is made anew after %d s, not sooner" % (alert, CACHE_S), time.monotonic() - began >= CACHE_S)
    scraper.scrape(10)
    silent(alert, scraper, "incidents without that tactic do not fire it")
    send(daemon, tagged[:1])
    wait_for(lambda: series in scraper.read(), 60, "the pod is shown")
    scraper.scrape()
    began = scraper.seconds()
    scraper.scrape(10)
    shown = fires(alert, namespace=pod["ns"], pod=pod["pod"])
    judge("%s: an open incident of the pod fires it" % alert, scraper.series,
          [(began + 45, alert, []), (began + 60, alert, shown), (scraper.seconds(), alert, shown)])
    listed = json.loads(daemon.get("/api/v1/incidents?limit=1000")[1])["items"]
    mine = [i for i in listed if i["entity"].get("pod") == pod["pod"]]
    decided = daemon.request("POST", "/api/v1/incidents/%s/resolve" % mine[0]["number"], b'{"verdict":"true-positive"}')
    check("its incident is resolved", len(mine) == 1 and decided[0] == 200, (mine, decided))
    wait_for(lambda: series not in scraper.read(), 60, "the pod is shown no more")
    scraper.scrape(3)
    judge("%s: resolved, it does not" % alert, scraper.series, [(scraper.seconds(), alert, [])])
    text, severity = daemon.get("/metrics")[1].decode(), mine[0]["severity"]
    open_ones = sum(i["severity"] == severity for i in listed) - 1
    check("resolved incidents are counted as such", 'tocsin_incidents{state="resolved",severity="%s"} 1\n' % severity in text
          and 'tocsin_incidents{state="new",severity="%s"} %d\n' % (severity, open_ones) in text, text)
    check("%s: its daemon ends with 0" % alert, daemon.stop() == 0)


def many_pods(folder):
    """The rest beyond the limit is not shown, and that is said."""
    base = next(b for b in falco_bodies() if "mitre_privilege_escalation" in b["tags"] and b["output_fields"].get("k8s.pod.name"))
    for n, hidden in ((PODS_MAX, 0), (PODS_MAX + 1, 1)):
        daemon, bodies = new_daemon(folder), []
        for i in range(n):
            body = moved(json.loads(json.dumps(base)), event_ns(base) + i)
            body["output_fields"].update({"container.id": "%012x" % (0xa00000000000 + i), "k8s.pod.name": 'pod-%04d"\n' % i})
            bodies.append(body)
        send(daemon, bodies)
        text = daemon.get("/metrics")[1].decode()
        shown = text.count("\ncontainer_privilege_escalation{")
        check("%d pods: %d hidden" % (n, hidden),
              shown == PODS_MAX and "\ntocsin_privilege_escalation_pods_hidden %d\n" % hidden in text, (shown, text[-200:]))
        check("names are escaped", '{namespace="%s",pod="pod-0100\\"\\n"} 1' % base["output_fields"]["k8s.ns.name"] in text, text[-300:])
        check("the daemon of many pods ends with 0", daemon.stop() == 0)


def audit_exec(folder):
    """Falco's k8saudit plugin tells of an exec through the API server: counted; attaching is no exec."""
    daemon = new_daemon(folder)
    scraper = Scraper(daemon, FAMILIES)
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    for i, part in enumerate(("attach", "exec", "portforward", "attach")):
        send(daemon, [{"rule": "Attach/Exec Pod", "priority": "Notice", "source": "k8s_audit", "hostname": "falco-0", "tags": ["k8s"],
                       "time": stamp + "00%dZ" % i, "output": "Attach/Exec to pod (user=admin pod=web-0 action=%s)" % part,
                       "output_fields": {"ka.user.name": "admin", "ka.target.name": "web-0", "ka.target.resource": "pods",
                                         "ka.target.namespace": "shop", "ka.target.subresource": part, "evt.type": "pluginevent"}}])
    scraper.scrape()
    found = scraper.scrape()
    counted = {k: v for k, v in found.items() if not k.startswith("falco_events")}
    check("an exec that the audit log tells of is counted, and no system call",
          counted == {'container_runtime_operations_total{operation="exec",container_state="running"}': "1"}, counted)
    check("the daemon of the audit log ends with 0", daemon.stop() == 0)


def manual(folder):
    """docs/metrics.md has what is exposed, and nothing else (that it has it right is a matter of lint). The agent's are its own."""
    daemon = new_daemon(folder)
    exposed = set(re.findall(r"^# TYPE (\S+)", daemon.get("/metrics")[1].decode(), re.M))
    with open(os.path.join(SOURCE, "docs/metrics.md")) as f:
        told = {name for name in re.findall(r"^\| `(\w+)", f.read(), re.M) if not name.startswith("tocsin_agent_")}
    check("the manual tells of each family", exposed == told, exposed ^ told)
    check("the manual's daemon ends with 0", daemon.stop() == 0)


def main():
    make = Maker()
    check("the rules' expressions are the clusters'", {k: v["expr"] for k, v in rules.items()} == EXPRESSIONS, rules)
    checked = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True)
    check("promtool takes the rules", checked.returncode == 0 and "5 rules found" in checked.stdout, checked.stdout + checked.stderr)
    with tempfile.TemporaryDirectory() as folder:
        try:
            falco_critical(folder)
            kubearmor_block(folder)
            rate(folder, "ContainerEscapeAttempt", "tetragon", lambda share: make.execs(int(share * 10 * Scraper.INTERVAL_S)), 720)
            rate(folder, "AbnormalSyscallActivity", "tetragon", lambda share: make.syscalls(int(share * 1000 * Scraper.INTERVAL_S)), 1020,
                 syscall="setns")
            privilege_escalation(folder)
            many_pods(folder)
            audit_exec(folder)
            manual(folder)
        finally:
            for daemon in daemons:
                daemon.kill()
    return finish()


sys.exit(main())
