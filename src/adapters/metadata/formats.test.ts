import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findPostgres, runSql, type TestSchema, testSchema } from "../../../test/fixtures/postgres.ts";
import { type MetadataStore, systemClock } from "../../core/ports/index.ts";
import { everyRow, readEveryTable } from "./fixtures/every-table.ts";
import { MIGRATIONS, type Migration } from "./migrations/index.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";

const { url, reason } = await findPostgres();
const T = 1_385_856_000_000_000;
const W = "'w', 'p'";

/** Rows of every table of format 1, as it was before anything else was known. */
const FORMAT_1 = `
INSERT INTO snapshots VALUES (${W}, 's-1', 'bookings', 'hash', ${T}, 10, 20, '{}', ${T}, 'ann');
INSERT INTO experiments VALUES (${W}, 'e-1', 'late', 1), ('w', 'other', 'e-1', 'late', 2);
INSERT INTO runs VALUES
  (${W}, 'r-1', 'e-1', NULL, 'parent', 'finished', ${T}, ${T + 1}, 'ann', NULL, '["s-1"]', 'commit', 'diff'),
  (${W}, 'r-2', 'e-1', 'r-1', 'child', 'running', ${T + 2}, NULL, 'ann', 'trace', '[]', NULL, NULL);
INSERT INTO params VALUES (${W}, 'r-1', 'depth', '3'), (${W}, 'r-2', 'depth', '4');
INSERT INTO metrics VALUES
  (${W}, 'r-1', 'auc', 0, 5, 0.5, 0, 0.4, 0.6), (${W}, 'r-1', 'auc', 1, 5, 0.7, 0, NULL, NULL), (${W}, 'r-1', 'auc', 1, 6, 0.6, 0, NULL, NULL),
  (${W}, 'r-1', 'loss', 3, 7, NULL, 1, NULL, NULL), (${W}, 'r-2', 'auc', 0, 8, 0.9, 0, NULL, NULL);
INSERT INTO tags VALUES (${W}, 'r-1', 'team', 'ops');
INSERT INTO run_artifacts VALUES (${W}, 'r-1', 'model/a.bin', 'sha', 7, 'application/octet-stream'), (${W}, 'r-2', 'log.txt', 'sha2', 8, 'text/plain');
INSERT INTO registered_models VALUES (${W}, 'delay', 3), (${W}, 'empty', 4);
INSERT INTO model_versions VALUES (${W}, 'delay', 1, 'r-1', 'sha', 5, 'ann', 'first'), (${W}, 'delay', 4, 'gone', 'sha', 6, 'bob', '');
INSERT INTO model_aliases VALUES (${W}, 'delay', 'champion', 4, 9);
INSERT INTO gates VALUES (${W}, 'g-1', 'delay', 4, 1, 8, 1, '[]');
INSERT INTO promotions VALUES
  (${W}, 'pr-1', 'delay', 'champion', NULL, 1, 'promoted', 7, 'ann', 'why', NULL, 'k-1'),
  (${W}, 'pr-2', 'delay', 'champion', 1, 4, 'rolled-back', 9, 'ann', '', 'g-1', 'k-2');
INSERT INTO pipeline_runs VALUES (${W}, 'pl-1', 'nightly', 'queued', '{}', 'd', '{}', '{}', 'ann', 't', 1, NULL, NULL);
INSERT INTO step_runs VALUES (${W}, 'pl-1', 'ingest', 'failed', 2, NULL, NULL, 'oops', 1, 2);
INSERT INTO step_cache VALUES (${W}, 'c', '{}', 'pl-1', 1);
INSERT INTO effects VALUES (${W}, 'e', '1', 1);
INSERT INTO deployments VALUES (${W}, 'late', 1, '{}', 1, 'ann', '');
INSERT INTO monitor_results VALUES (${W}, 'm', 'late', 1, 2, 'quality', '{}', 3);
INSERT INTO alerts VALUES (${W}, 'a', 'late', 'drift', 'critical', 'open', 't', 1, 2, NULL, '[]', NULL, 'd');
INSERT INTO audit VALUES (${W}, 'au', 1, 'ann', 'act', 'target', '{}');`;

