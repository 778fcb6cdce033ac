"""scikit-learn's side of forest.ts: each line is a seed; the answer has seconds and the area under the curve on the test rows."""

import json
import pathlib
import sys
import time

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

folder = pathlib.Path(sys.argv[1])


def read(part):
    labels = np.fromfile(folder / f"{part}-labels.bin", dtype=np.uint8)
    columns = np.fromfile(folder / f"{part}-columns.bin", dtype=np.float64).reshape(-1, len(labels))
    # Row-major float32, which its trees take without a copy.
    return np.ascontiguousarray(columns.T, dtype=np.float32), labels


rows, labels = read("train")
test_rows, test_labels = read("test")

for line in sys.stdin:
    start = time.perf_counter()
    forest = RandomForestClassifier(100, max_features="sqrt", min_samples_leaf=1, n_jobs=1, random_state=int(line)).fit(rows, labels)
    seconds = time.perf_counter() - start
    area = roc_auc_score(test_labels, forest.predict_proba(test_rows)[:, 1])
    print(json.dumps({"seconds": seconds, "area": area}), flush=True)
