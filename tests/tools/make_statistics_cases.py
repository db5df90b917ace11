#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Cases for tests/unit/test_statistics_cases.c, from definitions with NumPy, SciPy and scikit-learn.

usage: make_statistics_cases.py tests/data/statistics/cases.json

The bounds of an interval are given as a range: where the quantile of the test's replicates may lie
when both it and the one found here have their Monte-Carlo error, four standard deviations of it.
"""
import json
import sys

import numpy as np
from scipy import stats
from sklearn.metrics import confusion_matrix, roc_auc_score

REPLICATES = 40000       # here
TEST_REPLICATES = 20000  # in the test
KEYS = ["accuracy", "balanced_accuracy", "auc", "sensitivity", "specificity", "macro_f1"]


def make_set(rng, clusters, classes, strength, decimals):
    """One set: labels by cluster, two classifiers whose errors go together within a cluster."""
    of = rng.integers(0, classes, clusters.max() + 1)
    of[:classes] = np.arange(classes)
    labels = np.where(rng.random(len(clusters)) < 0.9, of[clusters],
                      rng.integers(0, classes, len(clusters)))
    shared = rng.normal(size=(clusters.max() + 1, classes))[clusters]
    rows = []
    for gain in strength:
        logits = rng.normal(size=(len(clusters), classes)) + shared
        logits[np.arange(len(clusters)), labels] += gain
        p = np.exp(logits)
        p /= p.sum(1, keepdims=True)
        if classes == 2:
            p[:, 1] = np.round(p[:, 1], decimals)
            p[:, 0] = 1 - p[:, 1]
        else:
            p = np.round(p, decimals)
        rows.append(p.astype(np.float32))
    return {"labels": labels, "clusters": clusters, "rows": rows}


def scores(labels, rows, positive):
    k = rows.shape[1]
    matrix = confusion_matrix(labels, rows.argmax(1), labels=range(k)).astype(float)
    total, tp = matrix.sum(), np.diag(matrix)
    pos, predicted = matrix.sum(1), matrix.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity = tp / pos
        specificity = (total - pos - predicted + tp) / (total - pos)
        f1 = 2 * tp / (pos + predicted)
    auc = np.array([auc_of(labels == c, rows[:, c]) for c in range(k)])
    some = [positive] if k == 2 else range(k)
    return np.array([tp.sum() / total, sensitivity.mean(), auc[some].mean(),
                     sensitivity[some].mean(), specificity[some].mean(), f1.mean()])


def auc_of(positive, score):
    n, m = positive.sum(), (~positive).sum()
    if n == 0 or m == 0:
        return np.nan
    return (stats.rankdata(score)[positive].sum() - n * (n + 1) / 2) / (n * m)


def intervals(case, rng):
    """Cluster bootstrap of the first classifier."""
    positive, sets = case["positive"], case["sets"]
    count = case["cluster_count"]
    members = [[np.flatnonzero(s["clusters"] == c) for c in range(count)] for s in sets]
    values = np.empty((REPLICATES, len(KEYS)))
    for r in range(REPLICATES):
        drawn = rng.integers(0, count, count)
        rows = []
        for s, of in zip(sets, members):
            index = np.concatenate([of[c] for c in drawn])
            rows.append(scores(s["labels"][index], s["rows"][0][index], positive))
        values[r] = np.mean(rows, axis=0)
    result = {}
    slack = 4 * np.sqrt(0.025 * 0.975 * (1 / REPLICATES + 1 / TEST_REPLICATES))
    point = np.mean([scores(s["labels"], s["rows"][0], positive) for s in sets], axis=0)
    for i, key in enumerate(KEYS):
        kept = values[~np.isnan(values[:, i]), i]
        assert len(kept) > 0.95 * REPLICATES
        q = np.quantile(kept, [0.025 - slack, 0.025 + slack, 0.975 - slack, 0.975 + slack])
        result[key] = {"value": point[i], "low": list(q[:2]), "high": list(q[2:])}
    return result


def kernel(positive, score):
    """Placement of each sample by the definition: every pair is compared."""
    p, n = score[positive][:, None], score[~positive][None, :]
    psi = (p > n) + 0.5 * (p == n)
    return psi.mean(1), psi.mean(0)


def compare_auc(case):
    sets, positive = case["sets"], case["positive"]
    k = sets[0]["rows"][0].shape[1]
    some = [positive] if k == 2 else range(k)
    difference, sums = 0.0, np.zeros(case["cluster_count"])
    for s in sets:
        for c in some:
            own = s["labels"] == c
            aucs, v10, v01 = [], [], []
            for rows in s["rows"]:
                x, y = kernel(own, rows[:, c])
                v10.append(x)
                v01.append(y)
                aucs.append(x.mean())
                assert abs(aucs[-1] - roc_auc_score(own, rows[:, c])) < 1e-12
            share = 1 / len(some) / len(sets)
            difference += share * (aucs[0] - aucs[1])
            influence = np.zeros(len(own))
            influence[own] = (v10[0] - v10[1] - aucs[0] + aucs[1]) / own.sum()
            influence[~own] = (v01[0] - v01[1] - aucs[0] + aucs[1]) / (~own).sum()
            np.add.at(sums, s["clusters"], share * influence)
    if case["plain"] and k == 2:
        covariance = np.cov(np.array(v10)) / own.sum() + np.cov(np.array(v01)) / (~own).sum()
        variance = np.array([1, -1]) @ covariance @ np.array([1, -1])
    else:
        count = case["cluster_count"]
        variance = count / (count - 1) * (sums ** 2).sum()
    z = difference / np.sqrt(variance)
    return {"method": "DeLong" if case["plain"] else "DeLong, clustered (Obuchowski)",
            "difference": difference, "statistic": z, "p": 2 * stats.norm.sf(abs(z))}


def compare_accuracy(case):
    right = [[(rows.argmax(1) == s["labels"]).astype(int) for rows in s["rows"]]
             for s in case["sets"]]
    d = [x - y for x, y in right]
    difference = np.mean([x.mean() for x in d])
    if not case["plain"]:
        means = []
        for c in range(case["cluster_count"]):
            means.append(np.concatenate([x[s["clusters"] == c]
                                         for x, s in zip(d, case["sets"])]).mean())
        statistic = sum(means) ** 2 / sum(np.square(means))
        return {"method": "McNemar, clustered (Durkalski)", "difference": difference,
                "statistic": statistic, "p": stats.chi2.sf(statistic, 1)}
    b, c = int((d[0] > 0).sum()), int((d[0] < 0).sum())
    if b + c < 25:
        p = stats.binomtest(b, b + c, 0.5).pvalue
        return {"method": "McNemar, exact", "difference": difference, "statistic": None, "p": p}
    statistic = (abs(b - c) - 1) ** 2 / (b + c)
    return {"method": "McNemar", "difference": difference, "statistic": statistic,
            "p": stats.chi2.sf(statistic, 1)}


def make(rng, name, clusters, classes, positive, strength, decimals=2, sets=1, bootstrap=True):
    clusters = np.asarray(clusters)
    count = int(clusters.max()) + 1
    case = {"name": name, "classes": classes, "positive": positive, "cluster_count": count,
            "plain": sets == 1 and count == len(clusters),
            "sets": [make_set(rng, rng.permutation(clusters), classes, strength, decimals)
                     for _ in range(sets)]}
    case["auc"] = compare_auc(case)
    case["accuracy"] = compare_accuracy(case)
    if bootstrap:
        case["intervals"] = intervals(case, rng)
    for s in case["sets"]:
        s["a"], s["b"] = ([float(f"{x:.9g}") for x in rows.ravel()] for rows in s.pop("rows"))
        s["labels"], s["clusters"] = s["labels"].tolist(), s["clusters"].tolist()
    return case


def main():
    rng = np.random.default_rng(20260115)
    uneven = np.repeat(np.arange(30), rng.integers(1, 9, 30))
    cases = [
        make(rng, "binary", range(60), 2, 1, (1.5, 1.2)),
        make(rng, "binary, coarse", range(50), 2, 0, (2.5, 0.5), decimals=1, bootstrap=False),
        make(rng, "binary, many", range(250), 2, 1, (3.0, 1.0), bootstrap=False),
        make(rng, "binary, patients", uneven, 2, 0, (1.2, 0.9)),
        make(rng, "three classes", range(90), 3, 0, (2.0, 1.2), bootstrap=False),
        make(rng, "four classes, patients", np.repeat(np.arange(40), 4), 4, 0, (1.5, 1.0)),
        make(rng, "binary, three sets", np.repeat(np.arange(25), 3), 2, 1, (1.5, 1.0), sets=3),
        make(rng, "three classes, two sets", range(40), 3, 0, (1.0, 1.6), sets=2,
             bootstrap=False),
    ]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"replicates": TEST_REPLICATES, "cases": cases}, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
