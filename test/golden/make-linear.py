"""Figures of scikit-learn's linear models that core/training/linear is compared with.

    npm run python -- test/golden/make-linear.py

writes linear.json beside it, with versions. Every case keeps the largest component of the gradient (or of the subgradient, where
coefficients are penalised by absolute value) of the mean loss and its penalties at scikit-learn's solution, by the columns as they were
given to it or, where those are above 1, in units of their root mean square. Tests compare coefficients to 1e-6.
"""

import json
import pathlib
import warnings

import numpy as np
import pandas as pd
import sklearn
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).parent
warnings.filterwarnings("error", category=sklearn.exceptions.ConvergenceWarning)


class Uniform:
    """state = state * 1664525 + 1013904223 mod 2^32; a number is the upper 24 bits over 2^24."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) / 2**24


def golden(name, prepare):
    """Numeric columns and target of a golden data set; missing numbers are 0."""
    frame = pd.read_csv(HERE / "data" / f"{name}.csv")
    target = frame.pop("target").to_numpy()
    X = frame.select_dtypes("number").fillna(0).to_numpy(dtype=float)
    return (StandardScaler().fit_transform(X) if prepare == "standard" else X), target


def synthetic(name):
    """Edge cases; the tests build the same."""
    draw = Uniform(7)
    rows, columns = {"wide": (40, 120), "wider": (60, 900), "one-column": (80, 1)}.get(name, (120, 4))
    X = np.array([[draw() * 2 - 1 for _ in range(columns)] for _ in range(rows)])
    score = X[:, 0] - (0.5 * X[:, 1] if columns > 1 else 0)
    y = score + np.array([draw() - 0.5 for _ in range(rows)])
    if name == "collinear":
        X = np.column_stack([X, X[:, 0], X[:, 1] + 2 * X[:, 2], np.full(rows, 0.1)])
    if name == "magnitudes":
        X = X * [1e3, 1e-2, 1, 10] + [1e5, 0, -3, 1e4]
    if name == "separable":
        y = score
    return X, y


def weights_of(rows):
    return np.array([0.0 if row % 7 == 0 else 1 + 0.5 * (row % 3) for row in range(rows)])


def logistic_gradient(model, X, y, s, c, l1_ratio):
    coefficients = model.coef_
    if coefficients.shape[0] == 1:
        residual = (1 / (1 + np.exp(-(X @ coefficients[0] + model.intercept_[0]))) - y)[:, None]
    else:
        scores = X @ coefficients.T + model.intercept_
        residual = np.exp(scores - scores.max(axis=1, keepdims=True))
        residual /= residual.sum(axis=1, keepdims=True)
        residual[np.arange(len(y)), y.astype(int)] -= 1
    residual = residual * s[:, None] / s.sum()
    smooth = residual.T @ X + (1 - l1_ratio) / (c * s.sum()) * coefficients
    l1 = l1_ratio / (c * s.sum())
    excess = np.where(coefficients == 0, np.maximum(np.abs(smooth) - l1, 0), np.abs(smooth + l1 * np.sign(coefficients)))
    return max(excess.max(), np.abs(residual.sum(axis=0)).max())


def fit(kind, params, X, y, weights):
    s = np.ones(len(y)) if weights is None else weights
    if kind == "logistic":
        c = params["c"] if params["c"] is not None else np.inf
        ratio = params.get("l1Ratio", 0)
        if ratio > 0:
            model = LogisticRegression(C=c, l1_ratio=ratio, solver="saga", tol=1e-13, max_iter=2_000_000)
        else:
            model = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-12, max_iter=1000)
        model.fit(X, y, sample_weight=weights)
        return model, logistic_gradient(model, X, y, s, c, ratio)
    if kind == "poisson":
        model = PoissonRegressor(alpha=params["alpha"], solver="newton-cholesky", tol=1e-12, max_iter=1000)
        model.fit(X, y, sample_weight=weights)
        residual = (np.exp(X @ model.coef_ + model.intercept_) - y) * s / s.sum()
        return model, max(np.abs(X.T @ residual + params["alpha"] * model.coef_).max(), abs(residual.sum()))
    alpha, ratio = params["alpha"], params.get("l1Ratio", 0)
    if alpha == 0:
        model = LinearRegression().fit(X, y, sample_weight=weights)
    elif ratio == 0:
        model = Ridge(alpha=alpha, solver="cholesky").fit(X, y, sample_weight=weights)
    elif ratio == 1:
        model = Lasso(alpha=alpha, tol=1e-15, max_iter=5_000_000).fit(X, y, sample_weight=weights)
    else:
        model = ElasticNet(alpha=alpha, l1_ratio=ratio, tol=1e-15, max_iter=5_000_000).fit(X, y, sample_weight=weights)
    residual = (X @ model.coef_ + model.intercept_ - y) * s / s.sum()
    unit = np.maximum(np.sqrt((X**2).mean(axis=0)), 1)
    smooth = X.T @ residual + (alpha / s.sum() if ratio == 0 else alpha * (1 - ratio)) * model.coef_
    l1 = alpha * ratio
    excess = np.where(model.coef_ == 0, np.maximum(np.abs(smooth) - l1, 0), np.abs(smooth + l1 * np.sign(model.coef_)))
    return model, max((excess / unit).max(), abs(residual.sum()))


CASES = [
    *[("logistic", name, "standard", {"c": c}, False) for name in ["breast_cancer", "flights"] for c in [0.01, 1, 100]],
    *[("logistic", name, "standard", {"c": 1}, False) for name in ["wine", "iris", "digits"]],
    ("logistic", "iris", "raw", {"c": 10}, True),
    ("logistic", "wine", "raw", {"c": 1}, False),
    ("logistic", "flights", "standard", {"c": None}, False),
    ("logistic", "flights", "standard", {"c": 1}, True),
    ("logistic", "breast_cancer", "standard", {"c": 0.1, "l1Ratio": 1}, False),
    ("logistic", "breast_cancer", "standard", {"c": 0.1, "l1Ratio": 0.5}, True),
    ("logistic", "flights", "standard", {"c": 0.01, "l1Ratio": 1}, False),
    ("logistic", "wine", "standard", {"c": 0.1, "l1Ratio": 1}, False),
    ("logistic", "iris", "standard", {"c": 1, "l1Ratio": 0.3}, False),
    *[("logistic", name, "raw", {"c": 1}, False) for name in ["wide", "wider", "collinear", "separable", "one-column"]],
    ("logistic", "wider", "raw", {"c": 1, "l1Ratio": 0.8}, False),
    *[("linear", name, "standard", {"alpha": 0}, weighted) for name in ["diabetes", "wine"] for weighted in [False, True]],
    ("linear", "diabetes", "raw", {"alpha": 0}, False),
    *[("linear", name, "raw", {"alpha": 0}, False) for name in ["wide", "collinear", "magnitudes", "one-column"]],
    ("linear", "flights", "standard", {"alpha": 0}, False),
    *[("linear", "diabetes", "standard", {"alpha": alpha}, weighted) for alpha in [0.1, 10] for weighted in [False, True]],
    *[("linear", name, "raw", {"alpha": 0.5}, False) for name in ["wide", "collinear", "breast_cancer"]],
    *[("linear", "diabetes", "standard", {"alpha": 1, "l1Ratio": ratio}, weighted) for ratio in [0.5, 1] for weighted in [False, True]],
    ("linear", "diabetes", "standard", {"alpha": 0.01, "l1Ratio": 1}, False),
    ("linear", "breast_cancer", "standard", {"alpha": 0.01, "l1Ratio": 1}, False),
    ("linear", "digits", "standard", {"alpha": 0.05, "l1Ratio": 0.5}, False),
    *[("linear", name, "raw", {"alpha": 0.01, "l1Ratio": 0.7}, False) for name in ["wide", "wider"]],
    *[("poisson", name, "standard", {"alpha": alpha}, False) for name in ["diabetes", "digits"] for alpha in [0.01, 1]],
    ("poisson", "diabetes", "standard", {"alpha": 0}, True),
    ("poisson", "iris", "raw", {"alpha": 0.1}, False),
]

cases = []
for kind, data, prepare, params, weighted in CASES:
    is_golden = (HERE / "data" / f"{data}.csv").exists()
    X, y = golden(data, prepare) if is_golden else synthetic(data)
    if kind == "logistic" and not is_golden:
        y = (y > 0).astype(int)
    y = y.astype(float)
    model, gradient = fit(kind, params, X, y, weights_of(len(y)) if weighted else None)
    assert gradient < 1e-8, (kind, data, params, gradient)
    print(kind, data, prepare, params, weighted, f"gradient {gradient:.1e}")
    cases.append(
        {
            "estimator": kind,
            "data": data,
            "prepare": prepare,
            "params": params,
            "weighted": weighted,
            "gradient": float(gradient),
            "intercepts": [float(value) for value in np.ravel(model.intercept_)],
            "coefficients": [float(f"{value:.12g}") for value in np.ravel(model.coef_)],
        }
    )

result = {"versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__}, "cases": cases}
(HERE / "linear.json").write_text(json.dumps(result) + "\n")
