#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the recorded attack with its times moved so that it ends at the first replay: replay.py FOLDER

The distance is kept in FOLDER/demo.shift: a second replay prints the same bytes, and changes nothing.
"""
import json
import os
import sys
import time
from datetime import datetime, timezone

RECORDING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "attack.jsonl")


def main():
    with open(RECORDING) as f:
        alerts = [json.loads(line) for line in f]
    path = os.path.join(sys.argv[1], "demo.shift")
    try:
        with open(path) as f:
            shift = int(f.read())
    except FileNotFoundError:
        shift = time.time_ns() - max(a["output_fields"]["evt.time"] for a in alerts)
        with open(path, "w") as f:
            f.write("%d\n" % shift)
    for alert in alerts:
        ns = alert["output_fields"]["evt.time"] + shift
        stamp = datetime.fromtimestamp(ns // 10**9, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        alert["output_fields"]["evt.time"] = ns
        alert["time"] = "%s.%09dZ" % (stamp, ns % 10**9)
        alert["output"] = "%s.%09d: %s" % (stamp[11:], ns % 10**9, alert["output"].split(": ", 1)[1])
        print(json.dumps(alert, separators=(",", ":"), ensure_ascii=False))


main()
