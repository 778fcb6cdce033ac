"""scikit-learn's and fairlearn's side of metrics.ts: reads a task a line, answers a line of seconds and figures."""

import json
import pathlib
import sys
import time
import warnings

import numpy as np
from fairlearn.metrics import (
    MetricFrame,
    count,
    demographic_parity_difference,
    equalized_odds_difference,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_negative_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score, precision_score, roc_auc_score

warnings.simplefilter("ignore")
folder = pathlib.Path(sys.argv[1])
labels = np.fromfile(folder / "labels.bin", dtype=np.uint8).astype(np.int64)
scores = np.fromfile(folder / "scores.bin", dtype=np.float64)
groups = np.fromfile(folder / "groups.bin", dtype=np.int32)
acts = (scores >= 0.5).astype(np.int64)

RATES = {
    "selection_rate": selection_rate,
    "true_positive_rate": true_positive_rate,
    "false_negative_rate": false_negative_rate,
    "false_positive_rate": false_positive_rate,
    "true_negative_rate": true_negative_rate,
    "precision": precision_score,
    "accuracy": accuracy_score,
}


def area():
    return [roc_auc_score(labels, scores)]


def fairness():
    frame = MetricFrame(metrics={"count": count} | RATES, y_true=labels, y_pred=acts, sensitive_features=groups)
    between = {"sensitive_features": groups}
    return [
        *frame.by_group[list(RATES)].to_numpy().ravel(),
        demographic_parity_difference(labels, acts, **between),
        equalized_odds_difference(labels, acts, **between),
    ]


for line in sys.stdin:
    start = time.perf_counter()
    figures = {"area": area, "fairness": fairness}[line.strip()]()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "figures": [float(each) for each in figures]}), flush=True)
