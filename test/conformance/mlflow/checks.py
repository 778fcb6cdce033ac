"""What a script of this folder is made of: named functions that raise where something does not hold. One line of JSON for each."""

import contextlib
import json
import sys
import time
import traceback

_checks = []


def check(name):
    def add(function):
        _checks.append((name, function))
        return function

    return add


@contextlib.contextmanager
def refused(code, within=5.0):
    """The block raises MLflow's exception with this code, and soon: a client that repeats its request would take minutes."""
    from mlflow.exceptions import MlflowException

    began = time.monotonic()
    try:
        yield
    except MlflowException as error:
        assert error.error_code == code, f"{error.error_code} instead of {code}: {error}"
        took = time.monotonic() - began
        assert took < within, f"refused after {took:.1f} s"
        return
    raise AssertionError(f"nothing was refused; {code} was expected")


def same(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def main():
    for name, function in _checks:
        try:
            figures = function()
            line = {"check": name, "figures": figures or ""}
        except BaseException:
            line = {"check": name, "error": traceback.format_exc(limit=-4)}
        # Libraries print what they like on standard output; these lines begin as no other does.
        print("\n@check " + json.dumps(line), flush=True)
    print("\n@end", flush=True)
    sys.stdout.flush()
