"""Quality of scikit-learn's forests that core/training/forest is compared with.

    npm run python -- test/golden/make-forest.py

writes forest.json beside it, with versions. Every third row of a data set is tested on, the others are trained on. A forest's quality
varies with its seed: each case keeps mean and standard deviation over 20 seeds, and tests compare means over seeds.
"""

import json
import pathlib

import numpy as np
import pandas as pd
import sklearn
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

HERE = pathlib.Path(__file__).parent
SEEDS = 20


class Uniform:
    """state = state * 1664525 + 1013904223 mod 2^32; a number is the upper 24 bits over 2^24."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) / 2**24


def load(name):
    """Numeric columns, with their missing values; the tests make the same of `friedman`."""
    if name == "friedman":
        draw = Uniform(3)
        X = np.array([[draw() for _ in range(10)] for _ in range(1500)])
        y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
        return X, y + np.array([draw() * 2 - 1 for _ in range(1500)])
    frame = pd.read_csv(HERE / "data" / f"{name}.csv")
    target = frame.pop("target").to_numpy()
    return frame.select_dtypes("number").to_numpy(dtype=float), target


CASES = [
    ("breast_cancer", "binary", {}),
    ("breast_cancer", "binary", {"minLeafRows": 5}),
    ("flights", "binary", {"minLeafRows": 5}),
    ("flights", "binary", {"maxDepth": 6}),
    ("flights", "binary", {"maxLeaves": 30}),
    ("wine", "multiclass", {"minLeafRows": 3}),
    ("iris", "multiclass", {"maxDepth": 4}),
    ("digits", "multiclass", {}),
    ("diabetes", "regression", {"maxFeatures": 0.34, "minLeafRows": 5}),
    ("friedman", "regression", {"maxFeatures": "all"}),
    ("friedman", "regression", {"maxFeatures": 0.34}),
]
FORESTS = {
    ("random-forest", True): RandomForestClassifier,
    ("random-forest", False): RandomForestRegressor,
    ("extra-trees", True): ExtraTreesClassifier,
    ("extra-trees", False): ExtraTreesRegressor,
}

cases = []
for kind in ["random-forest", "extra-trees"]:
    for data, task, params in CASES:
        X, y = load(data)
        test = np.arange(len(y)) % 3 == 0
        features = params.get("maxFeatures", "sqrt")
        scores, out_of_bag = [], []
        for seed in range(SEEDS):
            forest = FORESTS[kind, task != "regression"](
                100,
                max_features=None if features == "all" else features,
                min_samples_leaf=params.get("minLeafRows", 1),
                max_depth=params.get("maxDepth"),
                max_leaf_nodes=params.get("maxLeaves"),
                bootstrap=kind == "random-forest",
                oob_score=kind == "random-forest",
                random_state=seed,
            ).fit(X[~test], y[~test])
            if task == "binary":
                scores.append(roc_auc_score(y[test], forest.predict_proba(X[test])[:, 1]))
            elif task == "multiclass":
                scores.append(log_loss(y[test], forest.predict_proba(X[test])))
            else:
                scores.append(root_mean_squared_error(y[test], forest.predict(X[test])))
            if kind == "random-forest":
                out_of_bag.append(forest.oob_score_)
        print(kind, data, params, np.mean(scores), np.std(scores))
        cases.append(
            {
                "kind": kind,
                "data": data,
                "task": task,
                "params": params,
                "mean": float(np.mean(scores)),
                "deviation": float(np.std(scores)),
                "outOfBag": float(np.mean(out_of_bag)) if out_of_bag else None,
            }
        )

result = {"versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__}, "seeds": SEEDS, "cases": cases}
(HERE / "forest.json").write_text(json.dumps(result, indent=1) + "\n")
