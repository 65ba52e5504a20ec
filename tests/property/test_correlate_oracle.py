#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C correlator equals the reference, byte for byte, on random streams (TAP).

Each stream (alerts, facts, edits, criticality) is fed in order and shuffled with repeats, in transactions
of random sizes or line by line, with and without restarts, and what is printed must be what the reference
prints for the same set. Streams: TOCSIN_STREAMS (default 100); seed: TOCSIN_SEED (default: drawn).
"""
import json, os, random, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.environ.get("TOCSIN_SOURCE", "."), "tests/lib"))
import correlate  # noqa: E402

DUMP = os.path.join(os.environ.get("TOCSIN_BUILD", "build"), "tests/lib/correlate-dump")


def run(lines, seed, restart_every, folder):
    path = os.path.join(folder, "db")
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([DUMP, path, str(seed), str(restart_every)], input=text, text=True, capture_output=True)
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    if done.returncode:
        raise AssertionError("correlate-dump ended with %d: %s" % (done.returncode, done.stderr))
    return done.stdout.splitlines()


def one_stream(rnd, folder):
    lines = correlate.generate(rnd, rnd.choice([1, 5, 40, 200, 600]))
    want = correlate.correlate(lines)
    shuffled = rnd.sample(lines, len(lines)) + rnd.sample(lines, len(lines) // 2)
    rnd.shuffle(shuffled)
    feeds = [(sorted(lines, key=lambda l: l.get("t", 0)), rnd.getrandbits(60), 0), (shuffled, rnd.getrandbits(60), rnd.choice([0, 1, 3]))]
    if len(lines) <= 250:
        feeds.append((rnd.sample(lines, len(lines)), 0, 0))
    for feed, seed, restart_every in feeds:
        got = run(feed, seed, restart_every, folder)
        if got != want:
            missing = [w for w in want if w not in got][:3]
            extra = [g for g in got if g not in want][:3]
            raise AssertionError("%d incidents, want %d\nwant: %s\ngot:  %s" % (
                len(got), len(want), "\n      ".join(missing), "\n      ".join(extra)))


def main():
    seed = int(os.environ.get("TOCSIN_SEED") or random.SystemRandom().getrandbits(32))
    streams = int(os.environ.get("TOCSIN_STREAMS") or 100)
    print("# seed %d, %d streams" % (seed, streams))
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # durability is not what is tested here
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        for i in range(streams):
            rnd = random.Random("%d/%d" % (seed, i))
            try:
                one_stream(rnd, folder)
            except AssertionError as err:
                print("# stream %d: %s" % (i, str(err).replace("\n", "\n# ")))
                print("not ok 1 - correlator equals the reference (seed %d, stream %d)" % (seed, i))
                print("1..1")
                return 1
    print("ok 1 - correlator equals the reference on %d streams" % streams)
    print("1..1")
    return 0


sys.exit(main())
