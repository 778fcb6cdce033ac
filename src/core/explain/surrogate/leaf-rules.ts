import { type Dataset, type FittedPreparation, goesLeft, type Matrix, type Tree } from "../../training/index.ts";
import { shortestDecimal } from "../counterfactuals/shortest-decimal.ts";

/** How rows come to a leaf, in words. */
export interface LeafRule {
  readonly leaf: number;
  readonly depth: number;
  /** One condition for each feature on the way, in the order in which they are first asked. */
  readonly when: readonly string[];
  /** Rows of the matrix that come to it. */
  readonly rows: number;
}

/** What a feature may be on the way to a node. */
interface Allowed {
  /** Numbers: above `low`, up to `high`. */
  readonly low: number;
  readonly high: number;
  /** Categories by code; null for numbers. */
  readonly codes: readonly number[] | null;
  readonly missing: boolean;
}

/**
 * The leaves of a tree on features without preparation, in words. Numbers are rounded as far as no row of the matrix changes sides.
 * @param dataset whose rows the matrix holds
 */
export function leafRules(tree: Tree, preparation: FittedPreparation, dataset: Dataset, matrix: Matrix): LeafRule[] {
  const rules: LeafRule[] = [];
  const visit = (node: number, rows: Uint32Array, on: ReadonlyMap<number, Allowed>, depth: number): void => {
    const column = tree.feature[node];
    if (column < 0) {
      rules.push({ leaf: node, depth, when: Array.from(on, ([of, allowed]) => inWords(of, allowed)), rows: rows.length });
      return;
    }
    const allowed = on.get(column) ?? everything(matrix.categories?.[column] ?? 0);
    for (const left of [true, false]) {
      const side = rows.filter((row) => goesLeft(tree, node, matrix.columns[column][row]) === left);
      const narrower = narrow(tree, node, allowed, left, matrix.columns[column]);
      visit(left ? tree.left[node] : tree.right[node], side, new Map(on).set(column, narrower), depth + 1);
    }
  };

  function inWords(column: number, allowed: Allowed): string {
    const { source } = preparation.columns[column];
    if (source.kind === "product") throw new TypeError("a rule is about single features");
    const { id } = dataset.features[source.feature];
    const { codes, low, high, missing } = allowed;
    if (codes === null ? low >= high : codes.length === 0) return `${id} is missing`;
    const isUnbounded = low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY;
    if (codes === null && isUnbounded) return `${id} is known`;
    const condition = codes === null ? rangeInWords(id, low, high) : `${id} is ${listed(codes.map(nameOf(column)))}`;
    return missing && matrix.columns[column].some(Number.isNaN) ? `(${condition} or it is missing)` : condition;
  }

  const nameOf =
    (column: number) =>
    (code: number): string => {
      const { source } = preparation.columns[column];
      if (source.kind !== "encoded") return String(code);
      const { categories, values } = preparation.encodings[source.encoding];
      return categories.filter((_, i) => values[i] === code).join(", ");
    };

  visit(
    0,
    Uint32Array.from({ length: matrix.rows }, (_, row) => row),
    new Map(),
    0,
  );
  return rules;
}

const everything = (categories: number): Allowed => ({
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  codes: categories === 0 ? null : Array.from({ length: categories }, (_, code) => code),
  missing: true,
});

function narrow(tree: Tree, node: number, { low, high, codes, missing }: Allowed, left: boolean, column: Float64Array): Allowed {
  const keepsMissing = missing && (tree.missingLeft[node] === 1) === left;
  if (codes !== null) {
    return { low, high, codes: codes.filter((code) => goesLeft(tree, node, code) === left), missing: keepsMissing };
  }
  const threshold = readable(tree.threshold[node], column);
  return left
    ? { low, high: Math.min(high, threshold), codes, missing: keepsMissing }
    : { low: Math.max(low, threshold), high, codes, missing: keepsMissing };
}

/** The shortest number between the last value that goes left and the first that goes right. */
function readable(threshold: number, column: Float64Array): number {
  let below = Number.NEGATIVE_INFINITY;
  let above = Number.POSITIVE_INFINITY;
  for (const value of column) {
    if (value <= threshold) below = Math.max(below, value);
    else if (value > threshold) above = Math.min(above, value);
  }
  if (!(Number.isFinite(below) && Number.isFinite(above))) return threshold;
  // Short of `above`, which has to stay on the other side.
  const short = shortestDecimal(below, below + (above - below) * 0.999);
  return short < above ? short : threshold;
}

function rangeInWords(id: string, low: number, high: number): string {
  if (low === Number.NEGATIVE_INFINITY) return `${id} <= ${high}`;
  return high === Number.POSITIVE_INFINITY ? `${id} > ${low}` : `${low} < ${id} <= ${high}`;
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`;
