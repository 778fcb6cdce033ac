"""Figures of scikit-learn that core/training is compared with.

    pip install numpy scikit-learn && python test/golden/make-training-metrics.py

writes training-metrics.json beside it, with the versions it was made by. Inputs come from a linear congruential generator that
the tests repeat, so that only results are stored.
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)


class Uniform:
    """state = state * 1664525 + 1013904223 mod 2^32; a number is the upper 24 bits over 2^24."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) / 2**24


def scored_rows(seed, rows, steps):
    """Labels and probabilities; `steps` above 0 rounds probabilities to that many steps, which makes ties."""
    draw = Uniform(seed)
    p = np.empty(rows)
    y = np.empty(rows, dtype=int)
    for i in range(rows):
        value = draw()
        p[i] = np.floor(value * steps) / steps if steps else value
        y[i] = draw() < value * value
    return y, p


def ece(y, p):
    bins = np.minimum(9, np.floor(p * 10)).astype(int)
    return sum(abs((p - y)[bins == b].sum()) for b in range(10)) / len(y)


def metrics_case(seed, rows, steps, threshold):
    y, p = scored_rows(seed, rows, steps)
    clipped = np.clip(p, 1e-15, 1 - 1e-15)
    act = p >= threshold
    payoff = {"truePositive": 80, "falsePositive": -25, "falseNegative": -60, "trueNegative": 1}
    paid = (
        80 * (act & (y == 1)).sum() - 25 * (act & (y == 0)).sum() - 60 * (~act & (y == 1)).sum() + (~act & (y == 0)).sum()
    )
    return {
        "seed": seed,
        "rows": rows,
        "steps": steps,
        "threshold": threshold,
        "payoff": payoff,
        "metrics": {
            "roc_auc": roc_auc_score(y, p),
            "pr_auc": average_precision_score(y, p),
            "log_loss": float(-np.mean(np.log(np.where(y == 1, clipped, 1 - clipped)))),
            "brier": brier_score_loss(y, p),
            "f1": f1_score(y, act),
            "precision": precision_score(y, act),
            "recall": recall_score(y, act),
            "ece": float(ece(y, p)),
            "payoff_per_decision": float(paid / rows),
        },
    }


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logistic_case(seed, rows, c):
    """Five numbers and three 0/1 columns."""
    draw = Uniform(seed)
    x = np.empty((rows, 8))
    y = np.empty(rows, dtype=int)
    for i in range(rows):
        for j in range(8):
            value = draw()
            x[i, j] = value * 4 - 2 if j < 5 else float(value < 0.1 * (j - 4))
        score = x[i, 0] - 0.5 * x[i, 1] + 2 * x[i, 5] - x[i, 7] - 0.5
        y[i] = draw() < sigmoid(score)
    model = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-13, max_iter=1000).fit(x, y)
    return {
        "seed": seed,
        "rows": rows,
        "c": c,
        "intercept": float(model.intercept_[0]),
        "coefficients": model.coef_[0].tolist(),
    }


def smooth_rows(draw, rows):
    """Ten numbers, a tenth of the first three missing, with an interaction, a wave and a meaning in what is missing.

    The interaction has main effects too: of a pure one greedy trees find the first split by luck, and two libraries differ by 0.005.
    """
    x = np.empty((rows, 10))
    y = np.empty(rows, dtype=int)
    for i in range(rows):
        for j in range(10):
            x[i, j] = draw() * 6 - 3
        for j in range(3):
            if draw() < 0.1:
                x[i, j] = np.nan
        first = 1.5 if np.isnan(x[i, 0]) else 0.5 * x[i, 0]
        wave = x[i, 5] * x[i, 5] / 3 - 1
        score = first + 0.15 * (x[i, 3] + 3) * (x[i, 4] + 3) + wave - 2.5
        y[i] = draw() < sigmoid(score)
    return x, y


def stepped_rows(draw, rows):
    """Eight whole numbers of few values, with thresholds and a combination of two; one class is rare."""
    x = np.empty((rows, 8))
    y = np.empty(rows, dtype=int)
    for i in range(rows):
        for j in range(8):
            x[i, j] = np.floor(draw() * (4 + 5 * j))
        score = -3.5 + (2 if x[i, 7] > 30 else 0) + (1.5 if x[i, 2] == 5 else 0) + 0.1 * x[i, 4]
        if x[i, 0] == 1 and x[i, 1] > 4:
            score += 1.5
        y[i] = draw() < sigmoid(score)
    return x, y


def boosting_case(kind, generate, seed, rows):
    draw = Uniform(seed)
    x, y = generate(draw, rows)
    test_x, test_y = generate(draw, rows)
    model = HistGradientBoostingClassifier(
        max_iter=100,
        max_leaf_nodes=31,
        learning_rate=0.1,
        l2_regularization=1,
        min_samples_leaf=20,
        early_stopping=False,
        random_state=0,
    ).fit(x, y)
    probabilities = model.predict_proba(test_x)[:, 1]
    return {
        "kind": kind,
        "seed": seed,
        "rows": rows,
        "positives": int(y.sum()),
        "roc_auc": roc_auc_score(test_y, probabilities),
    }


def isotonic_case(seed, rows, steps):
    y, p = scored_rows(seed, rows, steps)
    fitted = IsotonicRegression().fit(p, y).predict(p)
    return {"seed": seed, "rows": rows, "steps": steps, "fitted": fitted.tolist()}


golden = {
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    "metrics": [
        metrics_case(1, 2000, 0, 0.5),
        metrics_case(2, 500, 20, 0.6),
        metrics_case(3, 40, 3, 0.3),
    ],
    "logistic": [logistic_case(4, 400, 1.0), logistic_case(5, 60, 0.05), logistic_case(6, 3000, 100.0)],
    "boosting": [
        boosting_case("smooth", smooth_rows, 7, 20_000),
        boosting_case("smooth", smooth_rows, 8, 20_000),
        boosting_case("stepped", stepped_rows, 7, 20_000),
        boosting_case("stepped", stepped_rows, 8, 20_000),
    ],
    "isotonic": [isotonic_case(9, 60, 0), isotonic_case(10, 80, 12)],
}
path = pathlib.Path(__file__).with_name("training-metrics.json")
path.write_text(json.dumps(golden, indent=2) + "\n")
