"""
Models to ONNX, one float matrix in, so that the graph decides each row as the model does.

Done beyond what the converters of skl2onnx 1.20 and onnxmltools 1.16 do, each of which was found by comparing answers:
- A threshold becomes the largest float32 that is not above it: for float32 rows `x <= threshold` is then the same question in both
  precisions. Rounded to the nearest, a row between the two would change sides.
- scikit-learn's forests and gradient boosting send missing values where they learned to; LightGBM's nodes that never saw one treat it
  as zero, and what is nearly zero too.
- What cannot be said faithfully is refused.

Nothing is imported before it is needed: a trainer installs the packages of its own library only.
"""

# The newest operators that all three converters write.
TARGET_OPSET = {"": 15, "ai.onnx.ml": 3}
INPUT = "x"


def sklearn_to_onnx(model, spec):
    """A fitted scikit-learn estimator or pipeline as an ONNX ModelProto. Needs skl2onnx."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.base import is_classifier

    _register_sklearn_trees()
    _check_classes(model, spec)
    options = {id(model): {"zipmap": False}} if is_classifier(model) else None
    inputs = [(INPUT, FloatTensorType([None, len(spec.features)]))]
    return convert_sklearn(model, name=_name(model), initial_types=inputs, options=options, target_opset=TARGET_OPSET)


def lightgbm_to_onnx(model, spec):
    """A LightGBM Booster or scikit-learn wrapper as an ONNX ModelProto, up to its best iteration. Needs onnxmltools and lightgbm."""
    import lightgbm
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    _check_classes(model, spec)
    booster = getattr(model, "booster_", model)
    exact = lightgbm.Booster(model_str=_lightgbm_in_float32(booster.model_to_string()))
    inputs = [(INPUT, FloatTensorType([None, len(spec.features)]))]
    return convert_lightgbm(exact, name=_name(model), initial_types=inputs, zipmap=False, target_opset=TARGET_OPSET[""])


def xgboost_to_onnx(model, spec):
    """An XGBoost Booster or scikit-learn wrapper (up to its best iteration) as an ONNX ModelProto. Needs onnxmltools and xgboost."""
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    _check_classes(model, spec)
    booster = model
    if hasattr(model, "get_booster"):
        booster = model.get_booster()
        # A wrapper predicts with the best iteration, a Booster with all of them.
        if booster.attr("best_iteration") is not None:
            booster = booster[: int(booster.attr("best_iteration")) + 1]
    if "c" in (booster.feature_types or []):
        raise ValueError("categorical splits of XGBoost cannot be converted to ONNX: give it the codes as numbers")
    booster = booster.copy()
    # The converter knows columns by position only.
    booster.feature_names = None
    inputs = [(INPUT, FloatTensorType([None, len(spec.features)]))]
    return convert_xgboost(booster, name=_name(model), initial_types=inputs, target_opset=TARGET_OPSET[""])


def _name(model):
    """The converters would make up another one each time, and the same model would be another file."""
    return type(model).__name__


def _check_classes(model, spec):
    """Every class must have its column, or probabilities would be read as those of other classes."""
    classes = getattr(model, "classes_", None)
    if classes is not None and classes.tolist() != list(range(spec.classes)):
        raise ValueError(f"the model knows the classes {classes.tolist()} of 0 to {spec.classes - 1}: the training rows lack some")


def float32_not_above(threshold):
    """The largest float32 w with w <= threshold: for any float32 x, x <= threshold is x <= w."""
    import numpy

    with numpy.errstate(over="ignore"):
        nearest = numpy.float32(threshold)
    if float(nearest) <= threshold:
        return float(nearest)
    return float(numpy.nextafter(nearest, numpy.float32("-inf")))


# LightGBM's text format: bits of decision_type.
CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_SHIFT, MISSING_NONE, MISSING_ZERO, MISSING_NAN = 2, 0, 1, 2
# LightGBM predicts with 0 for whatever is no further from it than this float32.
LIGHTGBM_ZERO = 1.0000000180025095e-35


def _lightgbm_in_float32(text):
    """A model file's text with thresholds of float32, and with nodes that treat NaN as 0 sending it where 0 goes."""
    lines = text.splitlines()
    decisions = None
    # decision_type follows threshold.
    for index, line in enumerate(lines):
        if line.startswith("threshold="):
            threshold_line = index
        elif line.startswith("decision_type="):
            thresholds = _values(lines[threshold_line], float)
            decisions = _values(line, int)
            nodes = [_lightgbm_node(*node) for node in zip(thresholds, decisions)]
            lines[threshold_line] = "threshold=" + " ".join(repr(threshold) for threshold, _ in nodes)
            lines[index] = "decision_type=" + " ".join(str(decision) for _, decision in nodes)
        elif line.startswith("tree_sizes="):
            # Bytes of each tree, which are others now; it may be absent.
            lines[index] = None
    return "\n".join(line for line in lines if line is not None) + "\n"


