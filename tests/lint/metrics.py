# SPDX-License-Identifier: Apache-2.0
"""docs/metrics.md has a row for each metric family of the sources, as they say it: metrics.py PAGE SOURCE..."""
import re
import sys

TYPES = {"METRIC_COUNTER": "counter", "METRIC_GAUGE": "gauge", "METRIC_HISTOGRAM": "histogram"}


def families(path):
    """-> rows of the page for the families that one source has."""
    with open(path) as f:
        text = f.read()
    for body in re.findall(r"struct metric_family \w+ = \{(.*?)\n\};", text, re.S):
        name = re.search(r'\.name = "(\w+)"', body).group(1)
        told = "".join(re.findall(r'"([^"]*)"', re.search(r"\.help =\s*((?:\"[^\"]*\"\s*)+)", body).group(1)))
        labels = re.search(r"\.labels = \{(.*?)\}", body, re.S)
        names = re.findall(r'"(\w+)"', labels.group(1)) if labels else []
        shown = name + ("{%s}" % ",".join(names) if names else "")
        yield "| `%s` | %s | %s |" % (shown, TYPES[re.search(r"\.type = (\w+)", body).group(1)], told)


def main():
    with open(sys.argv[1]) as f:
        page = [line.rstrip("\n") for line in f if re.match(r"\| `\w+[`{]", line)]
    wanted = [row for path in sys.argv[2:] for row in families(path)]
    for row in sorted(set(wanted) - set(page)):
        print("%s: no row %s" % (sys.argv[1], row))
    for row in sorted(set(page) - set(wanted)):
        print("%s: no family for %s" % (sys.argv[1], row))


main()
