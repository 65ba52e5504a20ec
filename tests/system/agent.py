#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real tocsin-agent before a real tocsind: every alert that the agent answered is in the ledger once, whatever happens between.

agent.py [--rate N] [--seconds N]: alerts a second, and for how long in each case. Needs root (a tmpfs) and cc.
"""
import argparse
import datetime
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]
from agent_rig import SENDERS, Case, Tap  # noqa: E402
from checks import check, finish  # noqa: E402
from daemon import BUILD, wait_for  # noqa: E402
from falco_times import now_text  # noqa: E402
from manifests import check_all, probe_paths  # noqa: E402

RSS_MAX_KB = 15 * 1024
IDLE_S, WAKES_MAX = 3, 6  # a second


def in_peace(case):
    case.agent.start()
    case.run_for()
    case.is_whole("in peace")
    check("the agent needs at most 15 MB", case.agent.rss_kb() <= RSS_MAX_KB, case.agent.rss_kb())
    status, answer = case.agent.request("POST", "/ingest/falco", case.bodies.take()[1])
    check("it answers as the collector does", status == 200 and json.loads(answer) == {"accepted": 1, "duplicate": 0, "quarantined": 0}, answer)
    asked = [[case.agent.get(path)[0] for path in probe_paths()[0]], [case.daemon.get(path, token=None)[0] for path in probe_paths()[1]]]
    check("what kubelets ask is answered", asked == [[200, 200], [200, 200]], asked)
    agents = case.daemon.get("/metrics")[1].decode()
    check("the collector knows the agent", 'tocsin_agents{state="' in agents, agents[:300])
    known = json.loads(case.daemon.get("/api/v1/sources")[1])["agents"]
    with open("/proc/sys/kernel/random/boot_id") as f:
        check("and which boot of its node it speaks from", [a["boot"] for a in known] == [f.read().strip()], known)


def collector_down(case):
    case.daemon.stop()
    load = case.load()
    wait_for(lambda: len(load.answered) > 50, 30, "answers without a collector")
    check("without a collector alerts are taken", True)
    case.start_daemon()
    load.goes_on(150)
    case.answered += load.end()
    case.is_whole("the collector was down")


def collector_hangs(case):
    os.kill(case.daemon.process.pid, signal.SIGSTOP)
    load = case.run_for()
    os.kill(case.daemon.process.pid, signal.SIGCONT)
    check("nobody is refused while the collector hangs", load.refused == 0, load.refused)
    case.is_whole("the collector hung")


def collector_refuses(case):
    right = open(case.token).read()
    case.agent.stop()
    with open(case.token, "w") as f:
        f.write("toc_wrong")
    case.agent.start()
    case.run_for(1)
    check("with a wrong token it keeps all", case.agent.metric("tocsin_agent_connected") == 0)
    with open(case.token, "w") as f:
        f.write(right)
    case.is_whole("the token was wrong")


def collector_is_killed(case):
    load = case.load()
    for _ in range(case.args.kills):
        load.goes_on(random.randint(case.args.rate // 3, case.args.rate))
        case.daemon.kill()
        case.start_daemon()
    case.answered += load.end()
    case.is_whole("the collector was killed %d times" % case.args.kills)


def agent_is_killed(case):
    load = case.load()
    for _ in range(case.args.kills):
        load.goes_on(random.randint(case.args.rate // 3, case.args.rate))
        case.agent.kill()
        case.agent.start()
    case.answered += load.end()
    case.is_whole("the agent was killed %d times" % case.args.kills)


def clock_jumps(case, folder):
    library = os.path.join(folder, "shifted_clock.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, os.path.join(HERE, "../lib/shifted_clock.c")], check=True)
    for shift in (40 * 86400, -40 * 86400):
        case.agent.stop()
        case.daemon.stop()
        case.agent.environment = {"LD_PRELOAD": library, "SHIFTED_S": str(shift)}
        case.agent.start()
        case.run_for(0.7)
        case.start_daemon()
    case.agent.stop()
    case.agent.environment = {}
    case.agent.start()
    case.run_for(0.7)
    # An alert from 40 days ahead of its arrival is stored with the time of that: they are counted.
    wait_for(lambda: len(case.stored()) >= len(case.answered), 60, "as many are stored as were answered")
    case.wait_until_sent()
    stored = case.stored()
    check("the agent's clock jumped by 40 days, both ways: %d answered, as many stored" % len(case.answered),
          len(case.answered) <= len(stored) <= len(case.answered) + 2 * SENDERS * case.args.kills, len(stored))
    case.answered = [ns for ns in case.answered if ns in set(stored)]
    case.untimely = len(stored) - len(set(stored))


def damaged(case):
    """A torn end costs nothing. A flipped bit costs one record, which is told."""
    case.daemon.stop()
    last = os.path.join(case.agent.spool, sorted(n for n in os.listdir(case.agent.spool) if n.endswith(".segment"))[-1])
    before = os.path.getsize(last)
    case.run_for(1)
    case.agent.kill()
    with open(last, "r+b") as f:
        size = f.seek(0, os.SEEK_END)
        with open(os.path.join(case.agent.spool, "mark"), "rb") as mark:
            f.write(mark.read()[8:12] + b"\0\0\x10\0half a record")  # its id begins like this
        f.seek((before + size) // 2)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 16]))
    case.agent.start()
    case.start_daemon()
    wait_for(lambda: case.agent.metric('tocsin_agent_records{outcome="lost"}') == 1, 30, "the loss is told")
    wait_for(lambda: case.agent.metric("tocsin_agent_waiting_records") == 0, 60, "the spool is empty")
    stored = set(case.stored())
    missing = set(case.answered) - stored
    check("a flipped bit costs one of %d, which is told" % len(case.answered), len(missing) == 1, len(missing))
    case.answered = [ns for ns in case.answered if ns in stored]
    case.run_for(0.5)
    case.is_whole("after the damage")


LACK = "agent has delivered alerts"


def told_lacks(case):
    """-> how often the collector's log says that it lacks alerts, the intervals of its coverage."""
    with open(os.path.join(case.agent.folder, "tocsind.log"), errors="replace") as f:
        n = f.read().count(LACK)
    items = json.loads(case.daemon.get("/api/v1/coverage?node=node-1")[1])["items"]
    return n, [item for item in items if item["sensor"] == "agent"]


