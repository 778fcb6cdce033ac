"""What both programs do: a feature store whose online store is a server elsewhere, and checks told as lines of JSON."""

import json
import os
import sys
import tempfile
import traceback
import warnings
from datetime import timedelta

warnings.filterwarnings("ignore")
os.environ.setdefault("FEAST_USAGE", "False")

import feast
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Bool, Float64, Int32, Int64, String, UnixTimestamp

LARGE = 9007199254740993


def check(name, prove):
    try:
        figures, error = prove() or "", None
    except Exception:
        figures, error = "", traceback.format_exc(limit=-3)
    print(json.dumps({"name": f"feast {feast.__version__}: {name}", "error": error, "figures": figures}), flush=True)


def same(actual, expected):
    assert actual == expected and repr(actual) == repr(expected), f"{actual!r} is not {expected!r}"


def remote_store(url, **config):
    """A Feast project that declares the views of test/fixtures/feature-room.ts, and reads them from `url`."""
    home = tempfile.mkdtemp(prefix="feast-remote-")
    store = FeatureStore(
        config=RepoConfig(
            project="drivers",
            provider="local",
            registry=os.path.join(home, "registry.db"),
            online_store={"type": "remote", "path": url, **config},
            offline_store={"type": "file"},
            entity_key_serialization_version=3,
        )
    )
    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    city = Entity(name="city", join_keys=["city"], value_type=ValueType.STRING)
    elsewhere = lambda name: FileSource(name=name, path=os.path.join(home, "none.parquet"), timestamp_field="at")
    profile = FeatureView(
        name="profile",
        entities=[driver],
        ttl=timedelta(days=1),
        schema=[
            Field(name="rating", dtype=Float64),
            Field(name="score", dtype=Float64),
            Field(name="trips", dtype=Int64),
            Field(name="age", dtype=Int32),
            Field(name="name", dtype=String),
            Field(name="active", dtype=Bool),
            Field(name="since", dtype=UnixTimestamp),
        ],
        source=elsewhere("drivers"),
    )
    driving = FeatureView(
        name="driving",
        entities=[driver, city],
        schema=[
            Field(name="trips_1h", dtype=Int64),
            Field(name="trips_24h", dtype=Int64),
            Field(name="mean_distance", dtype=Float64),
        ],
        source=elsewhere("trips"),
    )
    service = FeatureService(name="dispatch", features=[profile[["rating", "trips"]]])
    store.apply([driver, city, profile, driving, service])
    return store
