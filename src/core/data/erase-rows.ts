import type { ColumnType } from "../definitions/index.ts";
import type { ArtifactRef } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import { addUp } from "./add-up.ts";
import { sha256 } from "./contract-hash.ts";
import { copyToArtifact, type IngestEngines } from "./ingest-part.ts";
import type { ContractReport, Snapshot, SnapshotPart, Violation } from "./snapshot.ts";
import { fileList } from "./sql.ts";

/** Where something of an entity was found. */
export interface ErasedPlace {
  /** "snapshot part", "prediction", … */
  readonly what: string;
  /** The source, view, endpoint or run. */
  readonly where: string;
  readonly rows: number;
}

/** A Parquet artifact without the rows that were erased from it. */
export interface ErasedFile {
  readonly from: string;
  /** The file in its place. */
  readonly to: Pick<ArtifactRef, "sha256" | "bytes">;
  readonly rows: number;
  /** Rows that were taken out. */
  readonly erased: number;
  /** Nulls that were taken out with them, by column. */
  readonly nulls: Readonly<Record<string, number>>;
}

/** What is written into a snapshot whose rows were erased. */
export interface ErasureMark {
  readonly erasure: string;
  readonly at: Micros;
  /** Rows that were taken out, quarantined ones among them. */
  readonly rows: number;
  /** Hash of the content before. */
  readonly contentHash: string;
}

const rowsOf = (path: string) => `read_parquet(${fileList([path])}, file_row_number = true, hive_partitioning = false)`;

/** How many rows of a file are true to a condition. */
export async function countRows({ engine }: Pick<IngestEngines, "engine">, path: string, condition: string): Promise<number> {
  const [row] = await engine.rows(`SELECT count(*) AS n FROM ${rowsOf(path)} WHERE ${condition}`);
  return Number(row?.n ?? 0);
}

/**
 * Writes a file's other rows, in their order, as an artifact in its place; null where none is true to the condition. The same file and
 * condition give the same artifact.
 * @param nullable columns whose nulls are counted
 */
export async function eraseRows(
  engines: IngestEngines,
  from: string,
  condition: string,
  nullable: readonly string[] = [],
): Promise<ErasedFile | null> {
  const path = await engines.artifacts.localPath(from);
  const erased = await countRows(engines, path, condition);
  if (erased === 0) return null;
  const nulls: Record<string, number> = {};
  for (const column of nullable)
    nulls[column] = await countRows(engines, path, `${condition} AND "${column.replaceAll('"', '""')}" IS NULL`);
  const others = `FROM ${rowsOf(path)} WHERE NOT (${condition})`;
  const [row] = await engines.engine.rows(`SELECT count(*) AS n ${others}`);
  const to = await copyToArtifact(engines, `SELECT * EXCLUDE (file_row_number) ${others} ORDER BY file_row_number`);
  return { from, to: { sha256: to.sha256, bytes: to.bytes }, rows: Number(row?.n ?? 0), erased, nulls };
}

/** Hash of the content of parts under their columns. */
export const contentHashOf = (columns: Readonly<Record<string, ColumnType>>, parts: readonly SnapshotPart[]): string =>
  sha256(JSON.stringify([columns, parts.map((part) => part.sha256)]));

/**
 * The snapshot with other files in place of those that were erased from. Its id stays, since runs name it; its content hash is that of
 * what it holds now. Samples of broken contracts are taken out of parts that changed, whoever they are of. Null where nothing changed.
 * @param mark its `rows` are those of the snapshot as it can be read now, where somebody has counted them
 */
export function erasedSnapshot(
  snapshot: Snapshot,
  files: ReadonlyMap<string, ErasedFile>,
  mark: Pick<ErasureMark, "erasure" | "at"> & { readonly rows?: number },
): Snapshot | null {
  const { erasure, at } = mark;
  const parts = snapshot.parts.map((part) => erasedPart(part, files));
  if (parts.every((part, index) => part === snapshot.parts[index])) return null;
  const found = snapshot.parts.flatMap((part) => {
    const good = files.get(part.sha256)?.erased ?? 0;
    const bad = part.quarantine === null ? 0 : (files.get(part.quarantine)?.erased ?? 0);
    return [{ good, bad }];
  });
  const good = found.reduce((sum, each) => sum + each.good, 0);
  const bad = found.reduce((sum, each) => sum + each.bad, 0);
  const contentHash = contentHashOf(snapshot.columns, parts);
  const rows = mark.rows ?? Math.max(0, snapshot.rows - good);
  return {
    ...snapshot,
    contentHash,
    parts,
    rows,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    report: erasedReport(snapshot.report, parts, rows, bad),
    erased: [...(snapshot.erased ?? []), { erasure, at, rows: good + bad, contentHash: snapshot.contentHash }],
  };
}

function erasedPart(part: SnapshotPart, files: ReadonlyMap<string, ErasedFile>): SnapshotPart {
  const good = files.get(part.sha256);
  const bad = part.quarantine === null ? undefined : files.get(part.quarantine);
  if (good === undefined && bad === undefined) return part;
  const left = (good?.rows ?? part.rows) + (bad?.rows ?? part.quarantined);
  return {
    ...part,
    ...(left === 0 ? { leftOut: true } : {}),
    ...(good === undefined
      ? {}
      : {
          sha256: good.to.sha256,
          bytes: good.to.bytes,
          rows: good.rows,
          nulls: Object.fromEntries(Object.entries(part.nulls).map(([name, n]) => [name, n - (good.nulls[name] ?? 0)])),
        }),
    ...(bad === undefined ? {} : { quarantine: bad.rows === 0 ? null : bad.to.sha256, quarantined: bad.rows }),
    violations: part.violations.map(withoutSamples),
  };
}

const withoutSamples = (violation: Violation): Violation => ({ ...violation, samples: [] });

function erasedReport(report: ContractReport, parts: readonly SnapshotPart[], rows: number, quarantined: number): ContractReport {
  const ofParts = addUp(parts.map(({ violations }) => violations));
  // What is said of the rows together (too many nulls) has no samples.
  const others = report.violations.filter(
    (each) =>
      !ofParts.some(({ column, rule, severity }) => column === each.column && rule === each.rule && severity === each.severity),
  );
  return {
    ...report,
    rows,
    quarantined: Math.max(0, report.quarantined - quarantined),
    violations: [...ofParts, ...others.map(withoutSamples)],
  };
}
