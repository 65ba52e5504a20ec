#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a live Falco sent in one minute (tests/corpus/falco-live): one incident for each run of a container, one for the host, each
with the reasons for its risk, whatever the order and the size of the batches.

What is expected is computed here from the bodies and the reference's formula (tests/lib/correlate.py), not written down.
"""
import json
import os
import random
import sys
import tempfile
from collections import defaultdict

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]
import correlate  # noqa: E402
from checks import check, finish  # noqa: E402
from daemon import SOURCE, Daemon  # noqa: E402
from falco_times import days_to_today, event_ns, moved  # noqa: E402

POINTS = {"Critical": 90, "Error": 70, "Warning": 45, "Notice": 20, "Informational": 3}
TERMS = ["strongest rule", "corroboration", "tactics", "criticality", "novelty"]


def bodies():
    with open(os.path.join(SOURCE, "tests/corpus/falco-live/default-rules.jsonl")) as f:
        alerts = [json.loads(line) for line in f]
    shift = days_to_today(max(map(event_ns, alerts)))
    return [moved(alert, event_ns(alert) + shift) for alert in alerts]


def runs(alerts):
    """-> container id or "host": its alerts."""
    out = defaultdict(list)
    for alert in alerts:
        out[alert["output_fields"]["container.id"]].append(alert)
    return out


def send(daemon, alerts, size):
    for at in range(0, len(alerts), size):
        part = alerts[at:at + size]
        status, body = daemon.ingest("\n".join(map(json.dumps, part)).encode())
        assert status == 200 and json.loads(body)["accepted"] == len(part), body


def listed(daemon, path):
    return json.loads(daemon.get(path + "?limit=1000")[1])["items"]


def expected_risk(run, stored):
    """-> strongest rule, corroboration, factor of the tactics, risk; in thousandths but the first."""
    points = {a["rule"]: POINTS[a["priority"]] for a in run}
    tactics = defaultdict(set)
    for alert in stored:
        tactics[alert["rule"]].update(alert["tactics"])
    names = sorted({t for of_rule in tactics.values() for t in of_rule})
    correlate.TACTICS.update((name, rank) for rank, name in enumerate(names))
    credited = correlate.credited_tactics(tactics)
    base, risk = correlate.risk(points.values(), credited)
    return min(r for r, p in points.items() if p == max(points.values())), base - 1000 * max(points.values()), \
        10 * correlate.TACTIC_FACTOR[min(credited, 4)], risk


def check_incident(daemon, name, run, incident, stored):
    whole = json.loads(daemon.get("/api/v1/incidents/" + incident["number"])[1])
    entity = incident["entity"]
    first = run[0]["output_fields"]
    check("%s: all its alerts and no other" % name, incident["alerts"] == len(run) == len(stored), (incident["alerts"], len(run), len(stored)))
    check("%s: from its first to its last" % name,
          [event_ns({"time": incident[k]}) for k in ("first_seen", "last_seen")] == [f(map(event_ns, run)) for f in (min, max)], incident)
    if name == "host":
        check("host: the node's", entity["kind"] == "node" and entity["node"] == run[0]["hostname"] and "pod" not in entity, entity)
    else:
        check("%s: its pod's" % name, (entity["namespace"], entity["pod"]) == (first["k8s.ns.name"], first["k8s.pod.name"]), entity)
    check("%s: each rule once, with its points" % name,
          sorted((r["name"], r["points"]) for r in whole["rules"]) == sorted({(a["rule"], POINTS[a["priority"]]) for a in run}), whole["rules"])
    top, corroboration, factor, risk = expected_risk(run, stored)
    terms = whole["risk_terms"]
    check("%s: five reasons, each said" % name, [t["name"] for t in terms] == TERMS and all(t["why"] for t in terms), terms)
    values = [round(1000 * t["value"]) for t in terms]
    close = all(abs(a - b) <= 50 for a, b in zip(values, [1000 * max(POINTS[a["priority"]] for a in run), corroboration, factor, 1000, 1000]))
    check("%s: they are what the reference computes" % name, close and terms[0]["why"] == top, (terms, top, corroboration, factor))
    check("%s: and give the risk" % name, abs(1000 * whole["risk"] - risk) <= 50 and whole["risk"] == incident["risk"], (whole["risk"], risk))
    _, shown = daemon.cli("incidents", "show", incident["number"])
    check("%s: the terminal shows them" % name, "WHY THIS RISK" in shown and all("  %-16s" % t in shown for t in TERMS) and top in shown, shown)


def essence(daemon):
    """Incidents without what depends on the order of arrival: numbers and revisions."""
    return sorted(json.dumps({k: v for k, v in i.items() if k not in ("number", "revision", "rules", "sealed")}, sort_keys=True)
                  for i in listed(daemon, "/api/v1/incidents"))


def main():
    alerts = bodies()
    with tempfile.TemporaryDirectory() as folder:
        daemon, other = Daemon(os.path.join(folder, "data")), Daemon(os.path.join(folder, "other"))
        try:
            daemon.start()
            send(daemon, alerts, len(alerts))
            incidents, stored = listed(daemon, "/api/v1/incidents"), listed(daemon, "/api/v1/alerts")
            expected = runs(alerts)
            check("an incident for each container and one for the host", len(incidents) == len(expected) == 3, [i["title"] for i in incidents])
            of_incident = defaultdict(list)
            for alert in stored:
                of_incident[alert["incident"]].append(alert)
            for incident in incidents:
                members = of_incident[incident["number"]]
                check("%s is of one run alone" % incident["number"], len({a.get("container_id", "host") for a in members}) == 1, members[:2])
                name = members[0].get("container_id", "host")
                check_incident(daemon, name, expected[name], incident, members)
            other.start()
            send(other, random.Random(5).sample(alerts, len(alerts)), 1)
            check("one by one in another order: the same", essence(other) == essence(daemon), essence(other))
            check("both end with 0", (daemon.stop(), other.stop()) == (0, 0))
        finally:
            daemon.kill()
            other.kill()
    return finish()


sys.exit(main())
