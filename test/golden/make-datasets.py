"""Small real data sets that golden files and tests share, as CSV beside this script (data/).

    npm run python -- test/golden/make-datasets.py

scikit-learn's bundled sets as they are (the last column, `target`, is the class index or the value), and 6,000 flights of 2013
in time order with categories and missing values; `target` is whether one landed 15 or more minutes late.
"""

import pathlib

import pandas as pd
from sklearn import datasets

HERE = pathlib.Path(__file__).parent
OUT = HERE / "data"

for name in ["breast_cancer", "diabetes", "digits", "iris", "wine"]:
    bunch = getattr(datasets, f"load_{name}")()
    names = [str(column).replace(" ", "_") for column in bunch.feature_names]
    frame = pd.DataFrame(bunch.data, columns=names)
    frame["target"] = bunch.target
    frame.to_csv(OUT / f"{name}.csv", index=False)

flights = pd.read_parquet(HERE / "../../examples/flights/data/flights.parquet")
flights = flights[flights["arr_delay"].notna()].sort_values(["scheduled_departure", "flight_id"])
flights = flights.iloc[:: len(flights) // 6_000].head(6_000)
sample = flights[["carrier", "origin", "dest", "distance", "departure_hour", "weekday", "scheduled_minutes"]].copy()
sample["month"] = pd.to_datetime(flights["scheduled_departure"]).dt.month
# What was known at the desk: a delay at departure is missing for one in five, as if the feed had been down.
sample["dep_delay"] = flights["dep_delay"].where(pd.Series(range(len(flights)), index=flights.index) % 5 != 0)
sample["target"] = (flights["arr_delay"] >= 15).astype(int)
sample.to_csv(OUT / "flights.csv", index=False)
