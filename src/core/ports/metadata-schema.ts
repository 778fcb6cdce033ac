import type { Micros } from "../time.ts";

/**
 * Tables of the metadata store. Times are microseconds UTC (bigint columns), JSON is text, booleans are 0/1 integers.
 * Every table but `meta` starts with workspace, and all but `users` and `tokens` with workspace and project.
 */
interface Scoped {
  workspace: string;
  project: string;
}

export interface MetaTable {
  key: string;
  value: string;
}

export interface SnapshotTable extends Scoped {
  id: string;
  source: string;
  content_hash: string;
  as_of: Micros;
  rows: number;
  bytes: number;
  /** JSON of the Snapshot (core/data). */
  snapshot: string;
  created_at: Micros;
  actor: string;
}

/** Deleting hides; garbage collection (core/tracking, core/registry) removes what was deleted long enough ago. */
interface Deletable {
  lifecycle: "active" | "deleted";
  deleted_at: Micros | null;
}

export interface ExperimentTable extends Scoped, Deletable {
  id: string;
  /** Unique among the active ones of a project. */
  name: string;
  /** "mlflow-artifacts:/<id>" unless its creator chose another. */
  artifact_location: string;
  created_at: Micros;
  updated_at: Micros;
}

export interface ExperimentTagTable extends Scoped {
  experiment_id: string;
  key: string;
  value: string;
}

export interface RunTable extends Scoped, Deletable {
  id: string;
  experiment_id: string;
  /** Not checked: a client may name a run of elsewhere. */
  parent_run_id: string | null;
  name: string;
  status: "scheduled" | "running" | "finished" | "failed" | "killed";
  started_at: Micros;
  ended_at: Micros | null;
  /** "mlflow-artifacts:/<experiment>/<run>/artifacts" unless the experiment lies elsewhere. */
  artifact_uri: string;
  /** Who the client says it works for; "" when it does not. */
  user_name: string;
  /** Who was authenticated. */
  actor: string;
  trace_id: string | null;
  /** JSON array of snapshot ids the run read. */
  snapshots: string;
  git_commit: string | null;
  /** sha256 of the diff of a dirty tree. */
  git_diff: string | null;
}

export interface ParamTable extends Scoped {
  run_id: string;
  key: string;
  value: string;
}

export interface MetricTable extends Scoped {
  run_id: string;
  key: string;
  step: number;
  logged_at: Micros;
  /** 0 where it is NaN; the infinities are themselves. */
  value: number;
  is_nan: number;
  /** Bounds of the interval, where the metric has one. */
  low: number | null;
  high: number | null;
}

/** Of each run and key the metric with the greatest step, then time, then value. Kept by whoever writes metrics. */
export type LatestMetricTable = MetricTable;

export interface TagTable extends Scoped {
  run_id: string;
  key: string;
  value: string;
}

/** A data set as tracking clients describe it; Orrery's own are snapshots. */
export interface DatasetTable extends Scoped {
  experiment_id: string;
  name: string;
  digest: string;
  source_type: string;
  source: string;
  schema: string | null;
  profile: string | null;
}

export interface RunDatasetTable extends Scoped {
  run_id: string;
  experiment_id: string;
  name: string;
  digest: string;
  /** Place among the run's data sets, in the order they were logged. */
  position: number;
  /** JSON object. */
  tags: string;
}

export interface LoggedModelTable extends Scoped, Deletable {
  id: string;
  experiment_id: string;
  name: string;
  artifact_location: string;
  status: "pending" | "ready" | "failed";
  status_message: string | null;
  model_type: string | null;
  source_run_id: string | null;
  created_at: Micros;
  updated_at: Micros;
}

export interface LoggedModelParamTable extends Scoped {
  model_id: string;
  key: string;
  value: string;
}

export type LoggedModelTagTable = LoggedModelParamTable;

export interface LoggedModelMetricTable extends Scoped {
  model_id: string;
  run_id: string;
  key: string;
  step: number;
  logged_at: Micros;
  value: number;
  is_nan: number;
  /** "" where the metric belongs to no data set. */
  dataset_name: string;
  dataset_digest: string;
}

