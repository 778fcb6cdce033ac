"""Models of LightGBM, XGBoost and scikit-learn as files, with what the libraries predict by them.

    npm run python -- test/golden/make-model-files.py

writes model-files.json beside it. The columns are features of the template project (examples/template), numbers all of them, so that
the files can be candidates of its model; the rows are made up.
"""

import base64
import json
import pathlib
import warnings

import lightgbm
import numpy as np
import skl2onnx
import sklearn
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
COLUMNS = ["minutes_7d", "usage_recent.plays_30d", "amount"]
ROWS = 2_000

rng = np.random.default_rng(5)
x = np.column_stack([rng.gamma(2.0, 12.0, ROWS), rng.poisson(14, ROWS), np.round(rng.uniform(4, 20, ROWS), 2)]).astype(float)
logit = 1.5 - 0.06 * x[:, 0] - 0.12 * x[:, 1] + 0.05 * x[:, 2]
y = (rng.random(ROWS) < 1 / (1 + np.exp(-logit))).astype(int)
missing = x.copy()
missing[rng.random(ROWS) < 0.1, 0] = np.nan
kind = np.digitize(missing[:, 2], [9, 14])


def cells(matrix):
    return [[None if np.isnan(value) else float(value) for value in row] for row in matrix]


boosted = lightgbm.train(
    {"objective": "binary", "num_leaves": 5, "verbose": -1, "seed": 1, "deterministic": True, "num_threads": 1},
    lightgbm.Dataset(missing, y, feature_name=COLUMNS),
    12,
)
named = xgboost.train(
    {"objective": "binary:logistic", "max_depth": 3, "seed": 1, "nthread": 1},
    xgboost.DMatrix(missing, y, feature_names=COLUMNS),
    10,
)
classes = lightgbm.train(
    {"objective": "multiclass", "num_class": 3, "num_leaves": 4, "verbose": -1, "seed": 1, "num_threads": 1},
    lightgbm.Dataset(missing, kind, feature_name=COLUMNS),
    3,
)
linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
graph = skl2onnx.to_onnx(linear, x[:1].astype(np.float32), options={id(linear): {"zipmap": False}})

probe, full = missing[:40], np.float32(x[:40]).astype(float)
FILES = {
    "lightgbm": (boosted.model_to_string().encode(), probe, boosted.predict(probe)),
    "lightgbm, three classes": (classes.model_to_string().encode(), probe, classes.predict(probe).ravel()),
    "xgboost, JSON": (bytes(named.save_raw("json")), probe, named.predict(xgboost.DMatrix(probe, feature_names=COLUMNS))),
    "xgboost, UBJSON": (bytes(named.save_raw("ubj")), probe, named.predict(xgboost.DMatrix(probe, feature_names=COLUMNS))),
    "onnx": (graph.SerializeToString(), full, linear.predict_proba(full)[:, 1]),
}
golden = {
    "versions": {
        "lightgbm": lightgbm.__version__,
        "xgboost": xgboost.__version__,
        "sklearn": sklearn.__version__,
        "skl2onnx": skl2onnx.__version__,
        "numpy": np.__version__,
    },
    "columns": COLUMNS,
    "files": [
        {
            "name": name,
            "content": base64.b64encode(content).decode(),
            "rows": cells(rows),
            "prediction": [float(value) for value in prediction],
        }
        for name, (content, rows, prediction) in FILES.items()
    ],
}
path = pathlib.Path(__file__).with_name("model-files.json")
path.write_text(json.dumps(golden) + "\n")
print(path, path.stat().st_size)
