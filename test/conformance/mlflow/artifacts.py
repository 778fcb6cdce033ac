import hashlib
import os
import tempfile
import time
from pathlib import Path

import mlflow
from checks import check, main, refused, same

client = mlflow.MlflowClient()
new_run = lambda: client.create_run("0").info.run_id  # noqa: E731


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()


def random_file(folder, name, megabytes):
    path = Path(folder) / name
    with open(path, "wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
    return path


@check("files and folders go up, are listed and come down")
def files():
    run = new_run()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        (tree / "deep" / "deeper").mkdir(parents=True)
        (tree / "a.txt").write_text("a")
        (tree / "deep" / "b.bin").write_bytes(bytes(range(256)))
        (tree / "deep" / "deeper" / "empty").write_bytes(b"")
        client.log_artifact(run, tree / "a.txt")
        client.log_artifact(run, tree / "a.txt", "elsewhere")
        client.log_artifacts(run, tree, "whole")
        listed = lambda path=None: [(f.path, f.is_dir, f.file_size) for f in client.list_artifacts(run, path)]  # noqa: E731
        same(listed(), [("a.txt", False, 1), ("elsewhere", True, None), ("whole", True, None)])
        same(listed("whole"), [("whole/a.txt", False, 1), ("whole/deep", True, None)])
        same(listed("whole/deep"), [("whole/deep/b.bin", False, 256), ("whole/deep/deeper", True, None)])
        same(listed("a.txt"), [])
        same(listed("nothing"), [])
        down = Path(client.download_artifacts(run, "whole", folder))
        same((down / "deep" / "b.bin").read_bytes(), bytes(range(256)))
        same((down / "deep" / "deeper" / "empty").read_bytes(), b"")
        all_ = Path(mlflow.artifacts.download_artifacts(run_id=run, dst_path=Path(folder) / "all"))
        same((all_ / "elsewhere" / "a.txt").read_text(), "a")


@check("text, JSON, tables, figures and images are logged and read")
def kinds():
    import numpy as np

    with mlflow.start_run() as run:
        mlflow.log_text("größer", "notes/über.txt")
        mlflow.log_dict({"a": [1, 2]}, "config.json")
        mlflow.log_table({"a": [1, 2], "b": ["x", "y"]}, "table.json")
        mlflow.log_table({"a": [3], "b": ["z"]}, "table.json")
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots()
        axes.plot([1, 2])
        mlflow.log_figure(figure, "figures/one.png")
        mlflow.log_image(np.zeros((4, 4, 3), dtype=np.uint8), "image.png")
    uri = run.info.artifact_uri
    same(mlflow.artifacts.load_text(f"{uri}/notes/über.txt"), "größer")
    same(mlflow.artifacts.load_dict(f"{uri}/config.json"), {"a": [1, 2]})
    same(list(mlflow.load_table("table.json", run_ids=[run.info.run_id])["a"]), [1, 2, 3])
    assert mlflow.artifacts.load_image(f"{uri}/figures/one.png").size[0] > 0


@check("names with spaces, percent signs, plus and other scripts survive")
def names():
    run = new_run()
    given = ["a b.txt", "100%.txt", "a+b.txt", "a&b=c.txt", "日本語.txt", "é.txt", "x'y.txt", "[1]{2}.txt"]
    with tempfile.TemporaryDirectory() as folder:
        for name in given:
            path = Path(folder) / name
            path.write_text(name)
            client.log_artifact(run, path, "odd names")
        same(sorted(f.path for f in client.list_artifacts(run, "odd names")), sorted(f"odd names/{n}" for n in given))
        for name in given:
            same(Path(client.download_artifacts(run, f"odd names/{name}", folder)).read_text(), name)


@check("a file of 300 MB is streamed up and down whole")
def large():
    run = new_run()
    with tempfile.TemporaryDirectory() as folder:
        path = random_file(folder, "large.bin", 300)
        began = time.monotonic()
        client.log_artifact(run, path)
        up = time.monotonic() - began
        (Path(folder) / "down").mkdir()
        began = time.monotonic()
        down = client.download_artifacts(run, "large.bin", Path(folder) / "down")
        took = time.monotonic() - began
        same(digest(down), digest(path))
        return f"up {300 / up:.0f} MB/s, down {300 / took:.0f} MB/s"


@check("a large file goes up in parts, and nothing is to be seen before the last")
def multipart():
    os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "true"
    os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = str(5 << 20)
    os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = str(5 << 20)
    try:
        run = new_run()
        seen = []
        from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository

        whole = MlflowArtifactsRepository.complete_multipart_upload

        def watched(self, *args, **kwargs):
            seen.append([f.path for f in client.list_artifacts(run, "parts")])
            return whole(self, *args, **kwargs)

        MlflowArtifactsRepository.complete_multipart_upload = watched
        with tempfile.TemporaryDirectory() as folder:
            path = random_file(folder, "parts.bin", 33)
            client.log_artifact(run, str(path), "parts")
            same(seen, [[]])
            (Path(folder) / "down").mkdir()
            same(digest(client.download_artifacts(run, "parts/parts.bin", Path(folder) / "down")), digest(path))
        MlflowArtifactsRepository.complete_multipart_upload = whole
    finally:
        for name in ("ENABLE_PROXY_MULTIPART_UPLOAD", "MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "MULTIPART_UPLOAD_CHUNK_SIZE"):
            del os.environ["MLFLOW_" + name]


@check("a missing artifact is said to be missing, at once")
def missing():
    run = new_run()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for path in ("none.txt", "no/such/file"):
            try:
                client.download_artifacts(run, path, folder)
                raise AssertionError("it was there")
            except (mlflow.MlflowException, OSError) as error:
                assert "path is correct" in str(error) or "no such" in str(error).lower(), error
    took = time.monotonic() - began
    assert took < 5, f"{took:.1f} s"
    return f"{took:.2f} s"


@check("artifacts are deleted one by one and by folder")
def deleting():
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    with mlflow.start_run() as run:
        for name in ("a.txt", "f/b.txt", "f/c.txt"):
            mlflow.log_text("x", name)
    repository = get_artifact_repository(run.info.artifact_uri)
    repository.delete_artifacts("a.txt")
    same([f.path for f in client.list_artifacts(run.info.run_id)], ["f"])
    repository.delete_artifacts("f")
    same(client.list_artifacts(run.info.run_id), [])


@check("paths that lead elsewhere are refused")
def traversal():
    import requests

    base = mlflow.get_tracking_uri() + "/api/2.0/mlflow-artifacts/artifacts/"
    session = requests.Session()
    for path in ("%2e%2e/%2e%2e/etc/passwd", "%252e%252e/x", "a/%2e%2e/%2e%2e/b", "%2fetc/passwd", "a%5c..%5cb", "c%3a%5cx", "a%00b"):
        for method in ("GET", "PUT", "DELETE"):
            answer = session.send(_raw(session, method, base + path))
            assert answer.status_code in (400, 404), f"{method} {path}: {answer.status_code}"


def _raw(session, method, url):
    import requests

    prepared = session.prepare_request(requests.Request(method, mlflow.get_tracking_uri(), data=b"x" if method == "PUT" else None))
    prepared.url = url
    return prepared


@check("an experiment of its own location keeps its files there")
def location():
    made = client.create_experiment(f"located {time.time()}", artifact_location="mlflow-artifacts:/shared/place")
    run = client.create_run(made)
    same(run.info.artifact_uri, f"mlflow-artifacts:/shared/place/{run.info.run_id}/artifacts")
    client.log_text(run.info.run_id, "x", "a.txt")
    same([f.path for f in client.list_artifacts(run.info.run_id)], ["a.txt"])
    for place in ("file:///etc", "/etc", "mlflow-artifacts:/../up", "http://169.254.169.254/latest", "s3://bucket/a/../b"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.create_experiment(f"bad {time.time()}", artifact_location=place)


main()
