#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What sensors say of themselves becomes coverage: a real Falco's metrics and drop events, in the API, on an incident, in the
metrics and on the command line."""
import datetime
import json
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish  # noqa: E402
from daemon import SOURCE, Daemon, wait_for  # noqa: E402

CORPUS = os.path.join(SOURCE, "tests/corpus/falco-live/internal-events.jsonl")


def stamp(ns):
    return datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + "%09dZ" % (ns % 10**9)


def events(rule):
    with open(CORPUS) as f:
        return [event for event in map(json.loads, f) if event["rule"].startswith(rule)]


def moved(event, ns, node, **fields):
    """The recorded event as it would be at another time on another node."""
    event = json.loads(json.dumps(event))
    event["time"], event["hostname"] = stamp(ns), node
    event["output_fields"].update(fields)
    for name in ("evt.time", "evt.time.iso8601"):
        if name in event["output_fields"]:
            event["output_fields"][name] = ns
    return event


def send(daemon, *sent):
    status, body = daemon.ingest("\n".join(map(json.dumps, sent)).encode())
    assert status == 200 and json.loads(body)["accepted"] == len(sent), (status, body)


def coverage(daemon, **query):
    words = "&".join("%s=%s" % pair for pair in query.items())
    status, body = daemon.get("/api/v1/coverage" + ("?" + words if words else ""))
    assert status == 200, (status, body)
    return json.loads(body)["items"]


def states(daemon, node):
    return {(item["state"], item["from"], item.get("until"), item.get("n")) for item in coverage(daemon, node=node)}


def metric(daemon, name):
    """A line of /metrics with this beginning; the metrics of the store are kept for ten seconds."""
    lines = daemon.get("/metrics")[1].decode().splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)), None)


def of_falco(daemon, now):
    snapshot, drop = events("Falco internal: metrics snapshot")[0], events("Falco internal: syscall event drop")[0]
    shell, minute, start = events("Read sensitive file")[0], 60 * 10**9, now - 3600 * 10**9
    at = [now - m * minute for m in range(60, 29, -1)]  # every minute for half an hour, then nothing
    run = {"falco.start_ts": start, "scap.n_drops": 0, "falco.outputs_queue_num_drops": 0}
    send(daemon, *[moved(snapshot, t, "node-a", **run) for t in at])
    check("regular metrics: connected in one piece, then silent without an end",
          states(daemon, "node-a") == {("connected", stamp(at[0]), stamp(at[-1]), None), ("silent", stamp(at[-1]), None, None)},
          states(daemon, "node-a"))
    back = at[-1] + 20 * minute
    send(daemon, moved(snapshot, back, "node-a", **dict(run, **{"scap.n_drops": 12, "falco.outputs_queue_num_drops": 3})))
    found = states(daemon, "node-a")
    check("it speaks again: the silence has an end", ("silent", stamp(at[-1]), stamp(back), None) in found, found)
    check("and says what was lost meanwhile", ("dropping", stamp(at[-1]), stamp(back), "15") in found, found)
    send(daemon, moved(drop, back + minute, "node-b"))
    check("a drop event is a gap of one second", states(daemon, "node-b") ==
          {("dropping", stamp(back + minute - 10**9), stamp(back + minute), "1")}, states(daemon, "node-b"))
    before = states(daemon, "node-a")
    send_again = [moved(snapshot, t, "node-a", **run) for t in at]
    daemon.ingest("\n".join(map(json.dumps, send_again)).encode())
    check("sent again nothing changes", states(daemon, "node-a") == before)
    send(daemon, moved(shell, at[-1] + minute, "node-a"), moved(shell, at[0] + minute, "node-a"))
    return at, back


def on_incidents(daemon, at, back):
    items = json.loads(daemon.get("/api/v1/incidents")[1])["items"]
    told = {}
    for item in items:
        incident = json.loads(daemon.get("/api/v1/incidents/" + item["number"])[1])
        told[item["first_seen"]] = incident["coverage"]
    check("an incident in the silence says so", any({gap["state"] for gap in gaps} == {"silent", "dropping"} for gaps in told.values()), told)
    code, text = daemon.cli("incidents", "show", items[0]["number"])
    check("as does the command line, offline", code == 0 and "MAY BE INCOMPLETE" in text and "falco silent from " + stamp(at[-1]) in text, text)
    code, text = daemon.cli("coverage", "--node", "node-a")
    check("tocsin coverage lists the intervals", code == 0 and text.count("silent") >= 1 and text.count("connected") >= 1, text)


def bad_questions(daemon):
    for query in ("source=nosuch", "since=yesterday", "since=2026-01-01T00:00:00Z&until=2025-01-01T00:00:00Z",
                  "since=2025-01-01T00:00:00Z&until=2026-01-01T00:00:00Z"):
        status, body = daemon.get("/api/v1/coverage?" + query)
        check("%s is refused" % query, status in (400, 422) and b"detail" in body, (status, body))


def in_metrics(daemon):
    check("tocsin_sensors counts by state", wait_for(
        lambda: metric(daemon, 'tocsin_sensors{source="falco",state="dropping"}') is not None, 30, "the metrics are made") is True)
    counts = {s: metric(daemon, 'tocsin_sensors{source="falco",state="%s"}' % s) for s in ("connected", "silent", "throttled", "dropping", "shed", "unknown")}
    check("both nodes are there", sum(counts.values()) == 2, counts)
    check("tocsin_source_silent_seconds is small", 0 <= metric(daemon, 'tocsin_source_silent_seconds{source="falco"}') < 60)
    check("no agents", metric(daemon, 'tocsin_agents{state="connected"}') == 0)


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            at, back = of_falco(daemon, time.time_ns())
            on_incidents(daemon, at, back)
            bad_questions(daemon)
            in_metrics(daemon)
            check("it ends well", daemon.stop() == 0)
            daemon.start()
            check("after a restart all is still there", len(coverage(daemon, node="node-a")) >= 3)
        finally:
            daemon.kill()
    sys.exit(finish())


main()
