# SPDX-License-Identifier: Apache-2.0
"""What falcosidekick does to a Falco event, from its documented behaviour (reads, merges, cuts, writes)."""
import json
import re

PRIORITIES = ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"]
KEYS = ("uuid", "output", "priority", "rule", "time", "output_fields", "source", "tags", "hostname")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
CUT_OVER, CUT_STRINGS, CUT_TO = 4096, 512, 507


class Refused(Exception):
    """It would answer 400."""


def go_text(raw):
    """Go replaces each invalid byte, not each invalid sequence."""
    out, at = [], 0
    while at < len(raw):
        for size in (1, 2, 3, 4):
            try:
                out.append(raw[at:at + size].decode())
                at += size
                break
            except UnicodeDecodeError:
                continue
        else:
            out.append("\ufffd")
            at += 1
    return "".join(out)


def go_json(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for plain, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"),
                           ("\u2028", "\\u2028"), ("\u2029", "\\u2029")):
        text = text.replace(plain, escaped)
    return text


def fold(event):
    """Go matches keys in any case."""
    return {key.lower() if key.lower() in KEYS else key: value for key, value in event.items()}


def cut(value):
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else b""
    return go_text(raw[:CUT_TO]) + "[...]" if len(raw) > CUT_STRINGS else value


def check_types(event):
    """Go refuses a value of another type; null is nothing."""
    for key in [key for key, value in event.items() if value is None and key in KEYS]:
        del event[key]
    fields, tags = event.get("output_fields", {}), event.get("tags", [])
    texts = [event.get(key, "") for key in ("output", "priority", "rule", "time", "source", "hostname")]
    if not isinstance(fields, dict) or not isinstance(tags, list):
        raise Refused("type of output_fields or tags")
    names = [fields.get(key, "") for key in ("k8s.ns.name", "k8s.pod.name")]
    if not all(isinstance(text, str) for text in texts + [tag or "" for tag in tags]):
        raise Refused("type")
    if not all(isinstance(name, str) for name in names if name is not None):
        raise Refused("it panics")


def forward(raw, uuid="11111111-2222-4333-8444-555555555555", custom=None, tags=()):
    """The body it posts for @raw (bytes), or Refused."""
    try:
        event = fold(json.loads(go_text(raw).replace("\\ud800", "\ufffd")))
    except ValueError as error:
        raise Refused(str(error)) from error
    check_types(event)
    priority = event.get("priority", "").lower()
    priority = "informational" if priority == "info" else priority
    if priority not in PRIORITIES or not event.get("rule") or not event.get("output_fields"):
        raise Refused("priority, rule or output_fields")
    if not TIME.match(event.get("time", "")):
        raise Refused("time")
    time = re.sub(r"(\.\d*?)0+(Z|[+-])", r"\1\2", event["time"]) if "." in event["time"] else event["time"]
    source = event.get("source") or "syscalls"
    out = {"uuid": uuid, "output": event.get("output", ""), "priority": priority.capitalize(),
           "rule": event["rule"], "time": time.replace(".Z", "Z").replace(".+", "+"),
           "output_fields": {**event["output_fields"], **(custom or {})},
           "source": "internal" if event["rule"] == "Test rule" else source}
    all_tags = sorted([*[tag or "" for tag in event.get("tags", [])], *tags])
    if all_tags:
        out["tags"] = all_tags
    if event.get("hostname"):
        out["hostname"] = event["hostname"]
    if len(go_json(out).encode("utf-8", "surrogatepass")) > CUT_OVER:
        out["output"] = cut(out["output"])
        out["output_fields"] = {key: cut(value) for key, value in out["output_fields"].items()}
    return (go_json(out) + "\n").encode("utf-8", "replace")
