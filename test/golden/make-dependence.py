"""Figures of scikit-learn that core/explain/dependence is compared with.

    npm run python -- test/golden/make-dependence.py

writes dependence.json beside it: partial dependence and individual curves of a formula over the diabetes data.
"""

import json
import pathlib

import numpy as np
import pandas as pd
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence

HERE = pathlib.Path(__file__).parent
data = pd.read_csv(HERE / "data/diabetes.csv").drop(columns="target")


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


golden = {
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    "one": [one("bmi"), one("bp")],
    "pair": pair("age", "bp"),
}
(HERE / "dependence.json").write_text(json.dumps(golden, indent=1) + "\n")
