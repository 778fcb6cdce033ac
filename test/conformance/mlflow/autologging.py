import warnings

warnings.filterwarnings("ignore")
import mlflow
import numpy as np
import pandas as pd
from checks import check, main, same

client = mlflow.MlflowClient()
rng = np.random.default_rng(3)
X = pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd"))
y = (X["a"] * 2 - X["b"] > 0).astype(int)


def last(run):
    return client.get_run(run.info.run_id)


@check("scikit-learn logs itself: params, metrics, data set, model")
def sklearn():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GridSearchCV
    from sklearn.linear_model import LogisticRegression

    mlflow.sklearn.autolog(serialization_format="cloudpickle")
    try:
        with mlflow.start_run() as run:
            RandomForestClassifier(n_estimators=5, random_state=1).fit(X, y)
        found = last(run)
        same(found.data.params["n_estimators"], "5")
        assert found.data.metrics["training_accuracy_score"] > 0.8
        assert found.inputs.dataset_inputs and found.outputs.model_outputs, found
        model = found.outputs.model_outputs[0].model_id
        same(len(mlflow.pyfunc.load_model(f"models:/{model}").predict(X)), 200)
        with mlflow.start_run() as run:
            GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0, 10.0]}, cv=2).fit(X, y)
        children = client.search_runs(["0"], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
        same(len(children), 3)
        assert "best_C" in last(run).data.params
    finally:
        mlflow.sklearn.autolog(disable=True)


@check("LightGBM logs itself: params, metrics by round, importances, model")
def lightgbm():
    import lightgbm

    mlflow.lightgbm.autolog()
    try:
        data = lightgbm.Dataset(X, y)
        with mlflow.start_run() as run:
            lightgbm.train({"objective": "binary", "metric": "binary_logloss", "verbose": -1}, data, 10, valid_sets=[data], valid_names=["train"])
        found = last(run)
        same(found.data.params["objective"], "binary")
        same(len(client.get_metric_history(run.info.run_id, "train-binary_logloss")), 10)
        assert any("importance" in f.path for f in client.list_artifacts(run.info.run_id))
        model = found.outputs.model_outputs[0].model_id
        same(len(mlflow.pyfunc.load_model(f"models:/{model}").predict(X)), 200)
    finally:
        mlflow.lightgbm.autolog(disable=True)


@check("XGBoost logs itself: params, metrics by round, importances, model")
def xgboost():
    import xgboost

    mlflow.xgboost.autolog()
    try:
        data = xgboost.DMatrix(X, y)
        with mlflow.start_run() as run:
            xgboost.train({"objective": "binary:logistic", "eval_metric": "logloss"}, data, 10, evals=[(data, "train")], verbose_eval=False)
        found = last(run)
        same(found.data.params["objective"], "binary:logistic")
        same(len(client.get_metric_history(run.info.run_id, "train-logloss")), 10)
        model = found.outputs.model_outputs[0].model_id
        same(len(mlflow.pyfunc.load_model(f"models:/{model}").predict(X)), 200)
    finally:
        mlflow.xgboost.autolog(disable=True)


@check("mlflow.autolog() of everything breaks nothing")
def everything():
    from sklearn.linear_model import LinearRegression

    mlflow.autolog()
    try:
        with mlflow.start_run() as run:
            LinearRegression().fit(X, y)
        same(last(run).info.status, "FINISHED")
    finally:
        mlflow.autolog(disable=True)


@check("data sets are recorded with the run, and runs found by them")
def datasets():
    name = f"flights {rng.integers(1 << 30)}"
    data = mlflow.data.from_pandas(X, source="s3://bucket/flights.parquet", name=name, targets="a")
    made = client.create_experiment(f"data {name}")
    with mlflow.start_run(experiment_id=made) as run:
        mlflow.log_input(data, context="training", tags={"k": "v"})
        mlflow.log_input(data, context="training")
    found = last(run).inputs.dataset_inputs
    same(len(found), 1)
    same((found[0].dataset.name, found[0].dataset.digest), (name, data.digest))
    same({t.key: t.value for t in found[0].tags}["mlflow.data.context"], "training")
    assert "num_rows" in found[0].dataset.profile
    assert mlflow.data.get_source(found[0]).uri == "s3://bucket/flights.parquet"
    search = lambda f: [r.info.run_id for r in client.search_runs([made], f)]  # noqa: E731
    same(search(f"dataset.name = '{name}'"), [run.info.run_id])
    same(search(f"dataset.digest = '{data.digest}' and dataset.context = 'training'"), [run.info.run_id])
    same(search("dataset.context = 'evaluation'"), [])
    from mlflow.tracking._tracking_service.utils import _get_store

    import requests

    answer = requests.post(mlflow.get_tracking_uri() + "/api/2.0/mlflow/experiments/search-datasets", json={"experiment_ids": [made]}).json()
    same(answer["dataset_summaries"], [{"experiment_id": made, "name": name, "digest": data.digest, "context": "training"}])


@check("models that a run reads are its inputs")
def model_inputs():
    from mlflow.entities import LoggedModelInput

    made = client.create_logged_model("0", name="read")
    with mlflow.start_run() as run:
        client.log_inputs(run.info.run_id, models=[LoggedModelInput(made.model_id)])
    same([m.model_id for m in last(run).inputs.model_inputs], [made.model_id])


@check("mlflow.evaluate writes its metrics and artifacts")
def evaluate():
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(X, y)
    frame = X.assign(label=y, prediction=model.predict(X))
    with mlflow.start_run() as run:
        result = mlflow.models.evaluate(data=frame, predictions="prediction", targets="label", model_type="classifier", evaluator_config={"log_explainer": False})
    assert result.metrics["accuracy_score"] > 0.8
    same(last(run).data.metrics["accuracy_score"], result.metrics["accuracy_score"])


main()
