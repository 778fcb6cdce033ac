"""SHAP values of LightGBM and shap on small models, which the file carries, so that ours are computed on the same trees.

    npm run python -- test/golden/make-shap.py

Tree values are also held to their own definition by brute force in the tests. Tolerances: 1e-9, except where shap's TreeExplainer
compares with a background: its C++ code goes through float32 there (2e-8 was seen), so that 1e-7 is asked of it, and ExactExplainer
gives the same values in double.
"""

import json
import pathlib

import lightgbm
import numpy as np
import pandas as pd
import shap
import sklearn
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).parent
ROWS = 12
BACKGROUND = 15


def data(name):
    frame = pd.read_csv(HERE / "data" / f"{name}.csv")
    return frame.drop(columns="target"), frame["target"].to_numpy()


def numbers(values):
    """Nested lists, null for NaN."""
    array = np.asarray(values, dtype=float)
    return json.loads(json.dumps(array.tolist()).replace("NaN", "null"))


def lightgbm_case(name, frame, target, params, rounds, categorical="auto"):
    booster = lightgbm.train(
        {"verbose": -1, "num_threads": 1, "seed": 1, "deterministic": True, **params},
        lightgbm.Dataset(frame, target, categorical_feature=categorical),
        rounds,
    )
    picked = np.linspace(0, len(frame) - 1, ROWS).astype(int)
    rows = frame.iloc[picked]
    outputs = booster.num_model_per_iteration()
    # rows x outputs x (columns + base)
    contributions = booster.predict(rows, pred_contrib=True).reshape(ROWS, outputs, -1)
    return booster, rows, {
        "name": name,
        "model": booster.model_to_string(num_iteration=-1).split("\nfeature_importances:")[0].split("\nparameters:")[0] + "\n",
        "outputs": outputs,
        "rows": numbers(rows.to_numpy()),
        "raw": numbers(booster.predict(rows, raw_score=True).reshape(ROWS, outputs)),
        "lightgbm": numbers(contributions),
    }


def tree_of_sklearn(tree, factor, output):
    """Our arrays. scikit-learn compares float32(x) <= threshold; all values here are floats of 32 bits."""
    leaf = tree.children_left < 0
    return {
        "feature": np.where(leaf, -1, tree.feature).tolist(),
        "threshold": np.where(leaf, 0, tree.threshold).tolist(),
        "left": np.where(leaf, 0, tree.children_left).tolist(),
        "right": np.where(leaf, 0, tree.children_right).tolist(),
        "value": np.where(leaf, tree.value[:, 0, output] * factor, 0).tolist(),
        "cover": tree.weighted_n_node_samples.tolist(),
    }


cases = {}

# LightGBM: binary with missing values, with categories, several classes, regression; with interactions and a background from shap.
frame, target = data("breast_cancer")
frame = frame.iloc[:, :8].copy()
frame.iloc[::7, 2] = np.nan
booster, rows, case = lightgbm_case("binary", frame, target, {"objective": "binary", "num_leaves": 15}, 8)
background = frame.iloc[np.linspace(1, len(frame) - 2, BACKGROUND).astype(int)]
path = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
case["pathDependent"] = numbers(path.shap_values(rows))
case["interactions"] = numbers(path.shap_interaction_values(rows))
complete, complete_background = rows.fillna(0.1), background.fillna(0.1)
between = shap.TreeExplainer(booster, complete_background, feature_perturbation="interventional")
case["complete"] = numbers(complete.to_numpy())
case["background"] = numbers(complete_background.to_numpy())
case["interventional"] = numbers(between.shap_values(complete))
case["interventionalBase"] = float(np.ravel(between.expected_value)[0])
exact = shap.ExactExplainer(lambda x: booster.predict(x, raw_score=True), complete_background.to_numpy())
case["exact"] = numbers(exact(complete.to_numpy()).values)
binary = case

frame, target = data("flights")
for name in ["carrier", "origin", "dest"]:
    frame[name] = frame[name].astype("category")
codes = frame.copy()
for name in ["carrier", "origin", "dest"]:
    codes[name] = frame[name].cat.codes.replace(-1, np.nan)
_, _, categorical = lightgbm_case(
    "categories", codes, target, {"objective": "binary", "num_leaves": 12, "max_cat_to_onehot": 2}, 6, ["carrier", "origin", "dest"]
)

frame, target = data("wine")
_, _, multiclass = lightgbm_case("multiclass", frame, target, {"objective": "multiclass", "num_class": 3, "num_leaves": 6}, 4)

# scikit-learn's trees by shap.
frame, target = data("diabetes")
single = frame.astype(np.float32)
boosting = GradientBoostingRegressor(n_estimators=6, max_depth=4, random_state=1).fit(single, target)
picked = single.iloc[np.linspace(0, len(single) - 1, ROWS).astype(int)]
explainer = shap.TreeExplainer(boosting, feature_perturbation="tree_path_dependent")
sklearn_boosting = {
    "name": "scikit-learn boosting",
    "base": [float(np.ravel(boosting.init_.constant_)[0])],
    "trees": [tree_of_sklearn(each[0].tree_, boosting.learning_rate, 0) for each in boosting.estimators_],
    "rows": numbers(picked),
    "raw": numbers(boosting.predict(picked).reshape(-1, 1)),
    "pathDependent": numbers(explainer.shap_values(picked)[:, :, None]),
}

frame, target = data("iris")
single = frame.astype(np.float32)
forest = RandomForestClassifier(n_estimators=4, max_leaf_nodes=8, random_state=1).fit(single, target)
picked = single.iloc[np.linspace(0, len(single) - 1, ROWS).astype(int)]
explainer = shap.TreeExplainer(forest, feature_perturbation="tree_path_dependent")
sklearn_forest = {
    "name": "scikit-learn forest",
    "base": [0.0, 0.0, 0.0],
    "trees": [tree_of_sklearn(each.tree_, 1 / len(forest.estimators_), k) for each in forest.estimators_ for k in range(3)],
    "rows": numbers(picked),
    "raw": numbers(forest.predict_proba(picked)),
    "pathDependent": numbers(explainer.shap_values(picked)),
}

# A linear model of several classes by shap's LinearExplainer.
frame, target = data("wine")
scaled = StandardScaler().fit_transform(frame)
linear = LogisticRegression(max_iter=5_000).fit(scaled, target)
masker = shap.maskers.Independent(scaled[:40], max_samples=40)
explainer = shap.LinearExplainer(linear, masker)
picked = scaled[np.linspace(0, len(scaled) - 1, 6).astype(int)]
linear_case = {
    "intercepts": numbers(linear.intercept_),
    "coefficients": numbers(linear.coef_),
    "background": numbers(scaled[:40]),
    "rows": numbers(picked),
    "values": numbers(explainer.shap_values(picked)),
    "base": numbers(explainer.expected_value),
}

out = {
    "versions": {"lightgbm": lightgbm.__version__, "shap": shap.__version__, "scikit-learn": sklearn.__version__},
    "tolerances": {"double": 1e-9, "float32": 1e-7},
    "lightgbm": [binary, categorical, multiclass],
    "sklearn": [sklearn_boosting, sklearn_forest],
    "linear": linear_case,
}
(HERE / "shap.json").write_text(json.dumps(out, separators=(",", ":")))
