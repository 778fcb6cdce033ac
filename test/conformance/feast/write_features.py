"""Writes through Feast's remote online store, and by Feast's routes, and reads it back. python write_features.py URL"""

import os
import sys
import tempfile
from datetime import datetime, timedelta, timezone

import pandas as pd
import requests

from checks import LARGE, check, same
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, PushSource, RepoConfig, ValueType
from feast.data_source import PushMode
from feast.errors import FeastError, FeatureViewNotFoundException, PushSourceNotFoundException
from feast.types import Float64, Int64, String

url = sys.argv[1]
home = tempfile.mkdtemp(prefix="feast-write-")
store = FeatureStore(
    config=RepoConfig(
        project="drivers",
        provider="local",
        registry=os.path.join(home, "registry.db"),
        online_store={"type": "remote", "path": url},
        offline_store={"type": "file"},
        entity_key_serialization_version=3,
    )
)
driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
elsewhere = FileSource(name="states_file", path=os.path.join(home, "none.parquet"), timestamp_field="event_timestamp")
pushed = PushSource(name="states", batch_source=elsewhere)
state = FeatureView(
    name="state",
    entities=[driver],
    schema=[Field(name="rating", dtype=Float64), Field(name="trips", dtype=Int64), Field(name="note", dtype=String)],
    source=pushed,
)
rated = FeatureView(
    name="rated",
    entities=[driver],
    schema=[Field(name="ratings_1h", dtype=Int64), Field(name="mean_rating", dtype=Float64)],
    source=elsewhere,
)
store.apply([driver, pushed, state, rated])
now = datetime.now(timezone.utc).replace(microsecond=0)
ago = lambda minutes: now - timedelta(minutes=minutes)


def states(*rows):
    return pd.DataFrame(rows, columns=["driver_id", "event_timestamp", "rating", "trips", "note"])


def read(features, *keys):
    got = store.get_online_features(features=features, entity_rows=[{"driver_id": key} for key in keys]).to_dict()
    return {name: values for name, values in got.items() if name != "driver_id"}


STATE = ["state:rating", "state:trips", "state:note"]


def write():
    frame = states((1, ago(10), 4.5, 12, "Łucja \"O'Neil\""), (LARGE, ago(5), None, LARGE, ""))
    frame["trips"] = frame["trips"].astype("Int64")
    store.write_to_online_store("state", df=frame)
    same(read(STATE, 1, LARGE), {"rating": [4.5, None], "trips": [12, LARGE], "note": ["Łucja \"O'Neil\"", ""]})


def push():
    store.push("states", states((1, ago(2), 4.0, 13, "newer")), to=PushMode.ONLINE)
    same(read(STATE, 1), {"rating": [4.0], "trips": [13], "note": ["newer"]})


def late():
    store.push("states", states((1, ago(30), 1.0, 1, "late")), to=PushMode.ONLINE)
    same(read(STATE, 1), {"rating": [4.0], "trips": [13], "note": ["newer"]})


def post(path, body):
    return requests.post(url + path, json=body)


def event(name, minutes, rating, driver_id=7):
    return {"event_id": [name], "driver_id": [driver_id], "rated_at": [ago(minutes).isoformat()], "rating": [rating]}


def windows():
    for body in (event("a", 50, 2.0), event("b", 5, 4.0), event("b", 5, 4.0), event("c", 20, 3.0), event("d", 70, 5.0)):
        answer = post("/push", {"push_source_name": "ratings", "df": body, "to": "online_and_offline"})
        same((answer.status_code, answer.text), (200, ""))
    same(read(["rated:ratings_1h", "rated:mean_rating"], 7), {"ratings_1h": [3], "mean_rating": [3.0]})


def corrected():
    same(post("/push", {"push_source_name": "ratings", "df": event("b", 5, 1.0)}).status_code, 200)
    same(read(["rated:ratings_1h", "rated:mean_rating"], 7), {"ratings_1h": [3], "mean_rating": [2.0]})


def refused():
    def error(path, body, status):
        answer = post(path, body)
        same(answer.status_code, status)
        return FeastError.from_error_detail(answer.json())

    unknown = error("/push", {"push_source_name": "nothing", "df": event("e", 1, 1.0)}, 422)
    assert isinstance(unknown, PushSourceNotFoundException), unknown
    view = error("/write-to-online-store", {"feature_view_name": "nothing", "df": {}}, 404)
    assert isinstance(view, FeatureViewNotFoundException), view
    error("/write-to-online-store", {"feature_view_name": "customer_info", "df": {"customer_id": ["C1"]}}, 422)
    error("/push", {"push_source_name": "ratings", "df": {"driver_id": [1]}}, 422)
    error("/push", {"push_source_name": "ratings", "df": event("f", 1, "much")}, 422)
    error("/push", {"push_source_name": "ratings", "df": event("f", 1, 1.0), "to": "nowhere"}, 422)
    broken = error("/push", {"push_source_name": "ratings", "df": event("g", 1, 7.5)}, 422)
    same(read(["rated:ratings_1h"], 7), {"ratings_1h": [3]})
    return str(broken)


for name, prove in {
    "write_to_online_store through the remote store, digits and nulls kept": write,
    "push takes the place of an older row": push,
    "a late row does not": late,
    "windows stay right: late, repeated and too old events": windows,
    "an event that is sent again with another value corrects the first": corrected,
    "what cannot be taken is told, as Feast's own errors": refused,
}.items():
    check(name, prove)
