"""Goes on with an MLflow server (argument: its address) that fill.py has filled: one run is new, one has changed, a version moves."""

import sys

import mlflow

mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
experiment = client.get_experiment_by_name("beta").experiment_id
[changed] = client.search_runs([experiment], filter_string="attributes.run_name = 'run 7'")
client.log_metric(changed.info.run_id, "m0", 99.5, step=1)
client.set_tag(changed.info.run_id, "reviewed", "yes")
client.log_text(changed.info.run_id, "later", "later.txt")
with mlflow.start_run(experiment_id=experiment, run_name="new"):
    mlflow.log_param("p", 1)
client.transition_model_version_stage("classifier", "3", "Staging")
client.set_model_version_tag("classifier", "3", "moved", "yes")
