#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tetragon's export lines sent to a real tocsind: what becomes an alert, an incident, a number."""
import datetime
import json
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish, results  # noqa: E402
from daemon import SOURCE, Daemon, wait_for  # noqa: E402

CONTAINER = "f3a1c0de9b8e7d6c5b4a39281706f5e4d3c2b1a0998877665544332211ffeedd"
BEGAN = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=10)


def at(second, ns=0):
    return (BEGAN + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.") + "%09dZ" % ns


def process(binary, arguments="", pod="checkout-7d9c6b5f48-x2k9p", exec_id="a", **more):
    made = {"exec_id": exec_id, "pid": 41, "uid": 0, "binary": binary, "arguments": arguments, "tid": 41, **more}
    if pod:
        made["docker"] = CONTAINER[:31]
        made["pod"] = {"namespace": "shop", "name": pod, "workload": "checkout", "workload_kind": "Deployment",
                       "container": {"id": "containerd://" + CONTAINER, "name": "checkout"}}
    return made


def event(kind, second, ran, **members):
    return {kind: {"process": ran, "parent": {"binary": "/usr/bin/containerd-shim-runc-v2"}, **members},
            "node_name": "node-1", "time": at(second, 1), "cluster_name": "elsewhere"}


EXEC = event("process_exec", 1, process("/usr/bin/curl", "-s http://10.0.0.9/x"))
SHELL = event("process_exec", 2, process("/bin/sh", exec_id="b", in_init_tree=False))
SETNS = event("process_kprobe", 3, process("/usr/bin/nsenter", "-t 1", exec_id="c"), function_name="__x64_sys_setns",
              policy_name="escape", message="enters the host's namespace", tags=["attack.t1611", "TA0004"],
              action="KPROBE_ACTION_SIGKILL")
QUIET = event("process_kprobe", 4, process("/usr/bin/ls", pod="quiet-0", exec_id="d"), function_name="security_file_permission",
              policy_name="file-monitoring", tags=["observability.filesystem"], action="KPROBE_ACTION_POST")


def post(daemon, body, path="tetragon"):
    """-> accepted, duplicate, quarantined"""
    status, answer = daemon.ingest(body if isinstance(body, bytes) else json.dumps(body).encode(), path)
    if status != 200:
        return status, answer
    counts = json.loads(answer)
    return counts["accepted"], counts["duplicate"], counts["quarantined"]


def items(daemon, what):
    return json.loads(daemon.get("/api/v1/%s" % what)[1])["items"]


def context(daemon):
    check("telemetry is taken", post(daemon, EXEC) == (1, 0, 0) and post(daemon, [QUIET]) == (1, 0, 0))
    check("telemetry founds no incident", items(daemon, "incidents") == [], items(daemon, "incidents"))
    alerts = items(daemon, "alerts")
    check("it is kept as context", [a["flags"] for a in alerts] == [["context"]] * 2, alerts)
    check("a cluster in the payload is not believed", {a["cluster"] for a in alerts} == {"default"})
    check("a container id of 31 characters is shortened", {a["container_id"] for a in alerts} == {CONTAINER[:12]})


def incident(daemon):
    lines = "\r\n".join(json.dumps(e) for e in (SHELL, SETNS)).encode()
    status, body = daemon.request("POST", "/ingest/tetragon/" + daemon.token("ingest"), lines, token=None)
    check("a token in the path does as well", status == 200 and json.loads(body)["accepted"] == 2, body)
    found = items(daemon, "incidents")
    check("one pod is one incident", len(found) == 1 and found[0]["entity"]["pod"].startswith("checkout-"), found)
    one = found[0]
    check("its severity is that of what was enforced", one["severity"] == "high", one)
    check("its tactics are the tag's and the inferred one", [t["id"] for t in one["tactics"]] == ["TA0002", "TA0004"], one["tactics"])
    members = items(daemon, "incidents/%s/alerts" % one["number"])
    check("its context is in it", {a["rule"] for a in members} >= {"process_exec", "escape"}, [a["rule"] for a in members])
    killed = [a for a in items(daemon, "alerts") if a["rule"] == "escape"][0]
    check("a kill is prevention", killed["action"] == "killed" and killed["flags"] == ["prevented"], killed)
    check("who ran is known", killed["process"]["exec_id"] == "c" and killed["process"]["exe"] == "/usr/bin/nsenter", killed)
    check("the workload is Tetragon's word", killed["workload"] == {"kind": "Deployment", "name": "checkout", "inferred": False}, killed)
    raw = daemon.get("/api/v1/alerts/%s/raw" % killed["id"])[1]
    check("the raw bytes are verbatim", raw == json.dumps(SETNS).encode(), raw)


def same_by_another_road(daemon):
    anew = json.dumps(dict(reversed(list(SETNS.items()))), sort_keys=True, indent=1).encode()
    check("written anew it is a duplicate", post(daemon, anew) == (0, 1, 0))
    falco = {"rule": "Terminal shell in container", "priority": "Notice", "source": "syscall", "time": at(5, 1), "output": "shell",
             "hostname": "node-1", "output_fields": {"container.id": CONTAINER[:12], "k8s.ns.name": "shop",
                                                    "k8s.pod.name": "checkout-7d9c6b5f48-x2k9p"}}
    check("Falco's alert of that pod is taken", post(daemon, falco, "falco") == (1, 0, 0))
    found = items(daemon, "incidents")
    check("both sensors see one incident", len(found) == 1 and sorted(found[0]["sensors"]) == ["falco", "tetragon"], found)


def metrics(daemon):
    wanted = ['security_syscalls_total{syscall="setns",action="killed"}',
              'container_runtime_operations_total{operation="exec",container_state="running"}']
    for what, value in (("a new series is 0 at first", "0"), ("then it has its value", "1")):
        text = daemon.get("/metrics")[1].decode()
        values = [re.findall("^" + re.escape(name) + r" (\d+)$", text, re.M) for name in wanted]
        check(what, values == [[value], [value]], values)
    names = re.findall(r'^security_syscalls_total{syscall="(\w+)"', text, re.M)
    check("what is no system call is not counted as one", names == ["setns"], names)


def odd(daemon):
    lost = {"rate_limit_info": {"number_of_dropped_process_events": "12"}, "node_name": "node-1", "time": at(6, 1)}
    check("a coverage gap is taken", post(daemon, lost) == (1, 0, 0))
    wait_for(lambda: [s["events_dropped"] for s in items(daemon, "sources") if s.get("sensor") == "tetragon"] == [12],
             10, "the source shows 12 dropped events")
    check("it makes no incident", len(items(daemon, "incidents")) == 1)
    check("what is no event is quarantined", post(daemon, {"hello": {"process": {}}}) == (0, 0, 1))
    check("what is no JSON is 400", post(daemon, b"process_exec")[0] == 400)
    body = open(os.path.join(SOURCE, "tests/corpus/own/tetragon.jsonl"), "rb").read()
    first, second = post(daemon, body), post(daemon, body)
    lines = body.count(b"\n")
    check("every odd line is stored or quarantined", sum(first) == lines and first[1] == 0, first)
    check("and known when it comes again", second == (0, lines, 0), second)
    check("no secret of the environment is shown", b"do-not-show" not in daemon.get("/api/v1/alerts?limit=1000")[1])


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            for part in (context, incident, same_by_another_road, metrics, odd):
                part(daemon)
            check("it ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
            if not all(results):
                print("# " + open(os.path.join(folder, "tocsind.log"), errors="replace").read()[-6000:].replace("\n", "\n# "))
    return finish()


sys.exit(main())
