"""Figures of scikit-learn, SciPy and pandas that preparation, folds and exploration are compared with.

    npm run python -- test/golden/make-preparation.py

writes preparation.json beside it, with the versions it was made by. Transformers are fitted on all rows of a data set
(data/) and their output is kept for every n-th row.
"""

import json
import math
import pathlib
import warnings

import numpy as np
import pandas as pd
import scipy
import sklearn
from scipy import stats
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif, f_regression, mutual_info_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.metrics import mutual_info_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    train_test_split,
)
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
DATA = {name: pd.read_csv(HERE / "data" / f"{name}.csv") for name in ["breast_cancer", "diabetes", "iris", "wine", "flights"]}
KEPT = 24


def kept(values):
    """Every n-th row, column by column; None for NaN."""
    values = np.asarray(values, dtype=float)
    values = values.reshape(len(values), -1)
    step = len(values) // KEPT
    return [[None if math.isnan(x) else x for x in column] for column in values[::step][:KEPT].T.tolist()]


numbers = []


def number_case(name, step, data, columns, transform, **more):
    numbers.append({"name": name, "step": step, "data": data, "columns": columns,
                    "expected": kept(transform(DATA[data][columns].to_numpy(dtype=float))), **more})


AREA = ("breast_cancer", ["mean_area", "mean_concavity"])
DELAY = ("flights", ["dep_delay", "scheduled_minutes"])
SIGNED = ("diabetes", ["bmi", "s5"])

for data, columns in [AREA, DELAY, SIGNED]:
    number_case(f"StandardScaler, {data}", {"kind": "standard-scale"}, data, columns,
                lambda x: StandardScaler().fit_transform(x))
    number_case(f"MinMaxScaler, {data}", {"kind": "min-max-scale", "low": 0, "high": 1}, data, columns,
                lambda x: MinMaxScaler().fit_transform(x))
    number_case(f"MinMaxScaler to -1 ... 3, {data}", {"kind": "min-max-scale", "low": -1, "high": 3}, data, columns,
                lambda x: MinMaxScaler((-1, 3)).fit_transform(x))
    number_case(f"RobustScaler, {data}", {"kind": "robust-scale", "low": 0.25, "high": 0.75}, data, columns,
                lambda x: RobustScaler().fit_transform(x))
    number_case(f"RobustScaler by tenths, {data}", {"kind": "robust-scale", "low": 0.1, "high": 0.9}, data, columns,
                lambda x: RobustScaler(quantile_range=(10, 90)).fit_transform(x))
    for output in ["uniform", "normal"]:
        # Not as many landmarks as diabetes has rows: rounding makes scikit-learn's landmarks of equal values differ (442 rows, bmi).
        for quantiles in [10, 64 if data == "diabetes" else 1_000]:
            number_case(f"QuantileTransformer to {output} by {quantiles}, {data}",
                        {"kind": "quantile-scale", "output": output, "quantiles": quantiles}, data, columns,
                        lambda x: QuantileTransformer(n_quantiles=quantiles, output_distribution=output, subsample=None).fit_transform(x))
    number_case(f"clipping at quantiles, {data}", {"kind": "clip", "by": "quantiles", "low": 0.05, "high": 0.9}, data, columns,
                lambda x: np.clip(x, np.nanquantile(x, 0.05, axis=0), np.nanquantile(x, 0.9, axis=0)))
    number_case(f"clipping at bounds, {data}", {"kind": "clip", "by": "bounds", "low": 0.01, "high": 300}, data, columns,
                lambda x: np.clip(x, 0.01, 300))
    number_case(f"signed logarithm, {data}", {"kind": "log-transform", "signed": True}, data, columns,
                lambda x: np.sign(x) * np.log1p(np.abs(x)))

