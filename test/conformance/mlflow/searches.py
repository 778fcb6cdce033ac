import math
import uuid

import mlflow
from checks import check, main, refused, same
from mlflow.entities import Metric, Param, RunTag, ViewType

client = mlflow.MlflowClient()
mark = uuid.uuid4().hex[:8]
experiment = client.create_experiment(f"searched {mark}")
runs = []
for i in range(30):
    run = client.create_run(experiment, start_time=1_000_000 + i, run_name=f"run {i:02d}").info.run_id
    value = math.nan if i == 7 else math.inf if i == 8 else i / 10
    metrics = [] if i == 9 else [Metric("auc", value, 1000, 0)]
    client.log_batch(
        run,
        metrics=metrics + [Metric("a b", i, 1000, 0)],
        params=[Param("model", "tree" if i % 2 else "linear"), Param("x/y", str(i))],
        tags=[RunTag("stage", "Prod" if i % 3 == 0 else "dev")],
    )
    runs.append(run)


def found(filter_string="", **more):
    return [runs.index(r.info.run_id) for r in client.search_runs([experiment], filter_string, **more)]


@check("runs come newest first")
def newest():
    same(found(), list(reversed(range(30))))


@check("runs are filtered by metrics, params, tags and attributes")
def filters():
    same(found("metrics.auc > 2.5 and params.model = 'tree'"), [29, 27])
    same(set(found("metrics.auc >= 2.7")), {8, 27, 28, 29})
    same(found("metrics.`a b` = 3"), [3])
    same(found('params."x/y" = \'4\''), [4])
    same(found("params.`x/y` != '4' and params.model = 'linear' and metrics.`a b` < 9"), [8, 6, 2, 0])
    same(found("tags.stage LIKE 'Pr%'"), [27, 24, 21, 18, 15, 12, 9, 6, 3, 0])
    same(found("tags.stage LIKE 'pr%'"), [])
    same(len(found("tags.stage ILIKE 'PR%'")), 10)
    same(found("attributes.run_name = 'run 05'"), [5])
    same(found("run_name LIKE 'run 1%'"), list(reversed(range(10, 20))))
    same(found(f"attributes.run_id IN ('{runs[3]}', '{runs[4]}')"), [4, 3])
    same(len(found(f"run_id NOT IN ('{runs[3]}', '{runs[4]}')")), 28)
    same(found("attributes.start_time > 1000026"), [29, 28, 27])
    same(len(found("attributes.status = 'RUNNING'")), 30)
    same(found("attribute.status = 'FAILED'"), [])
    same(found("tags.none != 'x'"), [])


@check("what users of MLflow miss: OR, parentheses, IS NULL")
def more():
    same(found("(metrics.`a b` = 1 or metrics.`a b` = 2) and params.model = 'tree'"), [1])
    same(found("metrics.auc IS NULL"), [9])
    same(len(found("metrics.auc IS NOT NULL")), 29)


@check("order: nulls last in both directions, NaN just before them")
def order():
    up, down = found(order_by=["metrics.auc ASC"]), found(order_by=["metrics.auc DESC"])
    same((up[0], up[-3:]), (0, [8, 7, 9]))
    same((down[:2], down[-2:]), ([8, 29], [7, 9]))
    same(found(order_by=["params.model ASC", "attributes.start_time ASC"])[:3], [0, 2, 4])
    same(found("params.model = 'tree'", order_by=["tags.stage DESC", "metrics.`a b` DESC"])[:2], [29, 25])
    same(found(order_by=["attributes.end_time"])[:1], [29])


@check("runs are paged without one lost or twice, also while others are added")
def paging():
    seen, token = [], None
    while True:
        page = client.search_runs([experiment], order_by=["metrics.auc DESC"], max_results=7, page_token=token)
        seen += [r.info.run_id for r in page]
        token = page.token
        extra = client.create_run(experiment, start_time=1).info.run_id
        client.log_metric(extra, "auc", 99)
        client.delete_run(extra)
        if not token:
            break
    same(len(seen), 30)
    same(set(seen), set(runs))
    same(mlflow.search_runs([experiment], output_format="pandas").shape[0], 30)


@check("a wrong filter, order or token says so at once")
def wrong():
    for ask in (
        lambda: found("metrics.auc >"),
        lambda: found("metrics.auc = 'text'"),
        lambda: found("params.model > 3"),
        lambda: found("nonsense.x = 1"),
        lambda: found("attributes.nothing = 'x'"),
        lambda: found(order_by=["nothing DESC"]),
        lambda: client.search_runs([experiment], page_token="rubbish"),
        lambda: client.search_runs([experiment], max_results=50_001),
        lambda: found("params.model = 'x'; drop table runs"),
        lambda: client.search_experiments(filter_string="nothing = 'x'"),
        lambda: client.search_registered_models("nothing = 'x'"),
        lambda: client.search_model_versions("nothing = 'x'"),
        lambda: client.search_registered_models(max_results=1001),
    ):
        with refused("INVALID_PARAMETER_VALUE"):
            ask()
    same(len(found()), 30)


@check("no experiment is none, and several are all of theirs")
def several():
    other = client.create_experiment(f"other {mark}")
    client.create_run(other)
    same(len(client.search_runs([other, experiment])), 31)
    same(client.search_runs([]), [])


