#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the reference does not say about incidents (TAP): numbers, redirects and revisions, novelty and criticality, late and
untrusted alerts, and that incidents do not depend on the day, the names, other entities or the locale.

Streams per property: TOCSIN_STREAMS / 4 (default 25); seed: TOCSIN_SEED (default: drawn).
"""
import contextlib, hashlib, json, os, random, re, subprocess, sys, tempfile, traceback

sys.path.insert(0, os.path.join(os.environ.get("TOCSIN_SOURCE", "."), "tests/lib"))
import correlate  # noqa: E402
from correlate_dump import Dump  # noqa: E402
from correlate_streams import compare, crowded, in_order, repeated, shuffled  # noqa: E402

NS, SLOT, DAY = 10**9, 300 * 10**9, 86400 * 10**9
BASE = 1_780_000_000 // 86400 * 86400
SAFE, HASH = "bcdfghjklmnpqrstvwxz2456789", "bcdfghjklmnpqrstvwxz0123456789"


def alerts_of(lines):
    return [line for line in lines if "occ" in line]


def with_members(lines):
    """-> the reference's incidents as (object, its alerts)."""
    found, describe = [], correlate.describe

    def note(key, members, levels):
        found.append((describe(key, members, levels), members))
        return found[-1][0]

    correlate.describe = note
    try:
        correlate.correlate(lines)
    finally:
        correlate.describe = describe
    return found


def plain(incident):
    return {k: v for k, v in incident.items() if k not in ("number", "revision", "novelty", "criticality")}


# ---- numbers and revisions ----

def resolve(state, number):
    """Follows redirects to a live number, or to 0: its alerts are gone."""
    seen = set()
    live = {incident["number"] for incident in state["live"]}
    while number and number not in live:
        assert number not in seen, "redirects of %d run in a circle" % number
        seen.add(number)
        assert str(number) in state["gone"], "number %d is lost" % number
        number = state["gone"][str(number)]
    return number


def check_step(before, after, members_before, members_after):
    """One transaction: what became of the numbers that there were."""
    old, new = ({i["number"]: i for i in state["live"]} for state in (before, after))
    known = set(old) | {int(n) for n in before["gone"]}
    for number, to in before["gone"].items():
        assert after["gone"].get(number) == to, "gone number %s came back or went elsewhere" % number
    for number in set(new) - known:
        assert not known or number > max(known), "new number %d is not above all others" % number
    for number, incident in old.items():
        to = resolve(after, number)
        kept = members_before[number]
        holders = [n for n, occs in members_after.items() if occs & kept]
        assert to in holders or not holders, "%d goes to %d, but its alerts are in %s" % (number, to, holders)
        if number not in new:
            continue
        grew, changed = new[number]["revision"] - incident["revision"], plain(new[number]) != plain(incident)
        assert grew > 0 if changed else grew == 0, "%d: revision + %d, content %s" % (
            number, grew, "changed" if changed else "the same")


def follow(dump, lines, **job):
    """Feeds the lines; after each transaction everything must be as the reference has it for the lines so far."""
    states, _ = dump.states(lines, **job)
    done, previous = 0, ({"live": [], "gone": {}}, {})
    for state, upto in zip(states, lengths(len(lines), job["seed"])):
        done = upto
        want = {object["content"]: (object, {a["occ"] for a in members}) for object, members in with_members(
            [line for line in lines if "level" in line] + lines[:done])}
        assert {i["content"]: {k: v for k, v in plain(i).items() if k != "risk"} for i in state["live"]} == {
            content: {k: v for k, v in object.items() if k != "risk"} for content, (object, _) in want.items()}, "after %d lines" % done
        members = {i["number"]: want[i["content"]][1] for i in state["live"]}
        check_step(previous[0], state, previous[1], members)
        previous = (state, members)
        yield done, state, members
    assert done == len(lines)


def lengths(n, seed):
    """How many lines are in after each transaction: as correlate-dump cuts them."""
    state, at = seed | 1, 0
    while at < n:
        size = 1
        if seed:
            state ^= state << 13 & (1 << 64) - 1
            state ^= state >> 7
            state ^= state << 17 & (1 << 64) - 1
            size = 1 + state % 60
        at = min(n, at + size)
        yield at


def numbers_are_permanent(dump, rnd):
    lines = rnd.choice([correlate.generate, crowded])(rnd, rnd.choice([5, 20, 40, 120]))
    for _ in follow(dump, rnd.choice([in_order(lines), shuffled(rnd, lines)]),
                    seed=rnd.choice([0, rnd.getrandbits(60)]), restart_every=rnd.choice([0, 0, 2])):
        pass