/** What format 2 makes of them. */
const scope = { workspace: "w", project: "p" };
const active = { lifecycle: "active", deleted_at: null };
const bare = { low: null, high: null, is_nan: 0 };
const run = { ...scope, ...active, experiment_id: "e-1", user_name: "", actor: "ann" };
const version = { ...scope, ...active, model: "delay", artifact: "sha", status: "ready", status_message: null, stage: "None" };
const unlinked = { run_link: null, model_id: null, location: null };
const metric = { ...scope, run_id: "r-1", key: "auc" };
const FORMAT_2: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
  experiments: [
    { ...scope, ...active, id: "e-1", name: "late", artifact_location: "mlflow-artifacts:/e-1", created_at: 1, updated_at: 1 },
    {
      ...scope,
      ...active,
      project: "other",
      id: "e-1",
      name: "late",
      artifact_location: "mlflow-artifacts:/e-1",
      created_at: 2,
      updated_at: 2,
    },
  ],
  runs: [
    {
      ...run,
      id: "r-1",
      parent_run_id: null,
      name: "parent",
      status: "finished",
      started_at: T,
      ended_at: T + 1,
      artifact_uri: "mlflow-artifacts:/e-1/r-1/artifacts",
      trace_id: null,
      snapshots: '["s-1"]',
      git_commit: "commit",
      git_diff: "diff",
    },
    {
      ...run,
      id: "r-2",
      parent_run_id: "r-1",
      name: "child",
      status: "running",
      started_at: T + 2,
      ended_at: null,
      artifact_uri: "mlflow-artifacts:/e-1/r-2/artifacts",
      trace_id: "trace",
      snapshots: "[]",
      git_commit: null,
      git_diff: null,
    },
  ],
  params: [
    { ...scope, run_id: "r-1", key: "depth", value: "3" },
    { ...scope, run_id: "r-2", key: "depth", value: "4" },
  ],
  tags: [{ ...scope, run_id: "r-1", key: "team", value: "ops" }],
  metrics: [
    { ...metric, step: 0, logged_at: 5, value: 0.5, is_nan: 0, low: 0.4, high: 0.6 },
    { ...metric, ...bare, step: 1, logged_at: 5, value: 0.7 },
    { ...metric, ...bare, step: 1, logged_at: 6, value: 0.6 },
    { ...metric, ...bare, key: "loss", step: 3, logged_at: 7, value: 0, is_nan: 1 },
    { ...metric, ...bare, run_id: "r-2", step: 0, logged_at: 8, value: 0.9 },
  ],
  latest_metrics: [
    { ...metric, ...bare, step: 1, logged_at: 6, value: 0.6 },
    { ...metric, ...bare, key: "loss", step: 3, logged_at: 7, value: 0, is_nan: 1 },
    { ...metric, ...bare, run_id: "r-2", step: 0, logged_at: 8, value: 0.9 },
  ],
  artifact_files: [
    {
      ...scope,
      path: "e-1/r-1/artifacts/model/a.bin",
      sha256: "sha",
      bytes: 7,
      media_type: "application/octet-stream",
      written_at: T + 1,
    },
    { ...scope, path: "e-1/r-2/artifacts/log.txt", sha256: "sha2", bytes: 8, media_type: "text/plain", written_at: T + 2 },
  ],
  registered_models: [
    { ...scope, ...active, name: "delay", deleted_name: null, last_version: 4, description: "", created_at: 3, updated_at: 3 },
    { ...scope, ...active, name: "empty", deleted_name: null, last_version: 0, description: "", created_at: 4, updated_at: 4 },
  ],
  model_versions: [
    {
      ...version,
      ...unlinked,
      version: 1,
      run_id: "r-1",
      source: "mlflow-artifacts:/e-1/r-1/artifacts/model",
      created_at: 5,
      updated_at: 5,
      actor: "ann",
      description: "first",
    },
    {
      ...version,
      ...unlinked,
      version: 4,
      run_id: "gone",
      source: "runs:/gone/model",
      created_at: 6,
      updated_at: 6,
      actor: "bob",
      description: "",
    },
  ],
  model_aliases: [{ ...scope, model: "delay", alias: "champion", version: 4, updated_at: 9 }],
  gates: [{ ...scope, id: "g-1", model: "delay", version: 4, champion_version: 1, opened_at: 8, passed: 1, verdicts: "[]" }],
};
/** What stayed the same from format 1 to 2. */
const UNCHANGED = [
  "snapshots",
  "promotions",
  "pipeline_runs",
  "step_runs",
  "step_cache",
  "effects",
  "deployments",
  "monitor_results",
  "alerts",
  "audit",
];

interface Engine {
  readonly name: string;
  open(migrations?: readonly Migration[]): Promise<MetadataStore>;
  /** As someone beside the store. */
  run(statements: string): Promise<void>;
  /** Where the copy of a format lies that was migrated. */
  copyOf(format: number): string;
}

