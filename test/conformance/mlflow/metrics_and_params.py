import math
import time

import mlflow
from checks import check, main, refused, same
from mlflow.entities import Metric, Param, RunTag

client = mlflow.MlflowClient()
new_run = lambda: client.create_run("0").info.run_id  # noqa: E731


@check("params are text, may be said again, and never change")
def params():
    run = new_run()
    client.log_param(run, "depth", 3)
    client.log_param(run, "depth", 3)
    client.log_param(run, "list", [1, 2])
    client.log_param(run, "empty", "")
    client.log_param(run, "ünïcode / key", "värde ✓")
    with refused("INVALID_PARAMETER_VALUE"):
        client.log_param(run, "depth", 4)
    same(
        client.get_run(run).data.params,
        {"depth": "3", "list": "[1, 2]", "empty": "", "ünïcode / key": "värde ✓"},
    )


@check("a batch with a changed param is refused whole")
def whole():
    run = new_run()
    client.log_param(run, "a", 1)
    with refused("INVALID_PARAMETER_VALUE"):
        client.log_batch(run, metrics=[Metric("m", 1, 1, 0)], params=[Param("b", "1"), Param("a", "2")], tags=[RunTag("t", "1")])
    found = client.get_run(run).data
    same((found.metrics, found.params, "t" in found.tags), ({}, {"a": "1"}, False))


@check("the latest of a metric is that of the greatest step, then time, then value")
def latest():
    run = new_run()
    for value, at, step in ((1, 1000, 0), (5, 2000, 3), (4, 1000, 3), (9, 3000, 1), (6, 2000, 3)):
        client.log_metric(run, "m", value, timestamp=at, step=step)
    same(client.get_run(run).data.metrics, {"m": 6.0})
    history = [(m.value, m.timestamp, m.step) for m in client.get_metric_history(run, "m")]
    same(sorted(history), sorted([(1, 1000, 0), (5, 2000, 3), (4, 1000, 3), (9, 3000, 1), (6, 2000, 3)]))


@check("NaN and the infinities are kept, negative steps too")
def special():
    run = new_run()
    values = [math.nan, math.inf, -math.inf, 0.0, -0.5, 1e-300, 1.7976931348623157e308]
    for step, value in enumerate(values):
        client.log_metric(run, "m", value, timestamp=1000, step=step - 3)
    found = [m.value for m in client.get_metric_history(run, "m")]
    assert math.isnan(found[0]), found
    same(found[1:], values[1:])
    client.log_metric(run, "nan", math.nan)
    assert math.isnan(client.get_run(run).data.metrics["nan"])
    client.log_metric(run, "inf", math.inf)
    same(client.get_run(run).data.metrics["inf"], math.inf)


@check("the same point again is one point, of NaN too")
def again():
    run = new_run()
    for _ in range(3):
        client.log_metric(run, "m", 1.5, timestamp=1000, step=1)
        client.log_metric(run, "n", math.nan, timestamp=1000, step=1)
    same(len(client.get_metric_history(run, "m")), 1)
    same(len(client.get_metric_history(run, "n")), 1)


@check("1,000 metrics, 100 params and 100 tags go in a batch")
def batches():
    run = new_run()
    now = int(time.time() * 1000)
    client.log_batch(run, metrics=[Metric("loss", 1 / (i + 1), now + i, i) for i in range(1000)])
    client.log_batch(
        run,
        params=[Param(f"p{i}", str(i)) for i in range(100)],
        tags=[RunTag(f"t{i}", str(i)) for i in range(100)],
        metrics=[Metric(f"m{i}", i, now, 0) for i in range(800)],
    )
    data = client.get_run(run).data
    same((len(data.params), len(data.metrics), data.tags["t99"], data.metrics["loss"]), (100, 801, "99", 1 / 1000))
    same([m.step for m in client.get_metric_history(run, "loss")], list(range(1000)))


@check("more than a batch takes is refused by the server")
def too_many():
    import requests

    run = new_run()
    url = mlflow.get_tracking_uri() + "/api/2.0/mlflow/runs/log-batch"
    for body in (
        {"metrics": [{"key": f"m{i}", "value": 1, "timestamp": 1} for i in range(1001)]},
        {"params": [{"key": f"p{i}", "value": "1"} for i in range(101)]},
        {"tags": [{"key": f"t{i}", "value": "1"} for i in range(101)]},
        {"params": [{"key": "twice", "value": "1"}, {"key": "twice", "value": "2"}]},
        {"metrics": [{"key": "m", "value": "x", "timestamp": 1}]},
        {"metrics": [{"key": "m", "value": 1}]},
        {"metrics": [{"value": 1, "timestamp": 1}]},
        {"params": [{"key": "k" * 251, "value": "1"}]},
        {"tags": [{"key": "../../up", "value": "1"}]},
    ):
        answer = requests.post(url, json={"run_id": run, **body})
        same((answer.status_code, answer.json()["error_code"]), (400, "INVALID_PARAMETER_VALUE"))
    same(client.get_run(run).data.params, {})
    # MLflow's server cuts a value that is too long, unless it is told otherwise.
    requests.post(url, json={"run_id": run, "params": [{"key": "k", "value": "v" * 6001}]}).raise_for_status()
    same(client.get_run(run).data.params, {"k": "v" * 6000})
    long = requests.post(url, data='{"run_id": "%s", "x": "%s"}' % (run, "y" * 1_000_001), headers={"content-type": "application/json"})
    same((long.status_code, long.json()["error_code"]), (400, "INVALID_PARAMETER_VALUE"))


@check("a history of 60,000 points is paged without a point lost or twice")
def history():
    run = new_run()
    for start in range(0, 60_000, 1000):
        client.log_batch(run, metrics=[Metric("m", i, 1_000_000 + i, i) for i in range(start, start + 1000)])
    began = time.monotonic()
    found = client.get_metric_history(run, "m")
    took = time.monotonic() - began
    same([m.step for m in found], list(range(60_000)))
    return f"{took:.1f} s"


@check("histories of several runs come within steps, thinned where they are long")
def bulk():
    import requests

    runs = [new_run(), new_run()]
    for run in runs:
        client.log_batch(run, metrics=[Metric("m", i, 1000 + i, i) for i in range(500)])
    url = mlflow.get_tracking_uri() + "/api/2.0/mlflow/metrics/get-history-bulk-interval"
    all_ = requests.get(url, params={"run_ids": runs, "metric_key": "m", "start_step": 10, "end_step": 19}).json()["metrics"]
    same(len(all_), 20)
    same({m["run_id"] for m in all_}, set(runs))
    thin = requests.get(url, params={"run_ids": runs[0], "metric_key": "m", "max_results": 50}).json()["metrics"]
    same((thin[0]["step"], thin[-1]["step"]), (0, 499))
    assert len(thin) <= 50


@check("what is logged in the background is there when it has been waited for")
def asynchronous():
    with mlflow.start_run() as run:
        for step in range(300):
            mlflow.log_metric("m", step, step=step, synchronous=False)
        mlflow.log_params({"a": 1, "b": 2}, synchronous=False).wait()
    mlflow.flush_async_logging()
    same(len(client.get_metric_history(run.info.run_id, "m")), 300)
    same(client.get_run(run.info.run_id).data.params, {"a": "1", "b": "2"})


@check("32 threads log to one run and nothing is lost")
def threads():
    from concurrent.futures import ThreadPoolExecutor

    run = new_run()
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda i: client.log_metric(run, f"m{i % 8}", i, step=i), range(640)))
    same(sum(len(client.get_metric_history(run, f"m{i}")) for i in range(8)), 640)


main()
