import type { CategoricalColumn, Dataset, FeatureColumn, NumericColumn, RowSelection } from "../dataset.ts";
import { rocAuc } from "../metrics/binary-metrics.ts";
import { columnSample, quantilesOf } from "../preparation/column-sample.ts";
import { outOfFold } from "../preparation/target-encoding.ts";
import { assignKFold } from "../splits/folds.ts";
import { averageRanks, pearson, spearman } from "./correlation.ts";
import { binOf, binsFor, type DiscreteColumn, discretize } from "./discretize.ts";
import type { ExplorationTarget } from "./exploration-target.ts";
import { type Estimate, meanEstimate, shareEstimate } from "./intervals.ts";
import { mutualInformation } from "./mutual-information.ts";

export interface TargetRelation {
  /** Feature id. */
  readonly feature: string;
  readonly bins: readonly RelationBin[];
  /** In nats: of the feature (in bins where it has many values; missing is one) and the target, less what chance would show. */
  readonly mutualInformation: number;
  /** `mutualInformation` as a share of the target's entropy, 0 … 1: how much of not knowing the target the feature takes away. */
  readonly explained: number;
  /** Of numbers with the target (not for more than two classes), over the rows that have a value; `null` where undefined. */
  readonly pearson: number | null;
  readonly spearman: number | null;
  /**
   * Area under the ROC curve of the feature alone, 0.5 … 1, whichever way it points; of categories by the target's mean in other
   * folds; missing values in the middle. Binary targets only; `null` where undefined.
   */
  readonly auc: number | null;
}

export interface RelationBin {
  /** A range of numbers (above `from`, up to `to`; the first holds its `from`), a category, `null` for the categories not listed, or missing values. */
  readonly of:
    | { readonly kind: "range"; readonly from: number; readonly to: number }
    | { readonly kind: "category"; readonly category: string | null }
    | { readonly kind: "missing" };
  readonly rows: number;
  /** Binary: the share of positives. Multiclass: the share of each class. Regression: the mean. With 95% intervals. */
  readonly target: readonly Estimate[];
}

const BINS = 10;
const CATEGORIES = 20;
const FOLDS = 5;

/** How the target behaves along each feature by itself. Plain JSON. */
export function targetRelations(dataset: Dataset, rows: RowSelection, target: ExplorationTarget): TargetRelation[] {
  const summarize = createSummary(target);
  const bins = binsFor(rows.length);
  const answer = discreteTarget(target, bins);
  const entropy = mutualInformation(answer, answer).plain;
  return dataset.features.map((column) => {
    const { corrected } = mutualInformation(discreteFeature(column, rows, bins), answer);
    return {
      feature: column.id,
      bins: relationBins(column, rows, summarize),
      mutualInformation: corrected,
      explained: entropy === 0 ? 0 : Math.min(1, corrected / entropy),
      ...correlations(column, rows, target),
      auc: target.task === "binary" ? aucAlone(column, rows, target) : null,
    };
  });
}

/** The target of some rows, by their positions, as what a bin tells. */
type Summary = (positions: readonly number[]) => readonly Estimate[];

function createSummary({ values, task }: ExplorationTarget): Summary {
  if (task === "regression") return (positions) => [meanEstimate(positions.map((position) => values[position]))];
  const classes = task === "binary" ? [1] : [...new Set(values)].sort((a, b) => a - b);
  return (positions) =>
    classes.map((each) => {
      const hits = positions.reduce((count, position) => count + (values[position] === each ? 1 : 0), 0);
      return shareEstimate(hits, positions.length);
    });
}

function relationBins(column: FeatureColumn, rows: RowSelection, summarize: Summary): RelationBin[] {
  const { ranges, binOfRow } = column.kind === "numeric" ? numberBins(column, rows) : categoryBins(column, rows);
  const members: number[][] = [...ranges, null].map(() => []);
  rows.forEach((row, position) => {
    members[binOfRow(row)].push(position);
  });
  return members.flatMap((positions, bin): RelationBin[] => {
    if (positions.length === 0) return [];
    const of = bin < ranges.length ? ranges[bin] : ({ kind: "missing" } as const);
    return [{ of, rows: positions.length, target: summarize(positions) }];
  });
}

interface Bins {
  readonly ranges: readonly RelationBin["of"][];
  /** Position among the ranges; one past them for a missing value. */
  binOfRow(row: number): number;
}