for strategy, ours in [("mean", "mean"), ("median", "median"), ("most_frequent", "mostFrequent"), ("constant", "constant")]:
    constant = {"value": -7} if strategy == "constant" else {}
    number_case(f"SimpleImputer with {strategy}", {"kind": "impute", "strategy": ours, "indicator": True, **constant},
                "flights", ["dep_delay"], lambda x: SimpleImputer(strategy=strategy, fill_value=-7, add_indicator=True).fit_transform(x))

number_case("PolynomialFeatures", {"kind": "products", "on": ["bmi", "s5", "bp"], "squares": True}, "diabetes", ["bmi", "s5", "bp"],
            lambda x: PolynomialFeatures(2, include_bias=False).fit_transform(x))
number_case("PolynomialFeatures of interactions only", {"kind": "products", "on": ["bmi", "s5", "bp"], "squares": False}, "diabetes",
            ["bmi", "s5", "bp"], lambda x: PolynomialFeatures(2, include_bias=False, interaction_only=True).fit_transform(x))


def power_case(method, data, column, standardize):
    x = DATA[data][[column]].to_numpy(dtype=float)
    transformer = PowerTransformer(method, standardize=standardize).fit(x)
    numbers.append({"name": f"PowerTransformer {method}, {column}{', standardized' if standardize else ''}",
                    "step": {"kind": "power-transform", "method": method, "standardize": standardize},
                    "data": data, "columns": [column], "expected": kept(transformer.transform(x)),
                    "lambda": float(transformer.lambdas_[0])})


for standardize in [True, False]:
    power_case("yeo-johnson", "diabetes", "bmi", standardize)
    power_case("yeo-johnson", "breast_cancer", "mean_area", standardize)
    power_case("yeo-johnson", "flights", "dep_delay", standardize)
    power_case("box-cox", "breast_cancer", "mean_area", standardize)
    power_case("box-cox", "wine", "proline", standardize)

points = [-1e3, -20, -3.5, -1, -0.2, -1e-9, 0, 1e-9, 0.3, 1, 2.5, 40, 1e4]
positive = [x for x in points if x > 0]
powers = [{"method": "yeo-johnson", "lambda": power, "x": points, "expected": stats.yeojohnson(np.array(points), power).tolist()}
          for power in [-1.5, 0, 0.5, 1, 2, 3.2]]
powers += [{"method": "box-cox", "lambda": power, "x": positive, "expected": stats.boxcox(np.array(positive), power).tolist()}
           for power in [-2, -0.5, 0, 0.5, 1, 2.2]]
probabilities = [1e-300, 1e-40, 1e-12, 1e-7, 0.001, 0.02425, 0.074, 0.075, 0.076, 0.3, 0.5, 0.500001, 0.9, 0.9249, 0.9251, 0.999, 1 - 1e-12]

flights = DATA["flights"]
categories = []


def category_case(name, steps, columns, values, names=None, target="target"):
    categories.append({"name": name, "steps": steps, "columns": columns, "target": target, "expected": kept(values), "names": names})


one_hot = OneHotEncoder(min_frequency=0.08, handle_unknown="infrequent_if_exist", sparse_output=False)
category_case("OneHotEncoder", [{"kind": "one-hot", "rare": 0.08, "unseen": "rare"}], ["carrier", "origin"],
              one_hot.fit_transform(flights[["carrier", "origin"]]))
category_case("OrdinalEncoder", [{"kind": "ordinal"}], ["carrier", "dest"], OrdinalEncoder().fit_transform(flights[["carrier", "dest"]]))
category_case("shares by pandas", [{"kind": "frequency-encode"}], ["carrier", "dest"],
              np.column_stack([flights[c].map(flights[c].value_counts(normalize=True)) for c in ["carrier", "dest"]]))

