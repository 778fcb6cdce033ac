import { randomUUID } from "node:crypto";
import type { SourceDefinition } from "../definitions/index.ts";
import { addUp } from "./add-up.ts";
import { sha256 } from "./contract-hash.ts";
import { versionColumns } from "./contract-rules.ts";
import { copyToArtifact, type IngestEngines, nullLimits } from "./ingest-part.ts";
import { otherColumns } from "./other-columns.ts";
import type { SnapshotPart, Violation } from "./snapshot.ts";
import { snapshotPaths } from "./snapshot-relation.ts";
import { fileList, quoteIdentifier, quoteLiteral } from "./sql.ts";
import { greatestWatermark } from "./watermark.ts";

/** So many parts of one size at the end become one. */
const RUN = 16;
/** The most rows of a part of each size; larger ones are not merged. A row is written once more for each size that it grows into. */
const SIZES = [4_096, 65_536, 1_048_576] as const;

/** Parts at the end that are merged next: enough of one size, and smaller ones between and after them; none where there are not. */
export function partsToMerge(parts: readonly SnapshotPart[]): readonly SnapshotPart[] {
  const delivered = ({ rows, quarantined }: SnapshotPart) => rows + quarantined;
  let smaller = -1;
  for (const size of SIZES) {
    const run = parts.slice(parts.findLastIndex((part) => delivered(part) > size) + 1);
    if (run.filter((part) => delivered(part) > smaller).length >= RUN) return run;
    smaller = size;
  }
  return [];
}

/**
 * Merges small increments, so that a source which is taken in every hour does not become thousands of files. The rows are those that
 * one delivery of all of them would have left: in the order of their events and then of delivery, of those with the same key and
 * availability the last, the others kept apart with the reason. The parts themselves stay as they are, for the snapshots that name them.
 */
export async function mergeIncrements(
  engines: IngestEngines,
  source: SourceDefinition,
  parts: readonly SnapshotPart[],
): Promise<readonly SnapshotPart[]> {
  let merged = parts;
  for (let run = partsToMerge(merged); run.length > 0; run = partsToMerge(merged))
    merged = [...merged.slice(0, merged.length - run.length), await mergeRun(engines, source, run)];
  return merged;
}

async function mergeRun(engines: IngestEngines, source: SourceDefinition, run: readonly SnapshotPart[]): Promise<SnapshotPart> {
  const { engine, artifacts } = engines;
  const paths = await snapshotPaths(artifacts, { parts: run });
  const kept = run.flatMap(({ quarantine }) => (quarantine === null ? [] : [quarantine]));
  const apart = await Promise.all(kept.map((hash) => artifacts.localPath(hash)));
  const table = quoteIdentifier(`merged_${randomUUID()}`);
  const columns = Object.keys(source.contracts).map(quoteIdentifier).join(", ");
  const versions = source.key.length === 0 ? null : versionColumns(source).join(", ");
  const again = versions === null ? "false" : `row_number() OVER (PARTITION BY ${versions} ORDER BY __row DESC) > 1`;
  try {
    const files = run.map(({ sha256: hash }) => paths.get(hash) ?? hash);
    await engine.run(`CREATE TEMP TABLE ${table} AS SELECT *, ${again} AS __again FROM ${numberedRows(files, columns)}`);
    const counts = await countMerged(engines, source, table);
    const order = source.eventTime === undefined ? "__row" : `${quoteIdentifier(source.eventTime)}, __row`;
    const good = await copyToArtifact(engines, `SELECT ${columns} FROM ${table} WHERE NOT __again ORDER BY ${order}`);
    const keyRule = { column: source.key.join(", "), rule: "key" } as const;
    const replaced = `SELECT ${columns}, ${quoteLiteral(`${keyRule.column}: ${keyRule.rule}`)} AS __reason, 1 AS __late, __row FROM ${table} WHERE __again`;
    const before =
      apart.length === 0 ? [] : [`SELECT ${columns}, __reason, 0, __row FROM ${numberedRows(apart, `${columns}, __reason`)}`];
    const quarantined = run.reduce((sum, part) => sum + part.quarantined, 0) + counts.again;
    const bad =
      quarantined === 0
        ? null
        : await copyToArtifact(
            engines,
            `SELECT ${columns}, __reason FROM (${[replaced, ...before].join(" UNION ALL ")}) ORDER BY __late, __row`,
          );
    const found: Violation[] =
      counts.again === 0 ? [] : [{ ...keyRule, severity: "quarantine", rows: counts.again, samples: [] }];
    return {
      inputHash: sha256(JSON.stringify(run.map(({ inputHash }) => inputHash))),
      file: `${run.length} increments`,
      sha256: good.sha256,
      bytes: good.bytes,
      rows: counts.rows,
      quarantine: bad?.sha256 ?? null,
      quarantined,
      nulls: counts.nulls,
      violations: addUp([...run.map(({ violations }) => violations), found]),
      ...otherColumns(run),
      ...mergedOrigin(source, run),
    };
  } finally {
    await engine.run(`DROP TABLE IF EXISTS ${table}`);
  }
}

/** Rows of several files with their place: by file, and then within it. */
const numberedRows = (files: readonly string[], columns: string): string =>
  `(SELECT ${columns}, file_index::BIGINT * 4294967296 + file_row_number AS __row
    FROM read_parquet(${fileList(files)}, file_row_number = true, hive_partitioning = false))`;

async function countMerged({ engine }: IngestEngines, source: SourceDefinition, table: string) {
  const limited = nullLimits(source);
  const nulls = limited.map(
    ({ column }, i) => `count(*) FILTER (WHERE NOT __again AND ${quoteIdentifier(column)} IS NULL) AS n${i}`,
  );
  const [row] = await engine.rows(
    `SELECT ${["count(*) FILTER (WHERE NOT __again) AS rows", "count(*) FILTER (WHERE __again) AS again", ...nulls].join(", ")} FROM ${table}`,
  );
  return {
    rows: Number(row?.rows),
    again: Number(row?.again),
    nulls: Object.fromEntries(limited.map(({ column }, i) => [column, Number(row?.[`n${i}`])])),
  };
}

function mergedOrigin(source: SourceDefinition, run: readonly SnapshotPart[]): Pick<SnapshotPart, "from"> {
  const [first] = run.flatMap(({ from }) => (from?.kind === "increment" ? [from] : []));
  return first === undefined ? {} : { from: { ...first, watermark: greatestWatermark(source, run) } };
}
