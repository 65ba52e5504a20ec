# SPDX-License-Identifier: Apache-2.0
"""Makes streams of Falco bodies with truth, for what the labelled corpus has little of: names that are used again, containers
without labels, pods of several containers, unrelated work in one container, restarts, slow attacks, the node, a week before.

Rules, priorities and tags are those a real Falco sent (the corpora); an attack takes rules of different tactics at random, so
that no chain is favoured, ordinary work takes rules that ordinary work of the labelled corpus fired. The same seed, the same stream.
"""
import json
import os
import random
from datetime import datetime, timezone

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../corpus")
NS, MINUTE, HOUR, DAY = 10**9, 60.0, 3600.0, 86400.0
BEGIN = 1_795_219_200  # 2026-11-21T00:00:00Z, as the labelled corpus
NAMESPACES = ["shop", "blog", "platform", "data", "ci"]
WORKLOADS = ["cart", "front", "api", "worker", "redis", "postgres", "gateway", "search", "mailer", "runner"]


def read_lines(name):
    with open(os.path.join(CORPUS, name)) as f:
        return [json.loads(line) for line in f]


class Rules:
    """What a rule looks like, and which rules attacks and ordinary work fire."""

    def __init__(self):
        labelled, labels = read_lines("labelled/alerts.jsonl"), read_lines("labelled/labels.jsonl")
        with open(os.path.join(CORPUS, "labelled/truth.json")) as f:
            benign = {e["id"] for e in json.load(f)["episodes"] if e["kind"] == "benign"}
        self.looks, ordinary, calm = {}, {}, {"Informational", "Notice", "Warning", "Error"}
        for alert in read_lines("falco-live/default-rules.jsonl") + labelled:
            self.looks[alert["rule"]] = (alert["priority"], alert["tags"], alert["output_fields"].get("evt.type"))
        for alert, label in zip(labelled, labels):
            if label["episode"] in benign:
                ordinary[alert["rule"]] = ordinary.get(alert["rule"], 0) + 1
        # as often as the recording has them
        self.ordinary = sorted(rule for rule, n in ordinary.items() for _ in range(1 + n // 10))
        self.by_tactic = {}
        for rule, (priority, tags, _) in sorted(self.looks.items()):
            for tag in tags:
                if tag.startswith("mitre_"):
                    self.by_tactic.setdefault(tag, []).append(rule)
        self.calm = [rule for rule in self.ordinary if self.looks[rule][0] in calm]


class Place:
    """One container, and how much of where it is its alerts tell."""

    def __init__(self, rnd, namespace, pod, uid, labelled=True):
        self.rnd, self.namespace, self.pod, self.uid, self.labelled = rnd, namespace, pod, uid, labelled
        self.container = "%012x" % rnd.getrandbits(48)
        self.uid_share, self.late = 0.5, 0  # the share of alerts with the uid; how many of the first lack pod and namespace

    def sibling(self):
        """Another container of the same pod."""
        place = Place(self.rnd, self.namespace, self.pod, self.uid, self.labelled)
        place.uid_share, place.late = self.uid_share, self.late
        return place

    def fields(self):
        fields = {"container.id": self.container, "container.name": self.container}
        if self.labelled and self.late <= 0:
            fields.update({"k8s.ns.name": self.namespace, "k8s.pod.name": self.pod})
            if self.rnd.random() < self.uid_share:
                fields["k8s.pod.uid"] = self.uid
        self.late -= 1
        return fields


class Host(Place):
    def __init__(self, rnd):
        super().__init__(rnd, None, None, None, False)

    def fields(self):
        return {"container.id": "host"}


class Stream:
    def __init__(self, seed):
        self.rnd, self.rules = random.Random(seed), Rules()
        self.alerts, self.n_classes = [], 0  # (body, class, is attack)

    def uid(self):
        bits = "%032x" % self.rnd.getrandbits(128)
        return "-".join((bits[:8], bits[8:12], bits[12:16], bits[16:20], bits[20:]))

    def pod(self, labelled=True):
        r = self.rnd
        name = "%s-%s-%s" % (r.choice(WORKLOADS), "%09x" % r.getrandbits(36), "".join(r.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5)))
        return Place(r, r.choice(NAMESPACES), name, self.uid(), labelled)

    def host(self):
        return Host(self.rnd)

    def new_class(self):
        self.n_classes += 1
        return "class-%04d" % self.n_classes

    def emit(self, place, rule, seconds, owner, is_attack, program=None):
        r = self.rnd
        priority, tags, call = self.rules.looks[rule]
        ns = int((BEGIN + seconds) * NS) + r.randrange(1000)
        stamp = datetime.fromtimestamp(ns // NS, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + ".%09dZ" % (ns % NS)
        program = program or r.choice(["sh", "bash", "python3", "node", "curl", "cat", "tar"])
        fields = dict(place.fields(), **{"evt.time": ns, "evt.type": call, "proc.name": program, "proc.exepath": "/usr/bin/" + program,
                                         "proc.cmdline": "%s %x" % (program, r.getrandbits(24)), "proc.pname": "app", "user.name": "root"})
        body = {"hostname": "node-1", "output": "%s: %s %s (%s)" % (stamp[11:-1], priority, rule, fields["proc.cmdline"]), "output_fields": fields,
                "priority": priority, "rule": rule, "source": "syscall", "tags": tags, "time": stamp}
        self.alerts.append((ns, json.dumps(body, separators=(",", ":"), sort_keys=True), owner, is_attack))

    def attack_rules(self):
        """Three to six rules, each of a tactic of its own."""
        tactics = self.rnd.sample(sorted(self.rules.by_tactic), self.rnd.randint(3, 6))
        return [self.rnd.choice(self.rules.by_tactic[t]) for t in tactics]

    def attack(self, places, start, pause=(2, 60), owner=None):
        """One rule after the other, some more than once; step i in places[i] (from the last one on in that). -> class, end."""
        owner, t = owner or self.new_class(), start
        for i, rule in enumerate(self.attack_rules()):
            for _ in range(self.rnd.choice([1, 1, 1, 2, 5])):
                self.emit(places[min(i, len(places) - 1)], rule, t, owner, True)
                t += self.rnd.uniform(0.05, 2)
            t += self.rnd.uniform(*pause)
        return owner, t

    def work(self, place, start, n=None, rules=None):
        """One ordinary thing: a few alerts of one to three rules. -> end."""
        owner, t = self.new_class(), start
        rules = rules or self.rnd.sample(self.rules.ordinary, self.rnd.randint(1, 3))
        for _ in range(n or self.rnd.randint(1, 10)):
            self.emit(place, self.rnd.choice(rules), t, owner, False)
            t += self.rnd.uniform(0.1, 20)
        return t

    def background(self, n, span=6 * HOUR, labelled=True):
        for _ in range(n):
            self.work(self.pod(labelled), self.rnd.uniform(0, span))

    def lines(self):
        """-> bodies, classes, attack marks, in order of event time."""
        rows = sorted(self.alerts)
        return [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows], [r[0] for r in rows]


def names_reused(s):
    """A StatefulSet's pod comes back under its name with another uid, soon; one of its lives is attacked."""
    for i in range(12):
        namespace, name, t, attacked = s.rnd.choice(NAMESPACES), "postgres-%d" % i, s.rnd.uniform(0, 2 * HOUR), s.rnd.randrange(3)
        for life in range(3):
            place = Place(s.rnd, namespace, name, s.uid())
            t = s.attack([place], t)[1] if life == attacked else s.work(place, t)
            t += s.rnd.uniform(3 * MINUTE, 20 * MINUTE)
    s.background(30)


def unlabelled(s):
    """Containers that no label says anything about."""
    for _ in range(12):
        s.attack([s.pod(False)], s.rnd.uniform(0, 6 * HOUR))
    s.background(60, labelled=False)
    s.background(15)


def names_late(s):
    """The first alerts of a container come before the sensor knows its pod."""
    for i in range(40):
        place = s.pod()
        place.late, place.uid_share = s.rnd.randint(1, 4), 0.8
        start = s.rnd.uniform(0, 6 * HOUR)
        if i < 12:
            s.attack([place], start)
        else:
            s.work(place, start, n=s.rnd.randint(4, 10))


def several_containers(s):
    """An attack that goes from container to container of one pod; ordinary pods have several too."""
    for i in range(36):
        place = s.pod()
        places, start = [place, place.sibling(), place.sibling()], s.rnd.uniform(0, 6 * HOUR)
        if i < 12:
            s.attack(places, start)
        else:
            owner = s.new_class()
            for _ in range(s.rnd.randint(2, 8)):
                s.emit(s.rnd.choice(places), s.rnd.choice(s.rules.ordinary), start + s.rnd.uniform(0, 120), owner, False)


def shared_container(s):
    """Long-lived containers see unrelated work in turn, and some an attack amid it."""
    for i in range(12):
        place, t = s.pod(), s.rnd.uniform(0, HOUR)
        attacked = s.rnd.randrange(6)
        for turn in range(6):
            t = s.attack([place], t)[1] if turn == attacked else s.work(place, t)
            t += s.rnd.uniform(5 * MINUTE, 100 * MINUTE)
    s.background(20)


def restarts(s):
    """The attacked container is started anew while the attack goes on; the pod stays."""
    for _ in range(12):
        place = s.pod()
        s.attack([place] + [place.sibling() for _ in range(5)], s.rnd.uniform(0, 6 * HOUR), pause=(20, 300))
    s.background(40)


def slow(s):
    """Steps that are half an hour to three hours apart."""
    for _ in range(12):
        s.attack([s.pod()], s.rnd.uniform(0, 6 * HOUR), pause=(30 * MINUTE, 3 * HOUR))
    s.background(40, span=12 * HOUR)


def to_the_node(s):
    """An attack leaves its pod for the node; the node has ordinary alerts of its own."""
    host = s.host()
    for i in range(6):
        owner, t = s.attack([s.pod()], i * 4 * HOUR + s.rnd.uniform(0, HOUR))
        s.attack([host], t + s.rnd.uniform(5, 60), owner=owner)
    for i in range(12):
        s.work(host, i * 2 * HOUR + s.rnd.uniform(0, HOUR))
    s.background(40, span=DAY)


def noisy_pod(s):
    """A probe fires a rule each half minute, before, during and after the attack on its pod."""
    for i in range(24):
        place, start, owner, rule = s.pod(), s.rnd.uniform(0, 3 * HOUR), s.new_class(), s.rnd.choice(s.rules.calm)
        for k in range(120):
            s.emit(place, rule, start + 30 * k, owner, False, "probe")
        if i < 12:
            s.attack([place], start + s.rnd.uniform(10 * MINUTE, 40 * MINUTE))


def week_before(s):
    """The same work each day in each workload, new pods each day; on the ninth day some are attacked."""
    loud = [rule for rule in s.rules.ordinary if s.rules.looks[rule][0] == "Critical"]
    for i in range(24):
        base = s.pod()
        workload = base.pod.rsplit("-", 1)[0]
        rules = s.rnd.sample(s.rules.ordinary, 2) + ([s.rnd.choice(loud)] if i % 3 == 0 else [])
        hour = s.rnd.uniform(1, 20) * HOUR
        for day in range(9):
            pod = "%s-%s" % (workload, "".join(s.rnd.choice("bcdfghjkl2456789") for _ in range(5)))
            place = Place(s.rnd, base.namespace, pod, s.uid())
            end = s.work(place, day * DAY + hour + s.rnd.uniform(0, 600), rules=rules)
            if day == 8 and i < 8:
                s.attack([Place(s.rnd, base.namespace, pod, place.uid)], end + 2 * HOUR)


KINDS = {f.__name__.replace("_", "-"): f for f in (names_reused, unlabelled, names_late, several_containers, shared_container, restarts, slow,
                                                    to_the_node, noisy_pod, week_before)}


def generate(kind, seed):
    """-> bodies (text), class of each, is it an attack's, event time in ns; in order of event time."""
    stream = Stream("%s/%d" % (kind, seed))
    KINDS[kind](stream)
    return stream.lines()
