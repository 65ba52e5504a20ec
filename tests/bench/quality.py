#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures how right the incidents are: the labelled corpus and generated streams (tests/lib/gen_incidents.py) go through a real
tocsind, the incident of each alert is read back and compared with the truth, beside what simpler groupings make of the same alerts.

A class is what the truth calls one incident. Ordinary alerts have classes too; V and the rest are given for three views of them:
by episode, each alert alone ("alone"), all in one ("noise"). Risk is judged on groups: one with an alert of an attack is good.
One JSON line per grouping, set and seed (to a file, if named), then tables. Exit 1 when late and shuffled delivery changes
anything. quality.py [--seeds N] [--json FILE]
"""
import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import defaultdict

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../system"), os.path.join(HERE, "../lib")]
import gen_incidents  # noqa: E402
import grouping  # noqa: E402
from daemon import SOURCE, Daemon  # noqa: E402
from falco_times import DAY_NS, NS, days_to_today, event_ns, moved  # noqa: E402

CORPUS = os.path.join(SOURCE, "tests/corpus/labelled")
HOUR_NS = 3600 * NS
POINTS = {"Emergency": 90, "Alert": 90, "Critical": 90, "Error": 70, "Warning": 45, "Notice": 20, "Informational": 3, "Debug": 3}
BATCH, HIGH = 1000, 70
DELAY_S = 90 * 60  # of the random delivery that an arrival-time grouper is given, as in the specification's own measurement


class Set:
    """Alerts with truth: bodies, classes, attack marks, event times. Moved by whole days to end within the last one: a clock or a
    horizon would treat alerts of next week, or of last year, otherwise."""

    def __init__(self, name, bodies, classes, attacks, times):
        shift = days_to_today(max(times))
        self.name, self.classes, self.attacks, self.times = name, classes, attacks, [t + shift for t in times]
        self.alerts = [moved(json.loads(body), ns) for body, ns in zip(bodies, self.times)]
        self.bodies = [json.dumps(alert, separators=(",", ":")) for alert in self.alerts]

    def field(self, i, name):
        value = self.alerts[i]["output_fields"].get(name)
        return value if value not in (None, "", "<NA>", "host") else None

    def points(self, i):
        return POINTS[self.alerts[i]["priority"]]


def with_uid(alert, uids):
    """As a Falco that has k8s.pod.uid in its output fields would have sent it; the recorded one had not."""
    uid = uids.get(alert["output_fields"].get("container.id"))
    if uid and alert["output_fields"].get("k8s.pod.name"):
        alert["output_fields"]["k8s.pod.uid"] = uid
    return json.dumps(alert)


def labelled(with_uids):
    with open(os.path.join(CORPUS, "alerts.jsonl")) as f:
        bodies = f.read().splitlines()
    with open(os.path.join(CORPUS, "labels.jsonl")) as f:
        labels = [json.loads(line) for line in f]
    with open(os.path.join(CORPUS, "truth.json")) as f:
        episodes = {e["id"]: e for e in json.load(f)["episodes"]}
    owners = [episodes[label["episode"]] for label in labels]
    times = [int(json.loads(body)["output_fields"]["evt.time"]) for body in bodies]
    if with_uids:
        uids = {m["container_id"]: m["pod_uid"] for e in episodes.values() for m in e["members"]}
        bodies = [with_uid(json.loads(body), uids) for body in bodies]
    return Set("labelled-uids" if with_uids else "labelled", bodies, [e["incident"] for e in owners], [e["kind"] == "attack" for e in owners], times)


# -- groupings: each gives the group of every alert; a group's score is what such a tool would sort by


def by_key(key):
    return lambda s: [key(s, i) for i in range(len(s.bodies))]


def container(s, i):
    return s.field(i, "container.id") or "host"


def pod_and_hour(s, i):
    return s.field(i, "k8s.pod.name") or container(s, i), s.times[i] // HOUR_NS


def alertmanager(s, i):
    """group_by [cluster, namespace, pod]: an absent label is an empty one."""
    return s.field(i, "k8s.ns.name") or "", s.field(i, "k8s.pod.name") or ""


def keep_like(seed):
    """Sessions by arrival: a group is open while the newest event time in it is not older than an hour by the clock on the wall."""
    def group(s):
        rnd = random.Random(seed)
        arrivals = sorted((s.times[i] + int(rnd.uniform(0, DELAY_S) * NS), i) for i in range(len(s.bodies)))
        groups, current, n = [None] * len(s.bodies), {}, 0
        for now, i in arrivals:
            key = s.field(i, "k8s.pod.name") or container(s, i)
            newest, number = current.get(key, (None, None))
            if newest is None or now - newest > HOUR_NS:
                n += 1
                newest, number = s.times[i], n
            current[key] = (max(newest, s.times[i]), number)
            groups[i] = number
        return groups
    return group


BASELINES = [
    ("each alert alone", by_key(lambda s, i: i)),
    ("rule", by_key(lambda s, i: s.alerts[i]["rule"])),
    ("container id", by_key(container)),
    ("pod and hour", by_key(pod_and_hour)),
    ("alertmanager ns, pod", by_key(alertmanager)),
    ("arrival sessions", keep_like(1)),
    ("node, 24 h", by_key(lambda s, i: (s.alerts[i]["hostname"], s.times[i] // DAY_NS))),
]


def get_pages(daemon, path, mark):
    items, after = [], ""
    while True:
        status, body = daemon.get("%s%slimit=1000%s" % (path, mark, after))
        assert status == 200, (path, status, body[:200])
        page = json.loads(body)
        items += page["items"]
        if not page.get("next"):
            return items
        after = "&after=%s" % page["next"]


def tocsin(folder, s, order=None):
    """Sends the set in that order. -> group of each alert, risk of each group, seconds."""
    order = order or list(range(len(s.bodies)))
    daemon = Daemon(os.path.join(folder, "%s-%d" % (s.name.replace("/", "-"), len(os.listdir(folder))))).start()
    try:
        began = time.monotonic()
        for at in range(0, len(order), BATCH):
            part = order[at:at + BATCH]
            status, body = daemon.ingest("\n".join(s.bodies[i] for i in part).encode())
            assert status == 200 and json.loads(body)["accepted"] == len(part), (status, body)
        seconds = time.monotonic() - began
        stored = {int(a["leaf"]): a for a in get_pages(daemon, "/api/v1/alerts", "?")}
        risks = {i["number"]: float(i["risk"]) for i in get_pages(daemon, "/api/v1/incidents", "?")}
    finally:
        daemon.stop()
    groups = [None] * len(s.bodies)
    assert sorted(stored) == list(range(len(order))), "leaves are the alerts, in order"
    for leaf, i in enumerate(order):
        assert event_ns(stored[leaf]) == s.times[i] and stored[leaf]["rule"] == s.alerts[i]["rule"], (leaf, stored[leaf])
        assert stored[leaf].get("incident") in risks, stored[leaf]
        groups[i] = stored[leaf]["incident"]
    return groups, risks, seconds


def scores_of(s, groups, how):
    """max: the worst priority, then more alerts first. sum: points added up, repeats too."""
    members = defaultdict(list)
    for i, g in enumerate(groups):
        members[g].append(s.points(i))
    return {g: max(p) + len(p) / 1e6 if how == "max" else sum(p) for g, p in members.items()}


def ranking(s, groups, scores):
    """-> how well scores put groups with attacks first, among those that the last day changed: what a queue shows."""
    good, best = set(), defaultdict(float)
    recent = {g for i, g in enumerate(groups) if s.times[i] > max(s.times) - DAY_NS}
    scores = {g: score for g, score in scores.items() if g in recent}
    for i, g in enumerate(groups):
        if g not in recent:
            continue
        if s.attacks[i]:
            good.add(g)
            best[s.classes[i]] = max(best[s.classes[i]], scores[g])
    bad = [score for g, score in scores.items() if g not in good]
    first = max(scores[g] for g in good)
    return {"auc": grouping.area([scores[g] for g in good], bad), "mrr": grouping.mean_reciprocal_rank(list(best.values()), bad),
            "first_true": 1 + sum(b > first for b in bad), "attacks_high": sum(v >= HIGH for v in best.values()) / len(best),
            "ordinary_high": sum(b >= HIGH for b in bad), "ordinary_groups": len(bad)}


def measure(s, name, groups, scores):
    attack_groups = defaultdict(set)
    for i, g in enumerate(groups):
        if s.attacks[i]:
            attack_groups[s.classes[i]].add(g)
    views = {"episode": s.classes,
             "alone": [c if a else i for i, (c, a) in enumerate(zip(s.classes, s.attacks))],
             "noise": [c if a else "noise" for c, a in zip(s.classes, s.attacks)]}
    row = {"set": s.name, "grouping": name, "alerts": len(groups), "groups": len(set(groups)), "reduction": 1 - len(set(groups)) / len(groups),
           "per_attack": sum(map(len, attack_groups.values())) / len(attack_groups),
           "attacks_whole": sum(len(g) == 1 for g in attack_groups.values()) / len(attack_groups)}
    for view, classes in views.items():
        h, c, v = grouping.v_measure(classes, groups)
        row[view] = {"h": h, "c": c, "v": v, "ari": grouping.adjusted_rand(classes, groups), "b3": grouping.b_cubed(classes, groups)}
    only = [i for i, a in enumerate(s.attacks) if a]
    h, c, v = grouping.v_measure([s.classes[i] for i in only], [groups[i] for i in only])
    row["attack"] = {"h": h, "c": c, "v": v}
    row.update(ranking(s, groups, scores))
    return row


def rounded(value):
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def same_partition(a, b):
    return len(set(zip(a, b))) == len(set(a)) == len(set(b))


def measure_set(folder, s):
    groups, risks, seconds = tocsin(folder, s)
    rows = [measure(s, "tocsin", groups, risks)]
    rows[0]["alerts_per_s"] = len(groups) / seconds
    for how in ("max", "sum"):
        rows.append(measure(s, "tocsin's, by %s" % how, groups, scores_of(s, groups, how)))
    for name, group in BASELINES:
        made = group(s)
        rows.append(measure(s, name, made, scores_of(s, made, "sum" if "24 h" in name else "max")))
    late = random.Random(2)
    order = sorted(range(len(groups)), key=lambda i: s.times[i] + late.uniform(0, DELAY_S) * NS)
    again, risks_again, _ = tocsin(folder, s, order)
    rows[0]["same_when_late"] = same_partition(groups, again) and all(risks[a] == risks_again[b] for a, b in set(zip(groups, again)))
    return rows


def number(value):
    return "   –  " if value is None else "%6.3f" % value


def table(rows, name):
    print("\n%s: %d alerts, %d ordinary groups of tocsin" % (name, rows[0]["alerts"], rows[0]["ordinary_groups"]))
    print("%-22s %6s %6s | %6s %6s %6s | %6s %6s | %6s %6s | %6s %6s | %6s %5s %9s" %
          ("", "groups", "reduc.", "h", "c", "V", "ARI", "B3", "alone", "noise", "/atta.", "AUC", "MRR", "first", "high a/o"))
    for r in rows:
        e = r["episode"]
        print("%-22s %6d %6.3f | %6.3f %6.3f %6.3f | %6.3f %6.3f | %6.3f %6.3f | %6.2f %s | %s %5d %4.0f%%/%-4d" %
              (r["grouping"], r["groups"], r["reduction"], e["h"], e["c"], e["v"], e["ari"], e["b3"], r["alone"]["v"], r["noise"]["v"],
               r["per_attack"], number(r["auc"]), number(r["mrr"]), r["first_true"], 100 * r["attacks_high"], r["ordinary_high"]))


def mean_row(rows):
    """The mean of the same grouping over seeds."""
    out = dict(rows[0])
    for key, value in rows[0].items():
        if isinstance(value, dict):
            out[key] = {k: sum(r[key][k] for r in rows) / len(rows) for k in value}
        elif isinstance(value, bool):
            out[key] = all(r[key] for r in rows)
        elif isinstance(value, (int, float)):
            out[key] = sum(r[key] for r in rows) / len(rows)
    return out


def summary(all_rows):
    names = [r["grouping"] for r in next(iter(all_rows.values())) if "by " not in r["grouping"]]
    for title, pick in (("V, class = incident of the truth", lambda r: r["episode"]["v"]), ("AUC of the risk", lambda r: r["auc"])):
        print("\n%s\n%-20s" % (title, "") + "".join("%10s" % n.split(",")[0][:9] for n in names))
        for name, rows in all_rows.items():
            print("%-20s" % name + "".join("%10s" % number(pick(r)).strip() for r in rows if r["grouping"] in names))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json")
    args = parser.parse_args()
    grouping.check()
    all_rows = {}
    out = open(args.json, "w") if args.json else sys.stdout
    with tempfile.TemporaryDirectory() as folder:
        for name in ["labelled", "labelled-uids"] + list(gen_incidents.KINDS):
            sets = [labelled(name != "labelled")] if name.startswith("labelled") else [Set("%s/%d" % (name, k), *gen_incidents.generate(name, k)) for k in range(args.seeds)]
            seeds = [measure_set(folder, s) for s in sets]
            for row in (r for rows in seeds for r in rows):
                print(json.dumps(rounded(dict(row, bench="quality"))), file=out, flush=True)
            all_rows[name] = [mean_row(rows) for rows in zip(*seeds)]
    for name, rows in all_rows.items():
        table(rows, name)
    summary(all_rows)
    same = all(rows[0]["same_when_late"] for rows in all_rows.values())
    print("\ndelivered 0-90 min late in random order, tocsin's incidents and risks are %s" % ("the same in every set" if same else "NOT the same"))
    return not same


sys.exit(main())
