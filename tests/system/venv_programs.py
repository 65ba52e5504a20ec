# SPDX-License-Identifier: Apache-2.0
"""Python packages of tests: exact versions, in a folder of the build."""
import os
import subprocess
import sys

from daemon import BUILD, SOURCE

FOLDER = os.path.join(BUILD, "venv")
REQUIREMENTS = os.path.join(SOURCE, "tests/system/requirements.txt")


def path(name):
    """-> path of a program of the packages; makes the folder first when it is not as requirements.txt has it."""
    stamp = os.path.join(FOLDER, ".requirements")
    with open(REQUIREMENTS) as f:
        wanted = f.read()
    if not os.path.exists(stamp) or open(stamp).read() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
        subprocess.run([os.path.join(FOLDER, "bin/pip"), "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS], check=True)
        with open(stamp, "w") as f:
            f.write(wanted)
    return os.path.join(FOLDER, "bin", name)
