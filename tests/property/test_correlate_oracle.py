#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C correlator equals the reference, byte for byte, on random streams (TAP).

Each stream (alerts, facts, edits, criticality) is fed in order, shuffled with repeats and restarts, split over collectors,
line by line, and with the process killed in a random write; what is printed must be what the reference prints for the same
set (tests/lib/correlate_streams.py). Streams: TOCSIN_STREAMS (default 100); seed: TOCSIN_SEED (default: drawn).
"""
import os, random, sys, threading

sys.path.insert(0, os.path.join(os.environ.get("TOCSIN_SOURCE", "."), "tests/lib"))
from correlate_dump import Dump  # noqa: E402
from correlate_streams import check_stream  # noqa: E402


class Run:
    """Streams 0..n-1, taken by as many threads as there are cores; each drives a process of its own."""

    def __init__(self, seed, n):
        self.seed, self.left, self.failures, self.lock = seed, iter(range(n)), [], threading.Lock()

    def next(self):
        with self.lock:
            return None if self.failures else next(self.left, None)

    def work(self):
        i = 0
        try:
            with Dump() as dump:
                for i in iter(self.next, None):
                    check_stream(dump, self.seed, i)
        except Exception as err:
            with self.lock:
                self.failures.append((i, "%s: %s" % (type(err).__name__, err)))


def main():
    seed = int(os.environ.get("TOCSIN_SEED") or random.SystemRandom().getrandbits(32))
    streams = int(os.environ.get("TOCSIN_STREAMS") or 100)
    print("# seed %d, %d streams" % (seed, streams), flush=True)
    run = Run(seed, streams)
    threads = [threading.Thread(target=run.work) for _ in os.sched_getaffinity(0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, text in run.failures:
        print("# stream %d: %s" % (i, text.replace("\n", "\n# ")))
    print("%sok 1 - correlator equals the reference on %d streams (seed %d)" % ("not " if run.failures else "", streams, seed))
    print("1..1")
    return 1 if run.failures else 0


sys.exit(main())
