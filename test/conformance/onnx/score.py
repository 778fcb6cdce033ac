"""Runs ONNX files in ONNX Runtime over rows that stand in files of raw numbers: score.py REQUESTS.json

A request: model, rows, batch, inputs [{name, type, file, categories}], outputs [{name, file}]. Doubles are float64
little-endian; texts are int32 positions in `categories`, whose last is what stands for a missing text.
"""

import json
import sys

import numpy as np
import onnxruntime


def read(spec):
    if spec["type"] == "string":
        return np.array(spec["categories"], dtype=object), np.fromfile(spec["file"], "<i4")
    return None, np.fromfile(spec["file"], "<f8")


def run(request):
    session = onnxruntime.InferenceSession(request["model"], providers=["CPUExecutionProvider"])
    columns = {spec["name"]: read(spec) for spec in request["inputs"]}
    files = {spec["name"]: open(spec["file"], "wb") for spec in request["outputs"]}
    for start in range(0, request["rows"], request["batch"]):
        rows = slice(start, min(request["rows"], start + request["batch"]))
        feeds = {
            name: (values[rows] if texts is None else texts[values[rows]]).reshape(-1, 1)
            for name, (texts, values) in columns.items()
        }
        for name, values in zip(files, session.run(list(files), feeds)):
            np.asarray(values, "<f8").tofile(files[name])
    for file in files.values():
        file.close()


onnxruntime.set_default_logger_severity(3)
for request in json.load(open(sys.argv[1])):
    run(request)
print(json.dumps({"onnxruntime": onnxruntime.__version__}))
