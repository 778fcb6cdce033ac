"""Figures of scikit-learn that core/training is compared with.

    npm run python -- test/golden/make-logistic-isotonic.py

writes logistic-isotonic.json beside it, with the versions it was made by. Inputs come from a linear congruential generator that
the tests repeat, so that only results are stored.
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression


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


def isotonic_case(seed, rows, steps):
    y, p = scored_rows(seed, rows, steps)
    fitted = IsotonicRegression().fit(p, y).predict(p)
    return {"seed": seed, "rows": rows, "steps": steps, "fitted": fitted.tolist()}


golden = {
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    "logistic": [logistic_case(4, 400, 1.0), logistic_case(5, 60, 0.05), logistic_case(6, 3000, 100.0)],
    "isotonic": [isotonic_case(9, 60, 0), isotonic_case(10, 80, 12)],
}
path = pathlib.Path(__file__).with_name("logistic-isotonic.json")
path.write_text(json.dumps(golden, indent=2) + "\n")
