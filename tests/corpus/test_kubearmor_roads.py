#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One KubeArmor event by relay, agent's file, sidekick and export, alone, in an array, in NDJSON has one occurrence id."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import decode  # noqa: E402
import kubearmor_roads  # noqa: E402

count = 0
n_failed = 0

# Of what is decoded nothing may depend on the road but these: the machine's name, the way, the hash of the bytes.
BY_ROAD = ("node", "via")


def check(good, what):
    global count, n_failed
    count += 1
    n_failed += not good
    print(f"{'ok' if good else 'not ok'} {count} {what}")


def ids(body):
    return [alert.get("occ") for alert in decode.dump("kubearmor", body)]


def shown(body):
    """What people see of each alert."""
    alerts = [line["alert"] for line in decode.dump("kubearmor", body, facts=False)]
    for alert in alerts:  # a container's name that is unique on its node only has the node's name in it
        alert["container_id"] = alert.get("container_id", "").rpartition("/")[2]
    return [{key: value for key, value in alert.items() if key not in BY_ROAD} for alert in alerts]


def usable(lines):
    """Those in the relay's dialect that become alerts by a time of their own; the agent's own messages have one road only."""
    out = []
    for line, got in zip(lines, decode.dump("kubearmor", b"\n".join(lines))):
        event = json.loads(line) if got["kind"] == 1 else {}
        timed = ("UpdatedTime" in event or "Timestamp" in event) and event.get("Timestamp") != 0
        if timed and "HostName" in event and "Detail" not in event and event.get("Type") != "Message":
            out.append(event)
    return out


def check_set(name, lines):
    direct = ids(b"\n".join(lines))
    check(len(direct) == len(lines), f"{name}: {len(lines)} lines are {len(direct)} events")
    alone = [ids(line)[0] for line in lines[:40] if line.startswith(b"{")]
    check(alone == direct[:len(alone)], f"{name}: one POST each")
    events = usable(lines)
    relay = [json.dumps(event).encode() for event in events]
    wanted, wanted_shown = ids(b"\n".join(relay)), shown(b"\n".join(relay))
    check(ids(b"[" + b",\n".join(relay) + b"]") == wanted, f"{name}: as an array")
    check(ids(b"\r\n\r\n".join(relay)) == wanted, f"{name}: with other line ends")
    for road in (kubearmor_roads.agent_file, kubearmor_roads.sidekick, kubearmor_roads.export):
        sent = [road(event) for event in events]
        got = ids(b"\n".join(sent))
        differs = [events[i].get("PolicyName") for i, (a, b) in enumerate(zip(wanted, got)) if a != b]
        check(len(got) == len(events) > 0 and not differs, f"{name}: {len(events)} events, {road.__name__}; differing: {differs[:5]}")
    # Tags that are given both ways and differ are the corpus's own invention: no agent sends such.
    pairs = [(a, b) for event, a, b in zip(events, wanted_shown, shown(b"\n".join(kubearmor_roads.agent_file(e) for e in events)))
             if not event.get("ATags") or event["ATags"] == str(event.get("Tags")).split(",")]
    differs = [a["rule"] for a, b in pairs if a != b]
    check(pairs and not differs, f"{name}: {len(pairs)} events look the same in both dialects; differing: {differs[:5]}")


def check_difference():
    """What makes another happening makes another id."""
    event = {"UpdatedTime": "2026-11-21T19:52:28.429697Z", "HostName": "n1", "NamespaceName": "shop", "PodName": "web-0", "ContainerID": "ab" * 32,
             "HostPID": 7, "PID": 3, "PolicyName": "p", "Type": "MatchedPolicy", "Source": "/bin/cat /a", "Operation": "File", "Resource": "/a",
             "Data": "syscall=SYS_OPEN", "Action": "Block", "Result": "Permission denied"}
    first = ids(json.dumps(event).encode())
    for key, value in (("UpdatedTime", "2026-11-21T19:52:28.429698Z"), ("NamespaceName", "bank"), ("PodName", "web-1"), ("ContainerID", "cd" * 32),
                       ("HostPID", 8), ("PID", 4), ("PolicyName", "q"), ("Type", "ContainerLog"), ("Source", "/bin/cat /b"), ("Operation", "Process"),
                       ("Resource", "/b"), ("Data", "syscall=SYS_OPENAT"), ("Action", "Audit"), ("Result", "Passed")):
        check(ids(json.dumps({**event, key: value}).encode()) != first, f"another {key} is another id")
    for key, value in (("HostName", "n2"), ("ClusterName", "x"), ("Labels", "a=b"), ("Severity", "9"), ("Tags", "CIS"), ("NodeID", "00"), ("oid", 4)):
        check(ids(json.dumps({**event, key: value}).encode()) == first, f"another {key} is not")
    host = {key: value for key, value in event.items() if key not in ("ContainerID", "PodName", "NamespaceName")}
    check(ids(json.dumps(host).encode()) != ids(json.dumps({**host, "HostName": "n2"}).encode()), "a host's event is of its host")


def check_invalid_bytes():
    """gRPC cannot carry invalid UTF-8: the agent strips it there and marks each byte in its file."""
    event = b'{"UpdatedTime":"2026-11-21T19:52:28.429697Z","HostName":"n1","PolicyName":"p","Operation":"File","Resource":"/tmp/%s"}'
    stripped = ids(event % b"ab")
    for what, name in (("marked", b"\\ufffda\\ufffd\\ufffdb"), ("raw", b"\xffa\xe2\x82b\xff"), ("marks", "\ufffda\ufffdb\ufffd".encode())):
        check(ids(event % name) == stripped, f"invalid bytes, {what}: same id")
    check(ids(event % b"ac") != stripped, "another name is another id")


def main():
    check_set("own", (decode.CORPUS / "own/kubearmor.jsonl").read_bytes().splitlines())
    folder = decode.SHARED / "kubearmor"
    foreign = [json.dumps(json.loads(path.read_bytes())).encode() for path in sorted(folder.glob("*.json"))]
    if foreign:
        check_set("foreign", foreign)
    else:
        print(f"# skipped: the events of {folder} are not here (set TOCSIN_SHARED)")
    check_difference()
    check_invalid_bytes()
    print(f"1..{count}")
    return 1 if n_failed else 0


sys.exit(main())
