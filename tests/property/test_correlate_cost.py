#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One alert costs what its incident holds, whatever else is stored; storms and sprays stay small (TAP).

Counted in SQLite's own steps by correlate-cost, so that nothing depends on the machine but memory. Sizes: TOCSIN_COST=small
(default) or full (a million alerts of one rule, 300 000 pods).
"""
import json, os, subprocess, sys, tempfile

BUILD = os.environ.get("TOCSIN_BUILD", "build")
FULL = os.environ.get("TOCSIN_COST", "small") == "full"
RESIDENT_KB_MAX = 120 * 1024


def measure(kind, n):
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        done = subprocess.run([os.path.join(BUILD, "tests/lib/correlate-cost"), folder, kind, str(n)], text=True, capture_output=True)
    if done.returncode:
        raise AssertionError("correlate-cost ended with %d: %s" % (done.returncode, done.stderr))
    print("# " + done.stdout.rstrip().replace("\n", "\n# "))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["case"]: line for line in found}


def others_cost_nothing():
    """With 10, 100 times as many slots of other pods, the same steps; a few pages more, as trees grow deeper."""
    few = measure("others", 1000)
    for n in (10_000, 100_000) if FULL else (10_000,):
        for case, line in measure("others", n).items():
            assert line["steps"] <= few[case]["steps"] * 1.1, (case, line, few[case])
            assert line["pages"] <= few[case]["pages"] * 1.5, (case, line, few[case])
    assert few["newest"]["statements"] <= 20 and few["late"]["statements"] <= 80, few


def own_incidents_cost_little():
    """An alert reads its incident, at most the one before it, and none of the pod's others."""
    few, many = measure("own", 100), measure("own", 2000)
    for case in ("newest", "late, behind", "new pod", "after a restart"):
        assert many[case]["steps"] <= few[case]["steps"] * 1.1, (case, many[case], few[case])
    before = 2000 // 21 - 100 // 21            # slots that the incident before the late alert has more
    assert many["late"]["statements"] <= few["late"]["statements"] + before + 10, (many["late"], few["late"])
    week = 7 + 1                               # incidents' days that a rule is news to, with two incidents each
    assert many["late, news"]["statements"] <= few["late, news"]["statements"] + week * (before + 10), (many["late, news"], few["late, news"])


def within_memory(line):
    assert line["sanitized"] or line["resident_kb"] <= RESIDENT_KB_MAX, line


def a_storm_is_one_small_incident():
    line = measure("storm", 1_000_000 if FULL else 50_000)["storm"]
    assert line["incidents"] == 1 and line["rows_per_slot"] == 1 and line["row_bytes"] <= 16 * 24 + 64 * 4, line
    within_memory(line)


def many_pods_fit_the_caches():
    """More pods than the caches hold: memory does not grow with them."""
    n = 300_000 if FULL else 10_000
    line = measure("pods", n)["pods"]
    assert line["incidents"] == n and line["rows_per_slot"] == 1, line
    within_memory(line)


def main():
    checks = [others_cost_nothing, own_incidents_cost_little, a_storm_is_one_small_incident, many_pods_fit_the_caches]
    print("1..%d" % len(checks), flush=True)
    failed = 0
    for i, check in enumerate(checks, 1):
        try:
            check()
            print("ok %d - %s" % (i, check.__name__.replace("_", " ")), flush=True)
        except AssertionError as err:
            failed += 1
            print("# %s\nnot ok %d - %s" % (err, i, check.__name__.replace("_", " ")), flush=True)
    return 1 if failed else 0


sys.exit(main())