let folder: string;
let path: string;
let schema: TestSchema | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-formats-"));
  path = join(folder, "metadata.db");
  schema = url === null ? null : testSchema(url);
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await schema?.drop();
});

const sqlite: Engine = {
  name: "SQLite",
  open: (migrations = MIGRATIONS) => openSqlite({ path, clock: systemClock, migrations }),
  run: async (statements) => {
    const database = new DatabaseSync(path);
    database.exec(statements);
    database.close();
  },
  copyOf: (format) => `${path}.format-${format}.backup`,
};
const postgres: Engine = {
  name: "PostgreSQL",
  open: (migrations = MIGRATIONS) => openPostgres({ url: schema?.url ?? "", clock: systemClock, migrations, backups: folder }),
  run: async (statements) => {
    await runSql(schema?.url ?? "", statements);
  },
  copyOf: (format) => join(folder, `${schema?.name}.format-${format}.backup`),
};

const rowsOf = async (store: MetadataStore, table: string) =>
  (await sql`select * from ${sql.table(table)}`.execute(store.db)).rows;
const sorted = (rows: readonly unknown[]) =>
  rows.map((row) => JSON.stringify(Object.entries(row ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();

test("the file of format 2 opens and has every row", async () => {
  copyFileSync(new URL("./fixtures/format-2.db", import.meta.url), path);
  const store = await sqlite.open();
  expect(await readEveryTable(store)).toEqual({ ...everyRow(), erasures: [] });
  await store.close();
});

test("the file of format 1 opens and has its rows", async () => {
  copyFileSync(new URL("./fixtures/format-1.db", import.meta.url), path);
  const store = await sqlite.open();
  const [kept] = await store.db.selectFrom("runs").selectAll().execute();
  expect(kept).toMatchObject({ id: "run-1", name: "gradient-boosting", started_at: T, lifecycle: "active" });
  const [latest] = await store.db.selectFrom("latest_metrics").selectAll().execute();
  expect(latest).toMatchObject({ key: "roc_auc", value: 0.71, low: 0.7, high: 0.72 });
  await store.close();
});

describe.each(url === null ? [sqlite] : [sqlite, postgres])(`formats on $name ${reason}`, (engine) => {
  test("every row of format 1 is found in format 2, and its copy has it as it was", async () => {
    await (await engine.open(MIGRATIONS.slice(0, 1))).close();
    await engine.run(FORMAT_1);
    const old = await engine.open(MIGRATIONS.slice(0, 1));
    const before = new Map<string, readonly unknown[]>();
    for (const table of [...UNCHANGED, "runs", "metrics"]) before.set(table, await rowsOf(old, table));
    await old.close();
    for (const table of UNCHANGED) expect(before.get(table)?.length, table).toBeGreaterThan(0);

    const store = await engine.open(MIGRATIONS.slice(0, 2));
    for (const [table, rows] of Object.entries(FORMAT_2)) expect(sorted(await rowsOf(store, table)), table).toEqual(sorted(rows));
    for (const table of UNCHANGED) expect(sorted(await rowsOf(store, table)), table).toEqual(sorted(before.get(table) ?? []));
    const orphan = store.db
      .insertInto("tags")
      .values({ ...scope, run_id: "none", key: "a", value: "" })
      .execute();
    await expect(orphan).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    await store.db.deleteFrom("runs").where("id", "=", "r-2").execute();
    expect(await rowsOf(store, "params")).toHaveLength(1);
    await store.close();

    const copy = await openSqlite({ path: engine.copyOf(1), clock: systemClock, readOnly: true });
    for (const [table, rows] of before) expect(sorted(await rowsOf(copy, table)), table).toEqual(sorted(rows));
    await copy.close();
  });

  test("rows that point nowhere stop a migration, which leaves everything as it was", async () => {
    await (await engine.open()).close();
    const dangling = {
      formatVersion: MIGRATIONS.length + 1,
      minCompatibleVersion: MIGRATIONS.length + 1,
      sql: "INSERT INTO params VALUES ('w', 'p', 'none', 'a', 'b');",
    };
    await expect(engine.open([...MIGRATIONS, dangling])).rejects.toMatchObject({ code: "STATE_MIGRATION_FAILED" });
    const store = await engine.open();
    expect(await rowsOf(store, "params")).toEqual([]);
    await store.close();
  });
});
