#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The oracle test finds what it is there for: each mutant of the correlator (tests/mutants) gives other incidents than the
reference on one of the first 500 streams (TAP). A mutant that lives is a test that is missing.

Builds them first. Streams: TOCSIN_MUTANT_STREAMS (default 500); seed: TOCSIN_SEED (default: drawn). Words behind the
command: mutants, instead of all.
"""
import os, random, re, subprocess, sys, threading

SOURCE = os.environ.setdefault("TOCSIN_SOURCE", ".")
BUILD = os.environ.setdefault("TOCSIN_BUILD", "build")
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
from correlate_dump import Dump  # noqa: E402
from correlate_streams import Different, check_stream  # noqa: E402


def hunt(mutant, seed, streams):
    """-> the number of streams it lived through, and what found it; None: nothing did."""
    with Dump("tests/mutants/" + mutant) as dump:
        for i in range(streams):
            try:
                check_stream(dump, seed, i)
            except Different as err:
                return i, str(err).split(":")[0]
    return None


class Hunt:
    def __init__(self, mutants, seed, streams):
        self.mutants, self.seed, self.streams = mutants, seed, streams
        self.left, self.lock, self.found = list(reversed(mutants)), threading.Lock(), {}

    def take(self):
        with self.lock:
            return self.left.pop() if self.left else None

    def work(self):
        for mutant in iter(self.take, None):
            try:
                self.found[mutant] = hunt(mutant, self.seed, self.streams)
            except Exception as err:       # a mutant must be told by its answers, not by breaking down
                self.found[mutant] = err


def main():
    seed = int(os.environ.get("TOCSIN_SEED") or random.SystemRandom().getrandbits(32))
    streams = int(os.environ.get("TOCSIN_MUTANT_STREAMS") or 500)
    mutants = sys.argv[1:] or sorted(name[:-2] for name in os.listdir(os.path.join(SOURCE, "tests/mutants")) if re.search(r"\.c$", name))
    subprocess.run(["make", "-s", "-C", BUILD, "-j%d" % len(os.sched_getaffinity(0))] + ["tests/mutants/" + name for name in mutants],
                   check=True, stdout=sys.stderr)
    print("# seed %d, up to %d streams each\n1..%d" % (seed, streams, len(mutants)), flush=True)
    run = Hunt(mutants, seed, streams)
    threads = [threading.Thread(target=run.work) for _ in os.sched_getaffinity(0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = 0
    for i, mutant in enumerate(mutants, 1):
        found = run.found.get(mutant)
        if isinstance(found, tuple):
            print("ok %d - %s found by stream %d (%s)" % (i, mutant, found[0] + 1, found[1]))
        else:
            failed += 1
            print("not ok %d - %s %s" % (i, mutant, found or "lives after %d streams" % streams))
    return 1 if failed else 0


sys.exit(main())
