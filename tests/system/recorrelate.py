#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Incidents computed again: nothing changes without a reason; a change of the settings shows in a dry run first, then is applied."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish, results  # noqa: E402
from daemon import BUILD, SOURCE, Daemon, wait_for  # noqa: E402

LINES = os.path.join(SOURCE, "tests/corpus/labelled/alerts.jsonl")


def recorrelate(daemon, *words):
    """By the command line, of the running daemon -> exit code, report."""
    done = subprocess.run([os.path.join(BUILD, "bin/tocsin"), "recorrelate", "--server", daemon.url, "--token-file",
                           os.path.join(daemon.data, "admin.token"), "-o", "json"] + list(words), capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stderr


def incidents(daemon):
    items = json.loads(daemon.get("/api/v1/incidents?limit=1000")[1])["items"]
    return {item["number"]: item for item in items}


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("TOCSIN_CRITICALITY_HIGH", None)
        os.environ["TOCSIN_RETENTION_HORIZON"] = "3650d"  # the recording's dates stay as they are
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            with open(LINES, "rb") as f:
                daemon.ingest(f.read())
            before = incidents(daemon)
            code, report = recorrelate(daemon)
            check("nothing changes without a reason", code == 0 and report["state"] == "done" and report["changed"] == 0 and report["entities"] > 20, report)
            check("and nothing did", incidents(daemon) == before)
            check("an analyst's word is not enough", daemon.request("POST", "/api/v1/recorrelation", b"", token="ingest")[0] == 403)
            check("a wrong time is 400", daemon.request("POST", "/api/v1/recorrelation?from=yesterday", b"")[0] == 400)
            check("it ends with 0", daemon.stop() == 0)

            os.environ["TOCSIN_CRITICALITY_HIGH"] = "default/payments/*"
            daemon.start()
            matter = {n for n, i in before.items() if i["entity"].get("namespace") == "payments"}
            check("a restart alone changes nothing", matter and incidents(daemon) == before)
            code, report = recorrelate(daemon, "--dry-run")
            told = {c["number"] for c in report["changes"]}
            check("a dry run tells what would change", told == matter and all(float(c["after"]["risk"]) >= float(c["before"]["risk"]) for c in report["changes"]), (told, matter))
            check("and changes nothing", report["dry_run"] is True and incidents(daemon) == before)
            later = "2100-01-01T00:00:00Z"
            check("--from leaves older ones alone", recorrelate(daemon, "--dry-run", "--from", later)[1]["entities"] == 0)
            code, applied = recorrelate(daemon)
            after = incidents(daemon)
            check("applied, it is as the dry run said", applied["changes"] == report["changes"] and applied["entities_applied"] > 0
                  and all(float(after[c["number"]]["risk"]) == float(c["after"]["risk"]) for c in report["changes"]), applied)
            check("all others are as they were", {n: i for n, i in after.items() if n not in matter} == {n: i for n, i in before.items() if n not in matter})
            check("it raises revisions once", all(int(after[n]["revision"]) == int(before[n]["revision"]) + 1 for n in matter))
            check("again, nothing is left to do", recorrelate(daemon)[1]["changed"] == 0)
            actions = [e["action"] for e in json.loads(daemon.get("/api/v1/audit")[1])["items"]]
            check("it is audited", actions.count("recorrelate") == 3, actions)
            wait_for(lambda: daemon.ready() == 200, 10, "/readyz is 200")
            check("it ends with 0 again", daemon.stop() == 0)
            code, told = daemon.cli("ledger", "verify")
            check("the ledger verifies", code == 0, told)
        finally:
            daemon.kill()
            if not all(results):
                print("# " + open(os.path.join(folder, "tocsind.log"), errors="replace").read()[-3000:].replace("\n", "\n# "))
    return finish()


sys.exit(main())
