#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One event of a sensor that speaks JSON has one occurrence id however shippers write it anew.

As an array, alone, with other line ends, with its keys in another order, with spaces, with numbers as strings,
and with what a road adds. Without a usable time an event may be known by all of its bytes: those may differ.
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import decode  # noqa: E402

# (source, file or folder of JSON files, what a road may add at the top, lines that tell of an event once more)
SETS = [
    ("tetragon", decode.CORPUS / "own/tetragon.jsonl", {"cluster_name": "x", "@timestamp": 1.5, "file": "/var/log/t"}, 0),
    ("tetragon", decode.SHARED / "tetragon", {"node_labels": {"a": "b"}}, 0),
    ("kubearmor", decode.CORPUS / "own/kubearmor.jsonl", {"cluster_id": "2302", "component_name": "kubearmor", "HashID": "00"}, 7),
    ("kubearmor", decode.SHARED / "kubearmor", {"@timestamp": 1.5, "kubernetes": {"host": "x"}}, 1),
]
ALERT, TIME_UNTRUSTED = 1, 1

count = 0
n_failed = 0


def check(good, what):
    global count, n_failed
    count += 1
    n_failed += not good
    print(f"{'ok' if good else 'not ok'} {count} {what}")


def reversed_keys(value):
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(item) for item in value] if isinstance(value, list) else value


def numbers_as_strings(value):
    if isinstance(value, dict):
        return {key: numbers_as_strings(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers_as_strings(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def roads(added):
    return [
        ("written anew", compact),
        ("with spaces and lines", lambda event: json.dumps(event, indent=2)),
        ("keys in reverse", lambda event: compact(reversed_keys(event))),
        ("keys sorted", lambda event: json.dumps(event, sort_keys=True)),
        ("numbers as strings", lambda event: compact(numbers_as_strings(event))),
        ("with what a road adds", lambda event: compact({**added, **event})),
    ]


def read(path):
    """The lines that are JSON objects (others are no event by any road)."""
    if path.is_dir():
        return [compact(json.loads(file.read_bytes())) for file in sorted(path.glob("*.json"))]
    lines = []
    for line in path.read_text().splitlines():
        try:
            lines += [line] if isinstance(json.loads(line), dict) else []
        except ValueError:
            pass
    return lines


def check_set(source, path, added, n_again):
    name = f"{source}, {path.name}"
    lines = read(path)
    wanted = decode.dump(source, "\n".join(lines).encode())
    known = [alert["kind"] == ALERT and not alert["flags"] & TIME_UNTRUSTED for alert in wanted]
    check(len(wanted) == len(lines) and sum(known) > len(lines) / 2, f"{name}: {sum(known)} of {len(lines)} lines have an id of content")
    ids = [alert["occ"] for alert, is_known in zip(wanted, known) if is_known]
    check(len(set(ids)) == len(ids) - n_again, f"{name}: all of them differ but {n_again}")
    everything = [alert["occ"] for alert in wanted]
    check([a["occ"] for a in decode.dump(source, ("[" + ",".join(lines) + "]").encode())] == everything, f"{name}: as an array")
    check([a["occ"] for a in decode.dump(source, "\r\n\r\n".join(lines).encode())] == everything, f"{name}: with other line ends")
    check([decode.dump(source, line.encode())[0]["occ"] for line in lines] == everything, f"{name}: one POST each")
    for what, write in roads(added):
        got = decode.dump(source, "\n".join(write(json.loads(line)) for line in lines).encode())
        differ = [n for n, (a, b, k) in enumerate(zip(wanted, got, known), 1) if k and a["occ"] != b["occ"]]
        check(len(got) == len(wanted) and not differ, f"{name}: {what}; differing lines: {differ[:5]}")


def main():
    for source, path, added, n_again in SETS:
        if path.exists():
            check_set(source, path, added, n_again)
        else:
            print(f"# skipped: the {source} events of {path} are not here (set TOCSIN_SHARED)")
    print(f"1..{count}")
    return 1 if n_failed else 0


sys.exit(main())
