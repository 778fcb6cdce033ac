import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { quoteIdentifier, quoteLiteral } from "../data/index.ts";
import type { CharterDefinition, ModelDefinition } from "../definitions/index.ts";
import { toOrreryError } from "../errors.ts";
import type { ArtifactRef } from "../ports/index.ts";
import { formatTimestamp, type Micros } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { featureErrors } from "./errors.ts";
import { type FeatureDeps, featuresAt, type SnapshotMap } from "./historical-features.ts";
import { createLabelRows, type LabelRows } from "./label-rows.ts";
import { writeParquet } from "./parquet-columns.ts";
import type { FeaturePlan } from "./plan.ts";
import type { FeatureArray } from "./view-rows.ts";

/** Labelled rows with the features as they could be known at each prediction: a Parquet artifact and what is in it. JSON. */
export interface TrainingSet {
  readonly formatVersion: 1;
  readonly file: ArtifactRef;
  readonly rows: number;
  readonly labelled: number;
  /** 0 unless the target is binary. */
  readonly positives: number;
  /** Rows whose truth is not known yet. */
  readonly pending: number;
  /** Rows that will never have a label. */
  readonly censored: number;
  readonly plan: FeaturePlan;
  /** The file's columns, in order. */
  readonly columns: readonly string[];
  readonly asOf: Micros;
  /** Prediction times are at or after `from` (null: from the beginning) and before `to`. */
  readonly from: Micros | null;
  readonly to: Micros;
  /** Snapshot id by source. */
  readonly snapshots: Readonly<Record<string, string>>;
  /** Share of rows (0…1) without a value, by feature id. */
  readonly missingShare: Readonly<Record<string, number>>;
}

export interface TrainingSetInput {
  readonly model: Pick<ModelDefinition, "name" | "labels" | "features" | "segments">;
  readonly charter: Pick<CharterDefinition, "target" | "alternative">;
  readonly snapshots: SnapshotMap;
  readonly asOf: Micros;
  readonly from?: Micros;
  /** Never later than just after `asOf`: what was not yet to be predicted has no features yet. */
  readonly to?: Micros;
  /** Ids of features to leave out. */
  readonly exclude?: readonly string[];
}

/**
 * Point-in-time-correct training set: one row per label-source row visible at `asOf`, in order of prediction time, with columns
 * `__row`, `__reference`, `__at`, `__event_at`, `__label` (a condition, a class or a number, as the charter's target is), `__label_at`,
 * `__censored`, `__rule` (false where the charter has none), `__segment_<name>`… and the features by id.
 * Equal input gives equal bytes.
 * @throws FEATURE_… as createLabelRows, compileFeaturePlan and featuresAt do, FEATURE_RANGE_INVALID, FEATURE_SEGMENT_UNKNOWN,
 * FEATURE_RULE_INVALID, FEATURE_UNKNOWN
 */
export const buildTrainingSet = (deps: TrainingSetDeps, input: TrainingSetInput): Promise<TrainingSet> =>
  trainingSetKept(deps, input, (path) => deps.artifacts.putFile(path, PARQUET));

export interface TrainingSetDeps extends FeatureDeps {
  readonly tmpDirectory: string;
}

const PARQUET = "application/vnd.apache.parquet";

/** The same, with the finished file going wherever `keep` takes it. @param keep may move the file, which is gone afterwards */
export async function trainingSetKept(
  deps: TrainingSetDeps,
  input: TrainingSetInput,
  keep: (path: string) => Promise<ArtifactRef>,
): Promise<TrainingSet> {
  const { model, charter, snapshots, asOf, from = null, exclude = [] } = input;
  const to = Math.min(input.to ?? Number.POSITIVE_INFINITY, asOf + 1);
  if (from !== null && from >= to) {
    throw featureErrors.FEATURE_RANGE_INVALID(`There is nothing between ${formatTimestamp(from)} and ${formatTimestamp(to)}`);
  }
  const unknown = exclude.find((id) => !model.features.some((feature) => feature.id === id));
  if (unknown !== undefined)
    throw featureErrors.FEATURE_UNKNOWN(`"${unknown}" is to be left out and is no feature of model "${model.name}"`);
  const features = model.features.filter(({ id }) => !exclude.includes(id));
  const plan = compileFeaturePlan({ name: model.name, features });
  const segments = sortSegments(model, plan);

  const labels = await createLabelRows(deps, model, charter, plan, segments.fromSource, snapshots, { from, to, asOf });
  try {
    const joined = await featuresAt(deps, plan, features, snapshots, labels, asOf);
    const columns = new Map<string, FeatureArray>();
    for (const { id } of plan.features) {
      const values = joined.get(id);
      if (values !== undefined) columns.set(id, values);
    }
    const written = await writeTrainingSet(deps, labels, columns, charter.alternative?.condition ?? null, segments, keep);
    const sources = [model.labels.source.name, ...plan.features.flatMap(({ source }) => source ?? [])];
    return {
      formatVersion: 1,
      file: written.file,
      rows: labels.rows,
      labelled: labels.labelled,
      positives: labels.positives,
      pending: labels.pending,
      censored: labels.censored,
      plan,
      columns: written.columns,
      asOf,
      from,
      to,
      snapshots: Object.fromEntries([...new Set(sources)].map((source) => [source, snapshots.get(source)?.snapshot.id ?? ""])),
      missingShare: Object.fromEntries([...columns].map(([id, column]) => [id, missing(column) / labels.rows])),
    };
  } finally {
    await deps.engine.run(`DROP TABLE ${labels.name}`);
  }
}