def short_stream(rnd, n):
    """Within one span, each alert with its uid, no facts, no edits: alerts are only ever joined."""
    lines = [line for line in alerts_of(correlate.generate(rnd, n))]
    for line in lines:
        line.update(uid=line.get("uid") or "u%d" % rnd.randrange(3), t=BASE * NS + rnd.randrange(80_000) * NS)
        line.pop("name", None)
        line.pop("ctr", None)
    return lines


def adding_joins_and_raises(dump, rnd):
    """No alert gets another number but by a merge; base, severity and credited tactics never fall."""
    lines = shuffled(rnd, short_stream(rnd, rnd.choice([20, 60])))
    before = {}
    for _, state, members in follow(dump, lines, seed=rnd.choice([0, rnd.getrandbits(60)])):
        live = {i["number"]: i for i in state["live"]}
        for number, (incident, occs) in before.items():
            to = live[resolve(state, number)]
            assert occs <= members[to["number"]], "%d was torn apart" % number
            for name in ("base", "tactics_credited", "alerts"):
                assert to[name] >= incident[name], "%s of %d fell" % (name, number)
            assert correlate.ORDER.index(to["severity"]) >= correlate.ORDER.index(incident["severity"])
            assert set(to["tactics"]) >= set(incident["tactics"])
        before = {n: (live[n], members[n]) for n in live}


# ---- novelty and criticality ----

def workload(alert):
    """model/workload.h: what a tuple's own name belongs to; a host without pods is one of its own."""
    c, name, node = alert["cluster"], alert.get("name"), alert.get("node")
    if not name:
        return "node:%s/%s" % (c, node) if node and not alert.get("uid") and not alert.get("ctr") else None
    namespace, pod = name.split("/")
    found = re.fullmatch("(.+)-[%s]{5}" % SAFE, pod)
    if found:
        pod = found[1]
        found = re.fullmatch("(.+)-[%s]{8,10}" % HASH, pod)
        pod = found[1] if found else pod
    return "%s/%s/%s" % (c, namespace, pod)


def by_name(workload):
    """The smallest name decides; behind its 159th byte, a digest."""
    rest = workload.encode()[159:]
    return workload.encode()[:159], hashlib.sha256(rest).digest() if rest else b""


def novelty(members, seen):
    names = [w for w in map(workload, members) if w]
    if not names:
        return 100
    points = {}
    for a in members:
        if not a.get("context"):
            points[a["rule"]] = max(points.get(a["rule"], 0), correlate.POINTS[a["severity"]])
    name, rule = min(names, key=by_name), min(r for r in points if points[r] == max(points.values()))
    day = min(a["t"] for a in members if not a.get("context")) // DAY
    days = [d for w, _, d in seen if w == name]
    if not days or min(days) > day - 7:
        return 100
    n = sum((name, rule, day - i) in seen for i in range(1, 8))
    return 125 if n == 0 else 50 if n >= 5 else 100


def criticality(key, members, rules):
    names = {"%s/%s" % (a["cluster"], a["name"]) for a in members if a.get("name")}
    key = key.split("#")[0]
    if key.startswith("podname:"):
        names.add(key.split(":", 1)[1])
    found = []
    for rule in rules:
        pattern = re.compile(".*".join(map(re.escape, rule["glob"].split("*"))))
        texts = {key} | {"podname:" + name for name in names} if ":" in rule["glob"] else names
        if any(pattern.fullmatch(text) for text in texts):
            found.append(correlate.LEVELS[rule["level"]])
    return max(found, default=100)


def long_stream(rnd, n):
    """Three weeks of three workloads and a host: rules that fire daily, seldom, for the first time; context; bare uids."""
    pods = ["ns/web-%s-%s" % ("".join(rnd.choices(HASH, k=9)), "".join(rnd.choices(SAFE, k=5))) for _ in range(3)]
    pods += ["ns/job-%s" % "".join(rnd.choices(SAFE, k=5)), "other/db-0"]
    tail = rnd.choice(["", "", "x" * 506])              # names and rules as long as they may be, that differ at the end
    lines, quiet = [], rnd.choice([0, 8, 10, 99])   # from that day on, what names a pod of two is context alone
    for i in range(n):
        p = rnd.randrange(len(pods) + 1)
        day = rnd.randrange(21)
        rule = tail + (rnd.choice(["daily", "daily", "rare", "seldom"]) if rnd.random() < .95 else "once")
        a = {"t": (BASE + day * 86400 + rnd.choice([0, 86399, rnd.randrange(86400), rnd.randrange(4) * 3600])) * NS, "cluster": "c",
             "rule": rule, "fp": rule + "/0", "sensor": "falco", "severity": rnd.choice(["low", "medium"]), "tactics": [], "node": "n1"}
        if p < len(pods):
            name = "ns/%s%d" % (tail, rnd.randrange(3)) if tail and p == 1 else pods[p]
            for field, value in (("uid", "u%d" % p), ("name", name), ("ctr", "ctr%d" % p)):
                if rnd.random() < .6:
                    a[field] = value
        if rnd.random() < .25 or (p < 2 and "name" in a and day >= quiet):
            a["context"] = True
        a["occ"] = "%032x" % rnd.getrandbits(128)
        lines.append(a)
    lines += [{"fact": "ctr", "cluster": "c", "ctr": "ctr%d" % p, "uid": "u%d" % p, "rank": "agent"} for p in range(len(pods)) if rnd.random() < .7]
    for glob in rnd.sample(["c/ns/*", "pod:c/u1", "*web*", "c/*/db-0", "node:c/*", "podname:c/ns/job-*", "*", "c/ns"], rnd.randrange(4)):
        lines.append({"glob": glob, "level": rnd.choice(list(correlate.LEVELS))})
    return lines


