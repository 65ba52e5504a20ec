#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many pods with one and the same alert are one line; a pod with any second rule stands for itself; nothing is merged."""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish, results  # noqa: E402
from daemon import SOURCE, Daemon  # noqa: E402

LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")
PODS = 60


def alert(pod, rule, second):
    event = json.loads(open(LINES).readline())
    event.update(rule=rule, priority="Notice", time="2026-11-24T10:%02d:%02d.000000000Z" % (second // 60, second % 60), output="%s in %s" % (rule, pod), tags=[])
    event["output_fields"] = {"k8s.ns.name": "shop", "k8s.pod.name": pod, "container.id": "%012x" % (hash(pod) & 0xffffffffffff)}
    return json.dumps(event)


def listed(daemon, query):
    return json.loads(daemon.get("/api/v1/incidents?limit=1000&" + query)[1])["items"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TOCSIN_RETENTION_HORIZON"] = "3650d"  # the alerts' dates stay as they are
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            pods = ["scan-%d" % i for i in range(PODS)]
            daemon.ingest("\n".join(alert(pod, "Same", i) for i, pod in enumerate(pods[:50])).encode())
            check("50 are not many", len(listed(daemon, "rollup=true")) == 50)
            daemon.ingest("\n".join(alert(pod, "Same", i) for i, pod in enumerate(pods)).encode())
            check("all have an incident of their own", len(listed(daemon, "")) == PODS)
            for query in ("rollup=true", "rollup=true&sort=risk"):
                items = listed(daemon, query)
                check("more are one line (%s)" % query, len(items) == 1 and items[0]["rolled_up"] == PODS and items[0]["alerts"] == PODS
                      and items[0]["title"] == "Widespread: Same in shop (%d pods)" % PODS, items[:1])
            daemon.ingest(alert("scan-7", "Other", 90).encode())
            items = listed(daemon, "rollup=true")
            check("a second rule stands for itself", len(items) == 2 and sorted(i.get("rolled_up", 0) for i in items) == [0, PODS - 1], items)
            check("it is found by its pod", [i["entity"]["pod"] for i in listed(daemon, "pod=scan-7")] == ["scan-7"])
            _, table = daemon.cli("incidents", "list")
            check("the table has it as one line", table.count("Widespread") == 1 and len(table.strip().splitlines()) == 3, table)
            _, table = daemon.cli("incidents", "list", "--rollup", "false", "--limit", "1000")
            check("and all when asked", len(table.strip().splitlines()) == PODS + 1, table[:300])
            check("anything else is 400", daemon.get("/api/v1/incidents?rollup=maybe")[0] == 400)
            check("tocsind ends with 0", daemon.stop() == 0)
        finally:
            daemon.kill()
            if not all(results):
                print("# " + open(os.path.join(folder, "tocsind.log"), errors="replace").read()[-3000:].replace("\n", "\n# "))
    return finish()


sys.exit(main())
