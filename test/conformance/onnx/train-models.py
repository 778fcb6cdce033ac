"""Trains models of scikit-learn, LightGBM and XGBoost, converts them to ONNX, and writes what ONNX Runtime says of them.

    train-models.py FOLDER

writes NAME.onnx, NAME.rows.bin and NAME.expected.bin (float64, row by row) for each, and models.json.
"""

import json
import pathlib
import sys
import warnings

import lightgbm
import numpy as np
import onnxmltools
import onnxruntime
import skl2onnx
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, PoissonRegressor, Ridge, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

warnings.filterwarnings("ignore")
onnxruntime.set_default_logger_severity(3)
ROWS = 2_000


def plain_attributes():
    """skl2onnx 1.20 hands numpy's integers and booleans of histogram gradient boosting to onnx, which takes Python's integers only."""
    from skl2onnx.common import _container

    add_node = _container.ModelComponentContainer.add_node

    def plain(value):
        if isinstance(value, np.ndarray):
            return value.tolist()
        if isinstance(value, np.generic):
            return plain(value.item())
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, (list, tuple)):
            return [plain(each) for each in value]
        return value

    def add_plain_node(self, *args, **attributes):
        return add_node(self, *args, **{name: plain(value) for name, value in attributes.items()})

    _container.ModelComponentContainer.add_node = add_plain_node


def data_sets():
    binary = load_breast_cancer(return_X_y=True)
    several = load_iris(return_X_y=True)
    numbers = load_diabetes(return_X_y=True)
    return {
        "binary": (binary[0][:, :8].astype(np.float32), binary[1]),
        "several": (several[0].astype(np.float32), several[1]),
        "number": (numbers[0].astype(np.float32), numbers[1]),
        "count": (numbers[0].astype(np.float32), np.round(numbers[1] / 50)),
    }


def logistic(**parameters):
    return LogisticRegression(max_iter=2_000, **parameters)


