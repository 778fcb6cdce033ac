"""scikit-learn's side of linear.ts: each line is a tolerance to fit to; the answer has seconds, iterations and the coefficients."""

import json
import pathlib
import sys
import time

import numpy as np
from sklearn.linear_model import LogisticRegression

folder = pathlib.Path(sys.argv[1])
labels = np.fromfile(folder / "labels.bin", dtype=np.uint8)
# Row-major float64, which its solver takes without a copy.
rows = np.ascontiguousarray(np.fromfile(folder / "columns.bin", dtype=np.float64).reshape(-1, len(labels)).T)

for line in sys.stdin:
    start = time.perf_counter()
    model = LogisticRegression(tol=float(line), max_iter=1000).fit(rows, labels)
    seconds = time.perf_counter() - start
    answer = {
        "seconds": seconds,
        "iterations": int(model.n_iter_[0]),
        "intercept": float(model.intercept_[0]),
        "coefficients": model.coef_[0].tolist(),
    }
    print(json.dumps(answer), flush=True)
