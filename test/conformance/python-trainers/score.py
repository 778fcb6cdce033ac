"""Scores rows with ONNX Runtime: score.py <model.onnx> <rows.f32> <columns>; prints the last output's numbers as JSON, row by row."""

import json
import sys

import numpy as np
import onnxruntime

_, model, rows, columns = sys.argv
x = np.fromfile(rows, dtype=np.float32).reshape(-1, int(columns))
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options)
print(json.dumps(session.run(None, {session.get_inputs()[0].name: x})[-1].astype(float).reshape(len(x), -1).tolist()))
