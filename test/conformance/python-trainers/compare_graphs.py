"""
Do the ONNX graphs of orrery_onnx decide as the models do? For each library, task and kind of data: rows of the data's own kind, rows at
each threshold and its float32 neighbours, and rows with missing values, scored by the model and by ONNX Runtime. Prints one JSON line
a case: {case, rows, worst, apart}, where `apart` counts the rows that differ by more than rounding.
"""

import itertools
import json
import os
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

# Threads that wait for each other take longest on a machine that has other work; the models are small.
os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[3] / "src/adapters/trainers/python"))

import lightgbm
import numpy as np
import onnxruntime
import xgboost
from orrery_onnx import lightgbm_to_onnx, sklearn_to_onnx, xgboost_to_onnx
from sklearn import ensemble, linear_model, tree
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")
ROWS, FEATURES, CATEGORIES = 20_000, 6, 12
ADVERSARIAL = 120_000
# Leaves summed in float32 instead of double.
TOLERANCE = 2e-5


def make_data(task, missing, categorical, seed=1):
    random = np.random.default_rng(seed)
    # Neighbours of float32, so that thresholds lie between two of them. A linear model in float32 could not tell them apart.
    close = 1 + random.integers(0, 40, ROWS) * 2.0**-23
    x = np.column_stack([close, random.normal(size=(ROWS, FEATURES - 1))]).astype(np.float32).astype(np.float64)
    if categorical:
        x[:, 5] = random.integers(0, CATEGORIES, ROWS)
    signal = (x[:, 0] - 1) * 2.0**23 / 40 + x[:, 1] + (x[:, 5] % 3 if categorical else x[:, 5]) + random.normal(size=ROWS) * 0.3
    if missing:
        x[random.random(x.shape) < 0.1] = np.nan
    if task == "regression":
        return x, np.exp(signal / 3)
    edges = [np.median(signal)] if task == "binary" else np.quantile(signal, [0.3, 0.7])
    return x, np.digitize(signal, edges)


