import type { CategoricalColumn, Dataset, FeatureColumn, RowSelection } from "../../training/index.ts";
import { quantilePoints } from "../dependence/feature-grid.ts";

/** A feature or segment cut into parts; every row is in one of them. */
export interface SlicedColumn {
  readonly id: string;
  /** Of each part: "weather.wind > 0.7". */
  readonly conditions: readonly string[];
  /** Part of each of the rows. */
  readonly part: Uint8Array;
}

/** Stretches of a number with about equally many rows. */
const STRETCHES = 4;
/** Categories with a part of their own, the most frequent ones; others share one. */
const CATEGORIES = 12;

/** Every feature and segment, cut by what the `rows` hold; those that are the same in all rows are left out. */
export function slicedColumns(dataset: Dataset, rows: RowSelection): SlicedColumn[] {
  const features = new Set(dataset.features.map(({ id }) => id));
  const segments = dataset.segments.filter(({ id }) => !features.has(id));
  return [...dataset.features, ...segments]
    .map((column) => (column.kind === "numeric" ? byStretches(column, rows) : byCategories(column, rows)))
    .filter(({ part }) => part.some((each) => each !== part[0]));
}

function byStretches({ id, values }: Extract<FeatureColumn, { kind: "numeric" }>, rows: RowSelection): SlicedColumn {
  const own = Float64Array.from(rows, (row) => values[row]);
  const points = quantilePoints(own, STRETCHES + 1);
  // Of few different values each is a part; a part holds its upper end.
  const ends = points.length <= STRETCHES ? points : points.slice(1);
  const missing = ends.length;
  const part = Uint8Array.from(own, (value) => {
    if (!Number.isFinite(value)) return missing;
    const found = ends.findIndex((end) => value <= end);
    return found < 0 ? ends.length - 1 : found;
  });
  const conditions = ends.map((end, i) => {
    if (points.length <= STRETCHES) return `${id} = ${short(end)}`;
    if (i === 0) return `${id} <= ${short(end)}`;
    return i === ends.length - 1 ? `${id} > ${short(ends[i - 1])}` : `${short(ends[i - 1])} < ${id} <= ${short(end)}`;
  });
  return { id, conditions: [...conditions, `${id} is missing`], part };
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

function byCategories({ id, codes, categories }: CategoricalColumn, rows: RowSelection): SlicedColumn {
  const counts = new Map<number, number>();
  for (const row of rows) if (codes[row] >= 0) counts.set(codes[row], (counts.get(codes[row]) ?? 0) + 1);
  const frequent = Array.from(counts.keys())
    .sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || a - b)
    .slice(0, CATEGORIES);
  const partOf = new Map(frequent.map((code, part) => [code, part]));
  const part = Uint8Array.from(rows, (row) =>
    codes[row] < 0 ? frequent.length + 1 : (partOf.get(codes[row]) ?? frequent.length),
  );
  return {
    id,
    conditions: [...frequent.map((code) => `${id} is ${categories[code]}`), `${id} is any other`, `${id} is missing`],
    part,
  };
}
