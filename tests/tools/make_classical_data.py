#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes tests/data/classical/cases.json: feature vectors, and what scikit-learn's classifiers
predict from them.

Run by hand: make_classical_data.py > tests/data/classical/cases.json. Where a head chooses
something over inner folds, the training part has five patients and the folds are these."""
import json
import sys
import warnings

import numpy as np
import sklearn
from sklearn.calibration import _sigmoid_calibration
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
FOLDS = 5


def four_digits(rows):
    return [round(v, 4) for v in rows.ravel().tolist()]


class Data:
    def __init__(self, seed, classes, sizes, columns, test, patients=False, spread=1.0):
        draw = np.random.RandomState(seed)
        means = draw.normal(0, 1, (classes, columns))
        scales = np.exp(draw.normal(0, 1, columns))
        shift = draw.normal(0, 3, columns)
        mix = np.eye(columns) + 0.3 * draw.normal(0, 1, (columns, columns)) / np.sqrt(columns)

        def rows(labels):
            noise = draw.normal(0, spread, (len(labels), columns)) @ mix
            values = (means[labels] + noise) * scales + shift
            if columns > 4:
                values[:, 3] = 7.25  # a feature that says nothing
            return values.round(4).astype(np.float32).astype(float)

        self.classes = classes
        self.y = np.repeat(np.arange(classes), sizes)
        draw.shuffle(self.y)
        self.x = rows(self.y)
        self.test_y = draw.choice(np.flatnonzero(np.array(sizes) > 0), test)
        self.test = rows(self.test_y)
        self.groups = draw.randint(0, FOLDS, len(self.y)) if patients else None
        scaler = StandardScaler().fit(self.x)
        self.sx, self.st = scaler.transform(self.x), scaler.transform(self.test)

    def json(self):
        return {"classes": self.classes, "columns": self.x.shape[1],
                "train": four_digits(self.x), "labels": self.y.tolist(),
                "groups": [] if self.groups is None else self.groups.tolist(),
                "test": four_digits(self.test), "test_labels": self.test_y.tolist()}


DATA = {
    "two": Data(1, 2, [50, 40], 10, 40, spread=1.5),
    "three": Data(2, 3, [40, 30, 20], 6, 40, spread=1.2),
    "gap": Data(3, 4, [30, 0, 25, 20], 7, 30),
    "wide": Data(4, 2, [16, 14], 60, 30, spread=3.0),
    "patients": Data(5, 3, [40, 30, 20], 6, 40, patients=True, spread=1.6),
    "pair": Data(6, 2, [50, 40], 8, 40, patients=True, spread=2.0),
    "noisy": Data(7, 2, [80, 70], 8, 300, spread=1.8),
}
cases = []


def add(data, strategy, settings, probabilities, tolerance, **more):
    cases.append({"data": data, "strategy": strategy, "settings": settings,
                  "tolerance": tolerance, "expected": np.round(probabilities, 8).ravel().tolist(),
                  **more})


def widen(data, model, probabilities):
    """Columns for classes without training rows."""
    wide = np.zeros((len(probabilities), DATA[data].classes))
    wide[:, model.classes_] = probabilities
    return wide


def settle(kernel, c, gamma, d, weight=None):
    return SVC(kernel=kernel, C=c, gamma=gamma or 1.0, tol=1e-8, class_weight=weight)


def margins(model, rows):
    """Softmax of the decisions in scikit-learn's one-versus-rest shape."""
    decisions = model.decision_function(rows)
    if decisions.ndim == 1:
        p = 1 / (1 + np.exp(-decisions))
        return np.column_stack([1 - p, p])
    e = np.exp(decisions - decisions.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def svm(data, kernel, c, gamma=None, weight=None):
    d = DATA[data]
    model = settle(kernel, c, gamma, d, weight).fit(d.sx, d.y)
    settings = "kernel=%s;c=%r;probability=margin;tolerance=1e-8" % (kernel, c)
    settings += ";gamma=%r" % gamma if gamma else ""
    settings += ";class_weight=balanced" if weight else ""
    add(data, "svm", settings, widen(data, model, margins(model, d.st)), 2e-5)


def chosen(d, models, largest_wins=False):
    """The first of the models (last: largest_wins) with the best balanced accuracy."""
    best, winner = -1, None
    for model in models:
        predicted = np.empty_like(d.y)
        for fold in range(FOLDS):
            inside = d.groups != fold
            model.fit(d.sx[inside], d.y[inside])
            predicted[~inside] = model.predict(d.sx[~inside])
        score = balanced_accuracy_score(d.y, predicted)
        if score > best + 1e-12 or (largest_wins and score > best - 1e-12):
            best, winner = score, model
    return winner.fit(d.sx, d.y)


def svm_auto(data):
    d = DATA[data]
    model = chosen(d, [SVC(kernel="rbf", C=c, gamma=g / d.x.shape[1], tol=1e-8)
                       for c in (0.01, 0.1, 1, 10, 100, 1000) for g in (1 / 16, 1 / 4, 1, 4)])
    add(data, "svm", "probability=margin;tolerance=1e-8", margins(model, d.st), 2e-5,
        note="C %g, gamma %.6g" % (model.C, model.gamma))


def platt(data, kernel, c, gamma):
    d = DATA[data]
    decisions = np.empty(len(d.y))
    for fold in range(FOLDS):
        inside = d.groups != fold
        model = settle(kernel, c, gamma, d).fit(d.sx[inside], d.y[inside])
        decisions[~inside] = model.decision_function(d.sx[~inside])
    a, b = _sigmoid_calibration(-decisions, d.y == 0)
    model = settle(kernel, c, gamma, d).fit(d.sx, d.y)
    first = 1 / (1 + np.exp(-a * model.decision_function(d.st) + b))
    add(data, "svm", "kernel=%s;c=%r;gamma=%r;tolerance=1e-8" % (kernel, c, gamma),
        np.column_stack([first, 1 - first]), 1e-3)


def knn(data, k, metric="euclidean", weights="uniform", scaled=True):
    d = DATA[data]
    x, t = (d.sx, d.st) if scaled else (d.x, d.test)
    model = KNeighborsClassifier(k, metric=metric, weights=weights, algorithm="brute").fit(x, d.y)
    add(data, "knn", "k=%d;metric=%s;weights=%s;standardise=%s"
        % (k, metric, weights, "true" if scaled else "false"),
        widen(data, model, model.predict_proba(t)), 1e-5)


def knn_auto(data):
    d = DATA[data]
    model = chosen(d, [KNeighborsClassifier(k, algorithm="brute")
                       for k in (1, 3, 5, 7, 9, 11, 15, 21, 31)], largest_wins=True)
    add(data, "knn", "", model.predict_proba(d.st), 1e-5, note="k %d;" % model.n_neighbors)


def liblinear(c, tolerance, weight=None):
    return LogisticRegression(C=c, solver="liblinear", intercept_scaling=10.0, tol=tolerance,
                              class_weight=weight, max_iter=100000)


def logistic(data, c, weight=None):
    d = DATA[data]
    model = liblinear(c, 1e-10, weight).fit(d.sx, d.y)
    settings = "c=%r;tolerance=1e-10" % c + (";class_weight=balanced" if weight else "")
    add(data, "logistic", settings, widen(data, model, model.predict_proba(d.st)), 2e-5)


def logistic_auto(data):
    d = DATA[data]
    model = chosen(d, [liblinear(c, 1e-2) for c in
                       (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0)])
    model = liblinear(model.C, 1e-10).fit(d.sx, d.y)
    add(data, "logistic", "tolerance=1e-10", model.predict_proba(d.st), 2e-5,
        note="C %g;" % model.C)


def lda(data, shrinkage):
    d = DATA[data]
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(d.x, d.y)
    text = "auto" if shrinkage == "auto" else repr(shrinkage or 0.0)
    add(data, "lda", "shrinkage=" + text, widen(data, model, model.predict_proba(d.test)), 2e-5)


def tree(data, depth, leaf, weight=None):
    """One tree without chance; the depth and leaf are such that no two splits are equally good."""
    d = DATA[data]
    models = [DecisionTreeClassifier(max_depth=depth, min_samples_leaf=leaf, random_state=seed,
                                     class_weight=weight).fit(d.x, d.y) for seed in range(20)]
    model = models[0]
    for other in models[1:]:
        assert np.array_equal(other.tree_.feature, model.tree_.feature), (data, "ties")
        assert np.array_equal(other.tree_.threshold, model.tree_.threshold), (data, "ties")
    settings = "trees=1;bootstrap=false;max_features=all;max_depth=%d;min_samples_leaf=%d" \
        % (depth or 0, leaf)
    settings += ";class_weight=balanced" if weight else ""
    add(data, "random_forest", settings, widen(data, model, model.predict_proba(d.test)), 1e-6,
        columns=[max(int(f), -1) for f in model.tree_.feature],
        thresholds=[float(t) if f >= 0 else 0.0
                    for f, t in zip(model.tree_.feature, model.tree_.threshold)])


def forest(data, leaf):
    """A large forest, and what accuracy smaller ones reach."""
    d = DATA[data]
    small = [RandomForestClassifier(300, min_samples_leaf=leaf, random_state=seed).fit(d.x, d.y)
             .score(d.test, d.test_y) for seed in range(20)]
    model = RandomForestClassifier(3000, min_samples_leaf=leaf, random_state=99, oob_score=True)
    model.fit(d.x, d.y)
    return {"data": data, "settings": "trees=1000;min_samples_leaf=%d" % leaf,
            "expected": model.predict_proba(d.test).round(6).ravel().tolist(),
            "accuracy": float(np.mean(small)), "deviation": float(np.std(small, ddof=1)),
            "out_of_bag": float(model.oob_score_)}


svm("two", "linear", 0.1)
svm("two", "linear", 1.0, weight="balanced")
svm("two", "rbf", 1.0, 0.1)
svm("three", "linear", 0.5)
svm("three", "rbf", 10.0, 0.05)
svm("gap", "rbf", 1.0, 0.1, "balanced")
svm("wide", "linear", 0.01)
svm_auto("patients")
platt("pair", "linear", 0.3, 0.1)
platt("pair", "rbf", 2.0, 0.1)
knn("two", 5)
knn("two", 7, weights="distance")
knn("three", 9, metric="cosine")
knn("gap", 3, scaled=False)
knn_auto("pair")
logistic("two", 0.1)
logistic("two", 1.0, "balanced")
logistic("three", 1.0)
logistic("gap", 0.01)
logistic("wide", 0.5)
logistic_auto("patients")
lda("two", "auto")
lda("three", "auto")
lda("three", 0.3)
lda("gap", "auto")
lda("wide", "auto")
lda("wide", 0.5)
tree("two", 2, 6)
tree("three", 5, 3)
tree("gap", 2, 5, "balanced")
tree("noisy", 5, 5)
tree("gap", 4, 5)
parts = [("data", {name: d.json() for name, d in DATA.items()}), ("cases", cases),
         ("forests", [forest("noisy", 1), forest("noisy", 5)])]
lines = ['"scikit_learn":"%s"' % sklearn.__version__]
for name, value in parts:
    text = json.dumps(value, separators=(",", ":"))
    lines.append('"%s":%s' % (name, text.replace("},", "},\n")))
sys.stdout.write("{" + ",\n".join(lines) + "}\n")
