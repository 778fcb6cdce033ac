import { type Kysely, sql } from "kysely";
import type { Database } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { DOCUMENTS } from "./content-references.ts";

type Rewrite = (document: unknown) => unknown;

/** Errors of steps may show samples of the rows that broke a contract. */
const WITH_ERRORS = DOCUMENTS.map((each) =>
  each.table === "step_runs" ? { ...each, text: [...each.text, "error"] as const } : each,
);

const PAGE = 200;

/** Each document of a project in the order of its table, parsed. */
export async function* readDocuments(db: Kysely<Database>, scope: Scope): AsyncGenerator<unknown> {
  for (const { table, key, text } of WITH_ERRORS)
    for await (const rows of pages(db, scope, table, key, text))
      for (const row of rows) for (const name of text) if (typeof row[name] === "string") yield parse(row[name]);
}

/**
 * Puts others in place of a project's documents: snapshots, outputs of steps, reports and the rest in which hashes of artifacts may stand. A
 * document that `rewrite` returns itself stays as it is. In a transaction pass its `db`. @returns how many were replaced
 */
export async function rewriteDocuments(db: Kysely<Database>, scope: Scope, rewrite: Rewrite): Promise<number> {
  let replaced = 0;
  for (const { table, key, text } of WITH_ERRORS) {
    for await (const rows of pages(db, scope, table, key, text)) {
      for (const row of rows) {
        for (const name of text) {
          if (typeof row[name] !== "string") continue;
          const before = parse(row[name]);
          const after = rewrite(before);
          if (after === before) continue;
          const own = sql.join(
            key.map((part) => sql`${sql.ref(part)} = ${row[part]}`),
            sql` AND `,
          );
          await sql`UPDATE ${sql.table(table)} SET ${sql.ref(name)} = ${JSON.stringify(after)} WHERE ${own}`.execute(db);
          replaced++;
        }
      }
    }
  }
  return replaced;
}

/** What is no JSON is looked at as text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

async function* pages(
  db: Kysely<Database>,
  { workspace, project }: Scope,
  table: string,
  key: readonly string[],
  text: readonly string[],
): AsyncGenerator<readonly Record<string, unknown>[]> {
  const columns = sql.join(key.map((name) => sql.ref(name)));
  const own = sql`workspace = ${workspace} AND project = ${project}`;
  for (let after: unknown[] | null = null; ; ) {
    const behind: ReturnType<typeof sql> = after === null ? sql`` : sql`AND (${columns}) > (${sql.join(after)})`;
    const { rows }: { rows: Record<string, unknown>[] } = await sql<Record<string, unknown>>`
      SELECT ${columns}, ${sql.join(text.map((name) => sql.ref(name)))} FROM ${sql.table(table)}
      WHERE ${own} ${behind} ORDER BY ${columns} LIMIT ${sql.lit(PAGE)}`.execute(db);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = key.map((name) => last[name]);
  }
}