def older_database(case):
    """An older copy of the database does not have what was delivered since: that is told, once. What else may happen is no such gap."""
    check("crashes, clocks and restarts are no lack of alerts", told_lacks(case) == (0, []), told_lacks(case))
    case.daemon.stop()
    copy = case.daemon.data + ".copy"
    shutil.copytree(case.daemon.data, copy)
    copied_at = datetime.datetime.now(datetime.timezone.utc).isoformat()
    case.start_daemon()
    case.run_for(0.5)
    case.is_whole("before the database is an older one")
    case.daemon.stop()
    shutil.rmtree(case.daemon.data)
    os.rename(copy, case.daemon.data)
    case.start_daemon()
    n, items = wait_for(lambda: told_lacks(case)[1] and told_lacks(case), 60, "the gap is told")
    check("what an older database lacks is a warning and a gap", n == 1 and len(items) == 1 and items[0]["state"] == "dropping" and
          "n" not in items[0] and items[0]["from"] < copied_at < items[0]["until"] and items[0]["source"] == "tocsin", (n, items, copied_at))
    stored = set(case.stored())
    check("it lacks what was delivered since", set(case.answered) - stored)
    case.answered = [ns for ns in case.answered if ns in stored]
    case.agent.stop()
    case.agent.start()
    case.run_for(0.3)
    case.is_whole("after the gap")
    check("it is told once", told_lacks(case) == (n, items), told_lacks(case))


