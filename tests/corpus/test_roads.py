#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One event by http_output, by falcosidekick, in a batch and in a replay has one occurrence id."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import decode  # noqa: E402
import sidekick  # noqa: E402

FILES = [decode.CORPUS / "falco-live/default-rules.jsonl", decode.CORPUS / "falco-live/internal-events.jsonl",
         decode.CORPUS / "labelled/alerts.jsonl", decode.CORPUS / "own/odd.jsonl",
         decode.CORPUS / "own/seeds.jsonl", decode.CORPUS / "own/secrets.jsonl", decode.SHARED / "falco/events.jsonl"]
REFUSED_FOREIGN = {5, 22, 24, 36}  # by the real one, measured

count = 0
n_failed = 0


def check(good, what):
    global count, n_failed
    count += 1
    n_failed += not good
    print(f"{'ok' if good else 'not ok'} {count} {what}")


def ids(alerts):
    return [alert.get("occ") for alert in alerts]


def forwarded(lines, **extra):
    """Numbers and bodies of the lines that falcosidekick takes."""
    out = []
    for number, line in enumerate(lines, 1):
        try:
            out.append((number, sidekick.forward(line, **extra)))
        except sidekick.Refused:
            pass
    return out


def check_file(path):
    lines = path.read_bytes().splitlines()
    batch = decode.dump("falco", path)
    direct = ids(batch)
    check(len(direct) == len(lines), f"{path.name}: {len(lines)} lines are {len(direct)} events")
    for what, extra in (("plain", {}), ("with custom fields and tags", {
            "custom": {"cluster": "elsewhere", "team": "x" * 40}, "tags": ["extra", "aaa"]})):
        sent = forwarded(lines, **extra)
        by_sidekick = ids(decode.dump("falcosidekick", b"".join(body for _, body in sent)))
        wanted = [direct[number - 1] for number, _ in sent]
        # What is quarantined is known by all of its bytes, which are others on each road.
        pairs = [(a, b if batch[number - 1]["kind"] == 1 else a)
                 for (number, _), a, b in zip(sent, wanted, by_sidekick)]
        differs = [number for (number, _), (a, b) in zip(sent, pairs) if a != b]
        check(not differs and len(by_sidekick) == len(sent) > 0,
              f"{path.name}: {len(sent)} events through falcosidekick, {what}; differing lines: {differs[:5]}")
    whole = b"[" + b",\n".join(lines) + b"]"
    check(ids(decode.dump("falco", whole)) == direct, f"{path.name}: as an array")
    alone = [ids(decode.dump("falco", line))[0] for line in lines[:60]]
    check(alone == direct[:60], f"{path.name}: one POST each")
    check(ids(decode.dump("falco", b"\r\n\r\n".join(lines))) == direct, f"{path.name}: replayed with other line ends")


def check_foreign_refusals():
    lines = (decode.SHARED / "falco/events.jsonl").read_bytes().splitlines()
    taken = {number for number, _ in forwarded(lines)}
    check(set(range(1, len(lines) + 1)) - taken == REFUSED_FOREIGN,
          "the stand-in refuses what the real falcosidekick refuses")


def check_cutting():
    """A long event is cut, the id stays; also when bytes are not UTF-8."""
    long = {"hostname": "n", "output": "19:52:28.429697301: Warning \u00e9" + "x" * 5000,
            "output_fields": {"proc.cmdline": "y" * 5000, "evt.time": 1795290748429697301},
            "priority": "Warning", "rule": "r", "source": "syscall", "time": "2026-11-21T19:52:28.429697300Z"}
    raw = json.dumps(long, ensure_ascii=False).encode()
    for what, body in (("long", raw), ("invalid UTF-8", raw.replace(b"\xc3\xa9", b"\xe2\x82\xff\xe2\x82")),
                       ("markup", raw.replace(b"\xc3\xa9", b"<b>&"))):
        sent = sidekick.forward(body)
        check(len(sent) < len(body) and b"[...]" in sent, f"{what}: was cut")
        check(ids(decode.dump("falco", body)) == ids(decode.dump("falcosidekick", sent)), f"{what}: same id")
    other = raw.replace(b"Warning \xc3\xa9", b"Warning \xc3\xa8")
    check(ids(decode.dump("falco", raw)) != ids(decode.dump("falco", other)), "another text is another id")


def check_secrets():
    """The id of an event whose secret was cut is that of the same event with another secret, by every road."""
    def event(secret, length):
        return json.dumps({
            "hostname": "n", "output": "Notice " + "x" * length + " config=" + secret + " after", "priority": "Notice",
            "output_fields": {"ka.req.configmap.obj": secret, "padding": "y" * 4000}, "rule": "r",
            "source": "k8s_audit", "time": "2026-11-21T19:52:28.429697300Z"}).encode()
    for length in (0, 100, 239, 240, 241, 247, 248, 249, 300):
        wanted = ids(decode.dump("falco", event("a-password", length)))
        for secret in ("another-password", "0123456789" * 40, "<&>\u00e9\U0001f600" * 80, "0123456789" * 300):
            body = event(secret, length)
            sent = decode.dump("falcosidekick", sidekick.forward(body))
            check(ids(decode.dump("falco", body)) == wanted == ids(sent),
                  f"a secret of {len(secret)} characters behind {length}: same id by both roads")


def main():
    for path in FILES:
        if path.exists():
            check_file(path)
        else:
            print(f"# skipped: the events of {path} are not here (set TOCSIN_SHARED)")
    if FILES[-1].exists():
        check_foreign_refusals()
    check_cutting()
    check_secrets()
    print(f"1..{count}")
    return 1 if n_failed else 0


sys.exit(main())
