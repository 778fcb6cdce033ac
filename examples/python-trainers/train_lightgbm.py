"""
LightGBM with native categorical splits, stopped early where there are validation rows. params are LightGBM's own, and "trees".

    python("train_lightgbm.py", { requirements: "requirements.txt", params: { trees: 300, num_leaves: 31, learning_rate: 0.1 } })
"""

import lightgbm
from orrery_trainer import lightgbm_to_onnx, load

OBJECTIVES = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}

spec = load()
params = {
    "objective": OBJECTIVES[spec.task],
    "seed": spec.seed,
    "num_threads": spec.threads,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
    **spec.params,
}
trees = params.pop("trees", 200)
patience = params.pop("early_stopping", 20)
if spec.task == "multiclass":
    params["num_class"] = spec.classes


def dataset(rows, reference=None):
    return lightgbm.Dataset(
        rows.x, rows.y, weight=rows.weights, categorical_feature=spec.categorical, reference=reference, free_raw_data=False
    )


train = dataset(spec.train)
validation = [] if spec.validation is None else [dataset(spec.validation, train)]
callbacks = [lightgbm.early_stopping(patience, verbose=False)] if validation else []
booster = lightgbm.train(params, train, trees, valid_sets=validation, valid_names=["validation"][: len(validation)], callbacks=callbacks)

metrics = {"trees": booster.best_iteration or booster.current_iteration(), **booster.best_score.get("validation", {})}
print(f"LightGBM: {metrics}")
spec.save(lightgbm_to_onnx(booster, spec), metrics=metrics, predict=booster.predict)
