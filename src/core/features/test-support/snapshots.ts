import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FilesystemArtifactStore } from "../../../adapters/artifacts/filesystem.ts";
import { openDuckDb } from "../../../adapters/tables/duckdb.ts";
import { quoteIdentifier, quoteLiteral, type Snapshot, type SnapshotPart } from "../../data/index.ts";
import type { ColumnType, SourceDefinition } from "../../definitions/index.ts";
import type { ArtifactStore, TableEngine } from "../../ports/index.ts";
import type { Micros } from "../../time.ts";
import type { ExactValue } from "../plan.ts";
import type { SourceRow } from "./oracle.ts";

const SQL: Readonly<Record<ColumnType, string>> = {
  string: "VARCHAR",
  int32: "INTEGER",
  int64: "BIGINT",
  float64: "DOUBLE",
  bool: "BOOLEAN",
  timestamp: "TIMESTAMP",
};

export interface Workbench {
  readonly engine: TableEngine;
  readonly artifacts: ArtifactStore;
  readonly tmpDirectory: string;
  readonly directory: string;
  close(): void;
}

/** A real engine and artifact store in a folder of their own. */
export async function openWorkbench(): Promise<Workbench> {
  const directory = mkdtempSync(join(tmpdir(), "orrery-features-"));
  const tmpDirectory = join(directory, "tmp");
  mkdirSync(tmpDirectory);
  const engine = await openDuckDb({ tempDirectory: join(tmpDirectory, "duckdb") });
  return {
    engine,
    artifacts: new FilesystemArtifactStore(join(directory, "artifacts")),
    tmpDirectory,
    directory,
    close() {
      engine.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function literal(value: ExactValue, type: ColumnType): string {
  if (value === null) return `NULL::${SQL[type]}`;
  if (type === "timestamp") return `make_timestamp(${value}::BIGINT)`;
  // As text: a bare number with a point is a DECIMAL to DuckDB and would lose digits.
  return `${quoteLiteral(String(value))}::${SQL[type]}`;
}

/** `SELECT …` that gives these rows, in order. */
export function selectRows(types: Readonly<Record<string, ColumnType>>, rows: readonly SourceRow[]): string {
  const columns = Object.entries(types);
  const line = (row: SourceRow) => `(${columns.map(([name, type]) => literal(row[name] ?? null, type)).join(", ")})`;
  const names = columns.map(([name]) => quoteIdentifier(name)).join(", ");
  if (rows.length > 0) return `SELECT * FROM (VALUES ${rows.map(line).join(", ")}) AS t(${names})`;
  return `SELECT * FROM (VALUES ${line({})}) AS t(${names}) WHERE false`;
}

function hasRepeats(source: SourceDefinition, rows: readonly SourceRow[]): boolean {
  const keys = rows.map((row) => JSON.stringify(source.key.map((column) => row[column] ?? null)));
  return new Set(keys).size < keys.length;
}

/** A snapshot with one part for each list of rows. */
export async function snapshotOf(
  bench: Workbench,
  source: SourceDefinition,
  parts: readonly (readonly SourceRow[])[],
  asOf: Micros,
): Promise<Snapshot> {
  const types = Object.fromEntries(Object.entries(source.contracts).map(([name, { type }]) => [name, type]));
  const stored: SnapshotPart[] = [];
  for (const rows of parts) {
    const path = join(bench.tmpDirectory, `${randomUUID()}.parquet`);
    // In the order of their events, as ingestion leaves them.
    const order = source.eventTime === undefined ? "" : ` ORDER BY ${quoteIdentifier(source.eventTime)}, __given`;
    const given = `SELECT *, row_number() OVER () AS __given FROM (${selectRows(types, rows)})`;
    await bench.engine.run(`COPY (SELECT * EXCLUDE (__given) FROM (${given})${order}) TO ${quoteLiteral(path)} (FORMAT parquet)`);
    const { sha256, bytes } = await bench.artifacts.putFile(path, "application/vnd.apache.parquet");
    stored.push({
      inputHash: sha256,
      file: "rows.parquet",
      sha256,
      bytes,
      rows: rows.length,
      quarantine: null,
      quarantined: 0,
      nulls: {},
      violations: [],
    });
  }
  const rows = stored.reduce((sum, part) => sum + part.rows, 0);
  const contentHash = createHash("sha256")
    .update(stored.map(({ sha256 }) => sha256).join())
    .digest("hex");
  return {
    formatVersion: 1,
    id: `snapshot-${contentHash.slice(0, 8)}`,
    source: source.name,
    contentHash,
    asOf,
    parent: null,
    columns: types,
    parts: stored,
    disjoint: source.key.length === 0 || !hasRepeats(source, parts.flat()),
    rows,
    bytes: stored.reduce((sum, part) => sum + part.bytes, 0),
    report: { rows, quarantined: 0, violations: [], nullShares: [] },
    createdAt: asOf,
  };
}
