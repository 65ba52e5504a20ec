#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every corpus decodes to its golden form. --update writes the golden forms anew: review the diff."""
import hashlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import decode  # noqa: E402

# (golden name, source, file or folder of JSON files, facts only: because the text is long, or of others and stays outside the tree)
SETS = [
    ("falco-live-rules", "falco", decode.CORPUS / "falco-live/default-rules.jsonl", False),
    ("falco-live-internal", "falco", decode.CORPUS / "falco-live/internal-events.jsonl", False),
    ("labelled", "falco", decode.CORPUS / "labelled/alerts.jsonl", True),
    ("falco-odd", "falco", decode.CORPUS / "own/odd.jsonl", False),
    ("falco-broken", "falco", decode.CORPUS / "own/broken.jsonl", False),
    ("falco-seeds", "falco", decode.CORPUS / "own/seeds.jsonl", False),
    ("falcosidekick", "falcosidekick", decode.CORPUS / "falcosidekick/forwarded.jsonl", True),
    ("tocsin", "tocsin", decode.CORPUS / "own/tocsin.jsonl", False),
    ("falco-secrets", "falco", decode.CORPUS / "own/secrets.jsonl", False),
    ("falco-text", "falco", decode.CORPUS / "own/text.txt", False),
    ("foreign-falco-events", "falco", decode.SHARED / "falco/events.jsonl", True),
    ("foreign-falco-text", "falco", decode.SHARED / "falco/text-lines.txt", True),
    ("tetragon", "tetragon", decode.CORPUS / "own/tetragon.jsonl", False),
    ("foreign-tetragon-files", "tetragon", decode.SHARED / "tetragon", True),
    ("foreign-tetragon-events", "tetragon", decode.SHARED / "tetragon/events-testdata.jsonl", True),
    ("kubearmor", "kubearmor", decode.CORPUS / "own/kubearmor.jsonl", False),
    ("alertmanager", "alertmanager", decode.CORPUS / "own/alertmanager.json", False),
    ("alertmanager-webhook", "alertmanager", decode.CORPUS / "own/alertmanager-webhook.json", False),
    ("foreign-alertmanager", "alertmanager", decode.SHARED / "alertmanager", True),
    ("foreign-kubearmor", "kubearmor", decode.SHARED / "kubearmor", True),
]


# What every secret of own/secrets.jsonl has in it, as it is or in base64.
SECRETS = ("hUsH", "aFVzSG")


def golden_form(source, path, facts_only):
    """The dump; where it keeps facts only, closed by the digest of all the rest."""
    if path.is_dir():
        path = b"\n".join(file.read_bytes() for file in sorted(path.glob("*.json")))
    full = decode.dump_text(source, path)
    if not facts_only:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()
    return decode.dump_text(source, path, facts=True) + f'{{"whole":"{digest}"}}\n'


def compare(name, got, golden):
    """The first line that differs, for a person to look at."""
    wanted = golden.read_text().splitlines() if golden.exists() else []
    for number, line in enumerate(got.splitlines(), 1):
        if number > len(wanted) or line != wanted[number - 1]:
            print(f"# {name} line {number} is\n#   {line}")
            if number <= len(wanted):
                print(f"# wanted\n#   {wanted[number - 1]}")
            return False
    return len(wanted) == len(got.splitlines()) > 0


def main():
    update = "--update" in sys.argv
    failed = False
    print(f"1..{len(SETS)}")
    for number, (name, source, path, facts_only) in enumerate(SETS, 1):
        golden = decode.CORPUS / f"{name}.golden.jsonl"
        if name.startswith("foreign") and not path.exists():
            lines = len(golden.read_text().splitlines())
            print(f"ok {number} {name} # SKIP {lines} foreign events: no {path} (set TOCSIN_SHARED)")
            continue
        got = golden_form(source, path, facts_only)
        if update:
            golden.write_text(got)
        good = compare(name, got, golden)
        if name.endswith("secrets") and any(secret in got for secret in SECRETS):
            print("# a secret is still there")
            good = False
        failed = failed or not good
        print(f"{'ok' if good else 'not ok'} {number} {name}: {len(got.splitlines())} lines")
    return 1 if failed else 0


sys.exit(main())