def adversarial_rows(x, graph, missing):
    """Rows of the data with one value put at a threshold, just below or just above it, or missing."""
    random = np.random.default_rng(2)
    rows = x[random.integers(0, len(x), ADVERSARIAL)].astype(np.float32)
    places = set()
    for node in graph.graph.node:
        attributes = {a.name: a for a in node.attribute}
        if "nodes_values" not in attributes:
            continue
        modes = attributes["nodes_modes"].strings
        features, values = attributes["nodes_featureids"].ints, attributes["nodes_values"].floats
        places |= {(f, np.float32(v)) for f, v, m in zip(features, values, modes) if m in (b"BRANCH_LEQ", b"BRANCH_LT")}
    places = sorted(places)
    for row, pick in zip(range(ADVERSARIAL // 2), itertools.cycle(range(max(1, 3 * len(places))))):
        if places:
            feature, value = places[pick // 3]
            rows[row, feature] = (value, np.nextafter(value, np.float32(-np.inf)), np.nextafter(value, np.float32(np.inf)))[pick % 3]
    if missing:
        hole = random.integers(0, x.shape[1], ADVERSARIAL // 4)
        rows[np.arange(len(hole)) + ADVERSARIAL // 2, hole] = np.nan
    rows[~np.isfinite(rows) & ~np.isnan(rows)] = 0
    return rows


def compare(case, task, x, graph, predict, missing=True):
    rows = adversarial_rows(x, graph, missing)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
    scored = session.run(None, {session.get_inputs()[0].name: rows})[-1]
    expected = np.asarray(predict(rows.astype(np.float64)))
    if task == "binary" and expected.ndim == 1:
        scored = scored[:, 1]
    scored, expected = scored.reshape(len(rows), -1), expected.reshape(len(rows), -1)
    difference = np.abs(scored - expected).max(axis=1) / np.maximum(1, np.abs(expected).max(axis=1))
    found = {"rows": len(rows), "worst": float(difference.max()), "apart": int((difference > TOLERANCE).sum())}
    print(json.dumps({"case": case, **found}), flush=True)


def spec_of(task):
    classes = {"regression": 0, "binary": 2, "multiclass": 3}[task]
    return SimpleNamespace(features=[f"column {i}" for i in range(FEATURES)], classes=classes, task=task)


def sklearn_cases(task, missing):
    last = 1 if task == "regression" else 0
    kinds = {
        "HistGradientBoosting": (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor),
        "RandomForest": (ensemble.RandomForestClassifier, ensemble.RandomForestRegressor),
        "ExtraTrees": (ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor),
        "DecisionTree": (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor),
    }
    for name, classes in kinds.items():
        forest = {"n_estimators": 20, "max_leaf_nodes": 64} if "Trees" in name or "Forest" in name else {"max_leaf_nodes": 31}
        yield f"scikit-learn {name}", classes[last](random_state=1, **forest)
    if task == "regression":
        yield "scikit-learn HistGradientBoosting, Poisson", ensemble.HistGradientBoostingRegressor(loss="poisson", random_state=1)
    if not missing:
        # These two take no missing values.
        gradient = ensemble.GradientBoostingRegressor if last else ensemble.GradientBoostingClassifier
        yield "scikit-learn GradientBoosting", gradient(n_estimators=20, random_state=1)
        yield "scikit-learn linear", make_pipeline(StandardScaler(), linear_model.Ridge() if last else linear_model.LogisticRegression())


def lightgbm_cases(task, x, y, categorical):
    params = {"objective": task, "verbosity": -1, "seed": 1} | ({"num_class": 3} if task == "multiclass" else {})
    booster = lightgbm.train(params, lightgbm.Dataset(x, y, categorical_feature=[5] if categorical else []), 50)
    yield "LightGBM" + (", categories" if categorical else ""), booster, booster.predict
    if categorical:
        return
    wrapper = (lightgbm.LGBMRegressor if task == "regression" else lightgbm.LGBMClassifier)(n_estimators=200, verbosity=-1)
    # Asked for no number of threads, the wrapper takes one for each core.
    wrapper.set_params(learning_rate=0.3, random_state=1, n_jobs=1)
    held_out = dict(zip(("eval_X", "eval_y"), make_data(task, True, False, seed=3)))
    wrapper.fit(x, y, **held_out, callbacks=[lightgbm.early_stopping(3, verbose=False)])
    predict = wrapper.predict if task == "regression" else wrapper.predict_proba
    yield f"LightGBM's wrapper, stopped at {wrapper.best_iteration_} trees", wrapper, predict


def xgboost_cases(task, x, y, names):
    wrapper = (xgboost.XGBRegressor if task == "regression" else xgboost.XGBClassifier)(n_estimators=200, early_stopping_rounds=3)
    wrapper.set_params(random_state=1)
    wrapper.fit(x, y, eval_set=[make_data(task, True, False, seed=3)], verbose=False)
    predict = wrapper.predict if task == "regression" else wrapper.predict_proba
    rounds = wrapper.get_booster().num_boosted_rounds()
    # XGBoost compares in float32: a double is rounded on its way in, so it is given what it compares.
    yield f"XGBoost's wrapper, stopped at {wrapper.best_iteration + 1} of {rounds} trees", wrapper, lambda rows: predict(rows.astype(np.float32))
    objective = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "reg:squarederror"}[task]
    params = {"objective": objective, "seed": 1} | ({"num_class": 3} if task == "multiclass" else {})
    booster = xgboost.train(params, xgboost.DMatrix(x, y, feature_names=names), 50)
    yield "XGBoost", booster, lambda rows: booster.predict(xgboost.DMatrix(rows.astype(np.float32), feature_names=names))


for task, missing in itertools.product(("binary", "multiclass", "regression"), (False, True)):
    spec, kind = spec_of(task), f"{task}{', missing values' if missing else ''}"
    x, y = make_data(task, missing, False)
    for name, model in sklearn_cases(task, missing):
        own = x[:, 1:] if "linear" in name else x
        own_spec = SimpleNamespace(**{**vars(spec), "features": spec.features[-own.shape[1] :]})
        model.fit(own, y)
        predict = model.predict if task == "regression" else model.predict_proba
        compare(f"{name}, {kind}", task, own, sklearn_to_onnx(model, own_spec), predict, missing=missing)
    # LightGBM's nodes that never saw a missing value are asked about some all the same.
    for categorical in (False, True):
        data = make_data(task, missing, categorical)
        for name, model, predict in lightgbm_cases(task, *data, categorical):
            compare(f"{name}, {kind}", task, data[0], lightgbm_to_onnx(model, spec), predict)
    for name, model, predict in xgboost_cases(task, x, y, spec.features):
        compare(f"{name}, {kind}", task, x, xgboost_to_onnx(model, spec), predict)