export interface RunModelTable extends Scoped {
  run_id: string;
  direction: "input" | "output";
  model_id: string;
  step: number;
}

/** The tree of artifacts: which bytes lie under which path. Files of a run begin with "<experiment>/<run>/artifacts/". */
export interface ArtifactFileTable extends Scoped {
  path: string;
  sha256: string;
  bytes: number;
  media_type: string;
  written_at: Micros;
}

export interface RegisteredModelTable extends Scoped, Deletable {
  /** Of a deleted model a name nobody else can have; its own is in deleted_name, so that it can be used again. */
  name: string;
  deleted_name: string | null;
  /** The greatest number a version ever had: garbage collection does not make it free again. */
  last_version: number;
  description: string;
  created_at: Micros;
  updated_at: Micros;
}

export interface RegisteredModelTagTable extends Scoped {
  model: string;
  key: string;
  value: string;
}

export interface ModelVersionTable extends Scoped, Deletable {
  model: string;
  version: number;
  /** null for a version that came without a run. */
  run_id: string | null;
  /** sha256 of the model artifact (core/training's packaged model); null for a version that another tool trained. */
  artifact: string | null;
  /** Where the model's folder is: an artifact URI. */
  source: string;
  /** Where that is, when the source names another model or version, which may be renamed or removed; else null. */
  location: string | null;
  run_link: string | null;
  /** The logged model it was registered from. */
  model_id: string | null;
  status: "pending" | "ready" | "failed";
  status_message: string | null;
  stage: "None" | "Staging" | "Production" | "Archived";
  created_at: Micros;
  updated_at: Micros;
  actor: string;
  description: string;
}

export interface ModelVersionTagTable extends Scoped {
  model: string;
  version: number;
  key: string;
  value: string;
}

export interface ModelAliasTable extends Scoped {
  model: string;
  alias: string;
  version: number;
  updated_at: Micros;
}

export interface GateTable extends Scoped {
  id: string;
  model: string;
  version: number;
  champion_version: number | null;
  opened_at: Micros;
  passed: number;
  /** JSON array of GateVerdict (core/registry). */
  verdicts: string;
}

/** What a person said about a version before it may be promoted. */
export interface ApprovalTable extends Scoped {
  id: string;
  model: string;
  version: number;
  decision: "approved" | "declined";
  /** The person's roles then, with spaces between; null where nobody has one. */
  role: string | null;
  at: Micros;
  actor: string;
  reason: string;
}

export interface PromotionTable extends Scoped {
  id: string;
  model: string;
  alias: string;
  from_version: number | null;
  /** The version it points at now; for "removed" the one it pointed at. */
  to_version: number;
  decision: "promoted" | "rejected" | "rolled-back" | "removed";
  at: Micros;
  actor: string;
  reason: string;
  gate_id: string | null;
  idempotency_key: string;
}

/** People and programs of a workspace. */
export interface UserTable {
  workspace: string;
  name: string;
  created_at: Micros;
  disabled_at: Micros | null;
}

/** A user's role in a project; project "*" stands for all of the workspace. */
export interface RoleGrantTable extends Scoped {
  user_name: string;
  role: string;
  granted_at: Micros;
  granted_by: string;
}

export interface TokenTable {
  workspace: string;
  id: string;
  user_name: string;
  label: string;
  /** sha256 of the token, which is random enough that no salt is needed. */
  hash: string;
  created_at: Micros;
  expires_at: Micros | null;
  last_used_at: Micros | null;
  revoked_at: Micros | null;
}

/** What of another system has become what here, so that an import goes on where it stopped. */
export interface ImportTable extends Scoped {
  /** Address or folder it came from. */
  origin: string;
  kind: string;
  origin_id: string;
  id: string;
  state: string;
  at: Micros;
}

export interface PipelineRunTable extends Scoped {
  id: string;
  pipeline: string;
  status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  /** JSON: what started it (schedule, alert, person) and why. */
  trigger: string;
  /** Unique within the project: the same trigger event starts one run. */
  dedupe_key: string;
  params: string;
  /** JSON of the PlanIR. */
  plan: string;
  actor: string;
  trace_id: string;
  /** Virtual or system time the run was created at. */
  created_at: Micros;
  started_at: Micros | null;
  ended_at: Micros | null;
}

