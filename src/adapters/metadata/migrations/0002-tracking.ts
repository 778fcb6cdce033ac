import type { Migration } from "./migration.ts";

const SCOPE = "workspace TEXT NOT NULL, project TEXT NOT NULL";
const LIFECYCLE = "lifecycle TEXT NOT NULL CHECK (lifecycle IN ('active', 'deleted')), deleted_at INTEGER";

/**
 * Tracking and registry as their clients know them: deleting that can be undone, tags everywhere, logged models, data sets, the last
 * value of each metric beside its history; users, tokens and roles. Tables are made anew, because SQLite cannot change a constraint.
 */
export const tracking: Migration = {
  formatVersion: 2,
  minCompatibleVersion: 2,
  sql: `
DROP INDEX runs_by_start;
DROP INDEX runs_by_experiment;
DROP INDEX runs_by_parent;
DROP INDEX model_versions_by_run;
DROP INDEX gates_by_version;
DROP INDEX promotions_by_model;
ALTER TABLE experiments RENAME TO old_experiments;
ALTER TABLE runs RENAME TO old_runs;
ALTER TABLE params RENAME TO old_params;
ALTER TABLE metrics RENAME TO old_metrics;
ALTER TABLE tags RENAME TO old_tags;
ALTER TABLE run_artifacts RENAME TO old_run_artifacts;
ALTER TABLE registered_models RENAME TO old_registered_models;
ALTER TABLE model_versions RENAME TO old_model_versions;
ALTER TABLE model_aliases RENAME TO old_model_aliases;
ALTER TABLE gates RENAME TO old_gates;
ALTER TABLE promotions RENAME TO old_promotions;

CREATE TABLE experiments (
  ${SCOPE}, id TEXT NOT NULL, name TEXT NOT NULL, artifact_location TEXT NOT NULL, ${LIFECYCLE},
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, id)
) STRICT;
CREATE UNIQUE INDEX experiments_by_name ON experiments (workspace, project, name) WHERE lifecycle = 'active';

CREATE TABLE experiment_tags (
  ${SCOPE}, experiment_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (workspace, project, experiment_id, key),
  FOREIGN KEY (workspace, project, experiment_id) REFERENCES experiments (workspace, project, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  ${SCOPE}, id TEXT NOT NULL, experiment_id TEXT NOT NULL, parent_run_id TEXT, name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('scheduled', 'running', 'finished', 'failed', 'killed')),
  started_at INTEGER NOT NULL, ended_at INTEGER, ${LIFECYCLE}, artifact_uri TEXT NOT NULL, user_name TEXT NOT NULL,
  actor TEXT NOT NULL, trace_id TEXT, snapshots TEXT NOT NULL, git_commit TEXT, git_diff TEXT,
  PRIMARY KEY (workspace, project, id),
  FOREIGN KEY (workspace, project, experiment_id) REFERENCES experiments (workspace, project, id)
) STRICT;
CREATE INDEX runs_by_start ON runs (workspace, project, lifecycle, started_at, id);
CREATE INDEX runs_by_experiment ON runs (workspace, project, experiment_id, lifecycle, started_at, id);
CREATE INDEX runs_by_parent ON runs (workspace, project, parent_run_id);

CREATE TABLE params (
  ${SCOPE}, run_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (workspace, project, run_id, key),
  FOREIGN KEY (workspace, project, run_id) REFERENCES runs (workspace, project, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
  ${SCOPE}, run_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (workspace, project, run_id, key),
  FOREIGN KEY (workspace, project, run_id) REFERENCES runs (workspace, project, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE metrics (
  ${SCOPE}, run_id TEXT NOT NULL, key TEXT NOT NULL, step INTEGER NOT NULL, logged_at INTEGER NOT NULL,
  value REAL NOT NULL, is_nan INTEGER NOT NULL CHECK (is_nan IN (0, 1)), low REAL, high REAL,
  PRIMARY KEY (workspace, project, run_id, key, step, logged_at, value, is_nan)
) STRICT, WITHOUT ROWID;

CREATE TABLE latest_metrics (
  ${SCOPE}, run_id TEXT NOT NULL, key TEXT NOT NULL, step INTEGER NOT NULL, logged_at INTEGER NOT NULL,
  value REAL NOT NULL, is_nan INTEGER NOT NULL CHECK (is_nan IN (0, 1)), low REAL, high REAL,
  PRIMARY KEY (workspace, project, run_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX latest_metrics_by_value ON latest_metrics (workspace, project, key, is_nan, value, run_id);

CREATE TABLE datasets (
  ${SCOPE}, experiment_id TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, source_type TEXT NOT NULL,
  source TEXT NOT NULL, schema TEXT, profile TEXT,
  PRIMARY KEY (workspace, project, experiment_id, name, digest),
  FOREIGN KEY (workspace, project, experiment_id) REFERENCES experiments (workspace, project, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE run_datasets (
  ${SCOPE}, run_id TEXT NOT NULL, experiment_id TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, position INTEGER NOT NULL,
  tags TEXT NOT NULL,
  PRIMARY KEY (workspace, project, run_id, experiment_id, name, digest),
  FOREIGN KEY (workspace, project, run_id) REFERENCES runs (workspace, project, id) ON DELETE CASCADE,
  FOREIGN KEY (workspace, project, experiment_id, name, digest)
    REFERENCES datasets (workspace, project, experiment_id, name, digest) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX run_datasets_by_dataset ON run_datasets (workspace, project, experiment_id, name, digest);

CREATE TABLE logged_models (
  ${SCOPE}, id TEXT NOT NULL, experiment_id TEXT NOT NULL, name TEXT NOT NULL, artifact_location TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'ready', 'failed')), status_message TEXT, ${LIFECYCLE},
  model_type TEXT, source_run_id TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, id),
  FOREIGN KEY (workspace, project, experiment_id) REFERENCES experiments (workspace, project, id)
) STRICT;
CREATE INDEX logged_models_by_experiment ON logged_models (workspace, project, experiment_id, lifecycle, created_at, id);
CREATE INDEX logged_models_by_run ON logged_models (workspace, project, source_run_id);

CREATE TABLE logged_model_params (
  ${SCOPE}, model_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (workspace, project, model_id, key),
  FOREIGN KEY (workspace, project, model_id) REFERENCES logged_models (workspace, project, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE logged_model_tags (
  ${SCOPE}, model_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (workspace, project, model_id, key),
  FOREIGN KEY (workspace, project, model_id) REFERENCES logged_models (workspace, project, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE logged_model_metrics (
  ${SCOPE}, model_id TEXT NOT NULL, run_id TEXT NOT NULL, key TEXT NOT NULL, step INTEGER NOT NULL, logged_at INTEGER NOT NULL,
  value REAL NOT NULL, is_nan INTEGER NOT NULL CHECK (is_nan IN (0, 1)), dataset_name TEXT NOT NULL, dataset_digest TEXT NOT NULL,
  PRIMARY KEY (workspace, project, model_id, key, dataset_name, dataset_digest, step, logged_at, run_id),
  FOREIGN KEY (workspace, project, model_id) REFERENCES logged_models (workspace, project, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE run_models (
  ${SCOPE}, run_id TEXT NOT NULL, direction TEXT NOT NULL CHECK (direction IN ('input', 'output')), model_id TEXT NOT NULL,
  step INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, run_id, direction, model_id),
  FOREIGN KEY (workspace, project, run_id) REFERENCES runs (workspace, project, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX run_models_by_model ON run_models (workspace, project, model_id);

CREATE TABLE artifact_files (
  ${SCOPE}, path TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, media_type TEXT NOT NULL, written_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_files_by_content ON artifact_files (sha256);

CREATE TABLE registered_models (
  ${SCOPE}, name TEXT NOT NULL, description TEXT NOT NULL, ${LIFECYCLE}, deleted_name TEXT,
  last_version INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, name)
) STRICT;

CREATE TABLE registered_model_tags (
  ${SCOPE}, model TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (workspace, project, model, key),
  FOREIGN KEY (workspace, project, model) REFERENCES registered_models (workspace, project, name) ON DELETE CASCADE ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE model_versions (
  ${SCOPE}, model TEXT NOT NULL, version INTEGER NOT NULL, run_id TEXT, artifact TEXT, source TEXT NOT NULL,
  location TEXT, run_link TEXT,
  model_id TEXT, status TEXT NOT NULL CHECK (status IN ('pending', 'ready', 'failed')), status_message TEXT,
  stage TEXT NOT NULL CHECK (stage IN ('None', 'Staging', 'Production', 'Archived')), ${LIFECYCLE},
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, actor TEXT NOT NULL, description TEXT NOT NULL,
  PRIMARY KEY (workspace, project, model, version),
  FOREIGN KEY (workspace, project, model) REFERENCES registered_models (workspace, project, name) ON DELETE CASCADE ON UPDATE CASCADE
) STRICT;
CREATE INDEX model_versions_by_run ON model_versions (workspace, project, run_id);

CREATE TABLE model_version_tags (
  ${SCOPE}, model TEXT NOT NULL, version INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (workspace, project, model, version, key),
  FOREIGN KEY (workspace, project, model, version) REFERENCES model_versions (workspace, project, model, version)
    ON DELETE CASCADE ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE model_aliases (
  ${SCOPE}, model TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, model, alias),
  FOREIGN KEY (workspace, project, model, version) REFERENCES model_versions (workspace, project, model, version)
    ON DELETE CASCADE ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE gates (
  ${SCOPE}, id TEXT NOT NULL, model TEXT NOT NULL, version INTEGER NOT NULL, champion_version INTEGER,
  opened_at INTEGER NOT NULL, passed INTEGER NOT NULL CHECK (passed IN (0, 1)), verdicts TEXT NOT NULL,
  PRIMARY KEY (workspace, project, id),
  FOREIGN KEY (workspace, project, model, version) REFERENCES model_versions (workspace, project, model, version)
    ON DELETE CASCADE ON UPDATE CASCADE
) STRICT;
CREATE INDEX gates_by_version ON gates (workspace, project, model, version, opened_at);

CREATE TABLE approvals (
  ${SCOPE}, id TEXT NOT NULL, model TEXT NOT NULL, version INTEGER NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('approved', 'declined')), role TEXT, at INTEGER NOT NULL, actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (workspace, project, id),
  FOREIGN KEY (workspace, project, model, version) REFERENCES model_versions (workspace, project, model, version)
    ON DELETE CASCADE ON UPDATE CASCADE
) STRICT;
CREATE INDEX approvals_by_version ON approvals (workspace, project, model, version, at);

CREATE TABLE promotions (
  ${SCOPE}, id TEXT NOT NULL, model TEXT NOT NULL, alias TEXT NOT NULL, from_version INTEGER, to_version INTEGER NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('promoted', 'rejected', 'rolled-back', 'removed')),
  at INTEGER NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, gate_id TEXT, idempotency_key TEXT NOT NULL,
  PRIMARY KEY (workspace, project, id), UNIQUE (workspace, project, idempotency_key),
  FOREIGN KEY (workspace, project, model, to_version) REFERENCES model_versions (workspace, project, model, version)
    ON DELETE CASCADE ON UPDATE CASCADE,
  FOREIGN KEY (workspace, project, gate_id) REFERENCES gates (workspace, project, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX promotions_by_model ON promotions (workspace, project, model, at, id);

CREATE TABLE users (
  workspace TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL, disabled_at INTEGER,
  PRIMARY KEY (workspace, name)
) STRICT;

CREATE TABLE role_grants (
  ${SCOPE}, user_name TEXT NOT NULL, role TEXT NOT NULL, granted_at INTEGER NOT NULL, granted_by TEXT NOT NULL,
  PRIMARY KEY (workspace, project, user_name),
  FOREIGN KEY (workspace, user_name) REFERENCES users (workspace, name) ON DELETE CASCADE
) STRICT;

CREATE TABLE tokens (
  workspace TEXT NOT NULL, id TEXT NOT NULL, user_name TEXT NOT NULL, label TEXT NOT NULL, hash TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER, last_used_at INTEGER, revoked_at INTEGER,
  PRIMARY KEY (workspace, id), UNIQUE (hash),
  FOREIGN KEY (workspace, user_name) REFERENCES users (workspace, name) ON DELETE CASCADE
) STRICT;

CREATE TABLE imports (
  ${SCOPE}, origin TEXT NOT NULL, kind TEXT NOT NULL, origin_id TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (workspace, project, origin, kind, origin_id)
) STRICT;

INSERT INTO experiments
  SELECT workspace, project, id, name, 'mlflow-artifacts:/' || id, 'active', NULL, created_at, created_at FROM old_experiments;
INSERT INTO runs
  SELECT workspace, project, id, experiment_id, parent_run_id, name, status, started_at, ended_at, 'active', NULL,
    'mlflow-artifacts:/' || experiment_id || '/' || id || '/artifacts', '', actor, trace_id, snapshots, git_commit, git_diff
  FROM old_runs;
INSERT INTO params SELECT workspace, project, run_id, key, value FROM old_params;
INSERT INTO tags SELECT workspace, project, run_id, key, value FROM old_tags;
INSERT INTO metrics
  SELECT workspace, project, run_id, key, step, logged_at, coalesce(value, 0), is_nan, low, high FROM old_metrics;
INSERT INTO latest_metrics
  SELECT workspace, project, run_id, key, step, logged_at, coalesce(value, 0), is_nan, low, high FROM (
    SELECT *, row_number() OVER (PARTITION BY workspace, project, run_id, key ORDER BY step DESC, logged_at DESC) AS place
    FROM old_metrics
  ) AS ranked WHERE place = 1;
INSERT INTO artifact_files
  SELECT f.workspace, f.project, r.experiment_id || '/' || f.run_id || '/artifacts/' || f.path, f.sha256, f.bytes, f.media_type,
    coalesce(r.ended_at, r.started_at)
  FROM old_run_artifacts AS f
  JOIN old_runs AS r ON r.workspace = f.workspace AND r.project = f.project AND r.id = f.run_id;
INSERT INTO registered_models
  SELECT m.workspace, m.project, m.name, '', 'active', NULL, NULL,
    coalesce((SELECT max(v.version) FROM old_model_versions AS v
      WHERE v.workspace = m.workspace AND v.project = m.project AND v.model = m.name), 0), m.created_at, m.created_at
  FROM old_registered_models AS m;
INSERT INTO model_versions
  SELECT v.workspace, v.project, v.model, v.version, v.run_id, v.artifact,
    coalesce('mlflow-artifacts:/' || r.experiment_id || '/' || v.run_id || '/artifacts/model', 'runs:/' || v.run_id || '/model'), NULL, NULL, NULL,
    'ready', NULL, 'None', 'active', NULL, v.created_at, v.created_at, v.actor, v.description
  FROM old_model_versions AS v
  LEFT JOIN old_runs AS r ON r.workspace = v.workspace AND r.project = v.project AND r.id = v.run_id;
INSERT INTO model_aliases SELECT workspace, project, model, alias, version, updated_at FROM old_model_aliases;
INSERT INTO gates SELECT workspace, project, id, model, version, champion_version, opened_at, passed, verdicts FROM old_gates;
INSERT INTO promotions
  SELECT workspace, project, id, model, alias, from_version, to_version, decision, at, actor, reason, gate_id, idempotency_key
  FROM old_promotions;

DROP TABLE old_promotions;
DROP TABLE old_gates;
DROP TABLE old_model_aliases;
DROP TABLE old_model_versions;
DROP TABLE old_registered_models;
DROP TABLE old_run_artifacts;
DROP TABLE old_metrics;
DROP TABLE old_tags;
DROP TABLE old_params;
DROP TABLE old_runs;
DROP TABLE old_experiments;
`,
};
