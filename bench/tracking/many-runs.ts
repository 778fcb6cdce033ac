/** The same runs in both: through the API in ours; as rows of its tables in MLflow's, which would take an hour by its API. */
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { connections } from "./http-load.ts";

const METRICS = 10;
const PARAMS = 5;
const PARAM_VALUES = "abcdefgh";

interface MadeRun {
  readonly name: string;
  /** Milliseconds. */
  readonly startTime: number;
  readonly metrics: readonly {
    readonly key: string;
    readonly value: number;
    readonly timestamp: number;
    readonly step: number;
  }[];
  readonly params: readonly { readonly key: string; readonly value: string }[];
}

/** Deterministic: run i is the same wherever it is made. */
function* madeRuns(count: number): Generator<MadeRun> {
  let state = 42;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < count; i++) {
    const startTime = 1_700_000_000_000 + i * 1_000;
    yield {
      name: `run-${i}`,
      startTime,
      metrics: Array.from({ length: METRICS }, (_, m) => ({ key: `m${m}`, value: random(), timestamp: startTime, step: 1 })),
      params: Array.from({ length: PARAMS }, (_, p) => ({
        key: `p${p}`,
        value: PARAM_VALUES.charAt(Math.floor(random() * PARAM_VALUES.length)),
      })),
    };
  }
}

export async function fillByApi(port: number, count: number): Promise<void> {
  const { post, close } = connections(port, 32);
  const rest = madeRuns(count);
  const worker = async () => {
    for (const { name, startTime, metrics, params } of rest) {
      const { run } = await post<{ run: { info: { run_id: string } } }>("runs/create", {
        experiment_id: "0",
        run_name: name,
        start_time: startTime,
      });
      await post("runs/log-batch", { run_id: run.info.run_id, metrics, params });
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  close();
}

type Row = readonly (string | number | boolean | null)[];

function* tablesOf(run: MadeRun, id: string): Generator<readonly [table: string, columns: string, row: Row]> {
  const { name, startTime } = run;
  yield [
    "runs",
    "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, source_version, lifecycle_stage, artifact_uri, experiment_id",
    [id, name, "UNKNOWN", "", "", "", "RUNNING", startTime, "", "active", `mlflow-artifacts:/0/${id}/artifacts`, 0],
  ];
  for (const { key, value, timestamp, step } of run.metrics)
    for (const table of ["metrics", "latest_metrics"])
      yield [table, "key, value, timestamp, run_uuid, step, is_nan", [key, value, timestamp, id, step, false]];
  for (const { key, value } of run.params) yield ["params", "key, value, run_uuid", [key, value, id]];
  yield ["tags", "key, value, run_uuid", ["mlflow.runName", name, id]];
}

const idOf = (i: number) => i.toString(16).padStart(32, "0");

/** Into the tables of a stopped MLflow. @param database path of its SQLite file */
export function fillSqlite(database: string, count: number): void {
  const db = new DatabaseSync(database);
  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  db.exec("BEGIN");
  let i = 0;
  for (const run of madeRuns(count)) {
    for (const [table, columns, row] of tablesOf(run, idOf(i))) {
      let insert = statements.get(table);
      if (insert === undefined) {
        insert = db.prepare(`INSERT INTO ${table} (${columns}) VALUES (${row.map(() => "?").join(", ")})`);
        statements.set(table, insert);
      }
      insert.run(...row.map((value) => (typeof value === "boolean" ? Number(value) : value)));
    }
    i += 1;
  }
  db.exec("COMMIT; ANALYZE");
  db.close();
}

/** Into the tables of MLflow's PostgreSQL. */
export async function fillPostgres(database: string, count: number): Promise<void> {
  const client = new pg.Client(database);
  await client.connect();
  const waiting = new Map<string, { columns: string; rows: Row[] }>();
  const send = async (table: string) => {
    const batch = waiting.get(table);
    waiting.delete(table);
    if (batch === undefined) return;
    const width = batch.rows[0]?.length ?? 0;
    const places = batch.rows.map(
      (_, r) => `(${Array.from({ length: width }, (_each, c) => `$${r * width + c + 1}`).join(", ")})`,
    );
    await client.query(`INSERT INTO ${table} (${batch.columns}) VALUES ${places.join(", ")}`, batch.rows.flat());
  };
  await client.query("BEGIN");
  let i = 0;
  for (const run of madeRuns(count)) {
    for (const [table, columns, row] of tablesOf(run, idOf(i))) {
      const batch = waiting.get(table) ?? { columns, rows: [] };
      batch.rows.push(row);
      waiting.set(table, batch);
      // What refers to a run comes after it.
      if (batch.rows.length === 1_000) {
        await send("runs");
        await send(table);
      }
    }
    i += 1;
  }
  for (const table of ["runs", "metrics", "latest_metrics", "params", "tags"]) await send(table);
  await client.query("COMMIT");
  await client.query("ANALYZE");
  await client.end();
}
