#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes tests/data/eval/cases.json: predictions with the scores that scikit-learn gives them.

Run by hand: make_metrics_cases.py > tests/data/eval/cases.json. An undefined score is null; what
is undefined is decided here from the counts, since scikit-learn warns and returns a number."""
import json
import sys

import numpy as np
import sklearn
from sklearn import metrics as sk


def rounded(rows):
    return np.asarray(rows, dtype=np.float32)


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return rounded(e / e.sum(axis=1, keepdims=True))


def mean(values):
    return None if any(v is None for v in values) else float(np.mean(values))


def score(name, classes, positive, labels, rows):
    labels = np.asarray(labels, dtype=int)
    rows = rounded(rows).reshape(len(labels), classes)
    every = list(range(classes))
    predicted = rows.argmax(axis=1) if len(labels) else labels
    confusion = sk.confusion_matrix(labels, predicted, labels=every) if len(labels) \
        else np.zeros((classes, classes), int)
    per_class = []
    for c in every:
        true, guess = labels == c, predicted == c
        support, rest, chosen = int(true.sum()), int((~true).sum()), int(guess.sum())
        per_class.append({
            "support": support,
            "predicted": chosen,
            "sensitivity": sk.recall_score(true, guess) if support else None,
            "specificity": sk.recall_score(~true, ~guess) if rest else None,
            "precision": sk.precision_score(true, guess) if chosen else None,
            "f1": sk.f1_score(true, guess) if support + chosen else None,
            "auc": sk.roc_auc_score(true, rows[:, c].astype(float)) if support and rest else None,
        })
    column = lambda key: [p[key] for p in per_class]
    some = len(labels) > 0
    wide = rows.astype(float)
    case = {
        "name": name, "classes": classes, "positive": positive,
        "labels": labels.tolist(), "rows": [float(v) for v in wide.ravel()],
        "accuracy": sk.accuracy_score(labels, predicted) if some else None,
        "balanced_accuracy": mean(column("sensitivity")),
        "auc": per_class[positive]["auc"] if classes == 2 else mean(column("auc")),
        "log_loss": sk.log_loss(labels, wide, labels=every) if some else None,
        "macro_f1": mean(column("f1")),
        "sensitivity": per_class[positive]["sensitivity"] if classes == 2 else mean(column("sensitivity")),
        "specificity": per_class[positive]["specificity"] if classes == 2 else mean(column("specificity")),
        "confusion": confusion.ravel().tolist(),
        "only_class": int(predicted[0]) if some and len(set(predicted)) == 1 else -1,
        "per_class": per_class,
    }
    if case["balanced_accuracy"] is not None:
        assert abs(case["balanced_accuracy"] - sk.balanced_accuracy_score(labels, predicted)) < 1e-12
    if classes > 2 and case["auc"] is not None and np.allclose(wide.sum(axis=1), 1):
        other = sk.roc_auc_score(labels, wide / wide.sum(axis=1, keepdims=True), multi_class="ovr",
                                 average="macro", labels=every)
        assert abs(case["auc"] - other) < 1e-3
    return case


def main():
    random = np.random.default_rng(20260101)
    cases = []
    for name, n, k, positive in (("binary", 95, 2, 1), ("binary, first class positive", 60, 2, 0),
                                 ("three classes", 80, 3, 2), ("seven classes", 140, 7, 0)):
        labels = random.integers(0, k, n)
        logits = random.normal(size=(n, k))
        logits[np.arange(n), labels] += 0.8
        cases.append(score(name, k, positive, labels, softmax(logits)))
    labels = random.integers(0, 2, 64)
    p = np.clip(np.round((labels * 0.3 + random.random(64) * 0.7) * 4) / 4, 0, 1)
    cases.append(score("ties", 2, 1, labels, np.stack([1 - p, p], axis=1)))
    labels = random.integers(0, 4, 50)
    cases.append(score("all equal", 4, 1, labels, np.full((50, 4), 0.25)))
    labels = random.random(40) < 0.74
    p = 0.6 + 0.3 * random.random(40)
    cases.append(score("one class predicted", 2, 1, labels, np.stack([1 - p, p], axis=1)))
    labels = random.integers(0, 2, 30) * 2
    cases.append(score("a class is missing", 3, 0, labels, softmax(random.normal(size=(30, 3)))))
    cases.append(score("only one class present", 2, 1, np.ones(12), softmax(random.normal(size=(12, 2)))))
    cases.append(score("perfect and certain", 2, 1, [0, 1, 1, 0], [[1, 0], [0, 1], [0, 1], [1, 0]]))
    cases.append(score("wrong and certain", 2, 1, [0, 1], [[0, 1], [1, 0]]))
    cases.append(score("one sample", 2, 1, [1], [[0.25, 0.75]]))
    cases.append(score("no sample", 3, 0, [], []))
    json.dump({"made_with": "scikit-learn " + sklearn.__version__, "cases": cases}, sys.stdout)
    sys.stdout.write("\n")


main()
