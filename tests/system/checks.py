# SPDX-License-Identifier: Apache-2.0
"""What a system test found: a line for each check, and at its end the sums that .ci/run adds up."""

results = []  # of all checks so far


def check(what, good, told=""):
    """@told is shown when it is not good."""
    results.append(bool(good))
    print("%sok %d - %s%s" % ("" if good else "not ", len(results), what, "" if good else ": %s" % (told,)), flush=True)


def finish():
    """Prints the sums. -> exit code: 0 if there were checks and all are good."""
    print("1..%d\n# PASS: %d\n# FAIL: %d" % (len(results), sum(results), len(results) - sum(results)))
    return 0 if results and all(results) else 1
