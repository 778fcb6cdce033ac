"""Against a server with a token: TOKEN is the right one."""

import os

import mlflow
from checks import check, main, refused, same

client = mlflow.MlflowClient()
TOKEN = os.environ["TOKEN"]


def named(**names):
    for name in ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        os.environ.pop(name, None)
    os.environ.update(names)


@check("nobody comes in without a token, or with a wrong one, and is told at once")
def out():
    for names in ({}, {"MLFLOW_TRACKING_TOKEN": "wrong"}, {"MLFLOW_TRACKING_USERNAME": "a", "MLFLOW_TRACKING_PASSWORD": "password"}):
        named(**names)
        with refused("UNAUTHENTICATED"):
            client.create_run("0")


@check("MLFLOW_TRACKING_TOKEN lets a client in, to artifacts and uploads in parts too")
def token():
    named(MLFLOW_TRACKING_TOKEN=TOKEN)
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1)
        mlflow.log_text("x", "a.txt")
        os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "true"
        os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = str(5 << 20)
        os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = str(5 << 20)
        mlflow.log_text("x" * (11 << 20), "large.txt")
    same(mlflow.artifacts.load_text(f"{run.info.artifact_uri}/a.txt"), "x")
    same(len(mlflow.artifacts.load_text(f"{run.info.artifact_uri}/large.txt")), 11 << 20)


@check("the token is as good as a password")
def password():
    named(MLFLOW_TRACKING_USERNAME="anybody", MLFLOW_TRACKING_PASSWORD=TOKEN)
    assert client.search_experiments()


main()