def new_database(case):
    """A collector that never heard of the spool."""
    case.daemon.data += ".new"
    case.agent.start()
    case.start_daemon()
    with open(case.token, "w") as f:
        f.write(case.daemon.token("ingest"))
    n, items = wait_for(lambda: told_lacks(case)[1] and told_lacks(case), 60, "the gap is told")
    check("what a new database lacks is told, too", n == 2 and len(items) == 1 and items[0]["from"] == items[0]["until"], (n, items))


def full_disk(folder, args):
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    subprocess.check_call(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk])
    case = Case(folder, args, spool=os.path.join(disk, "spool"))
    try:
        case.daemon.stop()
        case.agent.start()
        load = case.load()
        wait_for(lambda: case.agent.get("/readyz")[0] == 503, 60, "/readyz says that the disk is full")
        n = len(load.answered)
        status = case.agent.request("POST", "/ingest/tetragon", b'{"process_exec":{}}', timeout=20)[0]
        check("a full disk holds Falco, others are told to come again", status == 503 and load.refused == 0 and len(load.answered) == n,
              (status, load.refused, n, len(load.answered)))
        subprocess.check_call(["mount", "-o", "remount,size=64m", disk])
        wait_for(lambda: len(load.answered) > n + 20, 30, "answers come again")
        case.answered += load.end()
        case.start_daemon()
        case.is_whole("the disk was full")
        wait_for(lambda: {("falco", "throttled"), ("tetragon", "throttled")} <= coverage_states(case), 60, "the collector knows who waited")
        check("the collector knows that sensors were held and refused", True)
    finally:
        case.end()
        subprocess.call(["umount", disk])


def sheds(folder, args):
    """What has no room is shed, and every one of it told of."""
    case = Case(folder, args, words=["--spool_size", "1MiB"])
    try:
        case.daemon.stop()
        case.agent.start()
        many = b""
        n = 0
        while n < 6000:
            ns, body = case.bodies.take()
            many += body + b"\n"
            n += 1
            if n % 500 == 0:
                check("a batch is taken", case.agent.request("POST", "/ingest/falco", many)[0] == 200) if n == 500 else \
                    case.agent.request("POST", "/ingest/falco", many)
                many = b""
        case.start_daemon()

        def told():
            text = case.daemon.get("/metrics")[1].decode()
            shed = sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("tocsin_shed_total{"))
            return shed, len(case.stored())
        try:
            wait_for(lambda: sum(told()) >= n, 90, "all is stored, or told of as shed")
        except AssertionError as err:
            check(str(err), False, (told(), open(os.path.join(folder, "agent.log")).read()[-1500:]))
            return
        shed, stored = told()
        check("of %d alerts %d were shed, %d stored" % (n, shed, stored), shed + stored == n and shed > 0 and stored > 0, (shed, stored))
    finally:
        case.end()


