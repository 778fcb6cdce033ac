"""What ONNX Runtime says of single operators and of small models from other trainers.

    npm run python -- test/golden/make-onnx.py

writes onnx.json beside it: files in base64, inputs, and outputs. core/training/formats must run and read them alike; the
full comparison is `npm run conformance -- onnx`.
"""

import base64
import json
import pathlib
import warnings

import lightgbm
import numpy as np
import onnx
import onnxmltools
import onnxruntime
import pandas
import skl2onnx
import xgboost
from onnx import TensorProto, helper, numpy_helper
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

warnings.filterwarnings("ignore")
onnxruntime.set_default_logger_severity(3)
ML = "ai.onnx.ml"
KINDS = {"float32": "float", "float64": "double", "int64": "int64", "int32": "int32", "bool": "bool", "object": "string"}
NUMBERS = {"float": TensorProto.FLOAT, "double": TensorProto.DOUBLE, "int64": TensorProto.INT64, "int32": TensorProto.INT32}
NUMBERS |= {"bool": TensorProto.BOOL, "string": TensorProto.STRING}

F = np.float32
random = np.random.default_rng(0)


def floats(*dims):
    return random.normal(size=dims).astype(F)


X = floats(3, 4)
Y = floats(3, 4)
ROW = floats(4)
ODD = np.array([[0.0, -0.0, 1.5, -2.5], [np.nan, np.inf, -np.inf, 0.5], [3.5, -0.5, 1e-30, 1e30]], F)
WHOLE = np.array([[7, -7, 3], [-3, 0, 12]], np.int64)
TRUTH = np.array([[True, False, True], [False, False, True]])


def ints(*values):
    return np.array(values, np.int64)