TARGETS = {"target": flights["target"], "hours": flights["departure_hour"] // 8, "minutes": flights["scheduled_minutes"].astype(float)}
target_encodings = []
for target, kind in [("target", "binary"), ("hours", "multiclass"), ("minutes", "continuous")]:
    for smooth in ["auto", 10.0]:
        encoder = TargetEncoder(smooth=smooth, cv=5, shuffle=False, target_type=kind)
        y = TARGETS[target].to_numpy()
        out_of_fold = encoder.fit_transform(flights[["carrier", "dest"]], y)
        unseen = pd.DataFrame({"carrier": ["none"], "dest": ["none"]})
        target_encodings.append({"target": target, "kind": kind, "smooth": smooth, "columns": ["carrier", "dest"],
                                 "outOfFold": kept(out_of_fold), "all": kept(encoder.transform(flights[["carrier", "dest"]])),
                                 "unseen": encoder.transform(unseen)[0].tolist()})

diabetes, cancer = DATA["diabetes"], DATA["breast_cancer"]
X, y = cancer.drop(columns="target"), cancer["target"]
D, z = diabetes.drop(columns="target"), diabetes["target"]
# Our strength is that of scikit-learn's sum of losses for either: of half the squared error, in units of the target's deviation.
l1_logistic = LogisticRegression(C=0.05, l1_ratio=1, solver="saga", tol=1e-8, max_iter=100_000).fit(StandardScaler().fit_transform(X), y)
l1_lasso = Lasso(alpha=1 / (0.05 * len(D)), tol=1e-10).fit(StandardScaler().fit_transform(D), (z - z.mean()) / z.std(ddof=0))
selection = {
    "fClassif": f_classif(X, y)[0].tolist(),
    "fClassifThree": f_classif(DATA["wine"].drop(columns="target"), DATA["wine"]["target"])[0].tolist(),
    "fRegression": f_regression(D, z)[0].tolist(),
    "best": {"fClassif": X.columns[SelectKBest(f_classif, k=5).fit(X, y).get_support()].tolist(),
             "fRegression": D.columns[SelectKBest(f_regression, k=4).fit(D, z).get_support()].tolist()},
    "l1": {"logistic": {"c": 0.05, "kept": X.columns[l1_logistic.coef_[0] != 0].tolist()},
           "lasso": {"c": 0.05, "kept": D.columns[l1_lasso.coef_ != 0].tolist()}},
    "variance": {"above": 0.01, "kept": X.columns[VarianceThreshold(0.01).fit(X).get_support()].tolist()},
}

codes = flights[["carrier", "origin", "dest", "weekday", "month"]].apply(lambda column: pd.factorize(column, sort=True)[0])
information = {
    "withTarget": dict(zip(codes.columns, mutual_info_classif(codes, flights["target"], discrete_features=True).tolist())),
    "carrierOrigin": mutual_info_score(codes["carrier"], codes["origin"]),
    "destMonth": mutual_info_score(codes["dest"], codes["month"]),
}

together = flights[["distance", "departure_hour", "scheduled_minutes", "dep_delay"]]
correlation = {
    "columns": together.columns.tolist(),
    "pearson": together.corr("pearson").to_numpy().tolist(),
    "spearman": together.corr("spearman").to_numpy().tolist(),
}


def describe(data, column):
    x = DATA[data][column].dropna().to_numpy(dtype=float)
    shares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    counts, edges = np.histogram(x, bins=12)
    return {"data": data, "column": column, "count": len(x), "mean": x.mean(), "deviation": x.std(), "skewness": stats.skew(x),
            "kurtosis": stats.kurtosis(x), "min": x.min(), "max": x.max(), "distinct": len(np.unique(x)),
            "quantiles": np.quantile(x, shares).tolist(), "histogram": counts.tolist(), "edges": edges.tolist()}


profile = [describe("flights", "dep_delay"), describe("breast_cancer", "mean_area"), describe("diabetes", "bmi")]

binned = flights.groupby("carrier")["target"].agg(["sum", "count"])


def wilson(hits, rows):
    interval = stats.binomtest(int(hits), int(rows)).proportion_ci(0.95, "wilson")
    return [interval.low, interval.high]


relation = {carrier: {"rows": int(row["count"]), "rate": row["sum"] / row["count"], "interval": wilson(row["sum"], row["count"])}
            for carrier, row in binned.iterrows()}

rng = np.random.default_rng(5)
weights = rng.integers(0, 4, size=KEPT * 2).astype(float)
x = rng.normal(3, 2, size=KEPT * 2)
scaler = StandardScaler().fit(x[:, None], sample_weight=weights)
weighted = {"x": x.tolist(), "weights": weights.tolist(), "mean": scaler.mean_[0], "deviation": scaler.scale_[0],
            "repeated": {"quantiles": np.quantile(np.repeat(x, weights.astype(int)), [0.1, 0.5, 0.77]).tolist(),
                         "mean": np.repeat(x, weights.astype(int)).mean()}}


def assignment(splitter, rows, y=None, groups=None):
    folds = np.zeros(rows, dtype=int)
    for fold, (_, test) in enumerate(splitter.split(np.zeros((rows, 1)), y, groups)):
        folds[test] = fold
    return folds.tolist()


groups = [rng.integers(0, 12, size=60).tolist(), [3] * 20 + [1] * 7 + [9] * 7 + [2] * 3 + [5] * 11 + [6]]
folds = {
    "kFold": [{"rows": rows, "folds": k, "assignment": assignment(KFold(k), rows)} for rows, k in [(10, 3), (17, 5), (8, 8)]],
    "stratified": [{"data": data, "folds": k, "assignment": assignment(StratifiedKFold(k), len(DATA[data]), DATA[data]["target"])}
                   for data, k in [("iris", 5), ("breast_cancer", 4)]],
    "stratifiedSizes": [
        {"data": data, "folds": k,
         "sizes": [np.bincount(DATA[data]["target"].to_numpy()[test]).tolist()
                   for _, test in StratifiedKFold(k, shuffle=True, random_state=1).split(DATA[data], DATA[data]["target"])]}
        for data, k in [("iris", 7), ("breast_cancer", 5)]],
    "grouped": [{"groups": each, "folds": k, "assignment": assignment(GroupKFold(k), len(each), groups=each)}
                for each, k in [(groups[0], 4), (groups[1], 3)]],
    "timeSeries": [
        {"rows": rows, "folds": k, "test": [test.tolist() for _, test in TimeSeriesSplit(k).split(range(rows))],
         "train": [len(train) for train, _ in TimeSeriesSplit(k).split(range(rows))]} for rows, k in [(20, 3), (47, 5)]],
    "splitSizes": [],
}
for rows, test, validation in [(1000, 0.2, 0.15), (317, 0.25, 0.1), (100, 0.33, 0.33)]:
    rest, tested = train_test_split(range(rows), test_size=test, random_state=0)
    train, validated = train_test_split(rest, test_size=math.ceil(validation * rows), random_state=0)
    folds["splitSizes"].append({"rows": rows, "test": test, "validation": validation,
                                "sizes": [len(train), len(validated), len(tested)]})
labels = np.array([1 if row % 8 == 0 else 0 for row in range(1000)])
rest, tested = next(StratifiedShuffleSplit(1, test_size=0.2, random_state=0).split(labels, labels))
train, validated = next(StratifiedShuffleSplit(1, test_size=150, random_state=0).split(rest, labels[rest]))
folds["stratifiedPositives"] = [int(labels[tested].sum()), int(labels[rest][validated].sum()), int(labels[rest][train].sum())]

json.dump(
    {
        "versions": {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__, "pandas": pd.__version__, "numpy": np.__version__},
        "kept": KEPT,
        "numbers": numbers,
        "powers": powers,
        "normalQuantile": {"probability": probabilities, "expected": stats.norm.ppf(probabilities).tolist()},
        "categories": categories,
        "targetEncodings": target_encodings,
        "selection": selection,
        "information": information,
        "correlation": correlation,
        "profile": profile,
        "relation": relation,
        "weighted": weighted,
        "folds": folds,
    },
    (HERE / "preparation.json").open("w"),
    separators=(",", ":"),
)
