"""Best values that Optuna's TPE and random samplers find on standard functions, for src/core/training/search/tpe.test.ts.

optuna 5.0.0 is not among the pinned packages of test/python/requirements.txt: run this with a Python that has it.
"""

import json
import math
import pathlib

import numpy
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)

SEEDS = 100
TRIALS = 60


def branin(trial):
    x = trial.suggest_float("x", -5, 10)
    y = trial.suggest_float("y", 0, 15)
    b, c, t = 5.1 / (4 * math.pi**2), 5 / math.pi, 1 / (8 * math.pi)
    return (y - b * x * x + c * x - 6) ** 2 + 10 * (1 - t) * math.cos(x) + 10


ALPHA = [1.0, 1.2, 3.0, 3.2]
A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def hartmann6(trial):
    x = [trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    return -sum(a * math.exp(-sum(k * (xj - p) ** 2 for k, xj, p in zip(row, x, centre))) for a, row, centre in zip(ALPHA, A, P))


def mixed(trial):
    """Three branches with parameters of their own, on linear and log scales; the best is -1 + 0 in branch b."""
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    rate = trial.suggest_float("rate", 1e-4, 1, log=True)
    value = (math.log10(rate) + 2.5) ** 2
    if kind == "a":
        return value + (trial.suggest_int("depth", 1, 12) - 7) ** 2 / 10
    if kind == "b":
        shape = trial.suggest_categorical("shape", ["round", "square"])
        return value - 1 + (trial.suggest_float("width", 0, 4) - 3) ** 2 + (0 if shape == "square" else 0.5)
    return value + abs(trial.suggest_int("leaves", 2, 256, log=True) - 31) / 31


def best(objective, sampler):
    study = optuna.create_study(direction="minimize", sampler=sampler)
    study.optimize(objective, n_trials=TRIALS)
    return study.best_value


golden = {
    "versions": {"optuna": optuna.__version__, "numpy": numpy.__version__},
    "seeds": SEEDS,
    "trials": TRIALS,
    "best": {
        objective.__name__: {
            "tpe": sorted(best(objective, optuna.samplers.TPESampler(seed=seed, **options)) for seed in range(SEEDS)),
            "random": sorted(best(objective, optuna.samplers.RandomSampler(seed=seed)) for seed in range(SEEDS)),
        }
        for objective, options in ((branin, {}), (hartmann6, {}), (mixed, {"group": True}))
    },
}
path = pathlib.Path(__file__).with_name("search.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
