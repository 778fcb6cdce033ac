"""
Puts `orrery server` in the place of the server and the stores that MLflow's own tests make for themselves. The tests stay as they are; each gets
a project of its own on one running server, which is as fresh as a new server and costs nothing.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

# Without either MLflow's own server and stores stand in that place: the control, which tells what no server can pass over the wire.
SERVER = os.environ.get("ORRERY_UPSTREAM_URL")
# The Python of a newer MLflow: its `mlflow server` stands there, started for each test. What it fails too is not asked of Orrery.
NEWEST = os.environ.get("ORRERY_UPSTREAM_NEWEST")
OUTCOMES = os.environ["ORRERY_UPSTREAM_OUTCOMES"]

_made = 0
_outcomes = {}


@contextlib.contextmanager
def fresh_address(request):
    if NEWEST is not None:
        with newest_server(request.getfixturevalue("tmp_path_factory").mktemp("newest")) as url:
            yield url
        return
    global _made
    _made += 1
    url = f"{SERVER}/projects/test-{os.getpid()}-{_made}"
    # A project begins when it is first asked for, MLflow's server before the test: its experiment "Default" shall be the older one.
    requests.get(f"{url}/api/2.0/mlflow/experiments/get", params={"experiment_id": "0"}, timeout=30).raise_for_status()
    yield url


@contextlib.contextmanager
def newest_server(folder):
    """As `mlflow server` starts without options, but for the port and where it writes."""
    from tests.helper_functions import get_safe_port

    url = f"http://127.0.0.1:{get_safe_port()}"
    options = ("--port", url.rsplit(":", 1)[1], "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", folder / "files")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MLFLOW_TRACKING_URI")}
    with subprocess.Popen([NEWEST, "-m", "mlflow", "server", "--workers", "1", *options], cwd=folder, env=environment, start_new_session=True) as server:
        try:
            wait_for(url, server)
            yield url
        finally:
            os.killpg(server.pid, signal.SIGTERM)


def wait_for(url, server):
    for _ in range(600):
        if server.poll() is not None:
            break
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{url}/health", timeout=30).ok:
                return
        time.sleep(0.2)
    raise RuntimeError("mlflow server does not start")


def credentials(url):
    from mlflow.utils.rest_utils import MlflowHostCreds

    return lambda: MlflowHostCreds(url)


class StoreOverTheWire:
    """
    MLflow's RestStore, with what its messages cannot say put back as the SQL stores have it: a version is a number, what is empty is None, a run
    may be created without a list of tags.
    """

    DEFAULT_EXPERIMENT_ID = "0"

    def __init__(self, rest):
        self._rest = rest

    def create_run(self, experiment_id, user_id, start_time, tags, run_name):
        return self._rest.create_run(experiment_id, user_id, start_time, tags or [], run_name)

    def __getattr__(self, name):
        found = getattr(self._rest, name)
        return (lambda *args, **named: as_stored(found(*args, **named))) if callable(found) else found


EMPTY_IS_NONE = ("description", "run_link", "user_id", "source_run_id", "model_type", "status_message", "metrics", "deployment_job_id")


def as_stored(value):
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel
    from mlflow.store.entities import PagedList

    if isinstance(value, PagedList):
        return PagedList([as_stored(each) for each in value], value.token or None)
    if isinstance(value, list):
        return [as_stored(each) for each in value]
    if not isinstance(value, (LoggedModel, ModelVersion, RegisteredModel)):
        return value
    for name in EMPTY_IS_NONE:
        if getattr(value, f"_{name}", None) in ("", []):
            setattr(value, f"_{name}", None)
    if isinstance(value, ModelVersion):
        value._version = int(value._version)
    if isinstance(value, RegisteredModel):
        value._aliases = {alias: int(version) for alias, version in value._aliases.items()}
        value._latest_version = as_stored(value._latest_version)
    return value


def tracking_store(request):
    from mlflow.store.tracking.rest_store import RestStore

    with store_address(request) as url:
        yield StoreOverTheWire(RestStore(credentials(url)))


def registry_store(request):
    from mlflow.store.model_registry.rest_store import RestStore

    with store_address(request) as url:
        yield StoreOverTheWire(RestStore(credentials(url)))


@contextlib.contextmanager
def store_address(request):
    if SERVER is not None or NEWEST is not None:
        with fresh_address(request) as url:
            yield url
        return
    from mlflow.server import handlers
    from mlflow.server.fastapi_app import app
    from tests.helper_functions import get_safe_port
    from tests.tracking.integration_test_utils import ServerThread

    folder = request.getfixturevalue("tmp_path")
    shutil.copy(request.getfixturevalue("cached_db"), folder / "mlflow.db")
    handlers._tracking_store = None
    handlers._model_registry_store = None
    handlers.initialize_backend_stores(f"sqlite:///{folder / 'mlflow.db'}", default_artifact_root=(folder / "artifacts").as_uri())
    with ServerThread(app, get_safe_port()) as url:
        yield url


def tracking_client(request):
    import mlflow

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    with fresh_address(request) as url:
        mlflow.set_tracking_uri(url)
        mlflow.set_registry_uri(url)
        yield mlflow.MlflowClient(url)
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


def registry_client(request):
    import mlflow

    with fresh_address(request) as url:
        yield mlflow.MlflowClient(url)


def artifacts_server(request):
    with fresh_address(request) as url:
        yield SimpleNamespace(
            url=url,
            backend_store_uri=url,
            default_artifact_root=f"{url}/api/2.0/mlflow-artifacts/artifacts",
            # Files lie under their hash: tests that look for them by name on the server's disk fail.
            artifacts_destination=str(request.getfixturevalue("tmp_path_factory").mktemp("not-where-files-lie")),
            process=None,
        )


def no_database(request):
    yield request.getfixturevalue("tmp_path_factory").mktemp("no-database") / "mlflow.db"


FIXTURES = {
    "tests/tracking/test_rest_tracking.py": {"mlflow_client": tracking_client, "cached_db": no_database},
    "tests/tracking/test_model_registry.py": {"client": registry_client, "cached_db": no_database},
    "tests/tracking/test_mlflow_artifacts.py": {"artifacts_server": artifacts_server},
    "tests/store/tracking/test_sqlalchemy_store.py": {"store": tracking_store, "cached_db": no_database},
    "tests/store/model_registry/test_sqlalchemy_store.py": {"store": registry_store, "cached_db": no_database},
}


IN_CONTROL = (tracking_store, registry_store)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    make = FIXTURES.get(fixturedef.baseid, {}).get(fixturedef.argname)
    if make is None or (SERVER is None and NEWEST is None and make not in IN_CONTROL):
        return None
    making = make(request)
    value = next(making)
    fixturedef.addfinalizer(lambda: next(making, None))
    fixturedef.cached_result = (value, fixturedef.cache_key(request), None)
    return value


@pytest.fixture(autouse=True)
def ask_the_clients_addresses(monkeypatch):
    """Tests ask some endpoints at the twin addresses that MLflow's web pages use; Orrery has those of its clients only."""
    if SERVER is None:
        return
    send = requests.Session.request

    def request(self, method, url, *args, **named):
        return send(self, method, url.replace("/ajax-api/", "/api/", 1), *args, **named)

    monkeypatch.setattr(requests.Session, "request", request)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Leaves out what is not about a server, or is excluded by name. The file store is a second kind of MLflow's own stores: a foreign server has one."""
    reasons = excluded() if NEWEST is None else {}
    kept = []
    for item in items:
        if "file" in named_store(item):
            continue
        reason = reasons.get(item.nodeid) or reasons.get(name_of(item.nodeid)) or reason_of(item)
        if reason is None:
            kept.append(item)
        else:
            _outcomes[item.nodeid] = {"outcome": "excluded", "why": reason}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def excluded():
    """By test its reason."""
    lists = json.loads(Path(__file__).with_name("exclusions.json").read_text())["notApplicable"]
    return {test: reason for reason, tests in lists.items() for test in tests}


def name_of(nodeid):
    """Without parameters, so that all of a test's cases go together; a case can be named with its parameters too."""
    return nodeid.split("[", 1)[0]


def reason_of(item):
    if any(item.iter_markers("xfail")):
        return "MLflow expects it to fail on its own server"
    makers = FIXTURES.get(item.nodeid.split("::", 1)[0], {})
    if not any(makers.get(name) not in (None, no_database) for name in item.fixturenames):
        return "asks no server, or starts MLflow's own"
    return None


def named_store(item):
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return []
    return [value for name, value in callspec.params.items() if name in ("store_type", "client")]


def pytest_runtest_logreport(report):
    """The worst of set-up, call and tear-down."""
    before = _outcomes.get(report.nodeid, {"outcome": "passed"})
    if report.outcome == "passed" and before["outcome"] != "passed":
        return
    if before["outcome"] == "failed":
        return
    why = ""
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        why = crash.message if crash is not None else str(report.longrepr)
    elif report.skipped:
        why = str(report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr)
    _outcomes[report.nodeid] = {"outcome": report.outcome, "why": why[:2000]}


def pytest_sessionfinish(session):
    Path(OUTCOMES).write_text(json.dumps(_outcomes, indent=1))
