"""Trains models, logs and registers them as ONNX with MLflow's own client, and writes what MLflow's own scoring server answers to requests.

Usage: log_models.py FOLDER, with MLFLOW_TRACKING_URI. Writes FOLDER/cases.json: for each model its name and requests, each with status and body.
"""

import json
import logging
import pathlib
import sys
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import lightgbm
import mlflow
import numpy as np
import onnx
import onnxmltools
import pandas as pd
import skl2onnx
import xgboost
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.pyfunc.scoring_server import invocations
from mlflow.types import ColSpec, Schema, TensorSpec
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx.common.data_types import FloatTensorType as SklearnFloats
from skl2onnx.common.data_types import StringTensorType as SklearnTexts
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

COLUMNS = ["a", "b", "c", "d"]
rng = np.random.default_rng(7)
X = pd.DataFrame(rng.normal(size=(400, 4)), columns=COLUMNS)
matrix = X.to_numpy(np.float32)
binary = (X.a + X.b * X.c > 0.2).astype(int)
three = np.digitize(X.a + X.b, [-0.7, 0.7])
number = X.a * 2 - X.b + np.sin(X.c)
texts = np.where(binary == 1, "yes", "no")
float_columns = [("input", FloatTensorType([None, 4]))]
few = X.head(5)


def sklearn_graph(model, **options):
    return skl2onnx.to_onnx(model, matrix[:1], options=options or None)


def in_raw_bytes(graph):
    """As MLflow keeps them in a file of their own when they are large."""
    for tensor in graph.graph.initializer:
        tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor), tensor.name))
    return graph


def mixed():
    """A pipeline over columns of two kinds, each an input of its own."""
    frame = X[["a", "b"]].assign(color=rng.choice(["red", "green", "blue"], len(X)))
    steps = ColumnTransformer([("n", StandardScaler(), ["a", "b"]), ("t", OneHotEncoder(handle_unknown="ignore"), ["color"])])
    model = make_pipeline(steps, LogisticRegression()).fit(frame, binary)
    kinds = [("a", SklearnFloats([None, 1])), ("b", SklearnFloats([None, 1])), ("color", SklearnTexts([None, 1]))]
    graph = skl2onnx.convert_sklearn(model, initial_types=kinds, options={"zipmap": False})
    specs = [TensorSpec(np.dtype("float32"), [-1, 1], "a"), TensorSpec(np.dtype("float32"), [-1, 1], "b"), TensorSpec(np.dtype("object"), [-1, 1], "color")]
    return graph, mlflow.models.ModelSignature(inputs=Schema(specs)), frame


def models():
    labels = infer_signature(X, binary)
    numbers = infer_signature(X, number)
    yield "pipeline of scikit-learn", sklearn_graph(make_pipeline(StandardScaler(), LogisticRegression()).fit(matrix, binary)), labels
    yield "pipeline with text labels", sklearn_graph(LogisticRegression().fit(matrix, texts)), labels
    forest = RandomForestClassifier(n_estimators=8, max_depth=5, random_state=1).fit(matrix, three)
    yield "forest, arrays without names", sklearn_graph(forest, zipmap=False), infer_signature(matrix, three)
    yield "forest without a signature", sklearn_graph(forest, zipmap=False), None
    boosted = GradientBoostingRegressor(n_estimators=20, random_state=1).fit(matrix, number)
    yield "boosted regression of scikit-learn", sklearn_graph(boosted), numbers
    network = MLPRegressor(hidden_layer_sizes=(64, 64), max_iter=50, random_state=1).fit(matrix, number)
    yield "network with tensors in a file of their own", in_raw_bytes(sklearn_graph(network)), numbers
    optional = Schema([ColSpec("double", "a"), ColSpec("double", "b"), ColSpec("double", "c", required=False), ColSpec("double", "d")])
    boosted_lgbm = lightgbm.LGBMRegressor(n_estimators=15, verbose=-1).fit(matrix, number)
    yield "LightGBM regression", onnxmltools.convert_lightgbm(boosted_lgbm, initial_types=float_columns), numbers
    yield "LightGBM with a column that may be absent", onnxmltools.convert_lightgbm(boosted_lgbm, initial_types=float_columns), mlflow.models.ModelSignature(inputs=optional)
    classifier = lightgbm.LGBMClassifier(n_estimators=15, verbose=-1).fit(matrix, binary)
    yield "LightGBM classes", onnxmltools.convert_lightgbm(classifier, initial_types=float_columns), labels
    yield "XGBoost regression", onnxmltools.convert_xgboost(xgboost.XGBRegressor(n_estimators=15).fit(matrix, number), initial_types=float_columns), numbers
    yield "XGBoost classes", onnxmltools.convert_xgboost(xgboost.XGBClassifier(n_estimators=15).fit(matrix, three), initial_types=float_columns), infer_signature(matrix, three)
    with_params = infer_signature(X, number, params={"threshold": 0.5, "name": "x"})
    yield "linear regression with params", sklearn_graph(LinearRegression().fit(matrix, number)), with_params
    unnamed = Schema([ColSpec("double") for _ in COLUMNS])
    yield "columns without names", sklearn_graph(LinearRegression().fit(matrix, number)), mlflow.models.ModelSignature(inputs=unnamed)


