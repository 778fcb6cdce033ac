"""Golden figures for src/core/data/profile-snapshot.ts, missingness.ts and src/platform/explore-source.ts. Run: python3 test/golden/make-profile.py

Wants numpy, pandas and scipy; their versions are written into the file. The rows are made by the same formulas in the test, in SQL.
"""
import json
import pathlib
import platform

import numpy as np
import pandas as pd
import scipy
from scipy import stats

ROWS = 5000
i = np.arange(ROWS)
frame = pd.DataFrame({
    "even": ((i * 7919) % 1009) / 8.0,
    "skewed": (((i * 104729) % 997) / 100.0) ** 3,
    "ties": ((i * 31) % 7).astype(float),
    "related": ((i * 7919) % 1009) / 4.0 + ((i * 15485863) % 101),
})
frame.loc[i % 5 == 0, "skewed"] = np.nan
frame.loc[(i % 5 == 0) & (i % 2 == 0) | (i % 11 == 0), "ties"] = np.nan

LEVELS = {"p01": 0.01, "p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}
null = frame.isna()
missing = ["skewed", "ties"]
# Spearman's over the rows that have both values, as scipy ranks them.
spearman = {}
for a in frame:
    for b in frame:
        both = frame[[a, b]].dropna() if a != b else frame[[a]].dropna()
        spearman[f"{a} {b}"] = float(stats.spearmanr(both[a], both[b]).statistic)
target = frame["even"] > 60
golden = {
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__, "scipy": scipy.__version__},
    "rows": ROWS,
    "columns": {
        name: {
            "nulls": int(null[name].sum()),
            "distinct": int(column.nunique()),
            "min": float(column.min()),
            "max": float(column.max()),
            "mean": float(column.mean()),
            "std": float(column.std()),
            "quantiles": {label: float(column.quantile(level)) for label, level in LEVELS.items()},
        }
        for name, column in frame.items()
    },
    "pearson": {f"{a} {b}": float(frame[a].corr(frame[b])) for a in frame for b in frame},
    "spearman": spearman,
    "missing": {
        "both": int((null["skewed"] & null["ties"]).sum()),
        "correlation": float(null["skewed"].astype(float).corr(null["ties"].astype(float))),
        "patterns": sorted(
            ([[name for name in missing if row[name]], int(count)] for row, count in
             ((dict(zip(missing, key)), count) for key, count in null.groupby(missing).size().items()) if any(row.values())),
            key=lambda each: -each[1],
        ),
    },
    "target": {
        name: float(stats.pointbiserialr(target[frame[name].notna()], frame[name].dropna()).statistic) for name in frame
    },
}
path = pathlib.Path(__file__).with_name("profile.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
