import {
  type Dataset,
  type EncodedColumn,
  encode,
  type FittedPreparation,
  featuresOf,
  type ModelPackage,
  type NumberMap,
  type NumericColumn,
  type ServableEstimator,
  type Tree,
} from "../../training/index.ts";

/** Between two neighbouring numbers a model may change its mind: it treats all numbers up to `below` alike, and those from `above`. */
export interface SplitBoundary {
  readonly below: number;
  readonly above: number;
}

export interface FeatureBoundaries {
  /** Ascending. */
  readonly boundaries: readonly SplitBoundary[];
  /** Whether the model can change only there. */
  readonly complete: boolean;
}

type Fitted = Pick<ModelPackage, "preparation" | "estimator">;

/**
 * Where a model made of trees can change along a numeric feature, in the feature's own units: the splits' thresholds, taken back
 * through the preparation.
 *
 * @param range where to look
 */
export function splitBoundaries(
  fitted: Fitted,
  dataset: Dataset,
  feature: number,
  range: { readonly low: number; readonly high: number },
): FeatureBoundaries {
  const found = partsOf(fitted).map((part) => boundariesOf(part, dataset, feature, range));
  const byValue = new Map(found.flatMap(({ boundaries }) => boundaries.map((each) => [each.below, each])));
  return {
    boundaries: Array.from(byValue.values()).sort((a, b) => a.below - b.below),
    complete: found.every(({ complete }) => complete),
  };
}

interface Part {
  readonly preparation: FittedPreparation;
  readonly estimator: ServableEstimator;
}

function partsOf({ preparation, estimator }: Fitted): Part[] {
  if (estimator.kind === "rule") return [];
  return estimator.kind === "ensemble" ? estimator.members.flatMap(partsOf) : [{ preparation, estimator }];
}

function boundariesOf(
  { preparation, estimator }: Part,
  dataset: Dataset,
  feature: number,
  range: { readonly low: number; readonly high: number },
): FeatureBoundaries {
  const columns = Array.from(preparation.columns.entries()).filter(([, column]) => featuresOf(column).includes(feature));
  if (columns.length === 0 || estimator.kind === "baseline") return { boundaries: [], complete: true };
  if (estimator.kind !== "trees") return { boundaries: [], complete: false };
  const invertible = columns.filter(([, column]) => rises(column));
  const thresholds = invertible.map(([position]) => thresholdsOf(estimator.trees, position));
  const taken = thresholds.map(evenlyTaken);
  return {
    boundaries: invertible.flatMap(([, column], i) =>
      takenBack(columnReader(preparation, column, dataset, feature), taken[i], range),
    ),
    complete: invertible.length === columns.length && thresholds.every(({ length }, i) => length === taken[i].length),
  };
}

/** Ascending, each once. */
function thresholdsOf(trees: readonly Tree[], column: number): Float64Array {
  const thresholds = new Set<number>();
  for (const { feature, threshold } of trees) {
    for (let node = 0; node < feature.length; node++) {
      if (feature[node] === column && !Number.isNaN(threshold[node])) thresholds.add(threshold[node]);
    }
  }
  return Float64Array.from(thresholds).sort();
}

/** Deep forests have a threshold for nearly every value: of more, some will do. */
const MOST_THRESHOLDS = 1_000;

const evenlyTaken = (thresholds: Float64Array): Float64Array =>
  thresholds.length <= MOST_THRESHOLDS
    ? thresholds
    : Float64Array.from({ length: MOST_THRESHOLDS }, (_, i) => thresholds[Math.floor((i * thresholds.length) / MOST_THRESHOLDS)]);

const RISING: ReadonlySet<NumberMap["kind"]> = new Set(["fill", "is-missing", "scale", "clip", "log", "power", "quantile"]);

/** Whether the column never falls as its one feature rises. */
const rises = ({ source, maps }: EncodedColumn): boolean =>
  source.kind === "number" && maps.every((map) => RISING.has(map.kind) && !(map.kind === "scale" && map.scale < 0));

type Reader = (values: Float64Array) => Float64Array;

function columnReader(preparation: FittedPreparation, column: EncodedColumn, dataset: Dataset, feature: number): Reader {
  const { id } = dataset.features[feature];
  return (values) => {
    const numeric: NumericColumn = { kind: "numeric", id, values };
    const rows = Uint32Array.from(values.keys());
    const only = { ...dataset, rows: values.length, features: dataset.features.with(feature, numeric) };
    return encode({ ...preparation, columns: [column] }, only, rows).columns[0];
  };
}

/** More than two doubles of any range need to become neighbours. */
const MOST_HALVINGS = 2_200;

/** For each threshold, the neighbouring numbers whose column lies on either side of it; none where no number of the range does. */
function takenBack(
  read: Reader,
  thresholds: Float64Array,
  range: { readonly low: number; readonly high: number },
): SplitBoundary[] {
  const below = new Float64Array(thresholds.length).fill(range.low);
  const above = new Float64Array(thresholds.length).fill(range.high);
  const [first, last] = [read(below), read(above)];
  for (let halving = 0; halving < MOST_HALVINGS; halving++) {
    const middle = below.map((low, i) => low / 2 + above[i] / 2);
    if (middle.every((value, i) => value === below[i] || value === above[i])) break;
    read(middle).forEach((value, i) => {
      if (value <= thresholds[i]) below[i] = middle[i];
      else above[i] = middle[i];
    });
  }
  return Array.from(thresholds.keys())
    .filter((i) => first[i] <= thresholds[i] && last[i] > thresholds[i])
    .map((i) => ({ below: below[i], above: above[i] }));
}
