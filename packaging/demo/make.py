#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes attack.jsonl from the labelled corpus: one attacked pod, ordinary work beside it, a storm of one rule.

All lines are alerts that a real Falco sent (tests/corpus/labelled/ORIGIN.md); only the storm is one of them
repeated with other times. make.py >attack.jsonl
"""
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "../../tests/corpus/labelled")
STORM = 300


def read(name):
    with open(os.path.join(CORPUS, name)) as f:
        return [json.loads(line) for line in f]


def main():
    alerts, labels = read("alerts.jsonl"), read("labels.jsonl")
    with open(os.path.join(CORPUS, "truth.json")) as f:
        episodes = {e["id"]: e for e in json.load(f)["episodes"]}
    members = {}
    for alert, label in zip(alerts, labels):
        members.setdefault(label["episode"], []).append(alert)
    attacks = [e for e in episodes.values() if e["kind"] == "attack" and e["namespace"] and e["id"] in members]
    chains = {"webshell-token-dropper", "container-escape", "crypto-miner"}
    chosen = [max((e for e in attacks if e["chain"] == c), key=lambda e: len(members[e["id"]])) for c in sorted(chains)]
    pod = {k: members[chosen[-1]["id"]][0]["output_fields"].get(k) for k in ("k8s.pod.name", "k8s.ns.name", "container.id")}
    start = min(int(a["output_fields"]["evt.time"]) for a in members[chosen[-1]["id"]])
    out = []
    for i, episode in enumerate([chosen[-1], chosen[0], chosen[1]]):
        first = min(int(a["output_fields"]["evt.time"]) for a in members[episode["id"]])
        for alert in members[episode["id"]]:
            out.append(shifted(alert, int(alert["output_fields"]["evt.time"]) - first + start + i * 40 * 10**9, pod))
    benign = [e for e in episodes.values() if e["kind"] == "benign" and e["id"] in members][:12]
    for episode in benign:
        for alert in members[episode["id"]]:
            first = int(members[episode["id"]][0]["output_fields"]["evt.time"])
            out.append(shifted(alert, int(alert["output_fields"]["evt.time"]) - first + start + 5 * 10**9, None))
    storm = next(a for a in alerts if a["rule"] == "Read environment variable from /proc files" and a["output_fields"]["k8s.pod.name"])
    for i in range(STORM):
        out.append(shifted(storm, start + i * 300_000_007, {"k8s.pod.name": "exporter-6c9b7d4f5-q8k2m", "k8s.ns.name": "monitoring", "container.id": "0d0e0f101112"}))
    for alert in sorted(out, key=lambda a: a["time"]):
        print(json.dumps(alert, separators=(",", ":"), ensure_ascii=False))


def shifted(alert, ns, pod):
    """The same alert at another time, and in another pod if one is given."""
    from datetime import datetime, timezone
    fields = dict(alert["output_fields"])
    text = json.dumps(alert)
    for key, value in (pod or {}).items():
        if value and fields.get(key):
            text = text.replace(json.dumps(fields[key])[1:-1], value)
    alert = json.loads(text)
    alert["output_fields"]["evt.time"] = ns
    stamp = datetime.fromtimestamp(ns // 10**9, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    alert["time"] = "%s.%09dZ" % (stamp, ns % 10**9)
    clock = alert["output"].split(": ", 1)
    alert["output"] = "%s.%09d: %s" % (stamp[11:], ns % 10**9, clock[1])
    return alert


main()
