"""One process: Feast's materialize of every entity of a file into an online store. python materialize-feast.py OPTIONS-AS-JSON"""

import json
import os
import resource
import sys
import time
import warnings
from datetime import datetime, timedelta, timezone

warnings.filterwarnings("ignore")
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

options = json.loads(sys.argv[1])
home = os.path.join(options["folder"], f"feast-{os.getpid()}")
os.makedirs(home)
sqlite = {"type": "sqlite", "path": os.path.join(home, "online.db")}
redis = {"type": "redis", "connection_string": options["redis"]}
store = FeatureStore(
    config=RepoConfig(
        project="bench",
        provider="local",
        registry=os.path.join(home, "registry.db"),
        online_store=redis if options["redis"] else sqlite,
        offline_store={"type": "duckdb"},
        entity_key_serialization_version=3,
    )
)
customer = Entity(name="customer", join_keys=["entity_id"], value_type=ValueType.INT64)
names = [f"f{i}" for i in range(options["features"])]
wide = FeatureView(
    name="wide",
    entities=[customer],
    ttl=timedelta(days=0),
    schema=[Field(name=name, dtype=Float64) for name in names],
    source=FileSource(name="wide", path=options["path"], timestamp_field="event_timestamp"),
)
store.apply([customer, wide])
start = time.perf_counter()
store.materialize(datetime(2025, 12, 1, tzinfo=timezone.utc), datetime(2026, 1, 1, tzinfo=timezone.utc))
seconds = time.perf_counter() - start
read = store.get_online_features(features=[f"wide:{name}" for name in names], entity_rows=[{"entity_id": 7}]).to_dict()
assert read["f0"][0] is not None, read
print(json.dumps({"seconds": [seconds], "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
