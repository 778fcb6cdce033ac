import time
import uuid

import mlflow
from checks import check, main, refused, same
from mlflow.entities import ExperimentTag, LifecycleStage, RunStatus, RunTag, ViewType

client = mlflow.MlflowClient()


def name(kind="experiment"):
    return f"{kind} {uuid.uuid4().hex[:8]}"


@check("the experiment Default is there with id 0")
def default():
    same(client.get_experiment("0").name, "Default")
    same(client.get_experiment_by_name("Default").experiment_id, "0")
    with mlflow.start_run() as run:
        same(run.info.experiment_id, "0")


@check("experiments are created with tags, found by id and name, renamed and tagged")
def experiments():
    given = name()
    made = client.create_experiment(given, tags={"team": "fraud"})
    found = client.get_experiment(made)
    same((found.name, found.lifecycle_stage, found.tags), (given, LifecycleStage.ACTIVE, {"team": "fraud"}))
    same(found.artifact_location, f"mlflow-artifacts:/{made}")
    assert abs(found.creation_time - time.time() * 1000) < 60_000
    same(client.get_experiment_by_name(given).experiment_id, made)
    client.rename_experiment(made, given + " 2")
    client.set_experiment_tag(made, "team", "churn")
    client.set_experiment_tag(made, "empty", "")
    found = client.get_experiment(made)
    same((found.name, found.tags), (given + " 2", {"team": "churn", "empty": ""}))
    client.delete_experiment_tag(made, "team")
    same(client.get_experiment(made).tags, {"empty": ""})
    same(client.get_experiment_by_name(given), None)


@check("an experiment's name is taken once, and free again when it is deleted")
def names():
    given = name()
    first = client.create_experiment(given)
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.create_experiment(given)
    client.delete_experiment(first)
    same(client.get_experiment_by_name(given).lifecycle_stage, LifecycleStage.DELETED)
    second = client.create_experiment(given)
    assert second != first
    same(client.get_experiment_by_name(given).experiment_id, second)
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.restore_experiment(first)


@check("deleting an experiment deletes its runs, restoring it restores them")
def cascade():
    made = client.create_experiment(name())
    kept, gone = client.create_run(made), client.create_run(made)
    client.delete_run(gone.info.run_id)
    client.delete_experiment(made)
    same(client.get_experiment(made).lifecycle_stage, LifecycleStage.DELETED)
    same(client.get_run(kept.info.run_id).info.lifecycle_stage, LifecycleStage.DELETED)
    with refused("INVALID_STATE"):
        client.create_run(made)
    client.restore_experiment(made)
    same(client.get_run(kept.info.run_id).info.lifecycle_stage, LifecycleStage.ACTIVE)
    same(client.get_run(gone.info.run_id).info.lifecycle_stage, LifecycleStage.DELETED)


@check("a run begins, carries its name, user and tags, and ends")
def run():
    made = mlflow.set_experiment(name()).experiment_id
    with mlflow.start_run(run_name="first", tags={"a": "1"}, description="what it is") as active:
        during = client.get_run(active.info.run_id)
        same((during.info.status, during.info.end_time), ("RUNNING", None))
        mlflow.set_tags({"b": "2", "c": "3"})
        mlflow.delete_tag("c")
    after = client.get_run(active.info.run_id)
    same((after.info.status, after.info.experiment_id, after.info.run_name), ("FINISHED", made, "first"))
    assert after.info.end_time >= after.info.start_time > 0
    tags = after.data.tags
    same((tags["a"], tags["b"], tags["mlflow.runName"], tags["mlflow.note.content"]), ("1", "2", "first", "what it is"))
    assert "c" not in tags
    same(after.info.artifact_uri, f"mlflow-artifacts:/{made}/{active.info.run_id}/artifacts")


@check("a run that throws is failed, one that is killed is killed")
def failing():
    try:
        with mlflow.start_run() as active:
            raise RuntimeError("on purpose")
    except RuntimeError:
        pass
    same(client.get_run(active.info.run_id).info.status, "FAILED")
    other = client.create_run("0")
    client.set_terminated(other.info.run_id, "KILLED", end_time=1234567890123)
    found = client.get_run(other.info.run_id).info
    same((found.status, found.end_time), ("KILLED", 1234567890123))
    client.update_run(other.info.run_id, status="RUNNING", name="again")
    found = client.get_run(other.info.run_id)
    same((found.info.status, found.info.run_name, found.data.tags["mlflow.runName"]), ("RUNNING", "again", "again"))


@check("nested runs know their parent, and are found by it")
def nested():
    with mlflow.start_run() as parent:
        children = []
        for _ in range(3):
            with mlflow.start_run(nested=True) as child:
                children.append(child.info.run_id)
    parent_id = parent.info.run_id
    for child in children:
        same(client.get_parent_run(child).info.run_id, parent_id)
    found = mlflow.search_runs(filter_string=f"tags.`mlflow.parentRunId` = '{parent_id}'", search_all_experiments=True)
    same(sorted(found["run_id"]), sorted(children))


