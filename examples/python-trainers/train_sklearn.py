"""
Any scikit-learn estimator, by the name of its class in params["estimator"]; other params are the estimator's own. Linear ones are
scaled first, and want columns: "linear", which have nothing missing.

    python("train_sklearn.py", { requirements: "requirements.txt", params: { estimator: "RandomForest", n_estimators: 200 } })
"""

from orrery_trainer import load, sklearn_to_onnx
from sklearn import ensemble, linear_model
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ESTIMATORS = {
    "HistGradientBoosting": (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor),
    "RandomForest": (ensemble.RandomForestClassifier, ensemble.RandomForestRegressor),
    "ExtraTrees": (ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor),
    "Linear": (linear_model.LogisticRegression, linear_model.Ridge),
}


def make_estimator(spec):
    params = dict(spec.params)
    classifier, regressor = ESTIMATORS[params.pop("estimator", "HistGradientBoosting")]
    estimator = (regressor if spec.task == "regression" else classifier)(random_state=spec.seed, **params)
    return estimator.set_params(n_jobs=spec.threads) if isinstance(estimator, ensemble.BaseEnsemble) else estimator


spec = load()
estimator = make_estimator(spec)
linear = isinstance(estimator, (linear_model.LogisticRegression, linear_model.Ridge))
model = make_pipeline(*([StandardScaler()] if linear else []), estimator)
# A pipeline hands weights to the step they are named after.
model.fit(spec.train.x, spec.train.y, **{f"{model.steps[-1][0]}__sample_weight": spec.train.weights})

predict = model.predict if spec.task == "regression" else model.predict_proba
metrics = {}
if spec.validation is not None:
    y, predicted = spec.validation.y, predict(spec.validation.x)
    if spec.task == "regression":
        metrics["mse"] = mean_squared_error(y, predicted)
    else:
        metrics["log_loss"] = log_loss(y, predicted, labels=range(spec.classes))
print(f"{type(estimator).__name__}: {metrics}")
spec.save(sklearn_to_onnx(model, spec), metrics=metrics, predict=predict)
