export { chooseRoute } from "./choose-route.ts";
export {
  type DeploymentSpec,
  listRevisions,
  modelFile,
  type Route,
  readCurrent,
  readRevision,
  readServed,
  writeDeployment,
} from "./deployment.ts";
export {
  createEndpointRuntime,
  type EndpointRuntime,
  type PredictContext,
  type RuntimeOptions,
  type StageObserver,
} from "./endpoint-runtime.ts";
export { servingErrors } from "./errors.ts";
export type { RevisionListener } from "./follow-deployment.ts";
export type { PredictionAnswer, PredictionRecord } from "./prediction-record.ts";
