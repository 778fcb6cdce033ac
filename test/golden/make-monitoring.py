"""Golden figures for src/core/monitoring/distances.ts. Run: python3 test/golden/make-monitoring.py

Wants numpy and scipy; their versions are written into the file. Re-run only when a case is added.
"""
import json
import pathlib
import platform

import numpy as np
import scipy
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance


def filled(counts):
    shares = np.asarray(counts, dtype=float) / np.sum(counts)
    smallest = shares[shares > 0].min()
    return np.where(shares == 0, smallest / 1e6 if smallest <= 1e-4 else 1e-4, shares)


def psi(reference, current):
    p, q = filled(reference), filled(current)
    return float(np.sum((p - q) * np.log(p / q)))


rng = np.random.default_rng(7)
histograms = [
    ([10, 20, 30], [10, 20, 30]),
    ([10, 20, 30], [30, 20, 10]),
    ([5, 0, 5], [0, 10, 0]),
    ([50_000, 1, 0, 300], [40_000, 0, 2, 900]),
    (rng.integers(0, 500, 22).tolist(), rng.integers(0, 40, 22).tolist()),
]
samples = [
    ([0.0], [3.5]),
    ([1, 1, 2, 5], [1, 2, 2]),
    (rng.normal(0, 1, 60).tolist(), rng.normal(0.4, 2, 35).tolist()),
    (rng.integers(0, 6, 50).tolist(), rng.integers(2, 9, 20).tolist()),
]
golden = {
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
    "histograms": [
        {"reference": r, "current": c, "jensenShannon": float(jensenshannon(r, c)), "psi": psi(r, c)} for r, c in histograms
    ],
    "samples": [
        {
            "reference": r,
            "current": c,
            "wasserstein": float(wasserstein_distance(r, c)),
            "normed": float(wasserstein_distance(r, c) / max(np.std(r), 0.001)),
            "std": float(np.std(r)),
        }
        for r, c in samples
    ],
}
path = pathlib.Path(__file__).with_name("monitoring.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