SKLEARN = {
    "logistic regression": ("binary", logistic(), {}),
    "logistic regression, maps": ("binary", logistic(), {"zipmap": True}),
    "multinomial regression": ("several", logistic(), {}),
    "one-vs-rest regression": ("several", OneVsRestClassifier(logistic()), {}),
    "scaled logistic regression": ("binary", make_pipeline(StandardScaler(), logistic()), {}),
    "random forest": ("binary", RandomForestClassifier(20, max_depth=5, random_state=0), {}),
    "random forest of several classes": ("several", RandomForestClassifier(20, max_depth=5, random_state=0), {}),
    "extra trees": ("several", ExtraTreesClassifier(10, max_depth=5, random_state=0), {}),
    "decision tree": ("binary", DecisionTreeClassifier(max_depth=4), {}),
    "random forest regression": ("number", RandomForestRegressor(20, max_depth=5, random_state=0), {}),
    "extra trees regression": ("number", ExtraTreesRegressor(10, max_depth=5, random_state=0), {}),
    "decision tree regression": ("number", DecisionTreeRegressor(max_depth=4), {}),
    "gradient boosting": ("binary", GradientBoostingClassifier(n_estimators=20, max_depth=3), {}),
    "gradient boosting of several classes": ("several", GradientBoostingClassifier(n_estimators=10, max_depth=3), {}),
    "gradient boosting regression": ("number", GradientBoostingRegressor(n_estimators=20, max_depth=3), {}),
    "histogram gradient boosting": ("binary", HistGradientBoostingClassifier(max_iter=20), {}),
    "histogram gradient boosting of several classes": ("several", HistGradientBoostingClassifier(max_iter=10), {}),
    "histogram gradient boosting regression": ("number", HistGradientBoostingRegressor(max_iter=20), {}),
    "neural network": ("binary", make_pipeline(StandardScaler(), MLPClassifier((8, 4), max_iter=500, random_state=0)), {}),
    "neural network of several classes": ("several", MLPClassifier((8,), activation="tanh", max_iter=500, random_state=0), {}),
    "neural network regression": (
        "number",
        make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(8,), activation="logistic", max_iter=500)),
        {},
    ),
    "support vectors": ("binary", make_pipeline(StandardScaler(), SVC(probability=True, random_state=0)), {}),
    "support vectors of several classes": ("several", SVC(probability=True, random_state=0), {}),
    "support vector regression": ("number", SVR(), {}),
    "ridge": ("number", Ridge(), {}),
    "scaled lasso": ("number", make_pipeline(StandardScaler(), Lasso()), {}),
    "Poisson regression": ("count", PoissonRegressor(), {}),
    "stochastic gradient descent": ("binary", make_pipeline(MinMaxScaler(), SGDClassifier(loss="log_loss")), {}),
    "imputed polynomials": ("binary", make_pipeline(SimpleImputer(), StandardScaler(), PolynomialFeatures(2), logistic()), {}),
    "scaled normalized lasso": ("number", make_pipeline(MinMaxScaler(), Normalizer(), RobustScaler(), MaxAbsScaler(), Lasso()), {}),
    "power transform": ("several", make_pipeline(PowerTransformer(), logistic()), {}),
    "quantile transform": ("several", make_pipeline(QuantileTransformer(n_quantiles=20), logistic()), {}),
    "bins": ("several", make_pipeline(KBinsDiscretizer(3, encode="onehot-dense"), logistic()), {}),
    "columns one-hot and scaled": (
        "several",
        make_pipeline(
            ColumnTransformer(
                [("scale", StandardScaler(), [0, 1]), ("bin", OneHotEncoder(handle_unknown="ignore"), [2])],
            ),
            logistic(),
        ),
        {"round": True},
    ),
    "naive Bayes": ("several", GaussianNB(), {}),
    "discriminant analysis": ("several", LinearDiscriminantAnalysis(), {}),
    "calibrated": ("binary", CalibratedClassifierCV(logistic(), cv=3), {}),
    "vote": ("number", VotingRegressor([("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=3))]), {}),
}

BOOSTERS = {
    "LightGBM": ("binary", lightgbm.LGBMClassifier(n_estimators=20, verbose=-1)),
    "LightGBM of several classes": ("several", lightgbm.LGBMClassifier(n_estimators=10, verbose=-1)),
    "LightGBM regression": ("number", lightgbm.LGBMRegressor(n_estimators=20, verbose=-1)),
    "LightGBM Poisson": ("count", lightgbm.LGBMRegressor(n_estimators=20, verbose=-1, objective="poisson")),
    "LightGBM random forest": (
        "binary",
        lightgbm.LGBMClassifier(n_estimators=10, verbose=-1, boosting_type="rf", bagging_freq=1, bagging_fraction=0.6),
    ),
    "XGBoost": ("binary", xgboost.XGBClassifier(n_estimators=20)),
    "XGBoost of several classes": ("several", xgboost.XGBClassifier(n_estimators=10)),
    "XGBoost regression": ("number", xgboost.XGBRegressor(n_estimators=20)),
    "XGBoost Poisson": ("count", xgboost.XGBRegressor(n_estimators=20, objective="count:poisson")),
}


def convert(name, model, x, options):
    kind = FloatTensorType([None, x.shape[1]])
    if name.startswith("LightGBM"):
        zipmap = {} if "regression" in name or "Poisson" in name else {"zipmap": False}
        return onnxmltools.convert_lightgbm(model, initial_types=[("input", kind)], **zipmap)
    if name.startswith("XGBoost"):
        return onnxmltools.convert_xgboost(model, initial_types=[("input", kind)])
    zipmap = {"zipmap": False} if hasattr(model, "predict_proba") and not options.get("zipmap") else {}
    return skl2onnx.to_onnx(model, x[:1], options=zipmap or None)


def thresholds_of(model):
    for node in model.graph.node:
        if node.op_type.startswith("TreeEnsemble"):
            attributes = {each.name: each for each in node.attribute}
            return np.array(attributes["nodes_values"].floats, np.float32), np.array(attributes["nodes_featureids"].ints)
    return None


def rows_for(model, x, rng, rounded):
    """Rows like those trained on, of which half stand at or beside a threshold of the trees, if there are any."""
    rows = x[rng.integers(0, len(x), ROWS)] * rng.normal(1, 0.1, (ROWS, x.shape[1])).astype(np.float32)
    if rounded:
        return np.round(rows)
    thresholds = thresholds_of(model)
    if thresholds is not None:
        values, features = thresholds
        for row in range(ROWS // 2):
            at = rng.integers(0, len(values))
            step = rng.choice([np.float32(-np.inf), np.float32(np.inf), values[at]])
            rows[row, features[at]] = np.nextafter(values[at], step)
    return rows.astype(np.float32)


def predictions(model, rows):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: rows})
    if len(outputs) == 1:
        return np.asarray(outputs[0], float).reshape(len(rows), -1)
    chosen = outputs[1]
    if isinstance(chosen, list):
        chosen = [[each[key] for key in sorted(each)] for each in chosen]
    chosen = np.asarray(chosen, float)
    return chosen[:, 1:] if chosen.shape[1] == 2 else chosen


def main(folder):
    plain_attributes()
    sets = data_sets()
    models = {name: (data, model, options) for name, (data, model, options) in SKLEARN.items()}
    models |= {name: (data, model, {}) for name, (data, model) in BOOSTERS.items()}
    written = []
    for index, (name, (data, model, options)) in enumerate(models.items()):
        x, y = sets[data]
        if options.get("round"):
            x = np.round(x)
        model.fit(x, y)
        converted = convert(name, model, x, options)
        rows = rows_for(converted, x, np.random.default_rng(index), options.get("round"))
        file = f"model{index}"
        (folder / f"{file}.onnx").write_bytes(converted.SerializeToString())
        rows.astype("<f8").tofile(folder / f"{file}.rows.bin")
        expected = predictions(converted, rows)
        expected.astype("<f8").tofile(folder / f"{file}.expected.bin")
        written.append({"name": name, "file": file, "columns": x.shape[1], "outputs": expected.shape[1]})
    versions = {"onnxruntime": onnxruntime.__version__, "skl2onnx": skl2onnx.__version__, "onnxmltools": onnxmltools.__version__}
    (folder / "models.json").write_text(json.dumps({"versions": versions, "models": written}))


main(pathlib.Path(sys.argv[1]))
