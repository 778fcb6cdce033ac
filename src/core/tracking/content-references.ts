import { type Kysely, sql } from "kysely";
import type { Database } from "../ports/index.ts";

/** JSON in which hashes of artifacts may stand, with each table's key. All projects share one store of artifacts. */
export const DOCUMENTS = [
  { table: "snapshots", key: ["workspace", "project", "id"], text: ["snapshot"] },
  { table: "step_runs", key: ["workspace", "project", "run_id", "step"], text: ["output"] },
  { table: "step_cache", key: ["workspace", "project", "cache_key"], text: ["output"] },
  { table: "pipeline_runs", key: ["workspace", "project", "id"], text: ["trigger", "params", "plan"] },
  { table: "effects", key: ["workspace", "project", "idempotency_key"], text: ["result"] },
  { table: "deployments", key: ["workspace", "project", "endpoint", "revision"], text: ["spec"] },
  { table: "gates", key: ["workspace", "project", "id"], text: ["verdicts"] },
  { table: "monitor_results", key: ["workspace", "project", "id"], text: ["report"] },
  { table: "alerts", key: ["workspace", "project", "id"], text: ["causes"] },
  { table: "imports", key: ["workspace", "project", "origin", "kind", "origin_id"], text: ["state"] },
] as const satisfies readonly {
  readonly table: keyof Database;
  readonly key: readonly string[];
  readonly text: readonly string[];
}[];

const PAGE = 500;
export const HASH = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;

/** Every hash that stands in a document of the store; more than artifacts have, never fewer. */
export async function hashesInDocuments(db: Kysely<Database>): Promise<Set<string>> {
  const hashes = new Set<string>();
  for (const { table, key, text } of DOCUMENTS) {
    const columns = sql.join(key.map((name) => sql.ref(name)));
    const texts = sql.join(text.map((name) => sql.ref(name)));
    for (let after: unknown[] | null = null; ; ) {
      const behind: ReturnType<typeof sql> = after === null ? sql`` : sql`WHERE (${columns}) > (${sql.join(after)})`;
      const { rows }: { rows: Record<string, unknown>[] } = await sql<Record<string, unknown>>`
        SELECT ${columns}, ${texts} FROM ${sql.table(table)} ${behind} ORDER BY ${columns} LIMIT ${sql.lit(PAGE)}`.execute(db);
      for (const row of rows)
        for (const name of text) for (const [hash] of String(row[name] ?? "").matchAll(HASH)) hashes.add(hash);
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) break;
      after = key.map((name) => last[name]);
    }
  }
  return hashes;
}
