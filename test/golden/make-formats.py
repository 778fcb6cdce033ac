"""Model files of LightGBM and XGBoost with what the libraries predict by them.

    npm run python -- test/golden/make-formats.py

writes formats.json beside it: small models on made-up data that has missing values, zeros and codes in it, each with a
batch of rows on which the importers in core/training/formats must say what the library says.
"""

import base64
import json
import pathlib
import warnings

import lightgbm
import numpy as np
import xgboost

warnings.filterwarnings("ignore")
ROWS = 600


def make_data(seed, scale=1.0):
    """Two numbers with missing values, one with many zeros, and a column of 40 category codes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, 4)) * scale
    x[:, 2] = np.where(rng.random(ROWS) < 0.4, 0.0, np.round(x[:, 2], 1))
    x[:, 3] = rng.integers(0, 40, ROWS)
    signal = x[:, 0] / scale + np.abs(x[:, 1] / scale) + 1.5 * (x[:, 2] == 0) + np.isin(x[:, 3], [1, 5, 7, 33]) * 2
    x[rng.random(ROWS) < 0.15, 0] = np.nan
    x[rng.random(ROWS) < 0.05, 1] = np.nan
    return x, signal + rng.normal(size=ROWS) * 0.3


def probe(x, thresholds=()):
    """Rows to predict: training rows, and rows with every kind of number at which a reader may go wrong."""
    odd = [np.nan, 0.0, -0.0, 1e-35, -1e-35, 2e-35, -2e-35, 1e-40, 1e300, -1e300]
    rows = [list(row) for row in x[:20]]
    for value in [*odd, *thresholds]:
        for column in range(3):
            row = list(x[len(rows) % ROWS])
            row[column] = value
            rows.append(row)
    for code in [np.nan, 39, 40, 200]:
        row = list(x[len(rows) % ROWS])
        row[3] = code
        rows.append(row)
    return np.array(rows)


def cells(matrix):
    return [[None if np.isnan(value) else float(value) for value in row] for row in matrix]


LIGHTGBM = {
    "binary": ({"objective": "binary"}, "binary"),
    "binary, sigmoid 2, zero as missing": ({"objective": "binary", "sigmoid": 2.0, "zero_as_missing": True}, "binary"),
    "binary random forest": (
        {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
        "binary",
    ),
    "multiclass": ({"objective": "multiclass", "num_class": 3}, "multiclass"),
    "regression without missing values": ({"objective": "regression", "use_missing": False}, "regression"),
    "quantile dart": ({"objective": "quantile", "alpha": 0.8, "boosting": "dart"}, "regression"),
    "poisson": ({"objective": "poisson"}, "count"),
    "cross entropy": ({"objective": "cross_entropy"}, "share"),
}


def targets(kind, signal):
    if kind == "binary":
        return (signal > np.median(signal)).astype(int)
    if kind == "multiclass":
        return np.digitize(signal, np.quantile(signal, [0.3, 0.7]))
    if kind == "count":
        return np.floor(np.exp(np.clip(signal, -3, 3) / 2))
    if kind == "share":
        return 1 / (1 + np.exp(-signal))
    return signal


def lightgbm_cases():
    for index, (name, (parameters, kind)) in enumerate(LIGHTGBM.items()):
        x, signal = make_data(index)
        settings = {
            "num_leaves": 8,
            "verbose": -1,
            "seed": index,
            "min_data_per_group": 5,
            "cat_smooth": 1,
            "num_threads": 1,
            **parameters,
        }
        data = lightgbm.Dataset(x, targets(kind, signal), categorical_feature=[3])
        model = lightgbm.train(settings, data, 4)
        text = model.model_to_string()
        rows = probe(x)
        yield {
            "name": name,
            "text": text[: text.index("parameters:")],
            "rows": cells(rows),
            "raw": model.predict(rows, raw_score=True).reshape(len(rows), -1).tolist(),
            "prediction": model.predict(rows).reshape(len(rows), -1).tolist(),
            "contributions": model.predict(rows[:5], pred_contrib=True).tolist(),
        }


XGBOOST = {
    "binary": ({"objective": "binary:logistic"}, "binary"),
    "binary with categories": ({"objective": "binary:logistic", "max_cat_to_onehot": 1}, "binary"),
    "multiclass, parallel trees": (
        {"objective": "multi:softprob", "num_class": 3, "num_parallel_tree": 2, "subsample": 0.6},
        "multiclass",
    ),
    "regression dart": ({"objective": "reg:squarederror", "booster": "dart", "rate_drop": 0.5}, "regression"),
    "poisson": ({"objective": "count:poisson"}, "count"),
    "linear": ({"objective": "binary:logistic", "booster": "gblinear"}, "binary"),
}


def xgboost_cases():
    for index, (name, (parameters, kind)) in enumerate(XGBOOST.items()):
        x, signal = make_data(10 + index)
        categorical = "categories" in name
        types = ["q", "q", "q", "c" if categorical else "q"]
        data = xgboost.DMatrix(x, targets(kind, signal), feature_types=types, enable_categorical=categorical)
        model = xgboost.train({"max_depth": 3, "seed": index, "nthread": 1, **parameters}, data, 4)
        saved = json.loads(model.save_raw("json"))
        thresholds = []
        if "gblinear" not in parameters.values():
            booster = saved["learner"]["gradient_booster"]
            trees = booster.get("gbtree", booster)["model"]["trees"]
            first = np.float32(trees[0]["split_conditions"][0])
            half = float(first) / 2 + float(np.nextafter(first, np.float32(-np.inf))) / 2
            thresholds = [float(first), 2 * half - float(first), half, float(np.nextafter(half, 9))]
        # XGBoost refuses numbers beyond float32.
        rows = np.clip(probe(x, thresholds), -1e38, 1e38)
        if "gblinear" in parameters.values():
            rows = rows[~np.isnan(rows).any(axis=1) & (np.abs(rows) < 1e30).all(axis=1)]
        if categorical:
            rows = rows[~np.isin(rows[:, 3], [200])]
        probed = xgboost.DMatrix(rows, feature_types=types, enable_categorical=categorical)
        yield {
            "name": name,
            "json": model.save_raw("json").decode(),
            "ubjson": base64.b64encode(model.save_raw("ubj")).decode(),
            "rows": cells(rows),
            "raw": np.asarray(model.predict(probed, output_margin=True), float).reshape(len(rows), -1).tolist(),
            "prediction": np.asarray(model.predict(probed), float).reshape(len(rows), -1).tolist(),
        }


def main():
    golden = {
        "versions": {"lightgbm": lightgbm.__version__, "xgboost": xgboost.__version__, "numpy": np.__version__},
        "lightgbm": list(lightgbm_cases()),
        "xgboost": list(xgboost_cases()),
    }
    path = pathlib.Path(__file__).with_name("formats.json")
    path.write_text(json.dumps(golden))


main()
