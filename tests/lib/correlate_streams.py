# SPDX-License-Identifier: Apache-2.0
"""Random streams of the reference, fed to the C correlator in every way that must not matter.

Two stores have no operation that merges them: what k collectors saw, with overlap, is fed to one store, collector after
collector, which is how two databases would be joined (each one's alerts are read and given to the other).
"""
import json, random

import correlate

SIZES = [1, 5, 40, 200, 600]
ONE_BY_ONE_MAX = 250
BASE = 1_780_000_000 // 86400 * 86400


class Different(AssertionError):
    pass


def compare(way, got, want):
    if got == want:
        return
    missing = [w for w in want if w not in got][:3]
    extra = [g for g in got if g not in want][:3]
    raise Different("%s: %d incidents, want %d\nwant: %s\ngot:  %s" % (
        way, len(got), len(want), "\n      ".join(missing), "\n      ".join(extra)))


def in_order(lines):
    return sorted(lines, key=lambda line: line.get("t", 0))


def shuffled(rnd, lines):
    return rnd.sample(lines, len(lines))


def repeated(rnd, lines):
    return shuffled(rnd, lines + rnd.sample(lines, len(lines) // 2))


def split(rnd, lines):
    """What 2-5 collectors saw: every line at least one of them, many several; each in an order of its own."""
    parts = [[] for _ in range(rnd.randrange(2, 6))]
    for line in lines:
        for part in rnd.sample(parts, rnd.choice([1, 1, 2, len(parts)])):
            part.append(line)
    return [line for part in parts for line in rnd.choice([in_order(part), shuffled(rnd, part)])]


def crowded(rnd, n):
    """Pods that share names and containers within an hour, and the facts that tell them apart: alerts move between incidents."""
    pods, lines = ["u1", "u2", "u3"], []
    for _ in range(n):
        a = {"t": BASE * correlate.NS + rnd.randrange(4) * 300 * correlate.NS + rnd.randrange(300) * correlate.NS, "cluster": "c", "rule": "r",
             "fp": "r/0", "sensor": "falco", "severity": "low", "tactics": []}
        for field, values in (("uid", pods), ("name", ["ns/a", "ns/b"]), ("ctr", ["c1", "c2", "c3"])):
            if rnd.random() < .35:
                a[field] = rnd.choice(values)
        a["occ"] = "%032x" % rnd.getrandbits(128)
        lines.append(a)
    for _ in range(rnd.randrange(8)):
        fact = {"fact": rnd.choice(["ctr", "name"]), "cluster": "c", "uid": rnd.choice(pods), "rank": rnd.choice(correlate.RANKS)}
        if fact["fact"] == "ctr":
            fact["ctr"] = rnd.choice(["c1", "c2", "c3"])
        else:
            fact.update(name=rnd.choice(["ns/a", "ns/b"]), start=(BASE + rnd.randrange(-100, 1500)) * correlate.NS)
        lines.append(fact)
    return lines


def check_stream(dump, seed, i):
    """Raises Different when one way of feeding stream i of the seed gives other incidents than the reference."""
    rnd = random.Random("%s/%d" % (seed, i))
    lines = rnd.choice([correlate.generate, correlate.generate, crowded])(rnd, rnd.choice(SIZES))
    want = correlate.correlate(lines)
    transactions = rnd.getrandbits(60)
    compare("in order", dump.run(in_order(lines), seed=transactions), want)
    compare("killed", dump.run_killed(in_order(lines), rnd.randrange(dump.writes) + 1, rnd, seed=transactions), want)
    compare("shuffled, repeated, restarted", dump.run(
        repeated(rnd, lines), seed=rnd.getrandbits(60), restart_every=rnd.choice([0, 1, 3])), want)
    compare("split", dump.run(split(rnd, lines), seed=rnd.getrandbits(60)), want)
    if len(lines) <= ONE_BY_ONE_MAX:
        compare("one by one", dump.run(shuffled(rnd, lines)), want)
    return len(lines)
