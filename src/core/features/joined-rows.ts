import { createHash, randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Delivery, fileList, quoteIdentifier, quoteLiteral, type SnapshotPart, timestampLiteral } from "../data/index.ts";
import { type FeatureReference, JOINED_AT, type JoinedOrigin, type SourceDefinition } from "../definitions/index.ts";
import type { Micros } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { featureErrors } from "./errors.ts";
import { type FeatureDeps, historicalFeatures, type SnapshotMap } from "./historical-features.ts";
import { writeParquet } from "./parquet-columns.ts";

/**
 * Rows of a joined source as ingestion takes them: one file for each part of its base, with the features as of each row's event. Of
 * rows whose event is still to come at `asOf` the features are null, because they cannot be known yet. A file is the same while its
 * part, the features' definitions and the sources behind them are.
 * @param taken snapshots of the base and of the features' sources
 * @throws FEATURE_SOURCE_MISSING, and what historicalFeatures throws
 */
export async function* joinedRows(
  deps: FeatureDeps & { readonly tmpDirectory: string },
  source: SourceDefinition,
  { base, features }: JoinedOrigin,
  taken: SnapshotMap,
  asOf: Micros,
): AsyncGenerator<Delivery> {
  const { eventTime } = base;
  const found = taken.get(base.name);
  if (found === undefined || eventTime === undefined)
    throw featureErrors.FEATURE_SOURCE_MISSING(
      `Source "${source.name}" is made of "${base.name}", of which there is no snapshot`,
    );
  const event = quoteIdentifier(eventTime);
  const plan = JSON.stringify(compileFeaturePlan({ name: source.name, features }));
  const contents = sourcesOf(features).map((name) => [name, taken.get(name)?.snapshot.contentHash ?? null]);
  for (const part of found.snapshot.parts) {
    const path = await deps.artifacts.localPath(part.sha256);
    const [{ last = null } = {}] = await deps.engine.rows(`SELECT max(${event}) AS last FROM read_parquet(${fileList([path])})`);
    const hasFuture = last !== null && Number(last) > asOf;
    yield {
      name: part.file,
      format: "parquet",
      partition: {},
      hash: createHash("sha256")
        .update(JSON.stringify([part.sha256, plan, contents, hasFuture ? asOf : null]))
        .digest("hex"),
      use: (read) =>
        withJoinedFile(deps, { part, path, event, features, columns: Object.keys(base.contracts) }, taken, asOf, read),
    };
  }
}

interface JoinedPart {
  readonly part: SnapshotPart;
  readonly path: string;
  /** The event time's column, quoted. */
  readonly event: string;
  readonly features: readonly FeatureReference[];
  /** The base's. */
  readonly columns: readonly string[];
}

async function withJoinedFile<T>(
  deps: FeatureDeps & { readonly tmpDirectory: string },
  { part, path, event, features, columns }: JoinedPart,
  snapshots: SnapshotMap,
  asOf: Micros,
  read: (path: string) => Promise<T>,
): Promise<T> {
  const base = join(deps.tmpDirectory, `joined-${randomUUID()}`);
  const [values, rows] = [`${base}.features.parquet`, `${base}.parquet`];
  await mkdir(deps.tmpDirectory, { recursive: true });
  try {
    const input = `read_parquet(${fileList([path])})`;
    // A row without an event is asked about at any time, and has no feature in the end.
    const at = `coalesce(${event}, make_timestamp(0))`;
    const found = await historicalFeatures(deps, { features, snapshots, entityRows: `SELECT * FROM ${input}`, at, asOf });
    writeParquet(values, part.rows, found.columns);
    const isKnown = `${event} <= ${timestampLiteral(asOf)}`;
    const selected = [
      ...columns.filter((column) => column !== JOINED_AT).map((column) => `base.${quoteIdentifier(column)}`),
      `CASE WHEN ${isKnown} THEN ${event} END AS ${quoteIdentifier(JOINED_AT)}`,
      ...features.map(({ id, name }) => `CASE WHEN ${isKnown} THEN found.${quoteIdentifier(id)} END AS ${quoteIdentifier(name)}`),
    ];
    await deps.engine.run(
      `COPY (SELECT ${selected.join(", ")} FROM ${input} AS base POSITIONAL JOIN read_parquet(${fileList([values])}) AS found)
       TO ${quoteLiteral(rows)} (FORMAT parquet)`,
    );
    return await read(rows);
  } finally {
    for (const file of [values, rows]) await rm(file, { force: true });
  }
}

/** Names of the sources behind some features. */
export const sourcesOf = (features: readonly FeatureReference[]): string[] => [
  ...new Set(features.flatMap(({ from }) => (from.kind === "feature-view" ? [from.source.name] : sourcesOf(from.inputs)))),
];
