#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""KubeArmor's alerts through a real tocsind: both dialects, alerts, incidents, the counter that clusters' rules read."""
import json
import os
import re
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import kubearmor_roads  # noqa: E402
from checks import check, finish, results  # noqa: E402
from daemon import SOURCE, Daemon  # noqa: E402

OWN = os.path.join(SOURCE, "tests/corpus/own/kubearmor.jsonl")
BEGAN = int(time.time()) - 600  # of late, and within one slot or two


def event(number, **more):
    """The @number-th second of one pod's story."""
    out = {"Timestamp": BEGAN + number, "UpdatedTime": time.strftime("%Y-%m-%dT%H:%M:%S.429697Z", time.gmtime(BEGAN + number)),
           "ClusterName": "elsewhere", "HostName": "n1", "NamespaceName": "shop", "Owner": {"Ref": "Deployment", "Name": "web", "Namespace": "shop"},
           "PodName": "web-755f25fcf-799fh", "ContainerID": "ab" * 32, "ContainerName": "web", "ContainerImage": "nginx:1.27@sha256:" + "00" * 32,
           "ParentProcessName": "/bin/sh", "ProcessName": "/bin/cat", "HostPID": 4700 + number, "PPID": 1, "PID": 20 + number, "UID": 33,
           "PolicyName": "block-shadow", "Severity": "8", "ATags": ["MITRE", "MITRE_TA0006_credential_access"], "Tags": "MITRE,MITRE_TA0006_credential_access",
           "Message": "The password file was read", "Type": "MatchedPolicy", "Source": "/bin/cat /etc/shadow", "Operation": "File",
           "Resource": "/etc/shadow", "Data": "syscall=SYS_OPENAT fd=-100", "Enforcer": "BPFLSM", "Action": "Block", "Result": "Permission denied",
           "ExecEvent": {}}
    out.update(more)
    return {key: value for key, value in out.items() if value is not None}


STORY = [
    event(1),
    event(2, PolicyName="audit-exec", Severity="5", Operation="Process", ProcessName="/usr/bin/curl", Source="/bin/sh", Resource="/usr/bin/curl x",
          Data="syscall=SYS_EXECVE", Action="Audit", Result="Passed", Message=None),
    event(3, PolicyName="DefaultPosture", Severity=None, ATags=None, Tags=None, Message=None),
    event(4, Type="ContainerLog", PolicyName=None, Severity=None, ATags=None, Tags=None, Message=None, Action=None, Result="Passed"),
    event(5, PolicyName="DefaultPosture", Severity=None, ATags=None, Tags=None, NamespaceName="bank", PodName="calm-0", ContainerID="cd" * 32, Owner=None),
]


def lines(events):
    return b"\n".join(json.dumps(e).encode() for e in events)


def answered(daemon, body, source="kubearmor"):
    status, answer = daemon.ingest(body, source)
    return status, json.loads(answer) if status == 200 else answer


def counters(daemon):
    text = daemon.get("/metrics")[1].decode()
    found = re.findall(r'^kubearmor_alerts_total\{action="([^"]*)",operation="([^"]*)"\} (\d+)$', text, re.M)
    return {(action, operation): int(value) for action, operation, value in found}


def roads(daemon):
    n = len(STORY)
    check("NDJSON is accepted", answered(daemon, lines(STORY)) == (200, {"accepted": n, "duplicate": 0, "quarantined": 0}))
    wanted = (200, {"accepted": 0, "duplicate": n, "quarantined": 0})
    for what, body in (("as an array", json.dumps(STORY).encode()), ("by the agent's file", b"\n".join(map(kubearmor_roads.agent_file, STORY))),
                       ("by sidekick", b"\n".join(map(kubearmor_roads.sidekick, STORY))), ("by an export", b"\n".join(map(kubearmor_roads.export, STORY)))):
        got = answered(daemon, body)
        check("the same %s is known" % what, got == wanted, got)
    status, _ = daemon.request("POST", "/ingest/kubearmor/" + daemon.token("ingest"), lines(STORY[:1]), token=None)
    check("the token may stand in the path", status == 200, status)
    check("no token is 401", daemon.request("POST", "/ingest/kubearmor", lines(STORY), token=None)[0] == 401)


def alerts(daemon):
    items = json.loads(daemon.get("/api/v1/alerts?limit=100")[1])["items"]
    by_time = sorted(items, key=lambda item: item["time"])
    check("each is shown once", len(items) == len(STORY), items)
    first = by_time[0]
    seen = {key: first.get(key) for key in ("sensor", "source", "cluster", "node", "pod", "container_id", "severity", "action", "flags", "operation", "tactics")}
    check("with its place, severity and action", seen == {
        "sensor": "kubearmor", "source": "kubearmor", "cluster": "default", "node": "n1", "pod": "web-755f25fcf-799fh", "container_id": "ab" * 6,
        "severity": "high", "action": "blocked", "flags": ["prevented"], "operation": "File", "tactics": ["TA0006"]}, seen)
    check("posture and log are context", [("context" in item.get("flags", [])) for item in by_time] == [False, False, True, True, True], by_time)
    raw = daemon.get("/api/v1/alerts/%s/raw" % first["id"])[1]
    check("the bytes are as they came first", raw == lines(STORY[:1]), raw)


def incidents(daemon):
    items = json.loads(daemon.get("/api/v1/incidents")[1])["items"]
    check("one pod is one incident, context alone founds none", len(items) == 1, items)
    incident = json.loads(daemon.get("/api/v1/incidents/%s" % items[0]["number"])[1])
    check("it is the pod's", incident["entity"]["pod"] == "web-755f25fcf-799fh" and incident["severity"] == "high", incident)
    check("it has all four of the pod", incident["alerts"] == 4, incident["alerts"])


def metrics(daemon):
    first, second = counters(daemon), counters(daemon)
    check("a new series is exposed as 0 first", first == {("Block", "File"): 0, ("Audit", "Process"): 0}, first)
    seen = re.findall(r'^security_syscalls_total\{syscall="openat",action="([a-z]*)"\} (\d+)$', daemon.get("/metrics")[1].decode(), re.M)
    check("system calls are counted by what became of them, logs too", sorted(seen) == [("blocked", "3"), ("observed", "1")], seen)
    check("then with its value; logs and duplicates do not count", second == {("Block", "File"): 3, ("Audit", "Process"): 1}, second)


def odd(daemon):
    with open(OWN, "rb") as file:
        body = file.read()
    status, answer = answered(daemon, body)
    check("everything odd is accepted or in quarantine", status == 200 and sum(answer.values()) == len(body.splitlines()), answer)
    check("what is no alert is in quarantine", status == 200 and answer["quarantined"] == 7, answer)
    check("what is no JSON at all is 400", answered(daemon, b"nonsense")[0] == 400)
    check("another product's event is in quarantine", answered(daemon, b'{"rule":"r","priority":"Notice"}')[1].get("quarantined") == 1)


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            roads(daemon)
            metrics(daemon)
            alerts(daemon)
            incidents(daemon)
            odd(daemon)
            check("it ends with 0", daemon.stop() == 0)
            code, report = daemon.cli("ledger", "verify")
            check("the ledger verifies", code == 0, report)
        finally:
            daemon.kill()
            if not all(results):
                print("# " + open(os.path.join(folder, "tocsind.log"), errors="replace").read()[-3000:].replace("\n", "\n# "))
    return finish()


sys.exit(main())