export interface StepRunTable extends Scoped {
  run_id: string;
  step: string;
  status: "pending" | "running" | "succeeded" | "cached" | "failed" | "skipped";
  attempt: number;
  cache_key: string | null;
  output: string | null;
  error: string | null;
  started_at: Micros | null;
  ended_at: Micros | null;
}

export interface StepCacheTable extends Scoped {
  cache_key: string;
  output: string;
  run_id: string;
  created_at: Micros;
}

/** Outside effects already done: a resumed run reads the answer here instead of repeating the effect. */
export interface EffectTable extends Scoped {
  idempotency_key: string;
  result: string;
  at: Micros;
}

export interface DeploymentTable extends Scoped {
  endpoint: string;
  revision: number;
  /** JSON of the DeploymentSpec (core/serving). */
  spec: string;
  at: Micros;
  actor: string;
  reason: string;
}

export interface MonitorResultTable extends Scoped {
  id: string;
  endpoint: string;
  window_start: Micros;
  window_end: Micros;
  kind: "drift" | "performance" | "quality" | "latency";
  /** JSON of the WindowReport (core/monitoring). */
  report: string;
  created_at: Micros;
}

export interface AlertTable extends Scoped {
  id: string;
  endpoint: string;
  kind: string;
  severity: "warning" | "critical";
  status: "open" | "acknowledged" | "resolved";
  title: string;
  /** When the condition began (the first window that showed it), not when it was noticed. */
  since: Micros;
  opened_at: Micros;
  resolved_at: Micros | null;
  /** JSON array of RankedCause (core/monitoring), worst first. */
  causes: string;
  triggered_run_id: string | null;
  dedupe_key: string;
}

export interface AuditTable extends Scoped {
  id: string;
  at: Micros;
  actor: string;
  action: string;
  target: string;
  details: string;
}

/** An entity that was erased, or is being erased: what an interrupted erasure goes on from, and what is not taken in again. */
export interface ErasureTable extends Scoped {
  id: string;
  entity: string;
  state: "running" | "done";
  /** Of the hashes; one for all erasures of an entity. */
  salt: string;
  /** JSON array of the keys' salted hashes. */
  hashes: string;
  /** JSON of the keys while the erasure is running, to go on with; null afterwards. */
  keys: string | null;
  /** 1: rows of these keys are not taken in again. */
  blocks: number;
  actor: string;
  started_at: Micros;
  ended_at: Micros | null;
  /** JSON array of ErasedPlace (core/data). */
  counts: string;
  /** JSON array of hashes of artifacts that are to be removed. */
  doomed: string;
}

export interface Database {
  meta: MetaTable;
  snapshots: SnapshotTable;
  experiments: ExperimentTable;
  experiment_tags: ExperimentTagTable;
  runs: RunTable;
  params: ParamTable;
  metrics: MetricTable;
  latest_metrics: LatestMetricTable;
  tags: TagTable;
  datasets: DatasetTable;
  run_datasets: RunDatasetTable;
  logged_models: LoggedModelTable;
  logged_model_params: LoggedModelParamTable;
  logged_model_tags: LoggedModelTagTable;
  logged_model_metrics: LoggedModelMetricTable;
  run_models: RunModelTable;
  artifact_files: ArtifactFileTable;
  registered_models: RegisteredModelTable;
  registered_model_tags: RegisteredModelTagTable;
  model_versions: ModelVersionTable;
  model_version_tags: ModelVersionTagTable;
  model_aliases: ModelAliasTable;
  gates: GateTable;
  approvals: ApprovalTable;
  promotions: PromotionTable;
  pipeline_runs: PipelineRunTable;
  step_runs: StepRunTable;
  step_cache: StepCacheTable;
  effects: EffectTable;
  deployments: DeploymentTable;
  monitor_results: MonitorResultTable;
  alerts: AlertTable;
  audit: AuditTable;
  users: UserTable;
  role_grants: RoleGrantTable;
  tokens: TokenTable;
  imports: ImportTable;
  erasures: ErasureTable;
}
