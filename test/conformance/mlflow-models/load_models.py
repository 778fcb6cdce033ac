"""Loads what Orrery's pipelines registered with MLflow's own client, and compares its predictions with Orrery's.

Usage: load_models.py ROWS ADDRESS [FOLDER], with MLFLOW_TRACKING_URI. ROWS is JSON: columns by name with their kind, and Orrery's predictions by output.
Prints one line of JSON with the largest difference, and how many rows were compared.
"""

import json
import logging
import pathlib
import sys
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import mlflow
import numpy as np
import pandas as pd


def frame_of(columns):
    """As pandas has them: missing numbers are NaN, and whole numbers whole where none is missing."""
    series = {}
    for name, column in columns.items():
        values = column["values"]
        if column["type"] == "string":
            series[name] = pd.Series(values, dtype=None if any(isinstance(v, str) for v in values) else object)
        elif any(value is None for value in values):
            series[name] = pd.Series([np.nan if value is None else value for value in values], dtype=float)
        else:
            series[name] = pd.Series(values, dtype={"int32": "int32", "int64": "int64", "bool": "bool", "timestamp": "int64"}.get(column["type"], "float64"))
    return pd.DataFrame(series)


def compare(model, frame, expected):
    predicted = model.predict(frame)
    largest = 0.0
    for name, values in expected.items():
        found = np.asarray(predicted[name])
        if isinstance(values[0], str):
            assert (found.astype(str) == np.array(values)).all(), f"{name} differs"
            continue
        assert np.isfinite(found.astype(float)).all(), f"{name} has no numbers"
        largest = max(largest, float(np.max(np.abs(found - np.array(values)) / np.maximum(1, np.abs(values)))))
    return largest, type(predicted).__name__


rows = json.loads(pathlib.Path(sys.argv[1]).read_text())
frame = frame_of(rows["columns"])
found = {}
for address in sys.argv[2:]:
    model = mlflow.pyfunc.load_model(address)
    largest, kind = compare(model, frame, rows["expected"])
    names = [each.name for each in model.metadata.signature.inputs.inputs]
    assert names == list(frame.columns), f"the signature names {names}"
    # A frame with its columns in another order, and with others beside them, says the same.
    shuffled = frame[frame.columns[::-1]].assign(more=1)
    assert compare(model, shuffled, rows["expected"])[0] == largest
    found[address] = {"largest": largest, "rows": len(frame), "kind": kind}
print("@found " + json.dumps(found))
