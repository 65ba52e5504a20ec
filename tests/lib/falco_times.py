# SPDX-License-Identifier: Apache-2.0
"""Moves Falco bodies in time: recordings grow old, and a daemon treats what is older than its horizon apart."""
import time
from datetime import datetime, timezone

NS, DAY_NS = 10**9, 86400 * 10**9


def event_ns(alert):
    """Of a Falco body or one of the API's alerts: `time` is RFC 3339 with nanoseconds, UTC."""
    whole, _, part = alert["time"].rstrip("Z").partition(".")
    seconds = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
    return int(seconds) * NS + int((part or "0").ljust(9, "0"))


def moved(alert, ns):
    """The Falco body @alert, changed to have happened at @ns."""
    stamp = datetime.fromtimestamp(ns // NS, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + ".%09d" % (ns % NS)
    alert["time"], alert["output_fields"]["evt.time"] = stamp + "Z", ns
    alert["output"] = stamp[11:] + ": " + alert["output"].split(": ", 1)[1]
    return alert


def days_to_today(newest_ns):
    """What to add, in whole days, so that the newest is of the last 24 hours."""
    return (time.time_ns() - newest_ns) // DAY_NS * DAY_NS


def now_text(seconds=0):
    """A time of the last two hours, to the millisecond: @seconds after two hours ago."""
    ns = time.time_ns() - 7200 * NS + seconds * NS
    return datetime.fromtimestamp(ns // NS, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + ".%09dZ" % (ns % NS)