def score_is_a_function(dump, rnd):
    lines = long_stream(rnd, rnd.choice([10, 60, 200]))
    seen = {(workload(a), a["rule"], a["t"] // DAY) for a in alerts_of(lines) if not a.get("context")}
    rules = [line for line in lines if "glob" in line]
    want = []
    for object, members in with_members([line for line in lines if "glob" not in line]):
        new, crit = novelty(members, seen), criticality(object["key"], members, rules)
        points = {}
        for a in members:
            if not a.get("context"):
                points[a["rule"]] = max(points.get(a["rule"], 0), correlate.POINTS[a["severity"]])
        object["risk"] = correlate.risk(points.values(), object["tactics_credited"], crit, new)[1]
        want.append(json.dumps(dict(object, novelty=new * 10, criticality=crit * 10), sort_keys=True))
    for way, feed, job in (("in order", in_order(lines), {"seed": rnd.getrandbits(60)}), ("shuffled", repeated(rnd, lines), {
            "seed": rnd.getrandbits(60), "restart_every": rnd.choice([0, 1, 4])}), ("one by one", shuffled(rnd, lines), {})):
        got = [json.loads(line) for line in dump.run(feed, details=1, **job)]
        for incident in got:
            del incident["number"], incident["revision"]
        compare(way, sorted(json.dumps(incident, sort_keys=True) for incident in got), sorted(want))


# ---- times ----

def orphans_take_no_part(dump, rnd):
    """What is older than the horizon is stored and not correlated; neither are the facts that it brings along."""
    lines = correlate.generate(rnd, rnd.choice([5, 40, 200]))
    times = sorted(a["t"] for a in alerts_of(lines))
    start = times[len(times) // 3]
    now = 1_790_000_000
    start -= start % NS                    # the horizon is in seconds
    young = [line for line in lines if line.get("t", start) >= start]
    compare("late", dump.run(shuffled(rnd, lines), seed=rnd.getrandbits(60), now=now, horizon=now - start // NS), correlate.correlate(young))


def untrusted_times_own_nothing(dump, rnd):
    """An alert whose time is when it was received says nothing about when its name began to be its pod's."""
    lines, model = correlate.generate(rnd, rnd.choice([5, 40, 200])), []
    for line in lines:
        if "occ" in line and rnd.random() < .5:
            line["untrusted"] = True
        model.append({k: v for k, v in line.items() if k != "untrusted" and not (k == "name" and line.get("untrusted") and "uid" in line)})
        if line.get("untrusted") and {"name", "ctr", "uid"} <= set(line):
            model.append({"fact": "ctr", "cluster": "c", "ctr": line["ctr"], "name": line["name"], "rank": "sensor"})
    compare("untrusted", dump.run(shuffled(rnd, lines), seed=rnd.getrandbits(60)), correlate.correlate(model))


def moved(lines, by_ns):
    out = []
    for line in lines:
        line = dict(line)
        for name in ("t", "start"):
            if name in line:
                line[name] += by_ns
        if "slot" in line:
            line["slot"] += by_ns // SLOT
        if "slots" in line:
            line["slots"] = [slot + by_ns // SLOT for slot in line["slots"]]
        out.append(line)
    return out


def moved_back(incident, by_ns):
    incident = json.loads(incident)
    for part in [incident] + list(incident["fingerprints"].values()):
        part["lo"] -= by_ns
        part["hi"] -= by_ns
    return json.dumps(incident, sort_keys=True, separators=(",", ":"))


def time_moves_by_slots(dump, rnd):
    lines = shuffled(rnd, correlate.generate(rnd, rnd.choice([5, 40, 200])))
    by_ns = rnd.choice([1, -1, 287, 288, rnd.randrange(-100_000, 20_000)]) * SLOT
    want = dump.run(lines, seed=7)
    compare("moved", sorted(moved_back(line, by_ns) for line in dump.run(moved(lines, by_ns), seed=7)), want)


# ---- names and neighbours ----

def renamed(value, word):
    """Other names in the same order, because the smallest of two is what a tie goes to."""
    if isinstance(value, list):
        return [renamed(line, word) for line in value]
    value = dict(value)
    for name in ("uid", "ctr", "node"):
        if name in value:
            value[name] = word + value[name]
    if "name" in value:
        value["name"] = word + value["name"]
    if "crit" in value:
        value["crit"] = value["crit"].replace("c/", "c/" + word)
    return value


def names_do_not_matter(dump, rnd):
    lines = shuffled(rnd, correlate.generate(rnd, rnd.choice([5, 40, 200])))

    def stripped(incidents, word):
        out = []
        for incident in map(json.loads, incidents):
            del incident["content"]        # it covers the key
            incident["key"] = incident["key"].replace("/" + word, "/", 1)
            out.append(json.dumps(incident, sort_keys=True))
        return sorted(out)

    compare("renamed", stripped(dump.run(renamed(lines, "zz"), seed=9), "zz"), stripped(dump.run(lines, seed=9), ""))


def entities_are_apart(dump, rnd):
    """The incidents of one set of entities are the same with and without another set beside it."""
    a, b = (correlate.generate(rnd, rnd.choice([5, 40, 150])) for _ in "ab")
    a = [line for line in a if any(name in line for name in ("uid", "ctr", "name", "node")) or "occ" not in line]
    b = [line for line in renamed(b, "other-") if any(name in line for name in ("uid", "ctr", "name", "node")) or "occ" not in line]
    for line in b:
        for name in ("edit", "undo", "of"):
            if name in line:
                line[name] = "other " + line[name]
    apart = sorted(dump.run(a, seed=3) + dump.run(b, seed=3))
    compare("together", dump.run(shuffled(rnd, a + b), seed=rnd.getrandbits(60)), apart)


# ---- places ----

def turkish(folder):
    """An environment in which an upper I is not that of i, and the clock is far away; None where it cannot be made."""
    made = subprocess.run(["localedef", "--no-archive", "-i", "tr_TR", "-f", "UTF-8", os.path.join(folder, "tr_TR.UTF-8")],
                          capture_output=True)
    if made.returncode > 1:
        return None
    leaks = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"      # glibc does not free what LOCPATH says
    return {"LOCPATH": folder, "LC_ALL": "tr_TR.UTF-8", "TZ": "America/St_Johns", "ASAN_OPTIONS": leaks}


def place_does_not_matter(_, rnd):
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        env = turkish(folder)
        if not env:
            return "SKIP no localedef for tr_TR here"
        there = stack.enter_context(Dump(env=env))
        for _ in range(5):
            lines = correlate.generate(rnd, 40)
            for line in lines:
                line.update({k: v.replace("ns/p", "NS/Iip") for k, v in line.items() if k == "name"})
            compare("elsewhere", there.run(shuffled(rnd, lines), seed=5), correlate.correlate(lines))
    return None


PROPERTIES = [numbers_are_permanent, adding_joins_and_raises, score_is_a_function, orphans_take_no_part, untrusted_times_own_nothing,
              time_moves_by_slots, names_do_not_matter, entities_are_apart]


def holds(dump, seed, check, n):
    for i in range(n):
        try:
            skip = check(dump, random.Random("%s/%s/%d" % (seed, check.__name__, i)))
        except Exception:
            dump.stop()
            return "not ok", "stream %d\n%s" % (i, traceback.format_exc())
    return "ok", skip


def main():
    seed = int(os.environ.get("TOCSIN_SEED") or random.SystemRandom().getrandbits(32))
    streams = int(os.environ.get("TOCSIN_STREAMS") or 100) // 4
    wanted = sys.argv[1:]
    checks = [(check, streams) for check in PROPERTIES] + [(place_does_not_matter, 1)]
    checks = [pair for pair in checks if not wanted or pair[0].__name__ in wanted]
    print("# seed %d, %d streams each\n1..%d" % (seed, streams, len(checks)), flush=True)
    failed = 0
    with Dump() as dump:
        for i, (check, n) in enumerate(checks, 1):
            result, text = holds(dump, seed, check, n)
            failed += result != "ok"
            if result != "ok":
                print("# " + text.rstrip().replace("\n", "\n# "))
            print("%s %d - %s%s" % (result, i, check.__name__.replace("_", " "), " # " + text if text and result == "ok" else ""), flush=True)
    return 1 if failed else 0


sys.exit(main())
