"""A server that wants a token. python ask_with_token.py URL TOKEN"""

import sys

import requests

from checks import check, remote_store, same
from feast.errors import FeastPermissionError

url, token = sys.argv[1:]
store = remote_store(url)


def without():
    try:
        store.get_online_features(features=["profile:rating"], entity_rows=[{"driver_id": 1}])
    except FeastPermissionError as refused:
        return str(refused)
    raise AssertionError("nobody was refused")


def with_token():
    from feast.permissions.client.http_auth_requests_wrapper import get_http_auth_requests_session

    get_http_auth_requests_session(store.config.auth_config).headers["Authorization"] = f"Bearer {token}"
    got = store.get_online_features(features=["profile:rating"], entity_rows=[{"driver_id": 1}]).to_dict()
    same(got["rating"], [4.0])


def health():
    same(requests.get(f"{url}/health").status_code, 200)


check("without the token Feast's permission error is raised", without)
check("with it values come", with_token)
check("health needs none", health)
