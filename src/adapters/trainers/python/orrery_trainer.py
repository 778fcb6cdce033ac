"""What a training script sees of Orrery.

    from orrery_trainer import load, sklearn_to_onnx

    spec = load()
    model = LogisticRegression(**spec.params).fit(spec.train.x, spec.train.y, spec.train.weights)
    spec.save(sklearn_to_onnx(model, spec), metrics={"iterations": model.n_iter_[0]}, predict=model.predict_proba)

Reading the spec and saving need the standard library only; `x`, `y` and `weights` need numpy and pyarrow, `frame` pandas besides. A
script can do without this module: ORRERY_SPEC names a JSON file that says where everything lies.
"""

import json
import math
import os
import shutil
from functools import cached_property

from orrery_onnx import lightgbm_to_onnx, sklearn_to_onnx, xgboost_to_onnx

__all__ = ["Rows", "Spec", "lightgbm_to_onnx", "load", "sklearn_to_onnx", "xgboost_to_onnx"]

# Rows whose predictions are kept, so that the imported graph can be compared with the model it was made of.
COMPARED_ROWS = 1_000


def load(path=None):
    """The spec of this training, from the file that ORRERY_SPEC names."""
    with open(path or os.environ["ORRERY_SPEC"], encoding="utf-8") as file:
        return Spec(json.load(file))


class Rows:
    """Prepared rows, read from their Parquet file when first asked for. Numbers are those of float32, which the ONNX graph will see."""

    def __init__(self, spec, path, rows):
        self._spec = spec
        self.path = path
        self.rows = rows

    def __len__(self):
        return self.rows

    @cached_property
    def x(self):
        """float64 array [rows, features]; NaN is missing."""
        import numpy

        table = _parquet().read_table(self.path, columns=self._spec.features)
        values = numpy.empty((self.rows, len(self._spec.features)))
        for index, column in enumerate(table.columns):
            values[:, index] = column.to_numpy()
        return values

    @cached_property
    def y(self):
        """int64 classes 0 … n-1, or float64 values."""
        return self._column(self._spec.target).astype("float64" if self._spec.task == "regression" else "int64")

    @cached_property
    def weights(self):
        """float64, or None where every row counts once."""
        return None if self._spec.weight is None else self._column(self._spec.weight)

    @cached_property
    def frame(self):
        """`x` as a pandas DataFrame with the features' names."""
        import pandas

        return pandas.DataFrame(self.x, columns=self._spec.features)

    def _column(self, name):
        return _parquet().read_table(self.path, columns=[name]).column(0).to_numpy()


class Spec:
    """What is to be trained, on what, with which settings."""

    def __init__(self, spec):
        self.task = spec["task"]  # "binary", "multiclass" or "regression"
        self.classes = spec["classes"]  # 2 for binary, 0 for regression
        self.seed = spec["seed"]
        self.threads = spec["threads"]
        self.params = spec["params"]
        self.features = [feature["name"] for feature in spec["features"]]
        # How many categories each column has; 0 for numbers.
        self.categories = [feature["categories"] for feature in spec["features"]]
        # Positions of the columns that hold category codes.
        self.categorical = [index for index, count in enumerate(self.categories) if count > 0]
        self.target = spec["target"]
        self.weight = spec["weight"]
        self.train = Rows(self, **spec["train"])
        self.validation = None if spec["validation"] is None else Rows(self, **spec["validation"])
        self.output = spec["output"]

    def save(self, model, metrics=None, predict=None):
        """
        Hands the model back: `model` is an ONNX ModelProto, its bytes, or the path of its file; it takes one float matrix [None, features]
        and gives values, or probabilities by class. `metrics` are numbers by name. `predict` is what the Python model predicts by (a
        classifier's predict_proba): its answers for some rows are kept, and a graph that says otherwise will be refused.
        """
        _write_json(self.output["metrics"], {name: _number(name, value) for name, value in (metrics or {}).items()})
        if predict is not None:
            self._save_predictions(predict)
        if isinstance(model, (str, os.PathLike)):
            shutil.copyfile(model, self.output["model"])
            return
        content = bytes(model) if isinstance(model, (bytes, bytearray, memoryview)) else model.SerializeToString()
        with open(self.output["model"], "wb") as file:
            file.write(content)

    def _save_predictions(self, predict):
        import numpy

        part = "train" if self.validation is None else "validation"
        x = getattr(self, part).x[:COMPARED_ROWS]
        values = numpy.asarray(predict(x), dtype="float64").reshape(len(x), -1)
        if self.task == "binary" and values.shape[1] == 2:
            values = values[:, 1:]
        wanted = self.classes if self.task == "multiclass" else 1
        if values.shape[1] != wanted:
            raise ValueError(f"predict gave {values.shape[1]} numbers a row where {self.task} has {wanted}")
        _write_json(self.output["predictions"], {"part": part, "outputs": wanted, "values": values.ravel().tolist()})


def _number(name, value):
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"the metric {name} is {number}")
    return number


def _write_json(path, content):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, allow_nan=False)


def _parquet():
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError("spec.train.x reads Parquet with pyarrow: add it to the trainer's requirements") from error
    return pyarrow.parquet
