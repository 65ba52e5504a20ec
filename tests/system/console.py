#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The console in a real browser: starts tocsind, installs what the browser's tests need into the build folder, runs them.

console.py [NAME…]: only the parts of tests/system/console with these names (pages, keys, …; firefox is a short look at that browser).
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import check, finish, results  # noqa: E402
from daemon import BUILD, SOURCE, Daemon  # noqa: E402

TESTS = os.path.join(SOURCE, "tests/system/console")
TOOLS = os.path.join(BUILD, "console")


def install():
    """The exact packages of package-lock.json, beside a build; again only when it changes."""
    os.makedirs(TOOLS, exist_ok=True)
    lock = open(os.path.join(TESTS, "package-lock.json")).read()
    stamp = os.path.join(TOOLS, "installed")
    if os.path.exists(stamp) and open(stamp).read() == lock:
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(TESTS, name), TOOLS)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=TOOLS, check=True)
    with open(stamp, "w") as f:
        f.write(lock)


def types():
    """Modules are plain JavaScript with types in comments; tsc reads them."""
    done = subprocess.run([os.path.join(TOOLS, "node_modules/.bin/tsc"), "-p", os.path.join(TESTS, "tsconfig.json")],
                          capture_output=True, text=True)
    check("tsc --checkJs finds nothing in web/", done.returncode == 0, done.stdout + done.stderr)


def browser(daemon, folder, names):
    tokens = {"admin": daemon.token("admin"), "ingest": daemon.token("ingest")}
    for role in ("viewer", "analyst"):
        status, body = daemon.request("POST", "/api/v1/tokens", json.dumps({"name": "ann" if role == "analyst" else role, "role": role}).encode())
        assert status in (200, 201), (status, body)
        tokens[role] = json.loads(body)["token"]
    settings = {"url": daemon.url, "tokens": tokens, "tools": TOOLS, "pictures": os.path.join(TOOLS, "pictures"), "first": len(results),
                "profile": folder, "chromium": shutil.which("chromium") or "/usr/bin/chromium", "firefox": shutil.which("firefox-esr") or "/usr/bin/firefox-esr",
                "only": [name for name in names if name != "firefox"]}
    os.makedirs(settings["pictures"], exist_ok=True)
    path = os.path.join(folder, "settings.json")
    with open(path, "w") as f:
        json.dump(settings, f)
    # Modules are found from where they stand, so they stand beside node_modules.
    here = os.path.join(TOOLS, "tests")
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(TESTS, here)
    code = 0
    if names != ["firefox"]:
        code = subprocess.run(["node", os.path.join(here, "run.mjs"), path]).returncode
    if not names or "firefox" in names:
        code |= subprocess.run(["node", "--experimental-websocket", "--no-warnings", os.path.join(here, "firefox.mjs"), path], timeout=180).returncode
    return code


def main():
    install()
    types()
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(os.path.join(folder, "data")).start()
        try:
            code = browser(daemon, folder, sys.argv[1:])
        finally:
            daemon.kill()
    sys.exit(finish() or code)


main()
