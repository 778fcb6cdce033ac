import { randomUUID } from "node:crypto";
import type { SourceDefinition } from "../definitions/index.ts";
import type { ArtifactStore, TableEngine } from "../ports/index.ts";
import type { SnapshotPart } from "./snapshot.ts";
import { fileList, quoteIdentifier } from "./sql.ts";

/** SQL of which columns could not be read, from the reasons why a row was quarantined: among those rows, null says too little. */
export const unreadColumns = (reason: string): string =>
  `array_to_string(list_filter(string_split(${reason}, '; '), lambda each: suffix(each, ': type')), '; ')`;

/**
 * Rows that earlier increments took in, so that what is delivered twice is taken once. Rows are told apart by all their values and
 * counted: of two equal rows where one is known, one is new.
 */
export class KnownRows {
  readonly #engine: TableEngine;
  readonly #columns: readonly string[];
  readonly #watermark: string;
  readonly #files: { readonly good: readonly string[]; readonly bad: readonly string[] };
  /** What this increment delivered again so far, one batch after the other. */
  readonly #again: string;

  private constructor(engine: TableEngine, source: SourceDefinition, files: { good: string[]; bad: string[] }) {
    this.#engine = engine;
    this.#columns = [...Object.keys(source.contracts).map(quoteIdentifier), "__unread"];
    this.#watermark = quoteIdentifier(source.watermark?.column ?? "");
    this.#files = files;
    this.#again = quoteIdentifier(`again_${randomUUID()}`);
  }

  static async of(
    { engine, artifacts }: { engine: TableEngine; artifacts: ArtifactStore },
    source: SourceDefinition,
    parts: readonly SnapshotPart[],
  ): Promise<KnownRows> {
    const bad = parts.flatMap(({ quarantine }) => (quarantine === null ? [] : [quarantine]));
    return new KnownRows(engine, source, {
      good: await Promise.all(parts.map(({ sha256 }) => artifacts.localPath(sha256))),
      bad: await Promise.all(bad.map((sha256) => artifacts.localPath(sha256))),
    });
  }

  /** Takes rows that are known out of a table of typed rows, which has `__unread` and the row's place `order`. */
  async removeFrom(table: string, order: string): Promise<void> {
    const [range] = await this.#engine.rows(`SELECT count(*) AS n, min(${this.#watermark}) IS NULL AS no_least FROM ${table}`);
    if (range?.n === 0) return;
    // What has no watermark that can be read may be anywhere.
    const within = range?.no_least === true ? "true" : `${this.#watermark} >= (SELECT min(${this.#watermark}) FROM ${table})`;
    const columns = this.#columns.join(", ");
    const typed = this.#columns.slice(0, -1).join(", ");
    const known = [
      `SELECT ${typed}, '' AS __unread, 1 AS times FROM read_parquet(${fileList(this.#files.good)}) WHERE ${within}`,
    ];
    if (this.#files.bad.length > 0)
      known.push(
        `SELECT ${typed}, ${unreadColumns("__reason")}, 1 FROM read_parquet(${fileList(this.#files.bad)})
         WHERE ${within} OR ${this.#watermark} IS NULL`,
      );
    await this.#engine.run(
      `CREATE TEMP TABLE IF NOT EXISTS ${this.#again} AS SELECT ${columns}, -1 AS times FROM ${table} LIMIT 0`,
    );
    known.push(`SELECT ${columns}, times FROM ${this.#again} WHERE ${within} OR ${this.#watermark} IS NULL`);
    const found = quoteIdentifier(`found_${randomUUID()}`);
    const same = this.#columns.map((column) => `each.${column} IS NOT DISTINCT FROM known.${column}`).join(" AND ");
    try {
      await this.#engine.run(
        `CREATE TEMP TABLE ${found} AS
         SELECT each.* EXCLUDE (nth)
         FROM (SELECT ${columns}, ${order}, row_number() OVER (PARTITION BY ${columns} ORDER BY ${order}) AS nth FROM ${table}) AS each
         JOIN (SELECT ${columns}, sum(times) AS times FROM (${known.join(" UNION ALL ")}) GROUP BY ${columns}) AS known
           ON ${same} AND each.nth <= known.times`,
      );
      await this.#engine.run(`DELETE FROM ${table} WHERE ${order} IN (SELECT ${order} FROM ${found})`);
      await this.#engine.run(`INSERT INTO ${this.#again} SELECT ${columns}, -1 FROM ${found}`);
    } finally {
      await this.#engine.run(`DROP TABLE IF EXISTS ${found}`);
    }
  }

  async close(): Promise<void> {
    await this.#engine.run(`DROP TABLE IF EXISTS ${this.#again}`);
  }
}
