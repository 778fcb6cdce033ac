/** Tags that tracking clients use for what a run has a place of its own for; both always say the same. */
export const RUN_NAME_TAG = "mlflow.runName";
export const PARENT_RUN_TAG = "mlflow.parentRunId";
export const USER_TAG = "mlflow.user";
/** Of a run's data set: what it was for. */
export const DATASET_CONTEXT_TAG = "mlflow.data.context";