@check("a run goes on where it was left")
def resumed():
    with mlflow.start_run() as first:
        mlflow.log_metric("m", 1, step=0)
    with mlflow.start_run(run_id=first.info.run_id):
        mlflow.log_metric("m", 2, step=1)
        same(client.get_run(first.info.run_id).info.status, "RUNNING")
    same([m.value for m in client.get_metric_history(first.info.run_id, "m")], [1.0, 2.0])


@check("a name for a run is made up where none is given; a time of beginning is kept")
def made_up():
    made = client.create_run("0", start_time=1_600_000_000_123)
    assert made.info.run_name
    same(client.get_run(made.info.run_id).info.start_time, 1_600_000_000_123)
    named = client.create_run("0", run_name="by argument", tags={"x": "y"})
    same(named.data.tags["x"], "y")
    same(named.info.run_name, "by argument")


@check("deleted runs refuse what is logged, and come back")
def deleted():
    run_id = client.create_run("0").info.run_id
    client.log_param(run_id, "p", 1)
    client.delete_run(run_id)
    for write in (
        lambda: client.log_metric(run_id, "m", 1),
        lambda: client.log_param(run_id, "q", 1),
        lambda: client.set_tag(run_id, "t", 1),
        lambda: client.log_batch(run_id, tags=[RunTag("t", "1")]),
    ):
        with refused("INVALID_PARAMETER_VALUE"):
            write()
    assert run_id not in [r.info.run_id for r in client.search_runs(["0"], max_results=1000)]
    assert run_id in [r.info.run_id for r in client.search_runs(["0"], run_view_type=ViewType.DELETED_ONLY, max_results=1000)]
    client.restore_run(run_id)
    client.log_metric(run_id, "m", 1)
    same(client.get_run(run_id).data.params, {"p": "1"})


@check("what is not there is said to be missing, at once")
def missing():
    for ask in (
        lambda: client.get_run("run-none"),
        lambda: client.get_experiment("4711"),
        lambda: client.delete_run("run-none"),
        lambda: client.restore_run("run-none"),
        lambda: client.log_metric("run-none", "m", 1),
        lambda: client.delete_experiment("4711"),
        lambda: client.create_run("4711"),
        lambda: client.get_registered_model("none"),
        lambda: client.get_model_version("none", 1),
        lambda: client.get_logged_model("m-none"),
        lambda: client.delete_tag(client.create_run("0").info.run_id, "none"),
    ):
        with refused("RESOURCE_DOES_NOT_EXIST"):
            ask()
    same(client.get_experiment_by_name("no such name"), None)


@check("the server says what it is")
def info():
    from mlflow.tracking._tracking_service.utils import _get_store

    store = _get_store()
    same(str(store._get_server_version(store.get_host_creds())), mlflow.__version__)


@check("what Orrery has not is refused in words, at once")
def unsupported():
    import requests

    for path in ("/api/2.0/mlflow/traces", "/api/3.0/mlflow/traces/search", "/api/2.0/mlflow/webhooks", "/api/3.0/mlflow/scorers/list"):
        answer = requests.post(mlflow.get_tracking_uri() + path, json={})
        same((answer.status_code, answer.json()["error_code"]), (501, "NOT_IMPLEMENTED"))
    answer = requests.get(mlflow.get_tracking_uri() + "/api/2.0/mlflow/nothing")
    same((answer.status_code, answer.json()["error_code"]), (404, "ENDPOINT_NOT_FOUND"))


@check("a request of another type, or that is no JSON, is the caller's mistake")
def malformed():
    import requests

    url = mlflow.get_tracking_uri() + "/api/2.0/mlflow/experiments/create"
    for body, kind in (("a=b", "application/x-www-form-urlencoded"), ("{", "application/json"), ("[]", "application/json")):
        answer = requests.post(url, data=body, headers={"content-type": kind})
        same(answer.status_code, 400)
        assert answer.json()["error_code"] in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"), answer.text
    for body in ({}, {"name": 3}, {"name": ""}, {"name": "x", "tags": "y"}, {"name": "x" * 501}):
        answer = requests.post(url, json=body)
        same((answer.status_code, answer.json()["error_code"]), (400, "INVALID_PARAMETER_VALUE"))
    # Integers may come as text, as protocol buffers write them; so may the whole body.
    answer = requests.post(mlflow.get_tracking_uri() + "/api/2.0/mlflow/runs/create", json={"experiment_id": "0", "start_time": "123456"})
    same(answer.json()["run"]["info"]["start_time"], 123456)


main()
