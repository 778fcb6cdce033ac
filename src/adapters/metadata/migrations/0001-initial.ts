import type { Migration } from "./migration.ts";

/** Columns that start every table, primary key and unique index but those of `meta`. */
const SCOPE = "workspace TEXT NOT NULL, project TEXT NOT NULL";

export const initial: Migration = {
  formatVersion: 1,
  minCompatibleVersion: 1,
  sql: `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE snapshots (
  ${SCOPE}, id TEXT NOT NULL, source TEXT NOT NULL, content_hash TEXT NOT NULL, as_of INTEGER NOT NULL,
  rows INTEGER NOT NULL, bytes INTEGER NOT NULL, snapshot TEXT NOT NULL, created_at INTEGER NOT NULL, actor TEXT NOT NULL,
  PRIMARY KEY (workspace, project, id)
) STRICT;
CREATE INDEX snapshots_by_source ON snapshots (workspace, project, source, as_of, created_at);

CREATE TABLE experiments (
  ${SCOPE}, id TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, id), UNIQUE (workspace, project, name)
) STRICT;

CREATE TABLE runs (
  ${SCOPE}, id TEXT NOT NULL, experiment_id TEXT NOT NULL, parent_run_id TEXT, name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'killed')),
  started_at INTEGER NOT NULL, ended_at INTEGER, actor TEXT NOT NULL, trace_id TEXT, snapshots TEXT NOT NULL,
  git_commit TEXT, git_diff TEXT,
  PRIMARY KEY (workspace, project, id),
  FOREIGN KEY (workspace, project, experiment_id) REFERENCES experiments (workspace, project, id),
  FOREIGN KEY (workspace, project, parent_run_id) REFERENCES runs (workspace, project, id)
) STRICT;
CREATE INDEX runs_by_start ON runs (workspace, project, started_at, id);
CREATE INDEX runs_by_experiment ON runs (workspace, project, experiment_id, started_at, id);
CREATE INDEX runs_by_parent ON runs (workspace, project, parent_run_id);

CREATE TABLE params (
  ${SCOPE}, run_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (workspace, project, run_id, key),
  FOREIGN KEY (workspace, project, run_id) REFERENCES runs (workspace, project, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE metrics (
  ${SCOPE}, run_id TEXT NOT NULL, key TEXT NOT NULL, step INTEGER NOT NULL, logged_at INTEGER NOT NULL,
  value REAL, is_nan INTEGER NOT NULL CHECK (is_nan IN (0, 1)), low REAL, high REAL,
  PRIMARY KEY (workspace, project, run_id, key, step, logged_at),
  FOREIGN KEY (workspace, project, run_id) REFERENCES runs (workspace, project, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
  ${SCOPE}, run_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (workspace, project, run_id, key),
  FOREIGN KEY (workspace, project, run_id) REFERENCES runs (workspace, project, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_artifacts (
  ${SCOPE}, run_id TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, media_type TEXT NOT NULL,
  PRIMARY KEY (workspace, project, run_id, path),
  FOREIGN KEY (workspace, project, run_id) REFERENCES runs (workspace, project, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE registered_models (
  ${SCOPE}, name TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, name)
) STRICT;

CREATE TABLE model_versions (
  ${SCOPE}, model TEXT NOT NULL, version INTEGER NOT NULL, run_id TEXT NOT NULL, artifact TEXT NOT NULL,
  created_at INTEGER NOT NULL, actor TEXT NOT NULL, description TEXT NOT NULL,
  PRIMARY KEY (workspace, project, model, version),
  FOREIGN KEY (workspace, project, model) REFERENCES registered_models (workspace, project, name)
) STRICT;
CREATE INDEX model_versions_by_run ON model_versions (workspace, project, run_id);

CREATE TABLE model_aliases (
  ${SCOPE}, model TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, model, alias),
  FOREIGN KEY (workspace, project, model, version) REFERENCES model_versions (workspace, project, model, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE gates (
  ${SCOPE}, id TEXT NOT NULL, model TEXT NOT NULL, version INTEGER NOT NULL, champion_version INTEGER,
  opened_at INTEGER NOT NULL, passed INTEGER NOT NULL CHECK (passed IN (0, 1)), verdicts TEXT NOT NULL,
  PRIMARY KEY (workspace, project, id),
  FOREIGN KEY (workspace, project, model, version) REFERENCES model_versions (workspace, project, model, version)
) STRICT;
CREATE INDEX gates_by_version ON gates (workspace, project, model, version, opened_at);

CREATE TABLE promotions (
  ${SCOPE}, id TEXT NOT NULL, model TEXT NOT NULL, alias TEXT NOT NULL, from_version INTEGER, to_version INTEGER NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('promoted', 'rejected', 'rolled-back')),
  at INTEGER NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, gate_id TEXT, idempotency_key TEXT NOT NULL,
  PRIMARY KEY (workspace, project, id), UNIQUE (workspace, project, idempotency_key),
  FOREIGN KEY (workspace, project, model, to_version) REFERENCES model_versions (workspace, project, model, version),
  FOREIGN KEY (workspace, project, gate_id) REFERENCES gates (workspace, project, id)
) STRICT;
CREATE INDEX promotions_by_model ON promotions (workspace, project, model, at, id);

CREATE TABLE pipeline_runs (
  ${SCOPE}, id TEXT NOT NULL, pipeline TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  trigger TEXT NOT NULL, dedupe_key TEXT NOT NULL, params TEXT NOT NULL, plan TEXT NOT NULL, actor TEXT NOT NULL,
  trace_id TEXT NOT NULL, created_at INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER,
  PRIMARY KEY (workspace, project, id), UNIQUE (workspace, project, dedupe_key)
) STRICT;
CREATE INDEX pipeline_runs_by_creation ON pipeline_runs (workspace, project, created_at, id);
CREATE INDEX pipeline_runs_unfinished ON pipeline_runs (workspace, project, created_at) WHERE ended_at IS NULL;

CREATE TABLE step_runs (
  ${SCOPE}, run_id TEXT NOT NULL, step TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'succeeded', 'cached', 'failed', 'skipped')),
  attempt INTEGER NOT NULL, cache_key TEXT, output TEXT, error TEXT, started_at INTEGER, ended_at INTEGER,
  PRIMARY KEY (workspace, project, run_id, step),
  FOREIGN KEY (workspace, project, run_id) REFERENCES pipeline_runs (workspace, project, id)
) STRICT;

CREATE TABLE step_cache (
  ${SCOPE}, cache_key TEXT NOT NULL, output TEXT NOT NULL, run_id TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, cache_key)
) STRICT;

CREATE TABLE effects (
  ${SCOPE}, idempotency_key TEXT NOT NULL, result TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, idempotency_key)
) STRICT;

CREATE TABLE deployments (
  ${SCOPE}, endpoint TEXT NOT NULL, revision INTEGER NOT NULL, spec TEXT NOT NULL, at INTEGER NOT NULL,
  actor TEXT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (workspace, project, endpoint, revision)
) STRICT;

CREATE TABLE monitor_results (
  ${SCOPE}, id TEXT NOT NULL, endpoint TEXT NOT NULL, window_start INTEGER NOT NULL, window_end INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('drift', 'performance', 'quality', 'latency')), report TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, id)
) STRICT;
CREATE INDEX monitor_results_by_window ON monitor_results (workspace, project, endpoint, kind, window_start);

CREATE TABLE alerts (
  ${SCOPE}, id TEXT NOT NULL, endpoint TEXT NOT NULL, kind TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('warning', 'critical')),
  status TEXT NOT NULL CHECK (status IN ('open', 'acknowledged', 'resolved')),
  title TEXT NOT NULL, since INTEGER NOT NULL, opened_at INTEGER NOT NULL, resolved_at INTEGER, causes TEXT NOT NULL,
  triggered_run_id TEXT, dedupe_key TEXT NOT NULL,
  PRIMARY KEY (workspace, project, id), UNIQUE (workspace, project, dedupe_key)
) STRICT;
CREATE INDEX alerts_by_opening ON alerts (workspace, project, status, opened_at);

CREATE TABLE audit (
  ${SCOPE}, id TEXT NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
  details TEXT NOT NULL,
  PRIMARY KEY (workspace, project, id)
) STRICT;
CREATE INDEX audit_by_time ON audit (workspace, project, at, id);
`,
};
