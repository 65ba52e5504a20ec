# SPDX-License-Identifier: Apache-2.0
"""How right a grouping of alerts is, against classes; how well a score puts attacks first. Plain formulas, checked by check()."""
import math
from collections import Counter


def entropy(counts, n):
    return -sum(c / n * math.log(c / n) for c in counts if c)


def v_measure(classes, groups):
    """-> homogeneity, completeness, V (Rosenberg and Hirschberg 2007)."""
    n, both = len(classes), Counter(zip(classes, groups))
    by_class, by_group = Counter(classes), Counter(groups)
    h_class, h_group, h_both = entropy(by_class.values(), n), entropy(by_group.values(), n), entropy(both.values(), n)
    homogeneity = 1 - (h_both - h_group) / h_class if h_class else 1.0
    completeness = 1 - (h_both - h_class) / h_group if h_group else 1.0
    total = homogeneity + completeness
    return homogeneity, completeness, 2 * homogeneity * completeness / total if total else 0.0


def pairs(counts):
    return sum(c * (c - 1) // 2 for c in counts)


def adjusted_rand(classes, groups):
    """Hubert and Arabie 1985."""
    both, a, b = pairs(Counter(zip(classes, groups)).values()), pairs(Counter(classes).values()), pairs(Counter(groups).values())
    every = len(classes) * (len(classes) - 1) // 2
    expected, most = a * b / every if every else 0, (a + b) / 2
    return (both - expected) / (most - expected) if most != expected else 1.0


def b_cubed(classes, groups):
    """F1 of the per-alert precision and recall (Bagga and Baldwin 1998)."""
    both, by_class, by_group = Counter(zip(classes, groups)), Counter(classes), Counter(groups)
    n = len(classes)
    precision = sum(c * c / by_group[g] for (_, g), c in both.items()) / n
    recall = sum(c * c / by_class[k] for (k, _), c in both.items()) / n
    return 2 * precision * recall / (precision + recall)


def area(good, bad):
    """Chance that a good one's score is above a bad one's; a tie counts half. None without both."""
    if not good or not bad:
        return None
    return sum((g > b) + (g == b) / 2 for g in good for b in bad) / (len(good) * len(bad))


def mean_reciprocal_rank(best, bad):
    """Each attack alone amid all ordinary groups: 1 / its rank there; ties count half."""
    if not best:
        return None
    return sum(1 / (1 + sum((b > g) + (b == g) / 2 for b in bad)) for g in best) / len(best)


def check():
    """Known values; raises when a formula is broken."""
    def near(a, b):
        assert abs(a - b) < 1e-9, (a, b)
    same = v_measure([0, 0, 1, 1], [5, 5, 7, 7])
    near(sum(same), 3)
    near(v_measure([0, 0, 1, 1], [0, 1, 2, 3])[1], 0.5)           # the example of scikit-learn's page: h 1, c 0.5
    near(v_measure([0, 0, 1, 1], [0, 0, 0, 0])[0], 0)
    near(adjusted_rand([0, 0, 1, 2], [0, 0, 1, 1]), 4 / 7)        # likewise 0.57
    near(adjusted_rand([0, 0, 1, 1], [0, 1, 0, 1]), -0.5)
    near(b_cubed([0, 0, 0, 0], [0, 0, 1, 1]), 2 / 3)
    near(area([3, 2], [1, 2]), 0.875)
    near(mean_reciprocal_rank([5, 1], [3, 4]), (1 + 1 / 3) / 2)
