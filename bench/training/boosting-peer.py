"""LightGBM's side of boosting.ts: trains once for each line (a number of threads) and answers what it took."""

import json
import pathlib
import re
import sys
import time

import lightgbm
import numpy as np

folder = pathlib.Path(sys.argv[1])
data = json.loads((folder / "data.json").read_text())
categorical = [j for j, count in enumerate(data["categories"]) if count > 0]


def read(part, count):
    """Row-major doubles, which LightGBM takes without a copy, and labels."""
    rows = np.empty((count, len(data["categories"])))
    with open(folder / f"{part}.f64", "rb") as file:
        for j in range(rows.shape[1]):
            rows[:, j] = np.fromfile(file, np.float64, count)
        return rows, np.fromfile(file, np.float64, count)


def area_under_curve(labels, scores):
    order = np.argsort(scores, kind="stable")
    _, inverse, counts = np.unique(scores[order], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = labels[order].sum()
    negatives = len(labels) - positives
    return float((ranks[labels[order] == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


rows, labels = read("train", data["rows"])
test_rows, test_labels = read("test", data["testRows"])
settings = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.1,
    "lambda_l2": 1,
    "min_data_in_leaf": 20,
    "max_bin": 255,
    "verbose": -1,
}

for line in sys.stdin:
    start = time.perf_counter()
    dataset = lightgbm.Dataset(rows, labels, categorical_feature=categorical or "auto", free_raw_data=False)
    model = lightgbm.train({**settings, "num_threads": int(line)}, dataset, 100)
    seconds = time.perf_counter() - start
    megabytes = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024
    area = area_under_curve(test_labels, model.predict(test_rows))
    print(json.dumps({"seconds": seconds, "area": area, "megabytes": megabytes}), flush=True)
