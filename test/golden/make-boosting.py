"""How well LightGBM, xgboost and scikit-learn predict what core/training/boosting is compared on, all with equal settings.

    npm run python -- test/golden/make-boosting.py

writes boosting.json beside it, with the versions it was made by. Rows come from a linear congruential generator that the
tests repeat, or from data/; only results are stored. Each figure is a mean over several draws or splits, so that it says
more than one library's luck with one of them.
"""

import json
import os
import pathlib
import warnings

# Figures do not depend on it, but on a busy machine threads that spin take minutes instead of seconds.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import lightgbm
import numpy as np
import pandas as pd
import sklearn
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import d2_pinball_score, d2_tweedie_score, r2_score, roc_auc_score

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
# Enough to learn the rows' laws and little of their noise, of which each library would learn another part.
ROUNDS, LEAVES, RATE, L2, MIN_ROWS, QUANTILE = 60, 15, 0.1, 1.0, 20, 0.9


class Uniform:
    """state = state * 1664525 + 1013904223 mod 2^32; a number is the upper 24 bits over 2^24."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) / 2**24


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
        y[i] = draw() < 1 / (1 + np.exp(-score))
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
        y[i] = draw() < 1 / (1 + np.exp(-score))
    return x, y


def skewed_rows(draw, rows):
    """Six long-tailed numbers, one of them mostly 0, and a rare class."""
    x = np.empty((rows, 6))
    y = np.empty(rows, dtype=int)
    for i in range(rows):
        for j in range(6):
            x[i, j] = 1 / (1.001 - draw()) - 1
        if draw() < 0.6:
            x[i, 5] = 0
        score = -4 + 2 * (x[i, 0] > 3) + min(x[i, 1], 4) * 0.6 + (1.5 if x[i, 5] == 0 and x[i, 2] < 1 else 0)
        y[i] = draw() < 1 / (1 + np.exp(-score))
    return x, y


def surface_rows(draw, rows):
    """Five numbers; the value is a surface of three of them with noise that grows with the fourth."""
    x = np.empty((rows, 5))
    y = np.empty(rows)
    for i in range(rows):
        for j in range(5):
            x[i, j] = draw()
        noise = (draw() + draw() + draw() - 1.5) * (0.5 + 2 * x[i, 3])
        y[i] = 10 * x[i, 0] * x[i, 1] + 20 * (x[i, 2] - 0.5) ** 2 + noise
    return x, y


def count_rows(draw, rows):
    """Four numbers; counts by summing exponential waiting times up to 1."""
    x = np.empty((rows, 4))
    y = np.empty(rows)
    for i in range(rows):
        for j in range(4):
            x[i, j] = draw()
        rate = np.exp(-1 + 2 * x[i, 0] + (1 if x[i, 1] > 0.6 else 0))
        count = 0
        time = -np.log(1 - draw())
        while time < rate:
            count += 1
            time += -np.log(1 - draw())
        y[i] = count
    return x, y


def region_rows(draw, rows):
    """Four numbers and four classes that meet in a noisy pattern."""
    x = np.empty((rows, 4))
    y = np.empty(rows, dtype=int)
    for i in range(rows):
        for j in range(4):
            x[i, j] = draw()
        region = 2 * (x[i, 0] + 0.3 * x[i, 2] > 0.6) + (x[i, 1] > 0.5 * x[i, 0] + 0.2)
        y[i] = np.floor(draw() * 4) if draw() < 0.2 else region
    return x, y


def lightgbm_scores(objective, x, y, test_x, categorical):
    params = {
        "objective": {"squared": "l2", "poisson": "poisson", "quantile": "quantile", "binary": "binary", "multiclass": "multiclass"}[objective],
        "num_leaves": LEAVES,
        "learning_rate": RATE,
        "lambda_l2": L2,
        "min_data_in_leaf": MIN_ROWS,
        "max_bin": 255,
        # A bin for each value, as the others have it.
        "min_data_in_bin": 1,
        "num_threads": 1,
        "verbose": -1,
        "alpha": QUANTILE,
        # Damps Newton steps, which scikit-learn has no setting for (and xgboost none that leaves leaves alone).
        "poisson_max_delta_step": 1e-9,
    }
    if objective == "multiclass":
        params["num_class"] = int(y.max()) + 1
    data = lightgbm.Dataset(x, y, categorical_feature=categorical or "auto")
    return lightgbm.train(params, data, ROUNDS).predict(test_x)


def xgboost_scores(objective, x, y, test_x, categorical):
    params = {
        "objective": {
            "squared": "reg:squarederror",
            "poisson": "count:poisson",
            "quantile": "reg:quantileerror",
            "binary": "binary:logistic",
            "multiclass": "multi:softprob",
        }[objective],
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "max_leaves": LEAVES,
        "max_depth": 0,
        "eta": RATE,
        "reg_lambda": L2,
        # It knows no least number of rows, only of hessians: where those are 1 it is the same.
        "min_child_weight": MIN_ROWS if objective in ("squared", "quantile") else 1,
        "max_bin": 256,
        "nthread": 1,
    }
    if objective == "quantile":
        params["quantile_alpha"] = QUANTILE
    if objective == "multiclass":
        params["num_class"] = int(y.max()) + 1
    types = ["c" if j in categorical else "float" for j in range(x.shape[1])]
    make = lambda rows, labels=None: xgboost.DMatrix(rows, labels, feature_types=types, enable_categorical=True)
    return xgboost.train(params, make(x, y), ROUNDS).predict(make(test_x))


def sklearn_scores(objective, x, y, test_x, categorical):
    settings = {
        "max_iter": ROUNDS,
        "max_leaf_nodes": LEAVES,
        "learning_rate": RATE,
        "l2_regularization": L2,
        "min_samples_leaf": MIN_ROWS,
        "early_stopping": False,
        "random_state": 0,
        "categorical_features": categorical or None,
    }
    if objective == "binary":
        return HistGradientBoostingClassifier(**settings).fit(x, y).predict_proba(test_x)[:, 1]
    if objective == "multiclass":
        return HistGradientBoostingClassifier(**settings).fit(x, y).predict_proba(test_x)
    loss = {"squared": "squared_error"}.get(objective, objective)
    quantile = QUANTILE if objective == "quantile" else None
    return HistGradientBoostingRegressor(loss=loss, quantile=quantile, **settings).fit(x, y).predict(test_x)


LIBRARIES = {"lightgbm": lightgbm_scores, "xgboost": xgboost_scores, "scikit-learn": sklearn_scores}
METRICS = {
    "binary": ("roc_auc", roc_auc_score),
    "multiclass": ("roc_auc", lambda y, p: roc_auc_score(y, p, multi_class="ovr")),
    "squared": ("r2", r2_score),
    "poisson": ("d2_poisson", lambda y, p: d2_tweedie_score(y, p, power=1)),
    "quantile": ("d2_pinball", lambda y, p: d2_pinball_score(y, p, alpha=QUANTILE)),
}


def case(name, objective, draws, categorical=(), **facts):
    """`draws`: (train x, train y, test x, test y), one after the other."""
    metric, measure = METRICS[objective]
    scores = {library: [] for library in LIBRARIES}
    for x, y, test_x, test_y in draws:
        for library, predict in LIBRARIES.items():
            scores[library].append(measure(test_y, predict(objective, x, y, test_x, list(categorical))))
    means = {library: float(np.mean(each)) for library, each in scores.items()}
    print(name, objective, means, flush=True)
    return {"name": name, "objective": objective, "metric": metric, **facts, "scores": means}


def generated(name, objective, generate, seeds, rows):
    def draws():
        for seed in seeds:
            draw = Uniform(seed)
            yield *generate(draw, rows), *generate(draw, rows)

    return case(name, objective, draws(), seeds=list(seeds), rows=rows)


def split_data(name, objective, splits):
    """A row is for testing when the split's generator draws less than 0.3 for it. Categories are numbered as they first come."""
    frame = pd.read_csv(HERE / f"data/{name}.csv")
    texts = [j for j, column in enumerate(frame.columns[:-1]) if frame[column].dtype.kind not in "if"]
    for j in texts:
        codes, _ = pd.factorize(frame.iloc[:, j])
        frame[frame.columns[j]] = np.where(codes < 0, np.nan, codes)
    x = frame.iloc[:, :-1].to_numpy(float)
    y = frame["target"].to_numpy()

    def draws():
        for seed in splits:
            draw = Uniform(seed)
            test = np.array([draw() < 0.3 for _ in range(len(y))])
            yield x[~test], y[~test], x[test], y[test]

    return case(name, objective, draws(), categorical=texts, data=name, splits=list(splits))


golden = {
    "versions": {
        "lightgbm": lightgbm.__version__,
        "xgboost": xgboost.__version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
    },
    "settings": {"trees": ROUNDS, "leaves": LEAVES, "rate": RATE, "l2": L2, "minLeafRows": MIN_ROWS, "quantile": QUANTILE},
    "cases": [
        generated("smooth", "binary", smooth_rows, [7, 8, 9], 20_000),
        generated("stepped", "binary", stepped_rows, [7, 8, 9], 20_000),
        generated("skewed", "binary", skewed_rows, [7, 8, 9], 20_000),
        split_data("flights", "binary", range(1, 11)),
        split_data("breast_cancer", "binary", range(1, 21)),
        generated("surface", "squared", surface_rows, [7, 8], 20_000),
        split_data("diabetes", "squared", range(1, 101)),
        generated("surface", "quantile", surface_rows, [7, 8], 20_000),
        generated("counts", "poisson", count_rows, [7, 8], 20_000),
        generated("regions", "multiclass", region_rows, [7, 8], 20_000),
        split_data("wine", "multiclass", range(1, 11)),
    ],
}
(HERE / "boosting.json").write_text(json.dumps(golden, indent=2) + "\n")
