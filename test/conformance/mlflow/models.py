import os
import tempfile
import uuid
import warnings

warnings.filterwarnings("ignore")
import mlflow
import numpy as np
import pandas as pd
from checks import check, main, refused, same
from sklearn.linear_model import LinearRegression, LogisticRegression
from mlflow.models import infer_signature

client = mlflow.MlflowClient()
rng = np.random.default_rng(1)
X = pd.DataFrame(rng.normal(size=(80, 3)), columns=["a", "b", "c"])
y = (X["a"] + X["b"] > 0).astype(int)
fitted = LogisticRegression().fit(X, y)
expected = fitted.predict(X)
mark = uuid.uuid4().hex[:8]
PICKLE = {"serialization_format": "cloudpickle"}


def registered(name, **more):
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(
            fitted, name="model", registered_model_name=name, signature=infer_signature(X, expected), input_example=X[:3], **PICKLE, **more
        )
    return run, info


@check("a model is logged with its signature and example, and loaded by every address")
def loading():
    name = f"churn {mark}"
    run, info = registered(name)
    client.set_registered_model_alias(name, "champion", 1)
    client.transition_model_version_stage(name, 1, "Production")
    for uri in (
        info.model_uri,
        f"models:/{info.model_id}",
        f"runs:/{run.info.run_id}/model",
        f"models:/{name}/1",
        f"models:/{name}@champion",
        f"models:/{name}/latest",
        f"models:/{name}/Production",
    ):
        loaded = mlflow.pyfunc.load_model(uri)
        assert (loaded.predict(X) == expected).all(), uri
    same([i.name for i in mlflow.models.get_model_info(f"models:/{name}@champion").signature.inputs.inputs], ["a", "b", "c"])
    native = mlflow.sklearn.load_model(f"models:/{name}@champion")
    same(type(native).__name__, "LogisticRegression")
    same(list(mlflow.models.Model.load(info.model_uri).load_input_example().columns), ["a", "b", "c"])


@check("a logged model is ready, knows its run, and its run knows it")
def logged():
    with mlflow.start_run() as run:
        mlflow.log_param("depth", 3)
        info = mlflow.sklearn.log_model(fitted, name="inner", params={"solver": "lbfgs"}, **PICKLE)
        mlflow.log_metric("auc", 0.75, step=2, model_id=info.model_id)
    model = mlflow.get_logged_model(info.model_id)
    same((str(model.status), model.source_run_id, model.name), ("READY", run.info.run_id, "inner"))
    same(model.params["solver"], "lbfgs")
    same([(m.key, m.value, m.step, m.run_id) for m in model.metrics], [("auc", 0.75, 2, run.info.run_id)])
    same(client.get_run(run.info.run_id).outputs.model_outputs[0].model_id, info.model_id)
    same(model.artifact_location, f"mlflow-artifacts:/{model.experiment_id}/models/{info.model_id}/artifacts")
    mlflow.set_logged_model_tags(info.model_id, {"a": "1", "b": "2"})
    mlflow.delete_logged_model_tag(info.model_id, "a")
    tags = mlflow.get_logged_model(info.model_id).tags
    same((tags.get("a"), tags["b"]), (None, "2"))
    names = [f.path for f in client.list_logged_model_artifacts(info.model_id)]
    assert "MLmodel" in names, names
    client.delete_logged_model(info.model_id)
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_logged_model(info.model_id)


@check("a logged model made by hand is pending, then ready or failed")
def by_hand():
    made = client.create_logged_model("0", name="by hand", model_type="tree", params={"x": "1"})
    same(str(made.status), "PENDING")
    client.log_model_artifact(made.model_id, __file__)
    same([f.path for f in client.list_logged_model_artifacts(made.model_id)], [os.path.basename(__file__)])
    same(str(client.finalize_logged_model(made.model_id, "FAILED").status), "FAILED")
    same(client.get_logged_model(made.model_id).model_type, "tree")
    many = {f"p{i}": str(i) for i in range(250)}
    client.log_model_params(made.model_id, many)
    same(client.get_logged_model(made.model_id).params, {"x": "1", **many})


@check("versions count on, and know their source, run, description and tags")
def versions():
    name = f"versions {mark}"
    client.create_registered_model(name, tags={"team": "x"}, description="what it is for")
    run = client.create_run("0").info.run_id
    for _ in range(3):
        client.create_model_version(name, f"runs:/{run}/model", run, tags={"k": "v"}, description="first words")
    client.delete_model_version(name, 3)
    again = client.create_model_version(name, f"runs:/{run}/model", run)
    same(again.version, "4")
    one = client.get_model_version(name, 1)
    same((one.run_id, one.source, one.description, one.tags, one.status, one.current_stage), (run, f"runs:/{run}/model", "first words", {"k": "v"}, "READY", "None"))
    client.update_model_version(name, 1, "other words")
    client.set_model_version_tag(name, 1, "k2", 5)
    client.delete_model_version_tag(name, 1, "k")
    one = client.get_model_version(name, 1)
    same((one.description, one.tags), ("other words", {"k2": "5"}))
    assert one.last_updated_timestamp >= one.creation_timestamp > 0
    model = client.get_registered_model(name)
    same((model.tags, model.description, [v.version for v in model.latest_versions]), ({"team": "x"}, "what it is for", ["4"]))
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_model_version(name, 3)