def _values(line, read):
    return [read(value) for value in line.partition("=")[2].split()]


def _lightgbm_node(threshold, decision):
    if decision & CATEGORICAL:
        # The threshold is the position of a set; NaN is in none.
        return threshold, decision & ~DEFAULT_LEFT
    missing = decision >> MISSING_SHIFT
    if missing == MISSING_ZERO:
        raise ValueError("LightGBM's zero_as_missing cannot be converted to ONNX: leave it off")
    if missing == MISSING_NONE:
        decision = MISSING_NAN << MISSING_SHIFT | (DEFAULT_LEFT if threshold >= 0 else 0)
    return float32_not_above(_around_zero(threshold)), decision


def _around_zero(threshold):
    """A threshold within LightGBM's zero, moved to the side of it on which 0 is not divided from what counts as 0."""
    if abs(threshold) > LIGHTGBM_ZERO:
        return threshold
    return LIGHTGBM_ZERO if threshold >= 0 else -LIGHTGBM_ZERO * (1 + 2.0**-24)


_registered = False


def _register_sklearn_trees():
    """Own converters for scikit-learn's trees, in whatever pipeline they stand."""
    global _registered
    if _registered:
        return
    _registered = True
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes as classifier_shapes
    from skl2onnx.common.shape_calculator import calculate_linear_regressor_output_shapes as regressor_shapes
    from sklearn import ensemble, tree

    options = {"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True]}
    for model in (
        ensemble.HistGradientBoostingClassifier,
        ensemble.RandomForestClassifier,
        ensemble.ExtraTreesClassifier,
        tree.DecisionTreeClassifier,
        tree.ExtraTreeClassifier,
    ):
        update_registered_converter(model, f"Orrery{model.__name__}", classifier_shapes, _convert_trees, options=options)
    for model in (
        ensemble.HistGradientBoostingRegressor,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesRegressor,
        tree.DecisionTreeRegressor,
        tree.ExtraTreeRegressor,
    ):
        update_registered_converter(model, f"Orrery{model.__name__}", regressor_shapes, _convert_trees)


def _convert_trees(scope, operator, container):
    from skl2onnx.common._apply_operation import apply_exp
    from sklearn.base import is_classifier

    model = operator.raw_operator
    trees = _TreeEnsemble(is_classifier(model))
    boosted = hasattr(model, "_predictors")
    transform, exponential = trees.add_boosted(model) if boosted else trees.add_forest(model)
    outputs = [output.full_name for output in operator.outputs]
    scores = scope.get_unique_variable_name("log_value") if exponential else outputs[-1]
    kind = "TreeEnsembleClassifier" if trees.classifier else "TreeEnsembleRegressor"
    container.add_node(
        kind,
        _float_input(scope, operator, container),
        [*outputs[:-1], scores],
        op_domain="ai.onnx.ml",
        op_version=1,
        name=scope.get_unique_operator_name(kind),
        post_transform=transform,
        **trees.attributes,
    )
    if exponential:
        apply_exp(scope, scores, outputs[-1], container)


def _float_input(scope, operator, container):
    from skl2onnx.common._apply_operation import apply_cast
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.proto import onnx_proto

    name = operator.inputs[0].full_name
    if isinstance(operator.inputs[0].type, FloatTensorType):
        return name
    floats = scope.get_unique_variable_name("floats")
    apply_cast(scope, name, floats, container, to=onnx_proto.TensorProto.FLOAT)
    return floats


class _TreeEnsemble:
    """Attributes of a TreeEnsembleClassifier or -Regressor, tree by tree."""

    def __init__(self, classifier):
        self.classifier = classifier
        self._target = "class" if classifier else "target"
        nodes = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids", "missing_value_tracks_true")
        leaves = ("treeids", "nodeids", "ids", "weights")
        self.attributes = {f"nodes_{name}": [] for name in nodes} | {f"{self._target}_{name}": [] for name in leaves}
        self._trees = 0

    def add_forest(self, model):
        """A forest's mean, or a single tree: leaves hold shares of classes or a value."""
        members = [each.tree_ for each in getattr(model, "estimators_", [model])]
        if model.n_outputs_ != 1:
            raise ValueError(f"{type(model).__name__} with {model.n_outputs_} targets cannot be converted")
        for tree in members:
            leaves = tree.value[:, 0, :] / len(members)
            if self.classifier:
                leaves = leaves / tree.value[:, 0, :].sum(axis=1, keepdims=True)
            self._add_tree(
                is_leaf=tree.children_left < 0,
                feature=tree.feature,
                threshold=tree.threshold,
                left=tree.children_left,
                right=tree.children_right,
                missing_left=tree.missing_go_to_left,
                leaves={column: leaves[:, column] for column in range(leaves.shape[1])},
            )
        self._finish(model, None)
        return "NONE", False

    def add_boosted(self, model):
        """Histogram gradient boosting: (post transform, whether the output is a logarithm)."""
        if getattr(model, "is_categorical_", None) is not None:
            raise ValueError(f"categorical splits of {type(model).__name__} cannot be converted to ONNX: leave categorical_features out")
        for iteration in model._predictors:
            for output, predictor in enumerate(iteration):
                nodes = predictor.nodes
                self._add_tree(
                    is_leaf=nodes["is_leaf"] == 1,
                    feature=nodes["feature_idx"],
                    threshold=nodes["num_threshold"],
                    left=nodes["left"],
                    right=nodes["right"],
                    missing_left=nodes["missing_go_to_left"],
                    leaves={output: nodes["value"]},
                )
        self._finish(model, model._baseline_prediction)
        loss = type(model._loss).__name__
        if self.classifier:
            return {"HalfBinomialLoss": "LOGISTIC", "HalfMultinomialLoss": "SOFTMAX"}[loss], False
        return "NONE", type(model._loss.link).__name__ == "LogLink"

    def _add_tree(self, is_leaf, feature, threshold, left, right, missing_left, leaves):
        nodes, number = len(is_leaf), self._trees
        self._trees += 1
        inner = [not leaf for leaf in is_leaf]
        self._extend(
            "nodes",
            treeids=[number] * nodes,
            nodeids=range(nodes),
            featureids=[int(index) if split else 0 for index, split in zip(feature, inner)],
            values=[float32_not_above(value) if split else 0.0 for value, split in zip(threshold, inner)],
            modes=["BRANCH_LEQ" if split else "LEAF" for split in inner],
            truenodeids=[int(node) if split else 0 for node, split in zip(left, inner)],
            falsenodeids=[int(node) if split else 0 for node, split in zip(right, inner)],
            missing_value_tracks_true=[int(goes) if split else 0 for goes, split in zip(missing_left, inner)],
        )
        at = [node for node in range(nodes) if is_leaf[node]]
        for output, values in leaves.items():
            self._extend(
                self._target,
                treeids=[number] * len(at),
                nodeids=at,
                ids=[output] * len(at),
                weights=[float(values[node]) for node in at],
            )

    def _extend(self, group, **values):
        for name, added in values.items():
            self.attributes[f"{group}_{name}"].extend(added)

    def _finish(self, model, base):
        if base is not None:
            self.attributes["base_values"] = [float(value) for value in base.ravel()]
        if self.classifier:
            self.attributes["classlabels_int64s"] = [int(label) for label in model.classes_]
        else:
            self.attributes["n_targets"] = 1
