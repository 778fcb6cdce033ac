import {
  type Missingness,
  missingness,
  nearestName,
  type Profile,
  profileSnapshot,
  quoteIdentifier,
} from "../core/data/index.ts";
import type { ColumnContract } from "../core/definitions/index.ts";
import type { Column, TableEngine } from "../core/ports/index.ts";
import {
  type CorrelationMatrix,
  correlationMatrix,
  type Dataset,
  type ExplorationTarget,
  type FeatureColumn,
  type TargetRelation,
  targetRelations,
} from "../core/training/index.ts";
import { platformErrors } from "./errors.ts";

/** What is in a source, by itself and together. Plain JSON. */
export interface SourceExploration {
  readonly profile: Profile;
  readonly missingness: Missingness;
  /** Evenly spaced rows that correlations and relations were computed on. */
  readonly sampledRows: number;
  /** Of numbers and times, Pearson's and Spearman's. */
  readonly correlations: readonly CorrelationMatrix[];
  /** How each column goes with the target, the one that explains most first; null where no target was named. */
  readonly target: TargetColumn | null;
}

export interface TargetColumn {
  readonly column: string;
  readonly task: ExplorationTarget["task"];
  /** Sampled rows in which it is known. */
  readonly rows: number;
  readonly relations: readonly TargetRelation[];
}

export interface ExploreOptions {
  readonly target?: string;
  /** 50,000 unless said: the work sorts every column. */
  readonly maxRows?: number;
}

type Contracts = Readonly<Record<string, Pick<ColumnContract, "type" | "personal">>>;

/**
 * Profile, missingness, correlations and relations to a target of a relation's columns. Columns marked personal have counts only.
 * @throws PROJECT_TARGET_UNKNOWN for a target that is not there or is personal
 */
export async function exploreSource(
  engine: TableEngine,
  relation: string,
  contracts: Contracts,
  { target, maxRows = 50_000 }: ExploreOptions = {},
): Promise<SourceExploration> {
  if (target !== undefined) refuseTarget(contracts, target);
  const profile = await profileSnapshot(engine, relation, contracts);
  const sampled = await sampleColumns(engine, relation, contracts, { rows: profile.rows, maxRows });
  const distinct = new Map(profile.columns.map((column) => [column.name, column.distinct]));
  return {
    profile,
    missingness: await missingness(engine, relation, profile.rows, profile.columns),
    sampledRows: sampled.rows,
    correlations: (["pearson", "spearman"] as const).map((method) =>
      correlationMatrix(dataset(sampled.columns, sampled.rows), everyRow(sampled.rows), method),
    ),
    target: target === undefined ? null : relationsTo(target, contracts, sampled, distinct.get(target) ?? 0),
  };
}

function refuseTarget(contracts: Contracts, target: string): void {
  const contract = contracts[target];
  if (contract?.personal === true)
    throw platformErrors.PROJECT_TARGET_UNKNOWN(`"${target}" is personal: nothing is told of its values`);
  if (contract !== undefined) return;
  const nearest = nearestName(target, Object.keys(contracts));
  const guess = nearest === null ? "" : `; did you mean "${nearest}"?`;
  throw platformErrors.PROJECT_TARGET_UNKNOWN(`There is no column "${target}"${guess}`);
}

interface Sample {
  readonly rows: number;
  readonly columns: readonly FeatureColumn[];
}

async function sampleColumns(
  engine: TableEngine,
  relation: string,
  contracts: Contracts,
  { rows, maxRows }: { readonly rows: number; readonly maxRows: number },
): Promise<Sample> {
  const shown = Object.entries(contracts).filter(([, { personal }]) => personal !== true);
  const selected = shown.map(([name], i) => `${quoteIdentifier(name)} AS c${i}`);
  // Every row whose number is the first to reach the next of `maxRows` equal steps.
  const spaced = rows <= maxRows ? "" : ` WHERE (__place * ${maxRows}) % ${rows} < ${maxRows}`;
  const numbered = `(SELECT *, row_number() OVER () - 1 AS __place FROM ${relation})`;
  const table = await engine.query(`SELECT ${[...selected, "1 AS one"].join(", ")} FROM ${numbered}${spaced}`);
  const columns = shown.map(([name, { type }], i) => {
    const column = table.columns.get(`c${i}`);
    return type === "string" || column === undefined ? categories(name, column) : numbers(name, column);
  });
  return { rows: table.rows, columns };
}

function numbers(id: string, column: Column): FeatureColumn {
  if (column.type === "string") return categories(id, column);
  const values = column.type === "int64" ? Float64Array.from(column.values, Number) : column.values;
  const { nulls } = column;
  return {
    kind: "numeric",
    id,
    values: nulls === null ? values : values.map((value, row) => (nulls[row] === 1 ? Number.NaN : value)),
  };
}

function categories(id: string, column: Column | undefined): FeatureColumn {
  const texts = column?.type === "string" ? column.values : [];
  const codeOf = new Map<string, number>();
  const codes = Int32Array.from(texts, (text) => {
    if (text === null) return -1;
    const code = codeOf.get(text) ?? codeOf.size;
    codeOf.set(text, code);
    return code;
  });
  return { kind: "categorical", id, codes, categories: [...codeOf.keys()] };
}

const everyRow = (rows: number) => Uint32Array.from({ length: rows }, (_, row) => row);

/** The columns as a training set would hold them; what only training asks for is empty. */
const dataset = (features: readonly FeatureColumn[], rows: number): Dataset => ({
  rows,
  features,
  task: "regression",
  classes: [],
  label: new Float64Array(rows),
  at: new Float64Array(rows),
  labelAt: new Float64Array(rows),
  day: new Int32Array(rows),
  rule: new Uint8Array(rows),
  segments: [],
});

/** More values than this are numbers, or names that tell rows apart. */
const MOST_CLASSES = 20;

function relationsTo(name: string, contracts: Contracts, { columns, rows }: Sample, distinct: number): TargetColumn {
  const column = columns.find(({ id }) => id === name);
  const features = columns.filter(({ id }) => id !== name);
  const figureOf = (row: number): number =>
    column === undefined ? Number.NaN : column.kind === "numeric" ? column.values[row] : column.codes[row];
  const isKnown = (row: number) => (column?.kind === "numeric" ? Number.isFinite(figureOf(row)) : figureOf(row) >= 0);
  const known = everyRow(rows).filter(isKnown);
  const type = contracts[name]?.type;
  const values = [...new Set(Array.from(known, figureOf))].sort((a, b) => a - b);
  const isClasses =
    type === "string" || type === "bool" || (type !== "float64" && type !== "timestamp" && distinct <= MOST_CLASSES);
  const task = !isClasses ? "regression" : values.length <= 2 ? "binary" : "multiclass";
  if (type === "string" && values.length > 1_000)
    throw platformErrors.PROJECT_TARGET_UNKNOWN(
      `"${name}" has ${values.length} values, and at most 1000 are told apart as classes`,
    );
  const place = new Map(values.map((value, at) => [value, at]));
  const target: ExplorationTarget = {
    task,
    values: Float64Array.from(known, (row) => (isClasses ? (place.get(figureOf(row)) ?? 0) : figureOf(row))),
  };
  const relations = known.length === 0 ? [] : targetRelations(dataset(features, rows), known, target);
  return { column: name, task, rows: known.length, relations: relations.toSorted((a, b) => b.explained - a.explained) };
}
