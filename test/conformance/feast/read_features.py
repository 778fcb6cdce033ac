"""Reads through get_online_features, as a program that uses Feast does. python read_features.py URL"""

import sys

import requests

from checks import LARGE, check, remote_store, same
from feast.errors import FeatureServiceNotFoundException, FeatureViewNotFoundException
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus

url = sys.argv[1]
store = remote_store(url)
PROFILE = ["rating", "score", "trips", "age", "name", "active", "since"]


def read(features, rows, **options):
    return store.get_online_features(features=features, entity_rows=rows, **options)


def statuses(response, name):
    index = list(response.proto.metadata.feature_names.val).index(name)
    return [FieldStatus.Name(status) for status in response.proto.results[index].statuses]


def types():
    got = read([f"profile:{name}" for name in PROFILE], [{"driver_id": 1}]).to_dict()
    same(got["rating"], [4.0])
    same(got["score"], [0.1])
    same(got["trips"], [12])
    same(got["age"], [33])
    same(got["name"], ["Łucja \"O'Neil\""])
    same(got["active"], [True])
    same(got["since"], [1580702706])
    return ", ".join(f"{name} {type(values[0]).__name__}" for name, values in got.items())


def digits():
    got = read(["profile:trips", "profile:rating", "profile:age"], [{"driver_id": LARGE}]).to_dict()
    same(got, {"driver_id": [LARGE], "trips": [LARGE], "rating": [1e300], "age": [-2147483648]})


def reasons():
    response = read(["profile:rating"], [{"driver_id": key} for key in (1, 2, 3, 99)])
    same(response.to_dict()["rating"], [4.0, None, None, None])
    same(statuses(response, "rating"), ["PRESENT", "OUTSIDE_MAX_AGE", "NULL_VALUE", "NOT_FOUND"])
    same(statuses(response, "driver_id"), ["PRESENT"] * 4)


def several_views():
    response = read(
        ["driving:trips_1h", "driving:trips_24h", "driving:mean_distance", "profile:name"],
        [{"driver_id": 1, "city": "Köln"}, {"driver_id": 2, "city": "Bonn"}],
        full_feature_names=True,
    )
    got = response.to_dict()
    same(got["driving__trips_1h"], [1, 0])
    same(got["driving__trips_24h"], [2, 0])
    same(got["driving__mean_distance"], [3.0, None])
    same(got["profile__name"], ["Łucja \"O'Neil\"", None])


def service():
    got = store.get_online_features(
        features=store.get_feature_service("dispatch"), entity_rows=[{"driver_id": 1, "wanted": 40}]
    ).to_dict()
    same(got["rating"], [4.0])
    same(got["trips"], [12])
    same(got["trips_left"], [7])


def frame():
    got = read(["profile:rating", "profile:trips"], [{"driver_id": key} for key in (1, LARGE)]).to_df()
    same(list(got["trips"]), [12, LARGE])
    return str(dict(got.dtypes.astype(str)))


def many():
    rows = [{"driver_id": key} for key in range(2_000)]
    got = read(["profile:rating"], rows).to_dict()
    same(got["driver_id"], list(range(2_000)))
    same(sum(value is not None for value in got["rating"]), 1)


def online_read():
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    key = EntityKey(join_keys=["driver_id"], entity_values=[Value(int64_val=1)])
    view = store.get_feature_view("profile")
    [(at, values)] = store._get_provider().online_store.online_read(store.config, view, [key], PROFILE)
    same(values["rating"].double_val, 4.0)
    same(values["age"].int32_val, 33)
    same(values["since"].unix_timestamp_val, 1580702706)
    assert at is not None and at.year > 2020, at


def raises(error, work):
    try:
        work()
    except error as raised:
        return str(raised)
    raise AssertionError(f"no {error.__name__}")


def unknown():
    post = lambda body: requests.post(f"{url}/get-online-features", json=body)
    answer = post({"entities": {"driver_id": [1]}, "features": ["nothing:rating"]})
    same(answer.status_code, 404)
    from feast.errors import FeastError

    assert isinstance(FeastError.from_error_detail(answer.json()), FeatureViewNotFoundException)
    answer = post({"entities": {"driver_id": [1]}, "feature_service": "nothing"})
    assert isinstance(FeastError.from_error_detail(answer.json()), FeatureServiceNotFoundException)
    from feast.infra.online_stores.remote import get_remote_online_features

    body = {"entities": {"driver_id": [1]}, "features": ["nothing:rating"]}
    return raises(FeatureViewNotFoundException, lambda: get_remote_online_features(config=store.config, req_body=body))


def health():
    answer = requests.get(f"{url}/health")
    same((answer.status_code, answer.text), (200, ""))


for name, prove in {
    "every type of value arrives as that type": types,
    "integers keep all 64 bits, keys too": digits,
    "null, missing and expired are told apart": reasons,
    "views of composite keys and windows beside others, by full names": several_views,
    "a feature service, with an on-demand feature of the server's": service,
    "a data frame": frame,
    "two thousand entities in one call": many,
    "the online store's own online_read": online_read,
    "what is not there is raised as Feast's own errors": unknown,
    "health": health,
}.items():
    check(name, prove)
