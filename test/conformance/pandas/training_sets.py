"""Training sets by HTTP, as somebody with pandas makes them. python training_sets.py URL DATA-FOLDER"""

import io
import json
import sys
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

url, data = sys.argv[1:]
API = f"{url}/api/v1/default/churn/training-sets"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
FEATURES = [
    "usage_recent.minutes_7d",
    "usage_recent.minutes_30d",
    "usage_recent.plays_7d",
    "usage_recent.plays_30d",
    "customer_info.plan",
    "customer_info.country",
]


def check(name, prove):
    try:
        figures, error = prove() or "", None
    except Exception:
        figures, error = "", traceback.format_exc(limit=-3)
    name = f"pandas {pd.__version__}, pyarrow {pa.__version__}: {name}"
    print(json.dumps({"name": name, "error": error, "figures": figures}), flush=True)


def post(body, sent=PARQUET, wanted=PARQUET, features=FEATURES, **query):
    query = urllib.parse.urlencode({"features": ",".join(features), **query})
    headers = {"content-type": sent, "accept": wanted}
    with urllib.request.urlopen(urllib.request.Request(f"{API}?{query}", body, headers)) as answer:
        return answer.read()


def ask(rows, **query):
    return pd.read_parquet(io.BytesIO(post(rows.to_parquet(), **query)))


usage = pd.read_csv(f"{data}/usage.csv", parse_dates=["played_at"])
customers = pd.read_csv(f"{data}/customers.csv")
NEWEST = usage["played_at"].max()

random = np.random.default_rng(5)
rows = pd.DataFrame(
    {
        "label": random.integers(0, 2, 2_000).astype(bool),
        "customer_id": random.choice([*customers["customer_id"], "nobody"], 2_000),
        "at": NEWEST - pd.to_timedelta(random.integers(0, 90 * 86_400, 2_000), unit="s"),
        "weight": random.random(2_000),
    }
)
rows = pd.concat([rows, rows.head(10)], ignore_index=True)


def expected(rows):
    """The same by going through all plays of each row's customer."""
    plays = {key: group for key, group in usage.groupby("customer_id")}
    none = usage.head(0)
    out = []
    for key, at in zip(rows["customer_id"], rows["at"]):
        own = plays.get(key, none)
        line = []
        for days in (7, 30):
            line.append(own[(own["played_at"] <= at) & (own["played_at"] > at - pd.Timedelta(days=days))]["minutes"])
        out.append([line[0].mean(), line[1].mean(), len(line[0]), len(line[1])])
    frame = pd.DataFrame(out, columns=FEATURES[:4])
    info = rows[["customer_id"]].merge(customers, how="left", on="customer_id")
    return frame.assign(**{FEATURES[4]: info["plan"].values, FEATURES[5]: info["country"].values})


EXPECTED = expected(rows)


def same(got, rows=rows, expected=EXPECTED):
    assert list(got.columns) == [*rows.columns, *FEATURES], list(got.columns)
    assert len(got) == len(rows)
    for name in ("label", "customer_id", "weight"):
        assert list(got[name]) == list(rows[name]), name
    times = pd.to_datetime(got["at"], utc=True).dt.as_unit("us")
    assert (times.values == pd.to_datetime(rows["at"], utc=True).dt.as_unit("us").values).all()
    for name in FEATURES[:4]:
        np.testing.assert_allclose(got[name].astype(float), expected[name].astype(float), rtol=1e-12, err_msg=name)
    for name in FEATURES[4:]:
        assert list(got[name].fillna("")) == list(expected[name].fillna("")), name


def three_lines():
    body = rows.to_parquet()
    answer = post(body)
    got = pd.read_parquet(io.BytesIO(answer))
    same(got)
    return f"{len(got)} rows, {', '.join(sorted(set(map(str, got.dtypes))))}"


def arrow():
    table = pa.Table.from_pandas(rows, preserve_index=False)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=300):
            writer.write_batch(batch)
    got = pa.ipc.open_stream(post(sink.getvalue(), ARROW, ARROW)).read_all()
    same(got.to_pandas())
    types = {name: str(got.schema.field(name).type) for name in FEATURES}
    assert set(types.values()) == {"double", "int64", "string"}, types
    return str(types)


def as_json():
    records = rows.assign(at=rows["at"].map(pd.Timestamp.isoformat)).to_dict("records")
    same(pd.read_parquet(io.BytesIO(post(json.dumps(records).encode(), "application/json"))))
    lines = "\n".join(map(json.dumps, records))
    same(pa.ipc.open_stream(post(lines.encode(), "application/json", ARROW)).read_all().to_pandas())


