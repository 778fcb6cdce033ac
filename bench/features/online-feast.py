"""One process: a Feast repository with every entity of a file in its online store, for `feast serve`. python online-feast.py OPTIONS-AS-JSON"""

import json
import os
import sys
import warnings
from datetime import datetime, timedelta, timezone

warnings.filterwarnings("ignore")
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64

options = json.loads(sys.argv[1])
repository = options["repository"]
os.makedirs(repository)
online = (
    {"type": "redis", "connection_string": options["redis"]}
    if options["redis"]
    else {"type": "sqlite", "path": os.path.join(repository, "online.db")}
)
with open(os.path.join(repository, "feature_store.yaml"), "w") as file:
    # JSON is YAML.
    json.dump(
        {
            "project": "bench",
            "provider": "local",
            "registry": os.path.join(repository, "registry.db"),
            "online_store": online,
            "offline_store": {"type": "duckdb"},
            "entity_key_serialization_version": 3,
        },
        file,
    )
store = FeatureStore(repo_path=repository)
customer = Entity(name="customer", join_keys=["entity_id"], value_type=ValueType.INT64)
wide = FeatureView(
    name="wide",
    entities=[customer],
    ttl=timedelta(days=0),
    schema=[Field(name=f"f{i}", dtype=Float64) for i in range(options["features"])],
    source=FileSource(name="wide", path=options["path"], timestamp_field="event_timestamp"),
)
store.apply([customer, wide])
store.materialize(datetime(2025, 12, 1, tzinfo=timezone.utc), datetime(2026, 1, 1, tzinfo=timezone.utc))
