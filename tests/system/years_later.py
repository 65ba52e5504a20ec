#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""System tests run as if it were another year: a recording with fixed dates must not make them fail once it is older than what is
correlated, or while it lies in the future.

years_later.py [PROGRAM ...]: others than the usual ones.
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from checks import check, finish  # noqa: E402

DAY_S = 86400
SHIFTS = {"two years later": 800 * DAY_S, "a year before": -400 * DAY_S}
PROGRAMS = ["decisions.py", "kubearmor.py", "live_incidents.py", "recorrelate.py", "rollup.py", "secrets.py", "tetragon.py"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, "shifted_clock.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, os.path.join(HERE, "../lib/shifted_clock.c")], check=True)
        for name, shift in SHIFTS.items():
            shifted = dict(os.environ, LD_PRELOAD=library, SHIFTED_S=str(shift))
            year = subprocess.run(["date", "+%Y"], env=shifted, capture_output=True, text=True).stdout
            check("%s, the clock says %s" % (name, year.strip()), year != subprocess.run(["date", "+%Y"], capture_output=True, text=True).stdout)
            for program in sys.argv[1:] or PROGRAMS:
                done = subprocess.run([sys.executable, os.path.join(HERE, program)], env=shifted, capture_output=True, text=True, stdin=subprocess.DEVNULL)
                failed = re.findall(r"^not ok .*", done.stdout, re.M)
                check("%s: %s" % (name, program), done.returncode == 0, failed[:3] or done.stderr[-300:])
    return finish()


sys.exit(main())
