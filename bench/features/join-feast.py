"""One process: Feast's historical features over what its arguments name. python join-feast.py OPTIONS-AS-JSON"""

import json
import os
import resource
import sys
import time
import warnings
from datetime import timedelta

warnings.filterwarnings("ignore")
import numpy as np
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

options = json.loads(sys.argv[1])
home = os.path.join(options["folder"], f"feast-{options['store']}-{os.getpid()}")
os.makedirs(home)
store = FeatureStore(
    config=RepoConfig(
        project="bench",
        provider="local",
        registry=os.path.join(home, "registry.db"),
        online_store={"type": "sqlite", "path": os.path.join(home, "online.db")},
        offline_store={"type": options["store"]},
        entity_key_serialization_version=3,
    )
)
customer = Entity(name="customer", join_keys=["entity_id"], value_type=ValueType.INT64)
views = []
for index, path in enumerate(options["features"]):
    events = FileSource(name=f"events_{index}", path=path, timestamp_field="event_timestamp", created_timestamp_column="created")
    views.append(
        FeatureView(
            name=f"view_{index}",
            entities=[customer],
            ttl=timedelta(days=options["ttlDays"]),
            schema=[Field(name=f"f{i}", dtype=Float64) for i in range(5)],
            source=events,
        )
    )
store.apply([customer, *views])
asks = pd.read_parquet(options["asks"])
asks["event_timestamp"] = asks["event_timestamp"].dt.tz_localize("UTC")
asks["ask"] = np.arange(len(asks))
names = [f"{view.name}:f{i}" for view in views for i in range(5)]
seconds = []
for _ in range(options["rounds"]):
    start = time.perf_counter()
    joined = store.get_historical_features(entity_df=asks, features=names, full_feature_names=len(views) > 1).to_df()
    seconds.append(time.perf_counter() - start)
rows = len(joined)
if options["result"]:
    columns = [name.replace(":", "__") if len(views) > 1 else name.split(":")[1] for name in names]
    joined = joined.drop_duplicates("ask").set_index("ask").reindex(range(len(asks)))
    joined[columns].to_numpy(dtype="float64").T.tofile(options["result"])
print(json.dumps({"seconds": seconds, "rows": rows, "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