@check("experiments are searched by name, tag and time, ordered and paged")
def experiments():
    made = [client.create_experiment(f"se {mark} {i}", tags={"mark": mark, "i": str(i)}) for i in range(5)]
    client.delete_experiment(made[4])
    ids = lambda **k: [e.experiment_id for e in client.search_experiments(**k)]  # noqa: E731
    same(set(ids(filter_string=f"tags.mark = '{mark}'")), set(made[:4]))
    same(ids(filter_string=f"name = 'se {mark} 2'"), [made[2]])
    same(ids(filter_string=f"name LIKE 'se {mark}%'", order_by=["name DESC"]), made[3::-1])
    same(ids(filter_string=f"name ILIKE 'SE {mark}%' and tags.i = '1'"), [made[1]])
    same(ids(filter_string=f"tags.mark = '{mark}'", view_type=ViewType.DELETED_ONLY), [made[4]])
    same(len(ids(filter_string=f"tags.mark = '{mark}'", view_type=ViewType.ALL)), 5)
    page = client.search_experiments(filter_string=f"tags.mark = '{mark}'", order_by=["name"], max_results=3)
    rest = client.search_experiments(filter_string=f"tags.mark = '{mark}'", order_by=["name"], max_results=3, page_token=page.token)
    same([e.experiment_id for e in [*page, *rest]], made[:4])
    same(rest.token, None)
    assert experiment in [e.experiment_id for e in mlflow.search_experiments()]


@check("registered models and versions are searched, ordered and paged")
def registry():
    names = [f"sm {mark} {i}" for i in range(5)]
    for i, name in enumerate(names):
        client.create_registered_model(name, tags={"i": str(i), "mark": mark})
        for version in range(1, 4):
            client.create_model_version(name, f"s3://bucket/{name}/{version}".replace(" ", "-"), run_id=runs[version], tags={"v": str(version)})
    models = lambda **k: [m.name for m in client.search_registered_models(**k)]  # noqa: E731
    same(models(filter_string=f"name LIKE 'sm {mark}%'"), names)
    same(models(filter_string=f"name LIKE 'sm {mark}%'", order_by=["name DESC"]), names[::-1])
    same(models(filter_string=f"tags.mark = '{mark}' and tags.i = '3'"), [names[3]])
    same(models(filter_string=f"name ILIKE 'SM {mark}%' and tag.i = '2'"), [names[2]])
    first = client.search_registered_models(f"name LIKE 'sm {mark}%'", max_results=3)
    rest = client.search_registered_models(f"name LIKE 'sm {mark}%'", max_results=3, page_token=first.token)
    same([m.name for m in [*first, *rest]], names)
    same([v.version for m in first[:1] for v in m.latest_versions], ["3"])
    versions = lambda f, **k: [(v.name, int(v.version)) for v in client.search_model_versions(f, **k)]  # noqa: E731
    same(versions(f"name = '{names[0]}'", order_by=["version_number DESC"]), [(names[0], n) for n in (3, 2, 1)])
    same(versions(f"name = '{names[0]}' and version_number > 1", order_by=["version_number ASC"]), [(names[0], 2), (names[0], 3)])
    same(versions(f"run_id = '{runs[2]}' and name LIKE 'sm {mark}%'", order_by=["name ASC"]), [(n, 2) for n in names])
    same(versions(f"source_path = 's3://bucket/sm-{mark}-1/1'"), [(names[1], 1)])
    same(len(versions(f"tags.v = '2' and name LIKE 'sm {mark}%'")), 5)
    seen, token = [], None
    while True:
        page = client.search_model_versions(f"name LIKE 'sm {mark}%'", max_results=4, page_token=token)
        seen += [(v.name, v.version) for v in page]
        token = page.token
        if not token:
            break
    same((len(seen), len(set(seen))), (15, 15))
    same(len(mlflow.search_model_versions(filter_string=f"name LIKE 'sm {mark}%'")), 15)
    assert len(mlflow.search_registered_models(filter_string=f"name LIKE 'sm {mark}%'")) == 5


@check("logged models are searched by metric, param, tag and data set, ordered and paged")
def logged():
    other = client.create_experiment(f"logged {mark}")
    with mlflow.start_run(experiment_id=other) as run:
        models = [mlflow.create_external_model(name=f"m{i}", params={"depth": str(i)}, tags={"t": str(i % 2)}) for i in range(6)]
        import pandas as pd

        data = mlflow.data.from_pandas(pd.DataFrame({"a": [1]}), name="held out")
        for i, model in enumerate(models):
            mlflow.log_metric("auc", i / 10, model_id=model.model_id, dataset=data)
            mlflow.log_metric("plain", i, model_id=model.model_id)
    find = lambda **k: [models_of(m) for m in client.search_logged_models([other], **k)]  # noqa: E731
    index = {m.model_id: i for i, m in enumerate(models)}
    models_of = lambda m: index[m.model_id]  # noqa: E731
    same(find(), [5, 4, 3, 2, 1, 0])
    same(find(filter_string="metrics.auc > 0.35"), [5, 4])
    same(find(filter_string="params.depth = '2'"), [2])
    same(find(filter_string="tags.t = '1' AND name != 'm1'"), [5, 3])
    same(find(filter_string=f"source_run_id = '{run.info.run_id}' AND metrics.plain <= 1"), [1, 0])
    same(find(order_by=[{"field_name": "metrics.auc", "ascending": True, "dataset_name": "held out"}]), [0, 1, 2, 3, 4, 5])
    same(find(filter_string="metrics.auc > 0.35", datasets=[{"dataset_name": "another"}]), [])
    same(find(filter_string="metrics.auc > 0.35", datasets=[{"dataset_name": "held out"}]), [5, 4])
    first = client.search_logged_models([other], max_results=4)
    rest = client.search_logged_models([other], max_results=4, page_token=first.token)
    same([models_of(m) for m in [*first, *rest]], [5, 4, 3, 2, 1, 0])
    same(mlflow.search_logged_models([other], output_format="pandas").shape[0], 6)


main()
