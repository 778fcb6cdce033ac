import type { Micros } from "../time.ts";

/**
 * Tables of the metadata store. Times are microseconds UTC (bigint columns), JSON is text, booleans are 0/1 integers.
 * Every table but `meta` starts with workspace and project.
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

export interface ExperimentTable extends Scoped {
  id: string;
  name: string;
  created_at: Micros;
}

export interface RunTable extends Scoped {
  id: string;
  experiment_id: string;
  parent_run_id: string | null;
  name: string;
  status: "running" | "finished" | "failed" | "killed";
  started_at: Micros;
  ended_at: Micros | null;
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
  value: number | null;
  is_nan: number;
  /** Bounds of the interval, where the metric has one. */
  low: number | null;
  high: number | null;
}

export interface TagTable extends Scoped {
  run_id: string;
  key: string;
  value: string;
}

export interface RunArtifactTable extends Scoped {
  run_id: string;
  path: string;
  sha256: string;
  bytes: number;
  media_type: string;
}

export interface RegisteredModelTable extends Scoped {
  name: string;
  created_at: Micros;
}

export interface ModelVersionTable extends Scoped {
  model: string;
  version: number;
  run_id: string;
  /** sha256 of the model artifact (core/training's packaged model). */
  artifact: string;
  created_at: Micros;
  actor: string;
  description: string;
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

export interface PromotionTable extends Scoped {
  id: string;
  model: string;
  alias: string;
  from_version: number | null;
  to_version: number;
  decision: "promoted" | "rejected" | "rolled-back";
  at: Micros;
  actor: string;
  reason: string;
  gate_id: string | null;
  idempotency_key: string;
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

export interface Database {
  meta: MetaTable;
  snapshots: SnapshotTable;
  experiments: ExperimentTable;
  runs: RunTable;
  params: ParamTable;
  metrics: MetricTable;
  tags: TagTable;
  run_artifacts: RunArtifactTable;
  registered_models: RegisteredModelTable;
  model_versions: ModelVersionTable;
  model_aliases: ModelAliasTable;
  gates: GateTable;
  promotions: PromotionTable;
  pipeline_runs: PipelineRunTable;
  step_runs: StepRunTable;
  step_cache: StepCacheTable;
  effects: EffectTable;
  deployments: DeploymentTable;
  monitor_results: MonitorResultTable;
  alerts: AlertTable;
  audit: AuditTable;
}
