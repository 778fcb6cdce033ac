"""Fills an MLflow server (argument: its address) with one of everything that an import takes over."""

import sys

import mlflow
import numpy as np
import pandas as pd
from mlflow.entities import LoggedModelInput, Metric
from sklearn.linear_model import LogisticRegression

mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
features = np.random.default_rng(1).random((50, 3))
model = LogisticRegression().fit(features, features[:, 0] > 0.5)

mlflow.set_experiment("alpha")
mlflow.set_experiment_tag("owner", "Zoë")
with mlflow.start_run(run_name="parent", tags={"team": "ops"}) as parent:
    mlflow.log_params({"a": 1, "b": "x y"})
    run_id = parent.info.run_id
    for begin in range(0, 5000, 1000):
        client.log_batch(run_id, [Metric("loss", 1 / (step + 1), 1000 + step, step) for step in range(begin, begin + 1000)])
    mlflow.log_metric("nan", float("nan"))
    mlflow.log_metric("infinite", float("inf"))
    mlflow.log_metric("below/all", float("-inf"))
    mlflow.log_text("hello", "folder/ü x.txt")
    mlflow.log_dict({"a": 1}, "d.json")
    mlflow.log_input(mlflow.data.from_pandas(pd.DataFrame({"a": [1]}), name="rows"), context="train")
    with mlflow.start_run(nested=True, run_name="child"):
        mlflow.log_metric("x", 1)
    first = mlflow.sklearn.log_model(model, name="model", registered_model_name="classifier", input_example=features[:2])
with mlflow.start_run(run_name="evaluation") as evaluation:
    client.log_inputs(evaluation.info.run_id, models=[LoggedModelInput(first.model_id)])
    mlflow.log_metric("auc", 0.75, model_id=first.model_id, dataset=mlflow.data.from_pandas(pd.DataFrame({"a": [2]}), name="held-out"))
for _ in range(3):
    mlflow.sklearn.log_model(model, name="again", registered_model_name="classifier")
with mlflow.start_run(run_name="failing") as failing:
    pass
client.set_terminated(failing.info.run_id, "FAILED")
client.update_registered_model("classifier", "which it is")
client.delete_model_version("classifier", "2")
client.set_registered_model_alias("classifier", "champion", "3")
client.set_model_version_tag("classifier", "3", "checked", "yes")
client.transition_model_version_stage("classifier", "4", "Production")

gone = client.create_experiment("gone")
run = client.create_run(gone)
client.log_metric(run.info.run_id, "m", 1)
client.set_terminated(run.info.run_id)
client.delete_experiment(gone)

deleted = client.create_run("0", run_name="deleted")
client.set_terminated(deleted.info.run_id)
client.delete_run(deleted.info.run_id)
mlflow.set_experiment("beta")
for index in range(60):
    with mlflow.start_run(run_name=f"run {index}"):
        mlflow.log_metrics({f"m{i}": i * index for i in range(5)})
        mlflow.log_text(str(index), "index.txt")
