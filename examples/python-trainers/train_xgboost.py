"""
XGBoost by its scikit-learn wrapper, stopped early where there are validation rows; categories are taken as numbers. params are
XGBoost's own.

    python("train_xgboost.py", { requirements: "requirements.txt", params: { n_estimators: 300, max_leaves: 31 } })
"""

import numpy
import xgboost
from orrery_trainer import load, xgboost_to_onnx

spec = load()
params = {"n_estimators": 200, "random_state": spec.seed, "n_jobs": spec.threads, "early_stopping_rounds": 20, **spec.params}
if spec.validation is None:
    params["early_stopping_rounds"] = None
estimator = xgboost.XGBRegressor if spec.task == "regression" else xgboost.XGBClassifier
model = estimator(**params)

validation = {}
if spec.validation is not None:
    weights = None if spec.validation.weights is None else [spec.validation.weights]
    validation = {"eval_set": [(spec.validation.x, spec.validation.y)], "sample_weight_eval_set": weights, "verbose": False}
model.fit(spec.train.x, spec.train.y, sample_weight=spec.train.weights, **validation)

metrics = {"trees": model.get_booster().num_boosted_rounds()}
if spec.validation is not None:
    metrics = {"trees": model.best_iteration + 1, "validation": model.best_score}
print(f"XGBoost: {metrics}")


def predict(x):
    # XGBoost works in float32 throughout.
    x = x.astype(numpy.float32)
    return model.predict(x) if spec.task == "regression" else model.predict_proba(x)


spec.save(xgboost_to_onnx(model, spec), metrics=metrics, predict=predict)