def times():
    zoned = rows.assign(at=rows["at"].dt.tz_convert("America/New_York"))
    naive = rows.assign(at=rows["at"].dt.tz_localize(None))
    nanos = rows.assign(at=rows["at"].dt.as_unit("ns"))
    texts = rows.assign(at=rows["at"].dt.tz_convert("Asia/Kolkata").map(pd.Timestamp.isoformat))
    for each in (zoned, naive, nanos, texts):
        same(ask(each), rows=each)
    other = ask(rows.rename(columns={"at": "asked"}), at="asked")
    same(other.rename(columns={"asked": "at"}))


def earlier():
    until = NEWEST - pd.Timedelta(days=200)
    got = ask(rows, asOf=until.isoformat())
    assert (got["usage_recent.plays_30d"] == 0).all()


def own_columns():
    more = rows.assign(
        kind=pd.Categorical(random.choice(["a", "b"], len(rows))),
        large=np.full(len(rows), 2**53 + 1),
        **{'quoted "name"; --': "x'y", "größe": [None, *["Köln"] * (len(rows) - 1)]},
    )
    got = ask(more)
    assert list(got["kind"]) == list(more["kind"])
    assert set(got["large"]) == {2**53 + 1}
    assert set(got['quoted "name"; --']) == {"x'y"}
    assert got["größe"].isna().sum() == 1


def nothing():
    got = ask(rows.head(0))
    assert len(got) == 0 and list(got.columns)[-1] == FEATURES[-1]


def deterministic():
    assert post(rows.to_parquet()) == post(rows.to_parquet())


def refused(work, status, code):
    try:
        work()
    except urllib.error.HTTPError as error:
        said = json.loads(error.read())
        assert (error.code, said["code"]) == (status, code), (error.code, said)
        return said["message"]
    raise AssertionError("nothing was refused")


def mistakes():
    said = "; ".join(
        [
            refused(lambda: ask(rows.drop(columns="at")), 422, "FEATURE_ROWS_INVALID"),
            refused(lambda: ask(rows, features=["usage_recent.nothing"]), 422, "FEATURE_UNKNOWN"),
            refused(lambda: ask(rows, service="nothing", features=[]), 422, "SERVER_REQUEST_INVALID"),
            refused(lambda: post(rows.to_parquet()[:-100]), 422, "TABLE_FILE_CORRUPT"),
            refused(lambda: post(b"no arrow", ARROW), 422, "ARROW_STREAM_INVALID"),
            refused(lambda: post(b"[{", "application/json"), 422, "FEATURE_ROWS_INVALID"),
            refused(lambda: post(b"x", "text/plain"), 415, "SERVER_MEDIA_TYPE_UNKNOWN"),
        ]
    )
    assert "/tmp/" not in said, said
    return said


def many():
    count = 1_000_000
    large = rows.iloc[random.integers(0, len(rows), count)].reset_index(drop=True)
    slowest, done = [0.0], threading.Event()

    def knock():
        while not done.is_set():
            began = time.perf_counter()
            urllib.request.urlopen(f"{url}/healthz").read()
            slowest[0] = max(slowest[0], time.perf_counter() - began)
            time.sleep(0.02)

    knocking = threading.Thread(target=knock)
    knocking.start()
    began = time.perf_counter()
    answer = post(large.to_parquet())
    seconds = time.perf_counter() - began
    done.set()
    knocking.join()
    got = pq.read_table(io.BytesIO(answer))
    assert got.num_rows == count
    assert got.column("weight").to_pylist() == list(large["weight"])
    assert slowest[0] < 1, f"others waited {slowest[0]} s"
    return f"{seconds:.1f} s for a million rows; others waited at most {slowest[0] * 1000:.0f} ms"


for name, prove in {
    "a frame with features in three lines, each value as by going through all rows": three_lines,
    "Arrow streams both ways, batch by batch": arrow,
    "JSON and JSON lines in": as_json,
    "times with zones, without, in nanoseconds, as text, in another column": times,
    "as of an earlier time": earlier,
    "the rows' own columns come back, whatever they are called": own_columns,
    "no rows are still columns": nothing,
    "the same rows give the same bytes": deterministic,
    "mistakes are told with code and message": mistakes,
    "a million rows leave others alone": many,
}.items():
    check(name, prove)
