#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Failed writes: a full disk and failing system calls. Every 200 is in the ledger once; what can resume resumes by itself.

faults.py needs root (a tmpfs) and strace.
"""
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish, results  # noqa: E402
from daemon import BUILD, SOURCE, Daemon, wait_for  # noqa: E402

LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")
FIRST = str(time.time_ns() - 60 * 10**9)  # of the last minutes: what is older than the horizon is not correlated
LOAD = os.path.join(BUILD, "tests/lib/tocsin-load")
ALERTS = 2000  # of each case but the first


def loader(daemon, record, alerts, resume=False):
    words = [LOAD, "--url", "127.0.0.1:%d" % daemon.port, "--path", "/ingest/falco/" + daemon.token("ingest"), "--file", LINES,
             "--connections", "16", "--alerts", str(alerts), "--first", FIRST]
    words += ["--resume-from", record, "--again", "10", "--record", record + "2"] if resume else ["--record", record]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def stored_times(daemon):
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(daemon.data, "tocsin.db"), uri=True)
    try:
        return [row[0] for row in db.execute("SELECT time_ns FROM alert")]
    finally:
        db.close()


def records(path):
    try:
        with open(path) as f:
            return [line for line in f if line.strip()]
    except FileNotFoundError:
        return []


def verified(daemon):
    code, report = daemon.cli("ledger", "verify")
    check("the ledger verifies", code == 0, report)


def full_disk(folder):
    """A tmpfs too small for the load; then it grows."""
    disk, record = os.path.join(folder, "disk"), os.path.join(folder, "record")
    os.mkdir(disk)
    subprocess.check_call(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk])
    daemon = Daemon(os.path.join(disk, "data"))
    daemon.log_folder = folder
    try:
        daemon.start()
        load = loader(daemon, record, 20000)
        wait_for(lambda: daemon.get("/readyz", token=None) == (503, b"disk full\n"), 60, "/readyz says disk full")
        check("a full disk: /readyz says so", True)
        answered = len(records(record))
        held = json.loads(daemon.get("/api/v1/status")[1])
        check("senders are held, not refused", load.poll() is None, held)
        subprocess.check_call(["mount", "-o", "remount,size=256m", disk])
        wait_for(lambda: daemon.ready() == 200, 60, "/readyz is 200 again")
        out, _ = load.communicate(timeout=120)
        check("work resumes by itself and the load ends", load.returncode == 0 and answered < 20000, out)
        check("every alert is stored once", sorted(set(stored_times(daemon))) == sorted(stored_times(daemon)) and len(stored_times(daemon)) == 20000,
              len(stored_times(daemon)))
        check("tocsind ends with 0", daemon.stop() == 0)
        verified(daemon)
    finally:
        daemon.kill()
        subprocess.call(["umount", disk])


def works_on_or_ended(name, daemon, load):
    """The load ends and the daemon lives, or the daemon ended with 74."""
    out, _ = load.communicate(timeout=120)
    # Its senders may hear of the end before it has come.
    ended = daemon.process.wait(60) if load.returncode else daemon.process.poll()
    check("%s: works on, or ends with 74" % name, (ended is None and load.returncode == 0) or ended == 74, (ended, load.returncode, out))


def nothing_is_lost(name, daemon, record):
    """What was answered is there after a restart; what was not can be sent again."""
    daemon.kill()
    answered = len(records(record))
    daemon.start()
    stored = stored_times(daemon)
    check("%s: every 200 is stored, once" % name, len(stored) == len(set(stored)) >= answered, (answered, len(stored)))
    again = loader(daemon, record, ALERTS, resume=True)
    again.communicate(timeout=120)
    stored = stored_times(daemon)
    check("%s: the rest comes after, none twice" % name, again.returncode == 0 and len(stored) == len(set(stored)) == ALERTS, len(stored))
    check("%s: ends with 0" % name, daemon.stop() == 0)
    verified(daemon)


def failing_call(folder, file, call, how, when):
    """A thread's when-th (or FIRST..LAST) such call on one of the store's files fails; the others do not."""
    name = "%s of %s, %s at %s" % (call, file, how, when)
    record, trace = os.path.join(folder, "record"), os.path.join(folder, "trace")
    daemon = Daemon(os.path.join(folder, "data")).start()
    daemon.stop()
    try:
        daemon.start(wrap=["strace", "-f", "-qq", "-o", trace, "-P", os.path.join(daemon.data, file), "-e", "trace=" + call,
                           "-e", "inject=%s:%s:when=%s" % (call, how, when)])
        works_on_or_ended(name, daemon, loader(daemon, record, ALERTS))
        wait_for(lambda: daemon.process.poll() is not None or "(INJECTED)" in open(trace).read(), 10, name + " was made")
        nothing_is_lost(name, daemon, record)
    finally:
        daemon.kill()


def short_writes(folder, limit):
    """Writes that stop in the middle: no file may grow over a limit (RLIMIT_FSIZE), which later is lifted.

    strace cannot do this: a return value that it invents (retval=N) is a kernel that lies, of which no byte was written.
    """
    name = "files of %d bytes at most" % limit
    record = os.path.join(folder, "record")
    daemon = Daemon(os.path.join(folder, "data")).start()
    daemon.stop()
    names = [os.path.join(daemon.data, n) for n in ("tocsin.db", "tocsin.db-wal")]
    try:
        daemon.start(wrap=["env", "--ignore-signal=XFSZ"])
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        load = loader(daemon, record, ALERTS)
        wait_for(lambda: limit in [os.path.getsize(n) for n in names if os.path.exists(n)] or daemon.process.poll() is not None, 60,
                 name + ": the limit is met")
        if daemon.process.poll() is None:
            resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        works_on_or_ended(name, daemon, load)
        nothing_is_lost(name, daemon, record)
    finally:
        daemon.kill()


def main():
    seed = int(os.environ.get("TOCSIN_SEED") or random.SystemRandom().getrandbits(32))
    rnd = random.Random(seed)
    print("# seed %d" % seed, flush=True)
    log, database, index = "tocsin.db-wal", "tocsin.db", "tocsin.db-shm"
    cases = [(log, "pwrite64", "error=ENOSPC", rnd.randrange(5, 120)),
             (log, "pwrite64", "error=EIO", rnd.randrange(5, 120)),
             (log, "pwrite64", "retval=0", rnd.randrange(5, 120)),
             (log, "fdatasync", "error=EIO", rnd.randrange(2, 40)),
             (log, "fdatasync", "error=ENOSPC", rnd.randrange(2, 40)),
             (log, "fdatasync", "error=EIO", "%d+" % rnd.randrange(2, 40)),
             (database, "pwrite64", "error=ENOSPC", rnd.randrange(1, 20)),
             (database, "pwrite64", "error=EIO", rnd.randrange(1, 20)),
             (database, "pwrite64", "retval=0", rnd.randrange(1, 20)),
             (database, "fdatasync", "error=EIO", "1"),
             (database, "fdatasync", "error=EIO", "1+"),
             (database, "ftruncate", "error=EIO", "1"),
             (index, "ftruncate", "error=ENOSPC", "1"),
             (log, "openat", "error=EIO", "1")]
    limits = [rnd.randrange(300, 800) * 1024 + rnd.randrange(1, 1024)]
    for run in ([full_disk] + [lambda f, c=c: failing_call(f, *c) for c in cases] + [lambda f, n=n: short_writes(f, n) for n in limits]):
        with tempfile.TemporaryDirectory() as folder:
            before = len(results)
            try:
                run(folder)
            except AssertionError as err:
                check(str(err), False)
            if not all(results[before:]):
                for base, _, names in os.walk(folder):
                    for n in names:
                        if n == "tocsind.log":
                            print("# " + open(os.path.join(base, n), errors="replace").read()[-3000:].replace("\n", "\n# "), flush=True)
    return finish()


sys.exit(main())