@check("a registered model is renamed, described, tagged, deleted, and its name used again")
def registered_models():
    name = f"registered {mark}"
    client.create_registered_model(name)
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.create_registered_model(name)
    client.create_model_version(name, "s3://bucket/model")
    client.set_registered_model_alias(name, "champion", 1)
    client.update_registered_model(name, "words")
    client.set_registered_model_tag(name, "a", "1")
    client.set_registered_model_tag(name, "b", "2")
    client.delete_registered_model_tag(name, "a")
    client.rename_registered_model(name, name + " 2")
    model = client.get_registered_model(name + " 2")
    same((model.description, model.tags, model.aliases), ("words", {"b": "2"}, {"champion": "1"}))
    same(client.get_model_version_by_alias(name + " 2", "champion").version, "1")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_registered_model(name)
    client.delete_registered_model(name + " 2")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_registered_model(name + " 2")
    client.create_registered_model(name + " 2")
    same(client.get_registered_model(name + " 2").latest_versions, [])


@check("aliases move, are refused where they are reserved, and go with their version")
def aliases():
    name = f"aliases {mark}"
    client.create_registered_model(name)
    for _ in range(2):
        client.create_model_version(name, "s3://bucket/model")
    client.set_registered_model_alias(name, "champion", 1)
    client.set_registered_model_alias(name, "champion", 2)
    client.set_registered_model_alias(name, "other", 2)
    same(client.get_model_version_by_alias(name, "champion").version, "2")
    same(sorted(client.get_model_version(name, 2).aliases), ["champion", "other"])
    client.delete_registered_model_alias(name, "other")
    client.delete_registered_model_alias(name, "never-set")
    with refused("INVALID_PARAMETER_VALUE"):
        client.get_model_version_by_alias(name, "other")
    for alias in ("latest", "v2", "", "a b", "x" * 256):
        with refused("INVALID_PARAMETER_VALUE"):
            client.set_registered_model_alias(name, alias, 1)
    client.delete_model_version(name, 2)
    with refused("INVALID_PARAMETER_VALUE"):
        client.get_model_version_by_alias(name, "champion")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.set_registered_model_alias(name, "champion", 7)


@check("stages in any case, archiving those that were there, and the latest of each")
def stages():
    name = f"stages {mark}"
    client.create_registered_model(name)
    for _ in range(4):
        client.create_model_version(name, "s3://bucket/model")
    client.transition_model_version_stage(name, 1, "production")
    client.transition_model_version_stage(name, 2, "Production", archive_existing_versions=True)
    client.transition_model_version_stage(name, 3, "STAGING")
    same([client.get_model_version(name, v).current_stage for v in (1, 2, 3, 4)], ["Archived", "Production", "Staging", "None"])
    same(sorted(v.version for v in client.get_latest_versions(name)), ["1", "2", "3", "4"])
    same([v.version for v in client.get_latest_versions(name, ["Production"])], ["2"])
    with refused("INVALID_PARAMETER_VALUE"):
        client.transition_model_version_stage(name, 1, "nowhere")
    with refused("INVALID_PARAMETER_VALUE"):
        client.transition_model_version_stage(name, 1, "None", archive_existing_versions=True)


@check("a version is copied to another model, and the copy is loaded")
def copied():
    name = f"copied {mark}"
    registered(name)
    client.set_registered_model_alias(name, "champion", 1)
    copy = client.copy_model_version(f"models:/{name}@champion", name + " production")
    same((copy.version, copy.source), ("1", f"models:/{name}/1"))
    assert (mlflow.pyfunc.load_model(f"models:/{name} production/1").predict(X) == expected).all()


@check("register_model takes a run's model, waits for it, and a second one is version 2")
def register():
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(LinearRegression().fit(X, y), name="model", **PICKLE)
    name = f"register {mark}"
    first = mlflow.register_model(info.model_uri, name)
    second = mlflow.register_model(f"runs:/{run.info.run_id}/model", name, tags={"a": "b"})
    same((first.version, second.version, second.tags.get("a")), ("1", "2", "b"))
    same(second.run_id, run.info.run_id)
    assert len(mlflow.pyfunc.load_model(f"models:/{name}/2").predict(X)) == len(X)
    import json

    same(json.loads(mlflow.get_logged_model(info.model_id).tags["mlflow.modelVersions"])[0], {"name": name, "version": 1})


@check("an ONNX model is logged, registered and loaded with the same answers")
def onnx_flavor():
    from skl2onnx import to_onnx

    matrix = X.to_numpy(dtype=np.float32)
    graph = to_onnx(fitted, matrix[:1], options={"zipmap": False})
    name = f"onnx {mark}"
    with mlflow.start_run():
        mlflow.onnx.log_model(graph, name="model", registered_model_name=name, signature=infer_signature(matrix, expected))
    client.set_registered_model_alias(name, "champion", 1)
    answer = mlflow.pyfunc.load_model(f"models:/{name}@champion").predict(matrix)
    labels = next(np.asarray(v) for k, v in answer.items() if "label" in k)
    assert (labels.ravel() == expected).all()


@check("a custom Python model with files of its own comes back with them")
def custom():
    class Adds(mlflow.pyfunc.PythonModel):
        def load_context(self, context):
            with open(context.artifacts["offset"]) as file:
                self.offset = float(file.read())

        def predict(self, context, model_input, params=None):
            return model_input["a"] + self.offset

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "offset.txt")
        with open(path, "w") as file:
            file.write("2.5")
        with mlflow.start_run():
            info = mlflow.pyfunc.log_model(name="custom", python_model=Adds(), artifacts={"offset": path})
    found = mlflow.pyfunc.load_model(info.model_uri).predict(pd.DataFrame({"a": [1.0]}))
    same(list(found), [3.5])


@check("sources that name a machine's files or step upwards are refused")
def sources():
    name = f"sources {mark}"
    client.create_registered_model(name)
    for source in ("/etc/passwd", "file:///etc/passwd", "mlflow-artifacts:/a/../../b", "mlflow-artifacts:/a/%2e%2e/b", "http://host/../x", "models:/none/1"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.create_model_version(name, source)


main()