def split(frame):
    return {"dataframe_split": frame.to_dict(orient="split")}


def json_request(name, body):
    # As Python writes it: NaN is not JSON, and sent all the same.
    return name, "application/json", body if isinstance(body, str) else json.dumps(body)


def requests_of(frame):
    plain = frame.to_dict(orient="split")
    gaps = frame.copy()
    gaps.iloc[0, 0] = np.nan
    first = frame.columns[0]
    yield json_request("split", split(frame))
    yield json_request("split without an index", {"dataframe_split": {key: plain[key] for key in ("columns", "data")}})
    yield json_request("columns in another order, and one more", split(frame[frame.columns[::-1]].assign(more="x")))
    yield json_request("records", {"dataframe_records": frame.to_dict(orient="records")})
    yield json_request("NaN as Python writes it", split(gaps))
    yield json_request("null", split(frame.astype(object).where(gaps.notna(), None)))
    yield json_request("records that lack a value", {"dataframe_records": [{k: v for k, v in r.items() if k != first or i > 0} for i, r in enumerate(frame.to_dict(orient="records"))]})
    yield json_request("instances by name", {"instances": frame.to_dict(orient="records")})
    yield json_request("inputs by name", {"inputs": frame.to_dict(orient="list")})
    yield "CSV", "text/csv", frame.to_csv(index=False)
    yield "CSV with an index", "text/csv; charset=utf-8", frame.to_csv()
    yield "CSV with gaps", "text/csv", gaps.to_csv(index=False)
    yield json_request("params that nobody knows", {**split(frame), "params": {"nobody": 1}})
    if all(frame.dtypes == float):
        rows = frame.to_numpy().tolist()
        yield json_request("instances in rows", {"instances": rows})
        yield json_request("inputs in rows", {"inputs": rows})
        yield json_request("whole numbers", split((frame * 10).round().astype(int)))
        yield json_request("numbers as texts", split(frame.astype(str)))
        yield json_request("many rows", split(pd.concat([X[frame.columns]] * 8, ignore_index=True)))
    # What is refused.
    yield json_request("a column is missing", split(frame.drop(columns=first)))
    yield json_request("a text that is no number", split(frame.astype(object).assign(**{"b": "many"})))
    yield json_request("objects as values", split(frame.astype(object).assign(**{first: [{"x": 1}] * len(frame)})))
    yield json_request("no rows", {"dataframe_split": {"columns": list(frame.columns), "data": []}})
    yield json_request("two formats", {**split(frame), "inputs": []})
    yield json_request("no format", {"rows": []})
    yield json_request("a list", [1, 2])
    yield json_request("no JSON", "{")
    yield json_request("split as a list", {"dataframe_split": [1]})
    yield json_request("split without data", {"dataframe_split": {"columns": ["a"]}})
    yield json_request("split with another key", {"dataframe_split": {**plain, "rows": 1}})
    yield json_request("records as an object", {"dataframe_records": plain})
    yield json_request("a row too short", {"dataframe_split": {"columns": list(frame.columns), "data": [[1.0] * len(frame.columns), [1.0]]}})
    yield json_request("instances of different lengths", {"instances": [{first: 1.0, "b": 2.0}, {first: 1.0}]})
    yield "no CSV", "text/csv", "a,b\n1,2,3\n4\n5,6,7,8\n"
    yield "another content type", "text/plain", "a"
    yield "another charset", "application/json; charset=latin-1", "{}"
    yield "another parameter", "application/json; format=pandas-split", "{}"


PARAMS = [
    json_request("params of the right types", {**split(few), "params": {"threshold": 0.7, "name": "y"}}),
    json_request("a param of a wrong type", {**split(few), "params": {"threshold": "high"}}),
    json_request("params as a list", {**split(few), "params": [1]}),
]


def answer(model, content_type, body):
    """What the scoring server does with a request, without the socket."""
    try:
        said = invocations(body.encode(), content_type, model, model.metadata.get_input_schema())
        return {"status": said.status, "body": said.response}
    except MlflowException as error:
        return {"status": error.get_http_status_code(), "body": error.serialize_as_json()}
    except Exception as error:
        return {"status": 500, "body": repr(error)}


def main(folder):
    client = mlflow.MlflowClient()
    cases = []
    graph, signature, frame = mixed()
    everything = [*((*each, few) for each in models()), ("columns of two kinds, each an input", graph, signature, frame.head(5))]
    for name, graph, signature, frame in everything:
        with mlflow.start_run():
            info = mlflow.onnx.log_model(graph, name="model", registered_model_name=name, signature=signature)
        client.set_registered_model_alias(name, "champion", info.registered_model_version)
        loaded = mlflow.pyfunc.load_model(f"models:/{name}@champion")
        files = [each.path for each in client.list_logged_model_artifacts(info.model_id)]
        requests = [*requests_of(frame), *(PARAMS if "params" in name else [])]
        answers = [{"request": request, "type": kind, "send": body, **answer(loaded, kind, body)} for request, kind, body in requests]
        cases.append({"model": name, "run": info.run_id, "id": info.model_id, "files": files, "requests": answers})
    pathlib.Path(folder, "cases.json").write_text(json.dumps(cases))


main(sys.argv[1])
