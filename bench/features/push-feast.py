"""One process: how many rows a second Feast pushes into its own online store. python push-feast.py OPTIONS-AS-JSON"""

import json
import os
import sys
import time
import warnings
from datetime import datetime, timedelta, timezone

warnings.filterwarnings("ignore")
import numpy as np
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, PushSource, RepoConfig, ValueType
from feast.data_source import PushMode
from feast.types import Float64

options = json.loads(sys.argv[1])
home = os.path.join(options["folder"], f"feast-push-{os.getpid()}")
os.makedirs(home)
names = [f"f{i}" for i in range(options["features"])]
count = options["rowsAtOnce"]


def rows(first):
    at = np.arange(first, first + count)
    frame = {"entity_id": at * 7919 % options["entities"], "event_timestamp": datetime.now(timezone.utc)}
    return pd.DataFrame({**frame, **{name: i + at % 1000 / 8 for i, name in enumerate(names)}})


path = os.path.join(home, "batch.parquet")
rows(0).to_parquet(path)
store = FeatureStore(
    config=RepoConfig(
        project="bench",
        provider="local",
        registry=os.path.join(home, "registry.db"),
        online_store={"type": "sqlite", "path": os.path.join(home, "online.db")},
        offline_store={"type": "duckdb"},
        entity_key_serialization_version=3,
    )
)
customer = Entity(name="customer", join_keys=["entity_id"], value_type=ValueType.INT64)
source = PushSource(name="events", batch_source=FileSource(name="batch", path=path, timestamp_field="event_timestamp"))
wide = FeatureView(
    name="wide",
    entities=[customer],
    ttl=timedelta(days=0),
    schema=[Field(name=name, dtype=Float64) for name in names],
    source=source,
)
store.apply([customer, wide])
store.push("events", rows(0), to=PushMode.ONLINE)
pushed = 0
times = []
start = time.perf_counter()
while time.perf_counter() - start < options["seconds"]:
    given = rows(pushed)
    before = time.perf_counter()
    store.push("events", given, to=PushMode.ONLINE)
    times.append((time.perf_counter() - before) * 1000)
    pushed += count
seconds = time.perf_counter() - start
times.sort()
at = lambda share: times[int(share * (len(times) - 1))]
print(json.dumps({"rowsPerSecond": pushed / seconds, "onlineMs": [at(0.5), at(0.99)]}))
