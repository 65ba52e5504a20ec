#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The contrast of the console's colours, computed from the tokens of web/style.css as WCAG 2.2 has it (TAP).

Text needs 4.5:1 on every ground it stands on (1.4.3), what must be seen of controls and pictures 3:1 (1.4.11).
"""
import os
import re
import sys

SOURCE = os.environ.get("TOCSIN_SOURCE", ".")
TEXT = ("text", "muted", "accent", "critical", "high", "medium", "low", "info", "good", "mark")
GRAPHICS = ("edge", "lit", "accent", "critical", "high", "medium", "low", "info")
# what is told by a text or a shape beside it, too, or is only a line between rows
DECORATION = ("line", "unlit")
GROUNDS = ("surface", "raised", "row")
results = []


def check(what, good, told=""):
    results.append(bool(good))
    print("%sok %d - %s%s" % ("" if good else "not ", len(results), what, "" if good else ": %s" % told))


def luminance(color):
    channels = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def tokens(block):
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


sheet = open(os.path.join(SOURCE, "web/style.css"), encoding="utf-8").read()
light = tokens(re.search(r":root \{(.*?)\n\}", sheet, re.S).group(1))
dark = tokens(re.search(r':root\[data-theme="dark"\] \{(.*?)\n\}', sheet, re.S).group(1))
system = tokens(re.search(r'prefers-color-scheme: dark\) \{\s*:root\[data-theme="auto"\] \{(.*?)\n\t\}', sheet, re.S).group(1))

print("1..10")
check("black on white is 21", abs(contrast("#000000", "#ffffff") - 21) < 0.01)
for name, theme, ground, wanted in (("light", light, "#ffffff", (6.5, 5.0, 5.4, 6.8, 6.1)), ("dark", dark, "#14171c", (7.9, 10.1, 11.5, 8.9, 9.2))):
    found = [contrast(theme[n], ground) for n in ("critical", "high", "medium", "low", "info")]
    check("the ramp of the %s theme is what it was computed to be" % name, all(abs(f - w) < 0.06 for f, w in zip(found, wanted)), found)
check("both dark themes are one", dark == system, set(dark.items()) ^ set(system.items()))
for name, theme in (("light", light), ("dark", dark)):
    low = [(t, g, round(contrast(theme[t], theme[g]), 2)) for t in TEXT for g in GROUNDS if contrast(theme[t], theme[g]) < 4.5]
    check("text can be read in the %s theme" % name, not low, low)
    low = [(t, g, round(contrast(theme[t], theme[g]), 2)) for t in GRAPHICS for g in GROUNDS if contrast(theme[t], theme[g]) < 3]
    check("controls and pictures can be seen in the %s theme" % name, not low, low)
check("text on the accent can be read", all(contrast(t["on-accent"], t["accent"]) >= 4.5 for t in (light, dark)))
known = set(TEXT) | set(GRAPHICS) | set(DECORATION) | set(GROUNDS) | {"on-accent"}
colors = set(re.findall(r"#[0-9a-fA-F]{3,8}\b", re.sub(r"--[a-z-]+: #[0-9a-f]{6};", "", sheet))) - {"#drawer", "#bulk"}
check("no colour stands outside the tokens, no token outside this test",
      set(light) == known and not {c for c in colors if re.fullmatch(r"#[0-9a-fA-F]{3,8}", c)}, (set(light) ^ known, colors))
sys.exit(0 if all(results) else 1)
