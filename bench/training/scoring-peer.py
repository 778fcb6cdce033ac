"""LightGBM's side of scoring.ts: draws rows and trains the models that both sides use, then reads a task a line and answers seconds.

Everything runs on one thread.
"""

import json
import pathlib
import sys
import time

import lightgbm
import numpy as np

ROWS, COLUMNS = 100_000, 20

folder = pathlib.Path(sys.argv[1])
random = np.random.default_rng(1)
rows = random.normal(size=(ROWS, COLUMNS))
signal = 1.5 * rows[:, 0] + rows[:, 1] * rows[:, 2] + np.sin(2 * rows[:, 3]) + 0.25 * rows[:, 4:10].sum(axis=1)
labels = (random.random(ROWS) < 1 / (1 + np.exp(-signal - (rows[:, 10] > 0) * rows[:, 11]))).astype(int)
rows[random.random(ROWS) < 0.05, 5] = np.nan
rows.T.tofile(folder / "columns.f64")

models = {}
for trees in (100, 500):
    params = {"objective": "binary", "num_leaves": 31, "lambda_l2": 1, "num_threads": 1, "verbose": -1}
    models[trees] = lightgbm.train(params, lightgbm.Dataset(rows, labels), trees)
    models[trees].save_model(folder / f"model-{trees}.txt")


def batch(trees, count):
    return models[trees].predict(rows[:count], raw_score=True, num_threads=1)


def single(trees, count):
    predict = models[trees].predict
    return np.concatenate([predict(rows[i : i + 1], raw_score=True, num_threads=1) for i in range(count)])


def contributions(trees, count):
    return models[trees].predict(rows[:count], pred_contrib=True, num_threads=1)


TASKS = {"batch": batch, "single": single, "contributions": contributions}
print("ready", flush=True)
for line in sys.stdin:
    name, trees, count = line.split()
    start = time.perf_counter()
    result = TASKS[name](int(trees), int(count))
    seconds = time.perf_counter() - start
    result.tofile(folder / "result.f64")
    print(json.dumps(seconds), flush=True)
