# SPDX-License-Identifier: Apache-2.0
"""What Prometheus would have stored of a daemon's /metrics, for promtool's rule tests: plain Python around the real promtool."""
import json
import os
import re
import subprocess
import tempfile

SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)$")


class Scraper:
    """One scrape each INTERVAL_S of a time that the test chooses: series by name, `_` where there was none, `stale` where one ends."""

    INTERVAL_S = 15

    def __init__(self, daemon, names):
        self.daemon, self.names, self.n, self.series = daemon, tuple(names), 0, {}

    def read(self):
        """-> the samples there are now, not stored."""
        status, body = self.daemon.get("/metrics")
        assert status == 200, (status, body)
        found = (SAMPLE.match(line) for line in body.decode().splitlines() if line.startswith(self.names))
        return {m.group(1): m.group(2) for m in found if m}

    def scrape(self, times=1):
        for _ in range(times):
            now = self.read()
            for name in now:
                self.series.setdefault(name, ["_"] * self.n)
            for name, values in self.series.items():
                gone = values and values[-1] not in ("_", "stale")
                values.append(now.get(name, "stale" if gone else "_"))
            self.n += 1
        return now

    def seconds(self):
        """When the last scrape was."""
        return (self.n - 1) * self.INTERVAL_S

    def without_first_zero(self):
        """As if each series had been born with its value."""
        return {name: ["_" if v == "0" and set(values[:i]) <= {"_"} else v for i, v in enumerate(values)] for name, values in self.series.items()}


def read_rules(path):
    """-> alert: {expr, severity, summary} of a rule file as we write it (no YAML reader is asked for by the build)."""
    rules = {}
    with open(path) as f:
        text = f.read()
    for block in re.split(r"^ {6}- alert: ", text, flags=re.M)[1:]:
        expr = re.search(r"^ {8}expr: (?:\|\n +)?(.+)$", block, re.M).group(1)
        rules[block.splitlines()[0]] = {"expr": expr, "severity": re.search(r"severity: (.+)", block).group(1),
                                        "summary": re.search(r"summary: (.+)", block).group(1)}
    return rules


def promtool_test(rules_path, series, expectations):
    """expectations: (seconds, alert, [(labels, annotations)]). -> ok, what promtool said."""
    tests = [{"interval": "%ds" % Scraper.INTERVAL_S,
              "input_series": [{"series": name, "values": " ".join(values)} for name, values in sorted(series.items())],
              "alert_rule_test": [{"eval_time": "%ds" % at, "alertname": alert,
                                   "exp_alerts": [{"exp_labels": labels, "exp_annotations": notes} for labels, notes in expected]}
                                  for at, alert, expected in expectations]}]
    document = {"rule_files": [os.path.abspath(rules_path)], "evaluation_interval": "%ds" % Scraper.INTERVAL_S, "tests": tests}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as f:
        json.dump(document, f)  # JSON is YAML
        f.flush()
        done = subprocess.run(["promtool", "test", "rules", f.name], capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr
