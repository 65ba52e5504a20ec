#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes attack.jsonl from the labelled corpus: one attacked pod, a little ordinary work beside it, a storm of one rule.

Every line is an alert that a real Falco sent (tests/corpus/labelled/ORIGIN.md). Composed is how they come together:
- the attack is three recorded ones in a row, moved into the pod of the first: web shell, service-account token and API contact;
  escape from a privileged container of the same image; a miner, whose web server and image had other names and get the pod's;
- ordinary work is kept as recorded but for its time: episodes none of whose alerts is above Notice;
- the storm is one recorded alert 320 times, each at a time of its own, in a pod that was not recorded.
make.py >attack.jsonl
"""
import json
import os
from datetime import datetime, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "../../tests/corpus/labelled")
NS, STORM, STORM_EVERY_NS = 10**9, 320, 300_000_007
# in this order: an image's name has the namespace in it
POD = {"container.image.repository": "registry.local/shop/front", "container.image.tag": "2.3.1", "k8s.ns.name": "shop",
       "k8s.pod.name": "front-95c77778b-7flww", "container.id": "4a27d0e5c702", "container.name": "4a27d0e5c702"}
# episode, its steps that are taken (None: the container's start), seconds after the begin
ATTACK = [("ep-6e99cfe7", [None], 0),
          ("ep-f28ac75c", ["recon", "list_webroot", "read_sa_token", "contact_api"], 60),
          ("ep-6e99cfe7", ["check_caps", "read_init_env", "mount_attempt", "release_agent", "nsenter"], 100),
          ("ep-d4e07046", ["download_miner", "make_executable", "run_miner", "clear_history"], 140)]
WORK = ["ep-a6050c44", "ep-acd9c7bb", "ep-fa830524", "ep-f1a54a34", "ep-8af17b63", "ep-035b06ed"]
STORM_POD = {"container.image.repository": "registry.local/monitoring/node-exporter", "k8s.ns.name": "monitoring", "k8s.pod.name": "node-exporter-q8k2m",
             "container.id": "0d0e0f101112", "container.name": "0d0e0f101112"}


def read(name):
    with open(os.path.join(CORPUS, name)) as f:
        return [json.loads(line) for line in f]


def time_of(alert):
    return int(alert["output_fields"]["evt.time"])


def changed(alert, ns, fields):
    """The same alert at another time and, with @fields, elsewhere: in its fields and wherever its output says the old values."""
    text = json.dumps(alert)
    for key, value in fields.items():
        old = alert["output_fields"].get(key)
        if old:
            text = text.replace(json.dumps(old)[1:-1], value)
    alert = json.loads(text)
    alert["output_fields"].update({k: v for k, v in fields.items() if k in alert["output_fields"]})
    stamp = datetime.fromtimestamp(ns // NS, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + ".%09d" % (ns % NS)
    alert["output_fields"]["evt.time"], alert["time"] = ns, stamp + "Z"
    alert["output"] = stamp[11:] + ": " + alert["output"].split(": ", 1)[1]
    return alert


def main():
    alerts, labels = read("alerts.jsonl"), read("labels.jsonl")
    members = {}
    for alert, label in zip(alerts, labels):
        members.setdefault(label["episode"], []).append((label["step"], alert))
    begin = time_of(members[ATTACK[0][0]][0][1])
    out = []
    for episode, steps, after in ATTACK:
        chosen = [json.loads(json.dumps(a).replace("httpd", "nginx")) for step, a in members[episode] if step in steps]
        first = min(map(time_of, chosen))
        out += [changed(a, begin + after * NS + time_of(a) - first, POD) for a in chosen]
    for i, episode in enumerate(WORK):
        first = time_of(members[episode][0][1])
        out += [changed(a, begin + (10 + 25 * i) * NS + time_of(a) - first, {}) for _, a in members[episode]]
    storm = next(a for a in alerts if a["rule"] == "Read environment variable from /proc files" and a["output_fields"]["k8s.pod.name"])
    out += [changed(storm, begin + 30 * NS + i * STORM_EVERY_NS, STORM_POD) for i in range(STORM)]
    for alert in sorted(out, key=lambda a: a["time"]):
        print(json.dumps(alert, separators=(",", ":"), ensure_ascii=False))


main()