function numberBins({ values }: NumericColumn, rows: RowSelection): Bins {
  const sample = columnSample(Float64Array.from(rows, (row) => values[row]));
  if (sample.values.length === 0) return { ranges: [], binOfRow: () => 0 };
  const distinct = [...new Set(sample.values)].sort((a, b) => a - b);
  if (distinct.length <= BINS) return rangeBins(distinct, distinct, values);
  const shares = Array.from({ length: BINS + 1 }, (_, edge) => edge / BINS);
  const edges = [...new Set(quantilesOf(sample, shares))];
  return rangeBins(edges.slice(0, -1), edges.slice(1), values);
}

function rangeBins(from: readonly number[], to: readonly number[], values: Float64Array): Bins {
  const upper = Float64Array.from(to);
  return {
    ranges: to.map((each, index) => ({ kind: "range", from: from[index], to: each })),
    binOfRow: (row) => (Number.isFinite(values[row]) ? binOf(upper, values[row]) : to.length),
  };
}

function categoryBins({ codes, categories }: CategoricalColumn, rows: RowSelection): Bins {
  const counts = new Map<number, number>();
  for (const row of rows) if (codes[row] >= 0) counts.set(codes[row], (counts.get(codes[row]) ?? 0) + 1);
  const frequent = [...counts.keys()].sort(
    (a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || (categories[a] < categories[b] ? -1 : 1),
  );
  const listed = frequent.slice(0, CATEGORIES);
  const ranges: RelationBin["of"][] = listed.map((code) => ({ kind: "category", category: categories[code] }));
  if (frequent.length > listed.length) ranges.push({ kind: "category", category: null });
  const placeOfCode = new Map(listed.map((code, place) => [code, place]));
  return {
    ranges,
    binOfRow: (row) => (codes[row] < 0 ? ranges.length : (placeOfCode.get(codes[row]) ?? listed.length)),
  };
}

function discreteFeature(column: FeatureColumn, rows: RowSelection, bins: number): DiscreteColumn {
  if (column.kind === "numeric")
    return discretize(
      Float64Array.from(rows, (row) => column.values[row]),
      bins,
    );
  const missing = column.categories.length;
  return {
    codes: Int32Array.from(rows, (row) => (column.codes[row] < 0 ? missing : column.codes[row])),
    count: missing + 1,
  };
}

function discreteTarget({ values, task }: ExplorationTarget, bins: number): DiscreteColumn {
  if (task === "regression") return discretize(Float64Array.from(values), bins);
  const codes = Int32Array.from(values);
  return { codes, count: codes.reduce((highest, each) => Math.max(highest, each), 1) + 1 };
}

function correlations(
  column: FeatureColumn,
  rows: RowSelection,
  { values, task }: ExplorationTarget,
): Pick<TargetRelation, "pearson" | "spearman"> {
  if (column.kind !== "numeric" || task === "multiclass") return { pearson: null, spearman: null };
  const numbers = Float64Array.from(rows, (row) => column.values[row]);
  const answer = Float64Array.from(values);
  return { pearson: pearson(numbers, answer), spearman: spearman(numbers, answer) };
}

function aucAlone(column: FeatureColumn, rows: RowSelection, { values }: ExplorationTarget): number | null {
  const scores = column.kind === "numeric" ? numberScores(column, rows) : categoryScores(column, rows, values);
  const auc = scores === null ? undefined : rocAuc(Uint8Array.from(values), scores);
  return auc === undefined ? null : Math.max(auc, 1 - auc);
}

/** Ranks, with missing values in the middle of them, where they favour neither side. */
function numberScores({ values }: NumericColumn, rows: RowSelection): Float64Array | null {
  const numbers = Float64Array.from(rows, (row) => values[row]);
  const known = numbers.reduce((count, value) => count + (Number.isFinite(value) ? 1 : 0), 0);
  return known === 0 ? null : averageRanks(numbers).map((rank) => (Number.isNaN(rank) ? (known + 1) / 2 : rank));
}

/** By the target's mean in other folds: with its own row in it, a category that one row has alone would always be right. */
function categoryScores(
  { codes, categories }: CategoricalColumn,
  rows: RowSelection,
  labels: ArrayLike<number>,
): Float64Array | null {
  if (rows.length < FOLDS) return null;
  const missing = categories.length;
  const sample = {
    codes: Int32Array.from(rows, (row) => (codes[row] < 0 ? missing : codes[row])),
    categories: missing + 1,
    target: Float64Array.from({ length: rows.length }, (_, position) => labels[position]),
    weights: undefined,
  };
  return outOfFold(sample, 10, assignKFold(rows.length, { folds: FOLDS, seed: 1 }), FOLDS);
}
