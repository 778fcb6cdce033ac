"""Compares two servers (arguments: an MLflow and the Orrery that imported from it), field by field, through MLflow's client. Prints counts."""

import sys

import mlflow
from mlflow.entities import ViewType

there, here = (mlflow.MlflowClient(url) for url in sys.argv[1:3])
IMPORT_TAGS = "orrery.import."
counts = {"runs": 0, "points": 0, "files": 0, "versions": 0}


def same(what, one, other):
    if one != other and not (one != one and other != other):
        raise AssertionError(f"{what}: {repr(one)[:1000]} there, {repr(other)[:1000]} here")


def kept(tags):
    return {key: value for key, value in tags.items() if not key.startswith(IMPORT_TAGS)}


def files(client, run_id, path=None):
    for each in client.list_artifacts(run_id, path):
        if each.is_dir:
            yield from files(client, run_id, each.path)
        else:
            yield each.path, each.file_size


def experiments(client):
    return {each.name: each for each in client.search_experiments(view_type=ViewType.ALL)}


ours = experiments(here)
for name, experiment in experiments(there).items():
    same(f"{name} lifecycle", experiment.lifecycle_stage, ours[name].lifecycle_stage)
    same(f"{name} tags", experiment.tags, kept(ours[name].tags))
    # Default is there before the import.
    if name != "Default":
        same(f"{name} creation time", experiment.creation_time, ours[name].creation_time)
    runs = there.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL, max_results=1000)
    same(f"{name} runs", len(runs), len(here.search_runs([ours[name].experiment_id], run_view_type=ViewType.ALL, max_results=1000)))
    for run in runs:
        other = here.get_run(run.info.run_id)
        for field in ("run_name", "status", "start_time", "end_time", "lifecycle_stage", "user_id"):
            same(f"{run.info.run_name} {field}", getattr(run.info, field), getattr(other.info, field))
        same("params", run.data.params, other.data.params)
        same("tags", run.data.tags, kept(other.data.tags))
        for key, value in run.data.metrics.items():
            same(key, value, other.data.metrics[key])
            history = [[(m.step, m.timestamp, str(m.value)) for m in c.get_metric_history(run.info.run_id, key)] for c in (there, here)]
            # Its file store keeps the same point twice.
            same(f"history of {key}", sorted(set(history[0])), sorted(history[1]))
            counts["points"] += len(history[0])
        inputs = [[(i.dataset.name, i.dataset.digest, [(t.key, t.value) for t in i.tags]) for i in r.inputs.dataset_inputs] for r in (run, other)]
        same("data sets", inputs[0], inputs[1])
        found = [sorted(files(client, run.info.run_id)) for client in (there, here)] if run.info.lifecycle_stage == "active" else [[], []]
        same("files", found[0], found[1])
        counts["files"] += len(found[0])
        counts["runs"] += 1


def logged_models(client, experiment_id):
    """By what is the same on both sides: their ids are not."""
    found = {}
    for model in client.search_logged_models(experiment_ids=[experiment_id]):
        # Its database keeps no NaN of a model.
        metrics = sorted((m.key, m.key == "nan" or str(m.value), m.step, m.timestamp, m.run_id, m.dataset_name) for m in model.metrics or [])
        tags = {key: value for key, value in kept(model.tags).items() if key != "mlflow.modelVersions"}
        found[kept_id(model)] = (model.name, str(model.status), model.source_run_id or "", model.params, tags, metrics)
    return found


def kept_id(model):
    return model.tags.get(IMPORT_TAGS + "origin", model.model_id)


for name, experiment in experiments(there).items():
    if experiment.lifecycle_stage != "active":
        continue
    found = [logged_models(client, each.experiment_id) for client, each in ((there, experiment), (here, ours[name]))]
    same(f"{name} logged models", found[0], found[1])
    counts["models"] = counts.get("models", 0) + len(found[0])
    ids = {model.model_id: kept_id(model) for model in here.search_logged_models(experiment_ids=[ours[name].experiment_id])}
    for listed in there.search_runs([experiment.experiment_id], max_results=1000):
        # A search of its database leaves out which models runs read.
        run = there.get_run(listed.info.run_id)
        other = here.get_run(run.info.run_id)
        same("outputs", [(o.model_id, o.step) for o in run.outputs.model_outputs], [(ids[o.model_id], o.step) for o in other.outputs.model_outputs])
        same("read", [i.model_id for i in run.inputs.model_inputs], [ids[i.model_id] for i in other.inputs.model_inputs])
        counts["links"] = counts.get("links", 0) + len(run.outputs.model_outputs) + len(run.inputs.model_inputs)
for model in there.search_registered_models():
    other = here.get_registered_model(model.name)
    same("description", model.description, other.description)
    same("aliases", {a: int(v) for a, v in model.aliases.items()}, {a: int(v) for a, v in other.aliases.items()})
    versions = [{int(v.version): v for v in c.search_model_versions(f"name = '{model.name}'")} for c in (there, here)]
    same("versions", sorted(versions[0]), sorted(versions[1]))
    for number, version in versions[0].items():
        match = versions[1][number]
        for field in ("current_stage", "run_id", "description"):
            same(f"version {number} {field}", getattr(version, field) or "", getattr(match, field) or "")
        same("tags", version.tags, kept(match.tags))
        counts["versions"] += 1

predictions = []
for url in sys.argv[1:3]:
    mlflow.set_tracking_uri(url)
    mlflow.set_registry_uri(url)
    predictions.append(list(mlflow.pyfunc.load_model("models:/classifier@champion").predict([[0.9, 0.1, 0.1], [0.1, 0.1, 0.1]])))
same("predictions", predictions[0], predictions[1])
print(", ".join(f"{count} {what}" for what, count in counts.items()))
