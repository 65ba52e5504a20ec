# SPDX-License-Identifier: Apache-2.0
"""A local with a cleanup must be whole before the first return: initialised where it stands, or by a call that always comes.

auto.py FILE...: prints the places where a return can come first.
"""
import re
import sys

DECLARED = re.compile(r"^\tAUTO\(\w+\) (?:const )?(?:struct )?\w+ \**(\w+);", re.M)


def check(path):
    with open(path) as f:
        text = f.read()
    for found in DECLARED.finditer(text):
        rest = text[found.end():]
        rest = rest[:rest.index("\n}")]
        named = re.search(r"&%s\b|\b%s = " % (found.group(1), found.group(1)), rest)
        before = rest[:named.start()] if named else rest
        statement = re.split(r"[;{}]", before)[-1]
        # What stands behind || or && may never be called.
        if re.search(r"\breturn\b", before) or "||" in statement or "&&" in statement:
            line = text.count("\n", 0, found.start()) + 1
            print("%s:%d: a return may come before %s is initialised: add = {0}" % (path, line, found.group(1)))


for name in sys.argv[1:]:
    check(name)
