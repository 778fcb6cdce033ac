"""Figures of scikit-learn that core/explain/dependence and permutation importance are compared with.

    npm run python -- test/golden/make-dependence.py

writes dependence.json beside it: partial dependence and individual curves of a formula over the diabetes data, and permutation
importance with the permutations that scikit-learn drew.
"""

import json
import pathlib

import numpy as np
import pandas as pd
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.utils import check_random_state

HERE = pathlib.Path(__file__).parent
diabetes = pd.read_csv(HERE / "data/diabetes.csv")
data = diabetes.drop(columns="target")


class Formula(RegressorMixin, BaseEstimator):
    """What dependence.test.ts computes too: sin(20 bmi) + 30 bp age + |s5|."""

    def fit(self, x, y):
        self.fitted_ = True
        return self

    def predict(self, x):
        age, bmi, bp, s5 = (x[name].to_numpy() for name in ["age", "bmi", "bp", "s5"])
        return np.sin(20 * bmi) + 30 * bp * age + np.abs(s5)


model = Formula().fit(data, np.zeros(len(data)))


def one(feature):
    found = partial_dependence(model, data, [feature], method="brute", kind="both", grid_resolution=7)
    return {
        "feature": feature,
        "grid": found["grid_values"][0].tolist(),
        "mean": found["average"][0].tolist(),
        "curves": found["individual"][0][:3].tolist(),
    }


def pair(first, second):
    found = partial_dependence(model, data, [first, second], method="brute", kind="average", grid_resolution=4)
    return {
        "features": [first, second],
        "grids": [values.tolist() for values in found["grid_values"]],
        "mean": found["average"][0].tolist(),
    }


class Classifier(ClassifierMixin, BaseEstimator):
    """What permutation-importance.test.ts computes too: the log-odds are 50 bmi + 30 s5."""

    def fit(self, x, y):
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, x):
        p = 1 / (1 + np.exp(-(50 * x["bmi"].to_numpy() + 30 * x["s5"].to_numpy())))
        return np.column_stack([1 - p, p])

    def predict(self, x):
        return (self.predict_proba(x)[:, 1] >= 0.5).astype(int)


SEED = 7


def orders(repeats):
    """scikit-learn seeds every column alike and shuffles what it has shuffled before."""
    random = check_random_state(check_random_state(SEED).randint(np.iinfo(np.int32).max + 1))
    shuffling = np.arange(len(data))
    order = np.arange(len(data))
    found = []
    for _ in range(repeats):
        random.shuffle(shuffling)
        order = order[shuffling]
        found.append(order.tolist())
    return found


def permuted(fitted, target, scoring, repeats):
    found = permutation_importance(fitted, data, target, scoring=scoring, n_repeats=repeats, random_state=SEED)
    mean = dict(zip(data.columns, found.importances_mean.tolist()))
    return {"scoring": scoring, "repeats": repeats, "mean": {name: mean[name] for name in ["bmi", "bp", "s5", "s1"]}}


raised = (diabetes["target"] > 140).astype(int)
golden = {
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    "one": [one("bmi"), one("bp")],
    "pair": pair("age", "bp"),
    "permutation": {
        "orders": orders(2),
        "cases": [
            permuted(model, diabetes["target"] / 100, "neg_mean_squared_error", 2),
            permuted(model, diabetes["target"] / 100, "r2", 2),
            permuted(Classifier().fit(data, raised), raised, "roc_auc", 1),
            permuted(Classifier().fit(data, raised), raised, "neg_log_loss", 2),
        ],
    },
}
(HERE / "dependence.json").write_text(json.dumps(golden, indent=1) + "\n")
