#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Size limits of C files: file <= 800 lines; function <= 80 lines, <= 4 levels deep, <= 6 parameters, complexity <= 12.

sizes.py EXCEPTIONS FILE... prints violations and unneeded exceptions; exit 1 when there are any.
Counts by the layout that clang-format gives: a function's body is '{' ... '}' at column 0.
"""
import re
import sys

LIMITS = {"lines": 80, "depth": 4, "parameters": 6, "complexity": 12}
BRANCH = re.compile(r"\b(if|for|while|case)\b|&&|\|\||\?")
TOKENS = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|/\*.*?\*/', re.S)


def functions(text):
    """Yields (line, name, parameters, body) of each function definition."""
    for found in re.finditer(r"^(?=[a-zA-Z_])([^;{}#\n][^;{}]*?)\n\{\n(.*?)^\}", text, re.M | re.S):
        head = found.group(1)
        name = re.search(r"(\w+)\s*\((.*)\)\s*$", head, re.S)
        if not name or head.startswith(("struct", "enum", "union", "typedef")) and "(" not in head:
            continue
        depth, count, inside = 0, 0, name.group(2).strip()
        for c in inside:
            depth += (c == "(") - (c == ")")
            count += c == "," and depth == 0
        n = 0 if inside in ("", "void") else count + 1
        line = text.count("\n", 0, found.start(2)) + 1
        yield line, re.search(r"(\w+)\s*\(", head).group(1), n, found.group(2)


def measure(body):
    code = TOKENS.sub("", body)
    level = deepest = 0
    for c in code:
        level += (c == "{") - (c == "}")
        deepest = max(deepest, level)
    return {"lines": body.count("\n"), "depth": deepest + 1, "complexity": 1 + len(BRANCH.findall(code))}


def main():
    excepted = {}
    for line in open(sys.argv[1]):
        if line.strip() and not line.startswith("#"):
            file, function, rule, reason = line.split(None, 3)
            excepted[file, function, rule] = reason
    bad, used = 0, set()
    for path in sys.argv[2:]:
        text = open(path, encoding="utf-8").read()
        if text.count("\n") > 800:
            print("%s: %d lines, at most 800" % (path, text.count("\n")))
            bad += 1
        for line, name, parameters, body in functions(text):
            found = dict(measure(body), parameters=parameters)
            for rule, limit in LIMITS.items():
                key = (path, name, rule)
                if found[rule] <= limit:
                    continue
                if key in excepted:
                    used.add(key)
                    continue
                print("%s:%d: %s: %s is %d, at most %d" % (path, line, name, rule, found[rule], limit))
                bad += 1
    for key in sorted(set(excepted) - used):
        print("tests/lint/exceptions.txt: %s %s %s is not needed any more" % key)
        bad += 1
    return bad > 0


sys.exit(main())
