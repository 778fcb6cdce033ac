"""Figures of scikit-learn and scipy that core/training/metrics and core/training/calibration are compared with.

    npm run -s python -- test/golden/make-metrics.py

writes metrics.json beside it, with the versions it was made by. Inputs come from a linear congruential generator that the tests
repeat, or from test/golden/data, so that only results are stored.
"""

import json
import pathlib
import warnings

import numpy as np
import pandas as pd
import scipy
import scipy.optimize
import scipy.stats
import sklearn
from sklearn import calibration, metrics

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent


class Uniform:
    """state = state * 1664525 + 1013904223 mod 2^32; a number is the upper 24 bits over 2^24."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) / 2**24


def row_weights(seed, rows, kind):
    """none; whole: 0, 1, 2 or 3; real: 0…2."""
    if kind == "none":
        return None
    draw = Uniform(seed + 1000)
    return np.array([np.floor(draw() * 4) if kind == "whole" else draw() * 2 for _ in range(rows)])


def binary_rows(seed, rows, steps):
    """`steps` above 0 rounds probabilities to that many steps, which makes ties."""
    draw = Uniform(seed)
    p = np.empty(rows)
    y = np.empty(rows, dtype=int)
    for i in range(rows):
        value = draw()
        p[i] = np.floor(value * steps) / steps if steps else value
        y[i] = draw() < value * value
    return y, p


def weighted_ks(y, p, w):
    cut = np.unique(p)
    tpr = np.array([w[(y == 1) & (p >= c)].sum() for c in cut]) / w[y == 1].sum()
    fpr = np.array([w[(y == 0) & (p >= c)].sum() for c in cut]) / w[y == 0].sum()
    return np.abs(tpr - fpr).max()


def binned_gaps(y, p, w):
    bins = np.minimum(9, np.floor(p * 10)).astype(int)
    used = [b for b in range(10) if w[bins == b].sum() > 0]
    gaps = np.array([abs(np.average((p - y)[bins == b], weights=w[bins == b])) for b in used])
    return gaps, np.array([w[bins == b].sum() for b in used])


def lift_at(y, p, w, share):
    """The expected share of positives when ties at the cut are drawn at random, over that of all rows."""
    count = share * w.sum()
    taken = hits = 0.0
    for c in np.unique(p)[::-1]:
        here = p == c
        part = min(1.0, (count - taken) / w[here].sum()) if w[here].sum() > 0 else 0.0
        taken += part * w[here].sum()
        hits += part * w[here & (y == 1)].sum()
        if part < 1:
            break
    return hits / count / np.average(y, weights=w)


def binary_figures(y, p, w, threshold):
    act = (p >= threshold).astype(int)
    ones = np.ones(len(y)) if w is None else w
    gaps, inside = binned_gaps(y, p, ones)
    tn, fp, fn, tp = metrics.confusion_matrix(y, act, sample_weight=w).ravel()
    return {
        "metrics": {
            "roc_auc": metrics.roc_auc_score(y, p, sample_weight=w),
            "pr_auc": metrics.average_precision_score(y, p, sample_weight=w),
            "ks": weighted_ks(y, p, ones),
            "log_loss": metrics.log_loss(y, p, sample_weight=w),
            "brier": metrics.brier_score_loss(y, p, sample_weight=w),
            "f1": metrics.f1_score(y, act, sample_weight=w),
            "precision": metrics.precision_score(y, act, sample_weight=w),
            "recall": metrics.recall_score(y, act, sample_weight=w),
            "specificity": metrics.recall_score(y, act, pos_label=0, sample_weight=w),
            "accuracy": metrics.accuracy_score(y, act, sample_weight=w),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, act, sample_weight=w),
            "mcc": metrics.matthews_corrcoef(y, act, sample_weight=w),
            "kappa": metrics.cohen_kappa_score(y, act, sample_weight=w),
            "ece": np.average(gaps, weights=inside),
            "mce": gaps.max(),
            "payoff_per_decision": (80 * tp - 25 * fp - 60 * fn + tn) / ones.sum(),
        },
        "f2": metrics.fbeta_score(y, act, beta=2, sample_weight=w),
        "fHalf": metrics.fbeta_score(y, act, beta=0.5, sample_weight=w),
        "lift10": lift_at(y, p, ones, 0.1),
    }


def binary_case(seed, rows, steps, threshold, weights):
    y, p = binary_rows(seed, rows, steps)
    w = row_weights(seed, rows, weights)
    case = {"seed": seed, "rows": rows, "steps": steps, "threshold": threshold, "weights": weights}
    return case | binary_figures(y, p, w, threshold)


def breast_cancer_case():
    """The mean radius, over 30, as if it were the probability of a malignant growth."""
    data = pd.read_csv(HERE / "data/breast_cancer.csv")
    y = 1 - data.iloc[:, -1].to_numpy().astype(int)
    return {"threshold": 0.5} | binary_figures(y, data["mean_radius"].to_numpy() / 30, None, 0.5)


def curves_case(seed, rows, steps, weights):
    y, p = binary_rows(seed, rows, steps)
    w = row_weights(seed, rows, weights)
    fpr, tpr, threshold = metrics.roc_curve(y, p, sample_weight=w, drop_intermediate=False)
    precision, recall, at = metrics.precision_recall_curve(y, p, sample_weight=w)
    return {
        "seed": seed,
        "rows": rows,
        "steps": steps,
        "weights": weights,
        "roc": {"falsePositiveRate": fpr[1:], "truePositiveRate": tpr[1:], "threshold": threshold[1:]},
        "precisionRecall": {"precision": precision[:-1][::-1], "recall": recall[:-1][::-1], "threshold": at[::-1]},
    }


def calibration_case(seed, rows):
    y, p = binary_rows(seed, rows, 0)
    case = {"seed": seed, "rows": rows}
    for name, strategy in (("equal-width", "uniform"), ("equal-mass", "quantile")):
        share, mean = calibration.calibration_curve(y, p, n_bins=10, strategy=strategy)
        case[name] = {"shareOfPositives": share, "meanProbability": mean}
    return case


def class_rows(seed, rows, classes, steps):
    draw = Uniform(seed)
    p = np.empty((rows, classes))
    y = np.empty(rows, dtype=int)
    for i in range(rows):
        for k in range(classes):
            value = draw()
            p[i, k] = 0.05 + (np.floor(value * steps) / steps if steps else value)
        p[i] /= sum(p[i].tolist())
        value = draw()
        cut = 0.0
        y[i] = classes - 1
        for k in range(classes):
            cut += p[i, k]
            if value < cut:
                y[i] = k
                break
        if draw() < 0.1:
            y[i] = 0
    return y, p


def class_figures(y, p, w):
    classes = p.shape[1]
    labels = list(range(classes))
    guess = p.argmax(axis=1)
    given = {"sample_weight": w}
    averaged = {"labels": labels, "zero_division": np.nan, "sample_weight": w}
    figures = {
        "accuracy": metrics.accuracy_score(y, guess, **given),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, guess, **given),
        "log_loss": metrics.log_loss(y, p, labels=labels, **given),
        "brier": metrics.brier_score_loss(y, p, labels=labels, **given),
        "mcc": metrics.matthews_corrcoef(y, guess, **given),
        "kappa": metrics.cohen_kappa_score(y, guess, labels=labels, **given),
        "quadratic_kappa": metrics.cohen_kappa_score(y, guess, labels=labels, weights="quadratic", **given),
        "roc_auc_ovr": metrics.roc_auc_score(y, p, multi_class="ovr", labels=labels, **given),
        "roc_auc_ovr_weighted": metrics.roc_auc_score(y, p, multi_class="ovr", average="weighted", labels=labels, **given),
    }
    if w is None:
        figures["roc_auc_ovo"] = metrics.roc_auc_score(y, p, multi_class="ovo", labels=labels)
        figures["roc_auc_ovo_weighted"] = metrics.roc_auc_score(y, p, multi_class="ovo", average="weighted", labels=labels)
    for k in (2, 3):
        if k < classes:
            figures[f"top_{k}_accuracy"] = metrics.top_k_accuracy_score(y, p, k=k, labels=labels, **given)
    for average in ("macro", "weighted"):
        figures[f"precision_{average}"] = metrics.precision_score(y, guess, average=average, **averaged)
        figures[f"recall_{average}"] = metrics.recall_score(y, guess, average=average, **averaged)
        figures[f"f1_{average}"] = metrics.f1_score(y, guess, average=average, **averaged)
    return {
        "metrics": figures,
        "linearKappa": metrics.cohen_kappa_score(y, guess, labels=labels, weights="linear", **given),
        "microF1": metrics.f1_score(y, guess, average="micro", **averaged),
        "f1": metrics.f1_score(y, guess, average=None, **averaged),
        "confusion": metrics.confusion_matrix(y, guess, labels=labels, **given).ravel(),
    }


def class_case(seed, rows, classes, steps, weights):
    y, p = class_rows(seed, rows, classes, steps)
    case = {"seed": seed, "rows": rows, "classes": classes, "steps": steps, "weights": weights}
    return case | class_figures(y, p, row_weights(seed, rows, weights))


def value_rows(seed, rows, steps):
    draw = Uniform(seed)
    y = np.empty(rows)
    p = np.empty(rows)
    for i in range(rows):
        value = draw() * 10 + 0.5
        y[i] = np.floor(value * steps) / steps + 0.5 if steps else value
        p[i] = 0.8 * y[i] + draw() * 3
    return y, p


def value_figures(y, p, w):
    given = {"sample_weight": w}
    share = 2 * np.abs(y - p) / (np.abs(y) + np.abs(p))
    return {
        "mae": metrics.mean_absolute_error(y, p, **given),
        "median_ae": metrics.median_absolute_error(y, p, **given),
        "mse": metrics.mean_squared_error(y, p, **given),
        "rmse": metrics.root_mean_squared_error(y, p, **given),
        "mape": metrics.mean_absolute_percentage_error(y, p, **given),
        "smape": np.average(share, weights=w),
        "max_error": np.abs(y - p)[slice(None) if w is None else w > 0].max(),
        "r2": metrics.r2_score(y, p, **given),
        "explained_variance": metrics.explained_variance_score(y, p, **given),
        "pinball": metrics.mean_pinball_loss(y, p, alpha=0.9, **given),
        "poisson_deviance": metrics.mean_poisson_deviance(y, p, **given),
    }


def value_case(seed, rows, steps, weights):
    y, p = value_rows(seed, rows, steps)
    case = {"seed": seed, "rows": rows, "steps": steps, "weights": weights}
    return case | {"metrics": value_figures(y, p, row_weights(seed, rows, weights))}


def diabetes_case():
    """150 + 900 times the body mass index as a prediction."""
    data = pd.read_csv(HERE / "data/diabetes.csv")
    return {"metrics": value_figures(data.iloc[:, -1].to_numpy(), 150 + 900 * data["bmi"].to_numpy(), None)}


def query_case(seed, queries, rows, steps):
    draw = Uniform(seed)
    relevance = np.empty((queries, rows))
    score = np.empty((queries, rows))
    for q in range(queries):
        for i in range(rows):
            value = draw()
            relevance[q, i] = np.floor(draw() * draw() * 5)
            score[q, i] = np.floor((value + relevance[q, i] / 5) * steps) / steps
        relevance[q, 0] = 1
    case = {"seed": seed, "queries": queries, "rows": rows, "steps": steps}
    for k in (None, 5, 1):
        case[f"ndcg{k or ''}"] = [metrics.ndcg_score(relevance[q : q + 1], score[q : q + 1], k=k) for q in range(queries)]
    case["exponential"] = [metrics.ndcg_score(2 ** relevance[q : q + 1] - 1, score[q : q + 1], k=5) for q in range(queries)]
    case["averagePrecision"] = [metrics.average_precision_score(relevance[q] > 0, score[q]) for q in range(queries)]
    return case


def de_long_case(seed, rows, steps):
    """By the definition: psi of every pair of a positive and a negative row."""
    draw = Uniform(seed)
    y = np.empty(rows, dtype=int)
    scores = np.empty((2, rows))
    for i in range(rows):
        value = draw()
        y[i] = draw() < value
        for model in range(2):
            noisy = 0.6 * value + 0.4 * draw()
            scores[model, i] = np.floor(noisy * steps) / steps if steps else noisy
    psi = [np.sign(s[y == 1][:, None] - s[y == 0][None, :]) / 2 + 0.5 for s in scores]
    auc = [each.mean() for each in psi]
    of_positives = np.cov([each.mean(axis=1) for each in psi])
    of_negatives = np.cov([each.mean(axis=0) for each in psi])
    covariance = of_positives / (y == 1).sum() + of_negatives / (y == 0).sum()
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return {
        "seed": seed,
        "rows": rows,
        "steps": steps,
        "auc": auc,
        "errors": np.sqrt(np.diag(covariance)),
        "standardError": error,
        "pValue": 2 * scipy.stats.norm.sf(abs(auc[0] - auc[1]) / error),
    }


def distributions():
    return {
        "normalTwoSided": [[z, 2 * scipy.stats.norm.sf(z)] for z in (0.0, 0.3, 1.0, 1.96, 3.5, 3.6, 6.0, 12.0)],
        "normalQuantile": [[q, scipy.stats.norm.ppf(q)] for q in (1e-10, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975)],
        "studentTwoSided": [[t, n, 2 * scipy.stats.t.sf(t, n)] for t in (0.0, 0.5, 2.0, 4.0, 30.0) for n in (1, 4, 9, 99)],
        "studentQuantile": [[p, n, scipy.stats.t.isf(p / 2, n)] for p in (0.05, 0.01) for n in (1, 4, 9, 200)],
        "fUpperTail": [[f, scipy.stats.f.sf(f, 10, 5)] for f in (0.1, 1.0, 4.735, 20.0)],
        "chiSquareUpperTail": [[x, scipy.stats.chi2.sf(x, 1)] for x in (0.01, 1.0, 3.84, 15.0)],
        "fairBinomialCdf": [[k, n, scipy.stats.binom.cdf(k, n, 0.5)] for k, n in ((0, 5), (3, 10), (11, 24), (40, 100))],
    }


def paired_tests():
    folds = [0.012, -0.004, 0.021, 0.009, 0.015]
    n, share = len(folds), 0.25
    mean, var = np.mean(folds), np.var(folds, ddof=1)
    error = np.sqrt((1 / n + share) * var)
    reach = scipy.stats.t.isf(0.025, n - 1) * error
    pairs = [[0.02, 0.01], [0.015, -0.005], [0.03, 0.012], [0.0, 0.02], [0.011, 0.017]]
    spread = sum((a - b) ** 2 / 2 for a, b in pairs)
    f = sum(a * a + b * b for a, b in pairs) / (2 * spread)
    t = pairs[0][0] / np.sqrt(spread / 5)
    discordant = [[3, 11], [40, 61], [12, 12]]
    return {
        "resampled": {
            "differences": folds,
            "testShare": share,
            "value": mean,
            "low": mean - reach,
            "high": mean + reach,
            "pValue": 2 * scipy.stats.t.sf(mean / error, n - 1),
        },
        "fiveByTwo": {
            "differences": pairs,
            "f": f,
            "pValue": scipy.stats.f.sf(f, 10, 5),
            "t": t,
            "pValueT": 2 * scipy.stats.t.sf(t, 5),
        },
        "mcNemar": [
            {
                "onlyA": a,
                "onlyB": b,
                "pValue": scipy.stats.binomtest(a, a + b).pvalue
                if a + b < 25
                else scipy.stats.chi2.sf((abs(a - b) - 1) ** 2 / (a + b), 1),
            }
            for a, b in discordant
        ],
    }


def sigmoid_case(seed, rows, weights):
    """Platt's loss to a far smaller gradient than scikit-learn's own, which is kept beside it."""
    y, p = binary_rows(seed, rows, 0)
    p = np.clip(p, 0.001, 0.999)
    f = np.log(p / (1 - p))
    w = row_weights(seed, rows, weights)
    a, b = calibration._sigmoid_calibration(f, y, sample_weight=w)
    ones = np.ones(rows) if w is None else w
    prior = [ones[y == 0].sum(), ones[y == 1].sum()]
    target = np.where(y == 1, (prior[1] + 1) / (prior[1] + 2), 1 / (prior[0] + 2))
    theta = np.array([-a, -b])
    x = np.column_stack([f, np.ones(rows)])
    for _ in range(50):
        q = scipy.special.expit(x @ theta)
        theta -= np.linalg.solve((x * (ones * q * (1 - q))[:, None]).T @ x, x.T @ (ones * (q - target)))
    return {"seed": seed, "rows": rows, "weights": weights, "slope": theta[0], "intercept": theta[1], "sklearn": [-a, -b]}


def temperature_case(seed, rows, classes, weights):
    """Probabilities are raised to the power of 3 and normalised, which makes them too sure."""
    y, p = class_rows(seed, rows, classes, 0)
    sharp = p**3 / (p**3).sum(axis=1, keepdims=True)
    fitted = calibration._TemperatureScaling().fit(np.log(sharp), y, row_weights(seed, rows, weights))
    return {"seed": seed, "rows": rows, "classes": classes, "weights": weights, "temperature": 1 / float(fitted.beta_)}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (str, int)):
        return value
    number = float(value)
    return None if np.isnan(number) else number


golden = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
    "binary": [
        binary_case(1, 2000, 0, 0.5, "none"),
        binary_case(2, 500, 20, 0.6, "none"),
        binary_case(3, 40, 3, 0.3, "none"),
        binary_case(4, 1000, 0, 0.4, "real"),
        binary_case(5, 600, 8, 0.5, "whole"),
        binary_case(6, 600, 8, 0.7, "real"),
    ],
    "breastCancer": breast_cancer_case(),
    "curves": [curves_case(7, 60, 0, "none"), curves_case(8, 80, 7, "real")],
    "calibration": [calibration_case(9, 500)],
    "multiclass": [
        class_case(10, 400, 3, 0, "none"),
        class_case(11, 300, 5, 4, "none"),
        class_case(12, 300, 4, 0, "real"),
        class_case(13, 25, 6, 3, "whole"),
    ],
    "regression": [
        value_case(14, 500, 0, "none"),
        value_case(15, 501, 2, "real"),
        value_case(16, 300, 0, "whole"),
    ],
    "diabetes": diabetes_case(),
    "queries": [query_case(17, 12, 15, 100), query_case(18, 10, 8, 3)],
    "deLong": [de_long_case(19, 200, 0), de_long_case(20, 150, 6)],
    "distributions": distributions(),
    "pairedTests": paired_tests(),
    "sigmoid": [sigmoid_case(21, 300, "none"), sigmoid_case(22, 200, "real")],
    "temperature": [temperature_case(23, 400, 4, "none"), temperature_case(24, 300, 3, "real")],
}
(HERE / "metrics.json").write_text(json.dumps(plain(golden), indent=1) + "\n")