# Operator, inputs, attributes, and the opset where it is not 21.
CASES = [
    *[(name, [ODD], {}) for name in ["Abs", "Neg", "Relu", "Sign", "Ceil", "Floor", "Round", "IsNaN", "IsInf", "Identity"]],
    *[(name, [X], {}) for name in ["Exp", "Sigmoid", "Tanh", "Sin", "Cos", "Softplus", "Reciprocal"]],
    *[(name, [np.abs(X)], {}) for name in ["Log", "Sqrt"]],
    *[(name, [X.astype(float)], {}) for name in ["Exp", "Sigmoid", "Sin", "Cos"]],
    ("LeakyRelu", [X], {"alpha": 0.2}),
    *[(name, [X, ROW], {}) for name in ["Add", "Sub", "Mul", "Div", "Max", "Min", "Less", "Greater", "LessOrEqual"]],
    *[(name, [X, X.T[:3, :1].copy()], {}) for name in ["Add", "GreaterOrEqual"]],
    ("Equal", [np.round(X), np.round(Y)], {}),
    ("Equal", [WHOLE, ints(7, 0, 12)], {}),
    ("Equal", [np.array([["a", "b"]], object), np.array([["a"], ["b"]], object)], {}),
    ("Div", [WHOLE, ints(2, 2, 5)], {}),
    ("Pow", [np.abs(X), np.array([2.0], F)], {}),
    ("Sum", [X, Y, ROW], {}),
    ("Mean", [X, Y, ROW], {}),
    *[(name, [TRUTH, TRUTH[:1]], {}) for name in ["And", "Or", "Xor"]],
    ("Not", [TRUTH], {}),
    ("Where", [TRUTH, X[:2, :3], Y[:2, :3]], {}),
    ("Clip", [X, np.array(-0.5, F), np.array(0.5, F)], {}),
    ("Clip", [X], {"min": -0.5, "max": 0.25}, 9),
    ("Cast", [np.array([[1.7, -1.7, 0.0]], F)], {"to": TensorProto.INT64}),
    ("Cast", [X.astype(float)], {"to": TensorProto.FLOAT}),
    ("Cast", [WHOLE], {"to": TensorProto.BOOL}),
    ("Cast", [np.array([["1.5", "-2"]], object)], {"to": TensorProto.FLOAT}),
    ("MatMul", [X, floats(4, 2)], {}),
    ("MatMul", [X, ROW], {}),
    ("MatMul", [floats(2, 3, 4), floats(4, 2)], {}),
    ("Gemm", [X, floats(2, 4), floats(2)], {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    ("Gemm", [X, floats(3, 2)], {"transA": 1}),
    ("Softmax", [X], {"axis": 1}),
    ("Softmax", [floats(2, 3, 2)], {"axis": 1}, 11),
    ("LogSoftmax", [X], {"axis": -1}),
    ("ArgMax", [X], {"axis": 1, "keepdims": 0}),
    ("ArgMin", [X], {"axis": 0}),
    ("ArgMax", [np.ones((2, 3), F)], {"axis": 1, "select_last_index": 1}),
    *[(name, [X, ints(1)], {"keepdims": 0}) for name in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd"]],
    *[(name, [X, ints(-1)], {}) for name in ["ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceSumSquare"]],
    ("ReduceSum", [floats(2, 3, 2)], {}),
    ("ReduceSum", [floats(2, 3, 2)], {"axes": [0, 2]}, 11),
    ("ReduceMean", [X], {"axes": [1]}, 13),
    ("ReduceSum", [X, ints()], {"noop_with_empty_axes": 1}),
    ("Concat", [X, Y[:, :1]], {"axis": 1}),
    ("Concat", [np.array([["a"]], object), np.array([["b"]], object)], {"axis": 0}),
    ("Reshape", [X, ints(2, -1)], {}),
    ("Reshape", [X, ints(0, 2, 2)], {}),
    ("Flatten", [floats(2, 3, 2)], {"axis": 2}),
    ("Squeeze", [floats(1, 3, 1), ints(2)], {}),
    ("Squeeze", [floats(1, 3, 1)], {}),
    ("Unsqueeze", [X, ints(0, -1)], {}),
    ("Unsqueeze", [X], {"axes": [1]}, 11),
    ("Transpose", [floats(2, 3, 4)], {"perm": [2, 0, 1]}),
    ("Transpose", [X], {}),
    ("Gather", [X, ints(2, -1, 0)], {"axis": 1}),
    ("Gather", [X, np.array([[0, 1]], np.int64)], {}),
    ("Slice", [X, ints(1), ints(3), ints(1)], {}),
    ("Slice", [X, ints(-1, 0), ints(-9, 4), ints(0, 1), ints(-1, 2)], {}),
    ("Slice", [X], {"starts": [0], "ends": [2], "axes": [0]}, 9),
    ("Shape", [X], {}),
    ("ConstantOfShape", [ints(2, 3)], {"value": helper.make_tensor("v", TensorProto.FLOAT, [1], [1.5])}),
    ("Expand", [ROW, ints(3, 1)], {}),
    ("Scaler", [X], {"offset": [0.5, 0.1, -0.3, 0.0], "scale": [2.0, 0.5, 1.0, 3.0]}),
    ("Scaler", [X], {"offset": [0.5], "scale": [2.0]}),
    ("Imputer", [ODD], {"imputed_value_floats": [9.0], "replaced_value_float": np.nan}),
    *[("Normalizer", [X], {"norm": norm}) for norm in ["L1", "L2"]],
    ("Normalizer", [np.abs(X)], {"norm": "MAX"}),
    ("Binarizer", [X], {"threshold": 0.2}),
    ("OneHotEncoder", [np.array([[1], [5], [3]], np.int64)], {"cats_int64s": [1, 3, 4], "zeros": 1}),
    ("OneHotEncoder", [np.array([["b"], ["z"]], object)], {"cats_strings": ["a", "b"], "zeros": 1}),
    ("LabelEncoder", [np.array([["a"], ["z"]], object)], {"keys_strings": ["a"], "values_int64s": [4], "default_int64": -1}),
    ("LabelEncoder", [np.array([[1], [2]], np.int64)], {"keys_int64s": [1], "values_strings": ["x"], "default_string": "?"}),
    ("FeatureVectorizer", [X, Y[:, :2]], {"inputdimensions": [4, 2]}),
    ("ArrayFeatureExtractor", [X, ints(2, 0)], {}),
    ("ArrayFeatureExtractor", [ints(4, 5, 6), ints(2, 0)], {}),
    ("LinearRegressor", [X], {"coefficients": [0.5, -1.0, 2.0, 0.1], "intercepts": [0.3], "targets": 1}),
    (
        "SVMRegressor",
        [X],
        {
            "coefficients": [0.5, -0.25],
            "support_vectors": [0.1, 0.2, 0.3, 0.4, -0.1, -0.2, -0.3, -0.4],
            "n_supports": 2,
            "rho": [0.3],
            "kernel_type": "POLY",
            "kernel_params": [0.5, 1.0, 2.0],
        },
    ),
]
ML_OPERATORS = {name for name in [each[0] for each in CASES] if onnx.defs.has(name, ML)}
ML_OPERATORS -= {"Cast"}


def tensor(value):
    value = np.asarray(value)
    kind = KINDS[str(value.dtype)]
    data = [str(each) for each in value.ravel()] if kind == "string" else [number(each) for each in value.ravel()]
    return {"type": kind, "dims": list(value.shape), "data": data}


def number(value):
    """JSON has no infinity and no NaN: texts stand for what it lacks."""
    value = float(value)
    return value if np.isfinite(value) and not (value == 0 and np.signbit(value)) else repr(value)


def operator_cases():
    for operator, inputs, attributes, *opset in CASES:
        names = [f"x{index}" for index in range(len(inputs))]
        domain = ML if operator in ML_OPERATORS else ""
        node = helper.make_node(operator, names, ["y"], domain=domain, **attributes)
        infos = [
            helper.make_tensor_value_info(name, NUMBERS[KINDS[str(value.dtype)]], value.shape)
            for name, value in zip(names, inputs)
        ]
        y = helper.make_empty_tensor_value_info("y")
        graph = helper.make_graph([node], "case", infos, [y])
        imports = [helper.make_opsetid("", opset[0] if opset else 21), helper.make_opsetid(ML, 3)]
        model = helper.make_model(graph, opset_imports=imports, ir_version=10)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        [result] = session.run(None, dict(zip(names, inputs)))
        yield {
            "name": f"{operator} {json.dumps({k: v for k, v in attributes.items() if k != 'value'}, default=str)[:80]}",
            "model": base64.b64encode(model.SerializeToString()).decode(),
            "inputs": {name: tensor(value) for name, value in zip(names, inputs)},
            "output": tensor(result),
        }


def small_models():
    cancer = load_breast_cancer(return_X_y=True)
    binary = (cancer[0][:, :5].astype(F), cancer[1])
    iris = load_iris(return_X_y=True)
    several = (iris[0].astype(F), iris[1])
    diabetes = load_diabetes(return_X_y=True)
    numbers = (diabetes[0][:, :4].astype(F), diabetes[1])
    flights = pandas.read_csv(pathlib.Path(__file__).with_name("data") / "flights.csv")
    codes = [pandas.factorize(flights[name], sort=True)[0] for name in ["carrier", "dest"]]
    late = (np.column_stack([*codes, flights["departure_hour"], flights["dep_delay"]]).astype(F), flights["target"])
    yield "logistic regression", LogisticRegression(max_iter=999), binary, "binary", "linear"
    yield "multinomial regression", LogisticRegression(max_iter=999), several, "multiclass", "linear"
    yield "random forest", RandomForestClassifier(4, max_depth=3, random_state=0), several, "multiclass", "trees"
    yield "gradient boosting", GradientBoostingClassifier(n_estimators=4, max_depth=2), binary, "binary", "trees"
    network = make_pipeline(StandardScaler(), MLPClassifier((4,), max_iter=300, random_state=0))
    yield "neural network", network, several, "multiclass", "onnx"
    yield "support vectors", SVC(C=0.1, probability=True, random_state=0), (several[0][::4], several[1][::4]), "multiclass", "onnx"
    yield "LightGBM", lightgbm.LGBMClassifier(n_estimators=4, num_leaves=6, verbose=-1), binary, "binary", "trees"
    sets = lightgbm.LGBMClassifier(n_estimators=4, num_leaves=6, verbose=-1, categorical_feature=[0, 1], random_state=0)
    yield "LightGBM with categories", sets, late, "binary", "trees"
    yield "XGBoost", xgboost.XGBRegressor(n_estimators=4, max_depth=3), numbers, "regression", "trees"


def model_cases():
    for name, model, (x, y), task, kind in small_models():
        model.fit(x, y)
        types = [("input", FloatTensorType([None, x.shape[1]]))]
        if name.startswith("LightGBM"):
            converted = onnxmltools.convert_lightgbm(model, initial_types=types, zipmap=False)
        elif name == "XGBoost":
            converted = onnxmltools.convert_xgboost(model, initial_types=types)
        else:
            converted = skl2onnx.to_onnx(model, x[:1], options={"zipmap": False})
        rows = x[::7][:40]
        session = onnxruntime.InferenceSession(converted.SerializeToString(), providers=["CPUExecutionProvider"])
        outputs = session.run(None, {session.get_inputs()[0].name: rows})
        prediction = np.asarray(outputs[-1], float).reshape(len(rows), -1)
        yield {
            "name": name,
            "task": task,
            "kind": kind,
            "model": base64.b64encode(converted.SerializeToString()).decode(),
            "rows": [[number(value) for value in row] for row in rows],
            "prediction": (prediction[:, 1:] if task == "binary" else prediction).tolist(),
        }


def main():
    versions = {each.__name__: each.__version__ for each in [onnx, onnxruntime, skl2onnx, onnxmltools, lightgbm, xgboost]}
    golden = {"versions": versions, "operators": list(operator_cases()), "models": list(model_cases())}
    pathlib.Path(__file__).with_name("onnx.json").write_text(json.dumps(golden))


main()
