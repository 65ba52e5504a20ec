#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""People decide about incidents of a real tocsind: over the API, by the command line, two at once, across restarts."""
import datetime
import json
import os
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish, results  # noqa: E402
from daemon import BUILD, Daemon, wait_for  # noqa: E402

UTC = datetime.timezone.utc
# The beginning of a slot some ten minutes ago.
BEGAN = datetime.datetime.fromtimestamp(int(datetime.datetime.now(UTC).timestamp()) // 300 * 300 - 600, UTC)


def at(second):
    return (BEGAN + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.") + "000000001Z"


def alert(second, pod, rule, priority="Notice", when=None, tags=()):
    return {"rule": rule, "priority": priority, "source": "syscall", "time": when or at(second), "output": "%s in %s" % (rule, pod),
            "hostname": "node-1", "tags": list(tags), "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": pod}}


def send(daemon, *alerts):
    status, body = daemon.ingest("\n".join(json.dumps(a) for a in alerts).encode())
    assert status == 200 and json.loads(body)["accepted"] == len(alerts), (status, body)


def get(daemon, path):
    status, body = daemon.get("/api/v1/incidents" + path)
    assert status == 200, (path, status, body)
    return json.loads(body)


def post(daemon, number, action, body=None, token="admin", **headers):
    """-> status, document"""
    made = {k.replace("_", "-"): v for k, v in headers.items()}
    status, answer = daemon.request("POST", "/api/v1/incidents/%s/%s" % (number, action),
                                    json.dumps(body).encode() if body is not None else b"", token, made)
    return status, json.loads(answer or b"{}")


def incident_of(daemon, pod):
    return [i["number"] for i in get(daemon, "?pod=" + pod)["items"]]


def cli(daemon, *words, code=0, token=None):
    done = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "--server", daemon.url, "--token-file",
                           token or os.path.join(daemon.data, "admin.token")] + list(words),
                          capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    check("tocsin %s ends with %d" % (" ".join(words)[:60], code), done.returncode == code, (done.returncode, done.stdout, done.stderr))
    return done.stdout + done.stderr


def activity(daemon, number):
    return get(daemon, "/%s/activity" % number)["items"]


def kinds(daemon, number):
    return [a["kind"] for a in activity(daemon, number)]


def grouping(daemon):
    return sorted((i["number"], i["entity"].get("pod"), i["alerts"], i["first_seen"]) for i in get(daemon, "")["items"])


def audit(daemon):
    return json.loads(daemon.get("/api/v1/audit?limit=1000")[1])["items"]


def by_api(daemon):
    number, = incident_of(daemon, "web-1")
    title = get(daemon, "/" + number)["title"]
    status, seen = post(daemon, number, "ack", {})
    check("ack is answered with the incident", status == 200 and seen["state"] == "acknowledged" and seen["number"] == number, seen)
    check("and with what was decided", seen["decision"]["action"] == "ack" and seen["decision"]["revision"] == seen["revision"], seen)
    status, problem = post(daemon, number, "ack")
    check("a second ack is 409 and says where it is possible", status == 409 and "new" in problem["detail"] and
          problem["title"] == "Conflict" and problem["revision"] == seen["revision"], problem)
    status, seen = post(daemon, number, "assign", {})
    check("assigned to whoever asks", status == 200 and seen["assignee"] == "admin" and seen["state"] == "investigating", seen)
    said = "<b>\u202eodd\u0000 \U0001f600</b>"
    status, seen = post(daemon, number, "comment", {"text": said})
    check("a comment is kept as it is", activity(daemon, number)[-1]["detail"]["text"] == said, activity(daemon, number))
    check("the number of activities is shown", seen["activities"] == 3, seen)
    before = audit(daemon), get(daemon, "/" + number)
    check("without verdict it is not resolved", post(daemon, number, "resolve", {})[0] == 422)
    check("an unknown member is 400 with its position", post(daemon, number, "ack", {"x": 1}) ==
          (400, {"type": "about:blank", "title": "Bad request", "status": 400,
                 "detail": "offset 1: unknown member 'x': this body has none"}))
    check("no such incident is 404", post(daemon, "INC-999", "ack")[0] == 404)
    check("what is no number is 400", post(daemon, "web", "ack")[0] == 400)
    check("an unlink of what is not there is 422", post(daemon, number, "unlink", {"fingerprints": ["00" * 16]})[0] == 422)
    check("an unknown decision is 404", post(daemon, number, "explode")[0] == 404)
    check("what was refused left nothing", (audit(daemon), get(daemon, "/" + number)) == before)
    send(daemon, alert(410, "web-1", "Escape", "Critical", tags=["T1611"]))
    seen = get(daemon, "/" + number)
    check("the title stays, what it would be stands beside it", seen["title"] == title and seen["suggested_title"] != title, seen)


