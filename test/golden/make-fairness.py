"""Figures of fairlearn that core/explain/fairness is compared with.

    npm run -s python -- test/golden/make-fairness.py

writes fairness.json beside it, with the versions it was made by. Rows come from a linear congruential generator that the tests
repeat, so that only results are stored.
"""

import json
import pathlib
import warnings

import fairlearn
import numpy as np
import sklearn
from fairlearn import metrics
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score, precision_score, roc_auc_score

warnings.simplefilter("ignore")


class Uniform:
    """state = state * 1664525 + 1013904223 mod 2^32; a number is the upper 24 bits over 2^24."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) / 2**24


def people(seed, rows):
    """Two protected attributes that shift scores and base rates, a label, a score and a weight."""
    draw = Uniform(seed)
    origin = np.empty(rows, dtype=int)
    sex = np.empty(rows, dtype=int)
    y = np.empty(rows, dtype=int)
    p = np.empty(rows)
    w = np.empty(rows)
    for i in range(rows):
        origin[i] = np.floor(draw() ** 2 * 4)
        sex[i] = draw() < 0.4
        chance = 0.2 + 0.5 * draw() + 0.08 * origin[i] - 0.1 * sex[i]
        y[i] = draw() < chance
        p[i] = np.floor(min(0.999, max(0.0, 0.7 * chance + 0.3 * draw() + 0.05 * sex[i])) * 50) / 50
        w[i] = draw() * 2
    return origin, sex, y, p, w


FUNCTIONS = {
    "selection_rate": metrics.selection_rate,
    "true_positive_rate": metrics.true_positive_rate,
    "false_negative_rate": metrics.false_negative_rate,
    "false_positive_rate": metrics.false_positive_rate,
    "true_negative_rate": metrics.true_negative_rate,
    "precision": precision_score,
    "accuracy": accuracy_score,
    "base_rate": lambda y_true, y_pred, sample_weight=None: np.average(y_true, weights=sample_weight),
}


def view(y, p, w, groups):
    act = (p >= 0.5).astype(int)
    given = {} if w is None else {"sample_weight": w}
    frame = metrics.MetricFrame(
        metrics=FUNCTIONS,
        y_true=y,
        y_pred=act,
        sensitive_features=groups,
        sample_params={name: given for name in FUNCTIONS},
    )
    area = metrics.MetricFrame(
        metrics=roc_auc_score, y_true=y, y_pred=p, sensitive_features=groups, sample_params=given
    )
    by_group = frame.by_group.to_dict(orient="index")
    for key, value in area.by_group.to_dict().items():
        by_group[key]["roc_auc"] = value
    args = (y, act)
    kwargs = {"sensitive_features": groups} | given
    return {
        "groups": {"/".join(map(str, np.atleast_1d(key))): value for key, value in by_group.items()},
        "disparities": {
            name: getattr(metrics, name)(*args, **kwargs)
            for name in (
                "demographic_parity_difference",
                "demographic_parity_ratio",
                "equal_opportunity_difference",
                "equal_opportunity_ratio",
                "equalized_odds_difference",
                "equalized_odds_ratio",
            )
        },
    }


def case(seed, rows, weighted):
    origin, sex, y, p, w = people(seed, rows)
    w = w if weighted else None
    return {
        "seed": seed,
        "rows": rows,
        "weighted": weighted,
        "views": [
            view(y, p, w, origin),
            view(y, p, w, sex),
            view(y, p, w, np.column_stack([origin, sex])),
        ],
    }


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose only feature is its probability."""

    def fit(self, x, y):
        self.classes_ = np.array([0, 1])
        self.fitted_ = True
        return self

    def predict_proba(self, x):
        return np.column_stack([1 - x[:, 0], x[:, 0]])


def thresholds(seed, rows):
    """Accuracy that fairlearn's randomised thresholds expect: what deterministic ones can come near to."""
    origin, _, y, p, _ = people(seed, rows)
    found = {}
    for constraint in ("demographic_parity", "true_positive_rate_parity", "equalized_odds"):
        optimizer = ThresholdOptimizer(
            estimator=Given().fit(None, None),
            constraints=constraint,
            objective="accuracy_score",
            grid_size=1000,
            prefit=True,
            predict_method="predict_proba",
        )
        optimizer.fit(p[:, None], y, sensitive_features=origin)
        acts = optimizer._pmf_predict(p[:, None], sensitive_features=origin)[:, 1]
        found[constraint] = np.mean(np.where(y == 1, acts, 1 - acts))
    return {"seed": seed, "rows": rows, "accuracy": found}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value if isinstance(value, (str, int)) else float(value)


golden = {
    "versions": {"fairlearn": fairlearn.__version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__},
    "cases": [case(1, 3000, False), case(2, 1500, True)],
    "thresholds": thresholds(3, 4000),
}
path = pathlib.Path(__file__).with_name("fairness.json")
path.write_text(json.dumps(plain(golden), indent=1) + "\n")