interface Segments {
  readonly all: readonly string[];
  /** Those that are columns of the label's source. */
  readonly fromSource: readonly string[];
}

function sortSegments({ segments, labels }: TrainingSetInput["model"], plan: FeaturePlan): Segments {
  const fromSource = segments.filter((segment) => labels.source.contracts[segment] !== undefined);
  const unknown = segments.find((segment) => !fromSource.includes(segment) && !plan.features.some(({ id }) => id === segment));
  if (unknown !== undefined)
    throw featureErrors.FEATURE_SEGMENT_UNKNOWN(
      `Segment "${unknown}" is neither a column of "${labels.source.name}" nor a feature`,
    );
  return { all: segments, fromSource };
}

function missing(column: FeatureArray): number {
  if (column.type === "string") return column.values.filter((text) => text === null).length;
  const { values } = column;
  let count = 0;
  for (let row = 0; row < values.length; row++) if (Number.isNaN(values[row])) count++;
  return count;
}

async function writeTrainingSet(
  deps: TrainingSetDeps,
  labels: LabelRows,
  features: ReadonlyMap<string, FeatureArray>,
  rule: string | null,
  segments: Segments,
  keep: (path: string) => Promise<ArtifactRef>,
): Promise<{ file: ArtifactRef; columns: readonly string[] }> {
  const { engine, tmpDirectory } = deps;
  mkdirSync(tmpDirectory, { recursive: true });
  const base = join(tmpDirectory, `training-set-${randomUUID()}`);
  const joined = `${base}.features.parquet`;
  const finished = `${base}.parquet`;
  try {
    writeParquet(joined, labels.rows, features);
    const ids = [...features.keys()];
    const rows = `(SELECT * FROM ${labels.name} POSITIONAL JOIN read_parquet(${quoteLiteral(joined)}))`;
    const condition = rule === null ? "false" : await ruleCondition(deps, rows, ids, rule);
    const selected = [
      ...["__row", "__reference", "__at", "__event_at", "__label", "__label_at", "__censored"].map(
        (name) => [name, name] as const,
      ),
      ["__rule", condition] as const,
      ...segments.all.map((segment) => {
        const place = segments.fromSource.indexOf(segment);
        return [`__segment_${segment}`, place < 0 ? `CAST(${quoteIdentifier(segment)} AS VARCHAR)` : `segment_${place}`] as const;
      }),
      ...ids.map((id) => [id, quoteIdentifier(id)] as const),
    ];
    await engine.run(
      `COPY (SELECT ${selected.map(([name, sql]) => `${sql} AS ${quoteIdentifier(name)}`).join(", ")} FROM ${withViews(rows, ids)})
       TO ${quoteLiteral(finished)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`,
    );
    return { file: await keep(finished), columns: selected.map(([name]) => name) };
  } finally {
    for (const path of [joined, finished]) rmSync(path, { force: true });
  }
}

/** The rows with one STRUCT per view beside the features' own columns, so that a rule can say "view.feature". */
function withViews(rows: string, ids: readonly string[]): string {
  const views = new Map<string, string[]>();
  for (const id of ids) {
    const [view = "", feature = ""] = id.split(".");
    const name = view === "on-demand" ? "on_demand" : view;
    const known = views.get(name) ?? [];
    views.set(name, known);
    known.push(`${quoteLiteral(feature)}: ${quoteIdentifier(id)}`);
  }
  return `(SELECT *, ${[...views].map(([view, fields]) => `{${fields.join(", ")}} AS ${quoteIdentifier(view)}`).join(", ")} FROM ${rows}) AS __rows`;
}

/** @throws FEATURE_RULE_INVALID */
async function ruleCondition({ engine }: FeatureDeps, rows: string, ids: readonly string[], rule: string): Promise<string> {
  const condition = `(${rule}\n)`;
  const described = await engine.rows(`DESCRIBE SELECT ${condition} AS rule FROM ${withViews(rows, ids)}`).catch((cause) => {
    throw featureErrors.FEATURE_RULE_INVALID(
      `The charter's rule "${rule}" cannot be evaluated: ${toOrreryError(cause).message}`,
      { cause },
    );
  });
  if (described[0]?.column_type === "BOOLEAN") return condition;
  throw featureErrors.FEATURE_RULE_INVALID(`The charter's rule "${rule}" is ${described[0]?.column_type} and no condition`);
}
