#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The leaf format is what it was: the program's vectors are the stored ones, and Python makes the same (TAP)."""
import os
import subprocess
import sys

SOURCE, BUILD = os.environ.get("TOCSIN_SOURCE", "."), os.environ.get("TOCSIN_BUILD", "build")
STORED = os.path.join(SOURCE, "tests/corpus/ledger/leaf-vectors.json")
made = subprocess.run([os.path.join(BUILD, "tests/lib/leaf-vectors")], capture_output=True, text=True).stdout
same = made == open(STORED).read()
python = subprocess.run([sys.executable, os.path.join(SOURCE, "tests/lib/leaf_vectors.py"), STORED], capture_output=True, text=True)
print("1..2")
print("%sok 1 - the vectors are the stored ones" % ("" if same else "not "))
print("%sok 2 - twenty lines of Python reproduce them %s" % ("not " if python.returncode else "", python.stderr[-200:].replace("\n", " ")))
sys.exit(not same or python.returncode)