def roles(daemon):
    number, = incident_of(daemon, "web-1")
    tokens = {}
    for role in ("viewer", "analyst"):
        status, body = daemon.request("POST", "/api/v1/tokens", json.dumps({"name": role, "role": role}).encode())
        tokens[role] = json.loads(body)["token"]
    check("a viewer decides nothing", post(daemon, number, "comment", {"text": "x"}, tokens["viewer"])[0] == 403)
    check("nor does a sensor", post(daemon, number, "comment", {"text": "x"}, "ingest")[0] == 403)
    check("nobody is 401", post(daemon, number, "comment", {"text": "x"}, None)[0] == 401)
    check("a viewer reads what was said", daemon.get("/api/v1/incidents/%s/activity" % number, tokens["viewer"])[0] == 200)
    check("an analyst decides", post(daemon, number, "comment", {"text": "x"}, tokens["analyst"])[0] == 200)
    check("and is named", activity(daemon, number)[-1]["actor"] == "token:analyst")


def concurrency(daemon):
    number, = incident_of(daemon, "web-1")
    revision = get(daemon, "/" + number)["revision"]
    answers = []

    def one(name):
        answers.append(post(daemon, number, "assign", {"assignee": name}, If_Match='"%d"' % revision))
    threads = [threading.Thread(target=one, args=("person-%d" % i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    won = [a for a in answers if a[0] == 200]
    lost = [a for a in answers if a[0] == 409]
    check("of eight who saw one revision, one decides", len(won) == 1 and len(lost) == 7, answers)
    check("the others are told the revision", {a[1]["revision"] for a in lost} == {revision + 1}, lost)
    check("and nothing of theirs is there", get(daemon, "/" + number)["assignee"] == won[0][1]["assignee"])
    check("an If-Match that is no revision is 400", post(daemon, number, "ack", {}, If_Match='"x"')[0] == 400)
    check("any revision is *", post(daemon, number, "comment", {"text": "y"}, If_Match="*")[0] == 200)


def idempotency(daemon):
    number, = incident_of(daemon, "web-1")
    before = len(activity(daemon, number))
    answers = []

    def one():
        answers.append(post(daemon, number, "comment", {"text": "once"}, Idempotency_Key="abc"))
    threads = [threading.Thread(target=one) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("sent eight times it is one comment", len(activity(daemon, number)) == before + 1, len(activity(daemon, number)) - before)
    check("and one answer", all(a[0] == 200 and a[1] == answers[0][1] for a in answers), answers)
    status, problem = post(daemon, number, "comment", {"text": "other"}, Idempotency_Key="abc")
    check("the key for something else is 422", status == 422 and "Idempotency-Key" in problem["detail"], problem)
    daemon.kill()
    daemon.start()
    again = post(daemon, number, "comment", {"text": "once"}, Idempotency_Key="abc")
    check("after a crash it is still known", again[1]["decision"] == answers[0][1]["decision"] and
          len(activity(daemon, number)) == before + 1, again)


def by_cli(daemon):
    number, = incident_of(daemon, "db-1")
    other, = incident_of(daemon, "web-1")
    check("ack", "acknowledged" in cli(daemon, "incidents", "ack", number))
    check("a second one is refused with a reason", "ack is for incidents that are new" in cli(daemon, "incidents", "ack", number, code=1))
    check("assign", "assignee       ann" in cli(daemon, "incidents", "assign", number, "ann"))
    check("unassign", "assignee" not in cli(daemon, "incidents", "assign", number, ""))
    check("assign to oneself", "assignee       admin" in cli(daemon, "incidents", "assign", number))
    cli(daemon, "incidents", "comment", number, "--", "-- several", "words\x1b[31m")
    said = cli(daemon, "incidents", "activity", number)
    check("what was said is shown, escaped", "-- several words\\x1b[31m" in said, said)
    check("snooze", "snoozed until" in cli(daemon, "incidents", "snooze", number, "--for", "2h"))
    check("wake", "snoozed" not in cli(daemon, "incidents", "snooze", number, "--for", "0"))
    check("snoozing says for how long", "--for" in cli(daemon, "incidents", "snooze", number, code=64))
    check("resolving says what it was", "--verdict" in cli(daemon, "incidents", "resolve", number, code=64))
    check("a flag of another action is refused", "takes no --verdict" in cli(daemon, "incidents", "ack", number, "--verdict", "test", code=64))
    revision = get(daemon, "/" + number)["revision"]
    check("a stale revision is refused", "has changed" in
          cli(daemon, "incidents", "comment", number, "x", "--revision", str(revision - 1), code=1))
    cli(daemon, "incidents", "comment", number, "x", "--revision", str(revision))
    merged = json.loads(cli(daemon, "incidents", "merge", number, other, "-o", "json"))
    check("merge links", merged["links"] == [{"incident": other, "edit": merged["decision"]["edit"]}], merged["links"])
    check("both show it", [x["incident"] for x in get(daemon, "/" + other)["links"]] == [number])
    shown = cli(daemon, "incidents", "show", number)
    check("show shows it", "linked to    " + other in shown and merged["decision"]["edit"] in shown, shown)
    cli(daemon, "incidents", "undo", number, merged["decision"]["edit"])
    check("undo ends it", get(daemon, "/" + other)["links"] == [])
    check("undoing twice is refused", "undone already" in cli(daemon, "incidents", "undo", number, merged["decision"]["edit"], code=1))
    check("resolve", "verdict        false-positive" in cli(daemon, "incidents", "resolve", number, "--verdict", "false-positive"))
    check("reopen", "investigating" in cli(daemon, "incidents", "reopen", number))
    code, said = daemon.cli("incidents", "ack", number)
    check("a database read offline takes no decisions", code == 64 and "daemon" in said, (code, said))
    code, said = daemon.cli("incidents", "activity", number)
    check("but shows them", code == 0 and "several words" in said, (code, said))
    check("the list shows state and assignee", "investigating  admin" in cli(daemon, "incidents", "list"))
    check("no argument is 64", "missing" in cli(daemon, "incidents", "comment", number, code=64))


def edits(daemon):
    number, = incident_of(daemon, "api-1")
    before = grouping(daemon)
    story = get(daemon, "/" + number)["story"]
    shell = [p["fingerprint"] for p in story if p["rule"] == "Shell"]
    trail, status_tried = audit(daemon), post(daemon, number, "unlink?dry_run=true", {"fingerprints": shell})
    tried = status_tried[1]
    check("a dry run says what an unlink would do", status_tried[0] == 200 and [c["change"] for c in tried["changes"]] == ["changed", "new"]
          and tried["changes"][1]["after"]["alerts"] == 2, tried)
    check("and does nothing", audit(daemon) == trail and get(daemon, "/" + number)["story"] == story)
    check("it is refused as the unlink would be", post(daemon, number, "unlink?dry_run=true", {"fingerprints": ["00" * 16]})[0] == 422)
    check("dry_run is a switch", post(daemon, number, "unlink?dry_run=maybe", {"fingerprints": shell})[0] == 400)
    check("an ack has none", post(daemon, number, "ack?dry_run=true")[0] == 400)
    said = cli(daemon, "incidents", "unlink", number, shell[0], "--dry-run")
    check("tocsin --dry-run says it, too", "(new)" in said and "would be otherwise" in said, said)
    status, seen = post(daemon, number, "unlink", {"fingerprints": shell})
    check("unlink", status == 200 and [p["rule"] for p in seen["story"]] == ["Secret"], seen.get("story", seen))
    carved = [n for n in incident_of(daemon, "api-1") if n != number]
    check("what was unlinked is an incident of its own", len(carved) == 1 and
          get(daemon, "/" + carved[0])["alerts"] == 2, carved)
    daemon.stop()
    daemon.start()
    edit, = [e["edit"] for e in get(daemon, "/" + carved[0])["edits"]]
    check("both can undo it", [e["edit"] for e in get(daemon, "/" + number)["edits"]] == [edit])
    send(daemon, alert(420, "api-1", "Secret"))
    tried = post(daemon, number, "undo?dry_run=true", {"edit": edit})[1]
    check("a dry run of the undo says what would be gone", sorted((c["change"], c["number"]) for c in tried["changes"]) ==
          sorted([("changed", number), ("gone", carved[0])]), tried)
    post(daemon, number, "undo", {"edit": edit})
    now = get(daemon, "/" + number)
    check("undo brings the grouping back with the same numbers", [g[:2] for g in grouping(daemon)] == [g[:2] for g in before] and
          now["alerts"] == 4 and now["edits"] == [], grouping(daemon))
    check("the number that was made for it says where it is", get(daemon, "/" + carved[0])["redirect_to"] == number)
    status, seen = post(daemon, carved[0], "comment", {"text": "to the survivor"})
    check("a decision about it goes to the survivor, which is said", status == 200 and seen["number"] == number and
          seen["decision"]["asked"] == carved[0], seen)
    check("but not if a revision of it was seen", post(daemon, carved[0], "comment", {"text": "x"}, If_Match='"%d"' % seen["revision"])[0] == 409)
    before = grouping(daemon)
    status, seen = post(daemon, number, "cut", {"at": at(300)})
    check("cut", status == 200 and len(incident_of(daemon, "api-1")) == 2, seen)
    post(daemon, number, "undo", {"edit": seen["decision"]["edit"]})
    check("and back", grouping(daemon) == before, (before, grouping(daemon)))


def recurrence(daemon):
    number, = incident_of(daemon, "job-1")
    status, seen = post(daemon, number, "resolve", {"verdict": "true-positive"})
    check("resolved with its verdict", seen["state"] == "resolved" and seen["verdict"] == "true-positive" and "resolved" in seen, seen)
    check("its cut is undone by reopening alone", post(daemon, number, "undo", {"edit": seen["decision"]["edit"]})[0] == 409)
    behind = activity(daemon, number)[-1]["detail"]["cut"]
    daemon.kill()
    daemon.start()
    check("a crash keeps it", get(daemon, "/" + number)["verdict"] == "true-positive")
    send(daemon, alert(0, "job-1", "Shell", when=behind))
    found = [n for n in incident_of(daemon, "job-1") if n != number]
    check("new alerts are a new incident", len(found) == 1, found)
    check("that says what it follows", get(daemon, "/" + found[0])["recurrence_of"] == number and
          get(daemon, "/" + found[0])["state"] == "new", found)
    check("both note it", kinds(daemon, number)[-1] == "recurred" and kinds(daemon, found[0]) == ["recurred"])
    status, seen = post(daemon, number, "reopen")
    check("reopened it is whole again", status == 200 and seen["state"] == "investigating" and "verdict" not in seen and
          incident_of(daemon, "job-1") == [number], seen)


def snooze(daemon):
    number, = incident_of(daemon, "cron-1")
    status, seen = post(daemon, number, "snooze", {"for": "1s"})
    check("snoozed", status == 200 and "snoozed_until" in seen, seen)
    wait_for(lambda: kinds(daemon, number)[-1] == "woken", 30, "it wakes when its time is over")
    check("it says why", activity(daemon, number)[-1]["detail"] == {"why": "its time is over"} and
          activity(daemon, number)[-1]["actor"] == "tocsin", activity(daemon, number))
    post(daemon, number, "snooze", {"for": "2h"})
    send(daemon, alert(30, "cron-1", "Shell"))
    check("more of the same leaves it asleep", "snoozed_until" in get(daemon, "/" + number))
    send(daemon, alert(31, "cron-1", "Miner", "Critical"))
    check("something worse wakes it", "snoozed_until" not in get(daemon, "/" + number) and
          activity(daemon, number)[-1]["detail"]["why"] == "higher severity, new rule", activity(daemon, number))


def audited(daemon):
    entries = audit(daemon)
    actions = {e["action"] for e in entries}
    wanted = {"incident." + a for a in "ack assign comment resolve reopen snooze cut merge unlink undo".split()}
    check("every kind of decision is audited", wanted <= actions, wanted - actions)
    check("tocsind ends with 0", daemon.stop() == 0)
    code, said = daemon.cli("ledger", "verify")
    check("the trail verifies", code == 0 and "audit entries   %d\n" % len(entries) in said, (code, said))


def timeline(daemon, number=1):
    """The story and what was done about it, in one order."""
    items = json.loads(daemon.get("/api/v1/incidents/%s/timeline" % number)[1])["items"]
    times = [i["time"] for i in items]
    check("a timeline is in the order of time", times == sorted(times) and len(times) > 2, times)
    check("it has alerts and activities", {"alerts", "comment"} <= {i["what"] for i in items}, [i["what"] for i in items])
    check("of what is not there it is 404", daemon.get("/api/v1/incidents/4711/timeline")[0] == 404)


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            for pod in ("web-1", "db-1", "api-1", "job-1", "cron-1"):
                send(daemon, alert(10, pod, "Shell"), alert(11, pod, "Shell"), alert(400, pod, "Secret", "Warning"))
            for part in (by_api, timeline, roles, concurrency, idempotency, by_cli, edits, recurrence, snooze, audited):
                part(daemon)
        finally:
            daemon.kill()
            if not all(results):
                print("# " + open(os.path.join(folder, "tocsind.log"), errors="replace").read()[-6000:].replace("\n", "\n# "))
    return finish()


sys.exit(main())