def other_ways(folder, args):
    """A unix socket, a file that is rotated, standard input."""
    case = Case(folder, args)
    path, rotated = os.path.join(folder, "falco.json"), os.path.join(folder, "falco.json.1")
    try:
        open(path, "w").close()
        case.agent.words = ["--listen", "unix:" + os.path.join(folder, "socket"), "--follow", path + "=falco"]
        case.agent.process = subprocess.Popen(
            [os.path.join(BUILD, "bin/tocsin-agent"), "--server", case.agent.server, "--tls", "off", "--spool", case.agent.spool,
             "--token-file", case.token, "--stdin", "falco"] + case.agent.words,
            stderr=open(os.path.join(folder, "agent.log"), "ab"), stdin=subprocess.PIPE)
        case.agent.log = open(os.devnull)
        wait_for(lambda: os.path.exists(os.path.join(folder, "socket")), 30, "the socket is there")
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(folder, "socket"))
            ns, body = case.bodies.take()
            s.sendall(b"POST /ingest/falco HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            check("a unix socket takes alerts", s.recv(100).startswith(b"HTTP/1.1 200"))
            case.answered.append(ns)
        for name in (path, rotated, path):
            if name == rotated:
                os.rename(path, rotated)
            with open(name, "ab") as f:
                for _ in range(100):
                    ns, body = case.bodies.take()
                    f.write(body + b"\n")
                    case.answered.append(ns)
        for _ in range(100):
            ns, body = case.bodies.take()
            case.agent.process.stdin.write(body + b"\n")
            case.answered.append(ns)
        case.agent.process.stdin.flush()
        wait_for(lambda: set(case.answered) <= set(case.stored()), 30, "socket, files and input are stored")
        check("a socket, a rotated file and standard input: %d stored once" % len(case.answered),
              sorted(case.answered) == sorted(case.stored()), len(case.stored()))

        def sleeps():
            before = case.agent.wakes()
            threading.Event().wait(IDLE_S)
            return case.agent.wakes() - before <= IDLE_S * WAKES_MAX
        wait_for(sleeps, 30, "the agent is woken at most %d times a second" % WAKES_MAX)
        check("who follows a file and has nothing to do sleeps", True)
        ns, body = case.bodies.take()
        case.agent.process.stdin.write(body)
        case.agent.process.stdin.close()
        check("it ends with its input", case.agent.process.wait(30) == 0)
    finally:
        case.end()


def listens(pid):
    """Has the process a TCP socket or a path to listen on?"""
    sockets = set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            sockets.add(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except FileNotFoundError:  # closed meanwhile
            continue
    for table, state, inode, listening in (("tcp", 3, 9, "0A"), ("tcp6", 3, 9, "0A"), ("unix", 3, 6, "00010000")):
        with open("/proc/net/" + table) as f:
            if any(row[state] == listening and "socket:[%s]" % row[inode] in sockets for row in map(str.split, f.readlines()[1:])):
                return True
    return False


def beside_another(folder, args):
    """The agent that Falco starts (program_output), on a node that has one already: same token, no word of an address."""
    case = Case(folder, args)
    base = [os.path.join(BUILD, "bin/tocsin-agent"), "--server", case.agent.server, "--tls", "off", "--token-file", case.token,
            "--node", "node-1", "--stdin", "falco", "--spool"]
    second = None
    try:
        case.agent.start()
        refused = subprocess.run(base + [case.agent.spool], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=30)
        check("a spool that is in use is refused, with what to do",
              refused.returncode and b"--spool DIR" in refused.stderr, (refused.returncode, refused.stderr))
        own = base + [os.path.join(folder, "own-spool")]
        check("--check-config takes it", subprocess.call(own + ["--check-config"], stdin=subprocess.DEVNULL) == 0)
        with open(os.path.join(folder, "second.log"), "wb") as log:
            second = subprocess.Popen(own, stdin=subprocess.PIPE, stderr=log)
        for _ in range(20):
            ns, body = case.bodies.take()
            second.stdin.write(body + b"\n")
            case.answered.append(ns)
        second.stdin.flush()
        wait_for(lambda: set(case.answered) <= set(case.stored()), 30, "what the second was given is stored")
        check("who reads standard input listens nowhere", listens(case.agent.process.pid) and not listens(second.pid))
        second.stdin.close()
        check("it ends with its input", second.wait(30) == 0)
        ns, body = case.bodies.take()
        check("the first one goes on", case.agent.request("POST", "/ingest/falco", body)[0] == 200)
        case.answered.append(ns)
        case.is_whole("two agents of a node")
    finally:
        if second and second.poll() is None:
            second.kill()
            second.wait()
        case.end()


def write_falco(case, name, n):
    with open(name, "ab") as f:
        for _ in range(n):
            ns, body = case.bodies.take()
            f.write(body + b"\n")
            case.answered.append(ns)


TETRAGON = ('{"process_exec":{"process":{"exec_id":"bm9kZTo%d","pid":%d,"uid":0,"cwd":"/","binary":"/usr/bin/id","arguments":"-u","flags":"execve",'
            '"start_time":"2026-11-25T10:00:00.%09dZ"}},"node_name":"node-1","time":"2026-11-25T10:00:00.%09dZ"}\n')


def followed(folder, args):
    """What a sensor wrote is read, whatever became of its file; what is gone is told."""
    case = Case(folder, args)
    path, torn = os.path.join(folder, "falco.json"), os.path.join(folder, "tetragon.json")

    def is_read(what):
        wait_for(lambda: set(case.answered) <= set(case.stored()), 30, what + ": all is read")
        case.is_whole(what)
    try:
        with open(torn, "w") as f:
            f.write('rue,"node_name":"x"}}\n' + "".join(TETRAGON % (i, i + 5, i, i) for i in range(200)))
        case.agent.words = ["--follow", path + "=falco," + torn + "=tetragon"]
        write_falco(case, path, 10)
        case.agent.start()
        wait_for(lambda: case.agent.metric('tocsin_agent_alerts_total{source="tetragon",outcome="quarantined"}') == 1, 30,
                 "the torn line is in quarantine")
        check("a torn first line costs no other",
              case.agent.metric('tocsin_agent_alerts_total{source="tetragon",outcome="accepted"}') == 200)
        is_read("a file is followed")
        os.rename(path, path + ".1")
        open(path, "w").close()
        threading.Event().wait(IDLE_S)  # the sensor takes its time
        write_falco(case, path + ".1", 10)
        write_falco(case, path, 10)
        is_read("a file was rotated")
        case.agent.stop()
        for name in (".3", ".2", None):
            write_falco(case, path, 10)
            if name:
                os.rename(path, path + name)
        case.agent.start()
        is_read("a file was rotated twice while the agent was away")
        with open(os.path.join(folder, "agent.log")) as log:
            check("nothing is told as lost", "not found any more" not in log.read())
        case.agent.stop()
        os.unlink(path)
        write_falco(case, path, 30)  # often of the same inode
        case.agent.start()
        is_read("a file was made anew while the agent was away")
        wait_for(lambda: ("falco", "dropping") in coverage_states(case), 60, "what may be lost with a file is told")
        check("what may be lost with a file is told", True)
    finally:
        case.end()


def coverage_states(case):
    """-> {(source, state)} of the node, as the collector knows them; all are of one sensor."""
    items = json.loads(case.daemon.get("/api/v1/coverage?node=node-1")[1])["items"]
    assert all(item["sensor"] == item["source"] for item in items), items
    return {(item["source"], item["state"]) for item in items}


def witnesses(folder, args):
    """What the agent knows beside alerts: which pod a container is in, and what its sensors were."""
    container, uid = "4f" * 32, "01234567-89ab-cdef-0123-456789abcdef"
    root = os.path.join(folder, "cgroup")
    os.makedirs(os.path.join(root, "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%s.slice" % uid.replace("-", "_"),
                             "cri-containerd-%s.scope" % container))
    case = Case(folder, args, words=["--cgroup", root])
    try:
        case.agent.start()
        for named in ({"k8s.pod.name": "web-1", "k8s.ns.name": "shop"}, {}):
            ns, body = case.bodies.take()
            alert = json.loads(body)
            alert["output_fields"] = {name: value for name, value in alert["output_fields"].items() if not name.startswith("k8s.")}
            alert["output_fields"].update({"container.id": container[:12]}, **named)
            check("an alert %s its pod's name" % ("with" if named else "without"),
                  case.agent.request("POST", "/ingest/falco", json.dumps(alert).encode())[0] == 200)
            case.answered.append(ns)
        case.is_whole("alerts of a container")

        def incidents():
            return [item for item in json.loads(case.daemon.get("/api/v1/incidents")[1])["items"] if item["alerts"] == 2]
        entity = wait_for(incidents, 30, "both are one incident")[0]["entity"]
        check("the agent says which pod a container is in", (entity.get("namespace"), entity.get("pod"), entity.get("pod_uid")) ==
              ("shop", "web-1", uid), entity)
        case.agent.request("POST", "/ingest/falco", falco_drops())
        wait_for(lambda: {("falco", "connected"), ("falco", "dropping")} <= coverage_states(case), 60, "the collector knows the sensor's states")
        check("the collector knows the sensor's states", True)
    finally:
        case.end()


def falco_drops():
    """As a Falco says that it lost events."""
    with open(os.path.join(HERE, "../corpus/falco-live/internal-events.jsonl")) as f:
        alert = json.loads(next(line for line in f if "syscall event drop" in line))
    return json.dumps(dict(alert, time=now_text(7200), hostname="node-1")).encode()


def packing(folder, args):
    """In the clear unless gzip is wished for; both are stored."""
    case = Case(folder, args)
    sizes = {}
    try:
        for wish in ("off", "gzip"):
            tap = Tap(case.daemon.grpc_port)
            case.agent.server = tap.address
            case.agent.words = ["--compression", wish] if wish == "gzip" else []
            case.daemon.stop()
            case.agent.start()  # all waits for the collector: batches are large
            alerts = [case.bodies.take() for _ in range(1000)]
            check("alerts are taken", case.agent.request("POST", "/ingest/falco", b"\n".join(body for _, body in alerts))[0] == 200)
            case.answered += [ns for ns, _ in alerts]
            case.start_daemon()
            case.is_whole("compression %s" % wish)
            case.agent.stop()
            tap.close()
            sizes[wish] = len(tap.sent)
            is_plain = b'"output_fields"' in tap.sent
            check("compression %s: %d bytes" % (wish, len(tap.sent)), is_plain == (wish == "off"), is_plain)
        check("gzip takes less than a quarter", sizes["gzip"] * 4 < sizes["off"], sizes)
    finally:
        case.end()


def words(folder):
    def code(*arguments):
        return subprocess.run([os.path.join(BUILD, "bin/tocsin-agent")] + list(arguments), capture_output=True, timeout=30).returncode
    config = os.path.join(folder, "agent.yaml")
    with open(config, "w") as f:
        f.write("server: collector\n")
    check("exit codes", [code("--help"), code("--wrong", "x"), code(), code("--config", config),
                         code("--server", "a:1", "--spool", "/proc/none", "--tls", "off")] == [0, 64, 64, 78, 74],
          [code("--help"), code("--wrong", "x"), code(), code("--config", config), code("--server", "a:1", "--spool", "/proc/none", "--tls", "off")])


def run(name, what):
    with tempfile.TemporaryDirectory() as folder:
        try:
            what(folder)
        except AssertionError as err:
            check("%s: %s" % (name, err), False, "".join(open(os.path.join(folder, n), errors="replace").read()[-1500:]
                                                          for n in ("agent.log", "tocsind.log") if os.path.exists(os.path.join(folder, n))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--kills", type=int, default=3)
    args = parser.parse_args()

    def one_after_the_other(folder):
        case = Case(folder, args)
        try:
            for step in (in_peace, collector_down, collector_hangs, collector_refuses, collector_is_killed, agent_is_killed,
                         lambda c: clock_jumps(c, folder), damaged, older_database):
                step(case)
            check("the agent ends with 0", case.agent.stop() == 0)
            check("the collector ends with 0", case.daemon.stop() == 0)
            code, report = case.daemon.cli("ledger", "verify")
            check("the ledger verifies", code == 0, report)
            new_database(case)
        finally:
            case.end()
    run("words", words)
    run("manifests", check_all)
    run("one after the other", one_after_the_other)
    run("full disk", lambda folder: full_disk(folder, args))
    run("sheds", lambda folder: sheds(folder, args))
    run("witnesses", lambda folder: witnesses(folder, args))
    run("packing", lambda folder: packing(folder, args))
    run("followed", lambda folder: followed(folder, args))
    run("other ways", lambda folder: other_ways(folder, args))
    run("beside another", lambda folder: beside_another(folder, args))
    return finish()


sys.exit(main())
