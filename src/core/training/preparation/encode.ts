import type { FeatureValue } from "../../features/index.ts";
import type { Dataset, FeatureColumn, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import type { Matrix } from "../matrix.ts";
import type { CategoryEncoding, ColumnFormula, ColumnSource, FittedPreparation, NumberMap } from "./fitted-preparation.ts";
import { bounded, compileMap, type NumberFunction } from "./number-maps.ts";

/**
 * The estimator's matrix of some rows: one column for each of `preparation.columns`, the figures of `encodeRow` to the last bit.
 * @throws TRAIN_FEATURES_DIFFER when the dataset lacks a feature that a column is made of
 */
export function encode(preparation: FittedPreparation, dataset: Dataset, rows: RowSelection): Matrix {
  const columns = createColumnEncoder(preparation, dataset, rows);
  return { rows: rows.length, columns: preparation.columns.map(columns), ...describeColumns(preparation) };
}

/** What a matrix says of its columns. */
export function describeColumns({ columns }: FittedPreparation): Pick<Matrix, "categories" | "names"> {
  return { categories: columns.map(({ categories }) => categories), names: columns.map(({ name }) => name) };
}

function createColumnEncoder(
  { encodings }: FittedPreparation,
  dataset: Dataset,
  rows: RowSelection,
): (formula: ColumnFormula) => Float64Array {
  const encodedTexts = encodings.map((): Float64Array | undefined => undefined);
  const factors = new Map<string, Float64Array>();

  /** The encoding's numbers of all rows, computed once however many columns read them. */
  const encoded = (feature: number, encoding: number): Float64Array =>
    (encodedTexts[encoding] ??= encodeTexts(encodings[encoding], featureOf(dataset, feature, "categorical"), rows));

  /** A column is a factor of many products: by its content, because formulas read from JSON share nothing. */
  const factor = (formula: ColumnFormula): Float64Array => {
    const key = JSON.stringify(formula);
    const values = factors.get(key) ?? evaluate(formula);
    factors.set(key, values);
    return values;
  };

  const read = (source: ColumnSource): Float64Array => {
    switch (source.kind) {
      case "number":
        return takeNumbers(featureOf(dataset, source.feature, "numeric").values, rows);
      case "encoded":
        return encoded(source.feature, source.encoding).slice();
      case "indicator":
        return encoded(source.feature, source.encoding).map((value) => (value === source.value ? 1 : 0));
      case "product":
        return multiply(factor(source.of[0]), factor(source.of[1]));
    }
  };

  const evaluate = ({ source, maps }: ColumnFormula): Float64Array => {
    const values = read(source);
    for (const map of maps) applyMap(map, values);
    return values;
  };
  return evaluate;
}

/** Does in place what the map says. */
export function applyMap(map: NumberMap, values: Float64Array): void {
  const compute = compileMap(map);
  for (let i = 0; i < values.length; i++) values[i] = compute(values[i]);
}

export function multiply(a: Float64Array, b: Float64Array): Float64Array {
  const product = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) product[i] = bounded(a[i] * b[i]);
  return product;
}

/** The chosen rows' numbers; NaN for those that are not finite. */
export function takeNumbers(values: Float64Array, rows: RowSelection): Float64Array {
  const taken = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = finiteOrNaN(values[rows[i]]);
  return taken;
}

function encodeTexts(
  encoding: CategoryEncoding,
  feature: Extract<FeatureColumn, { kind: "categorical" }>,
  rows: RowSelection,
): Float64Array {
  const toNumber = textReader(encoding);
  const byCode = Float64Array.from(feature.categories, toNumber);
  const missing = toNumber(null);
  const encoded = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const code = feature.codes[rows[i]];
    encoded[i] = code < 0 ? missing : byCode[code];
  }
  return encoded;
}

function featureOf<K extends FeatureColumn["kind"]>(
  dataset: Dataset,
  feature: number,
  kind: K,
): Extract<FeatureColumn, { kind: K }> {
  const column = dataset.features[feature];
  if (!isOfKind(column, kind)) throw trainErrors.TRAIN_FEATURES_DIFFER(`feature ${feature} is not ${kind} in these rows`);
  return column;
}

const isOfKind = <K extends FeatureColumn["kind"]>(
  column: FeatureColumn | undefined,
  kind: K,
): column is Extract<FeatureColumn, { kind: K }> => column?.kind === kind;

export type RowEncoder = (values: readonly FeatureValue[]) => Float64Array;

/**
 * A function from feature values in the plan's order (booleans count as 0 and 1, timestamps are Micros) to one row of the estimator's
 * matrix: the figures of `encode`. Everything that does not depend on the row is done here, once.
 */
export function createRowEncoder({ columns, encodings }: FittedPreparation): RowEncoder {
  const sources = columns.flatMap(plainSources);
  const numeric = Int32Array.from(new Set(sources.flatMap((source) => (source.kind === "number" ? [source.feature] : []))));
  const numbers = new Float64Array(numeric.reduce((highest, feature) => Math.max(highest, feature), -1) + 1);
  const encoded = new Float64Array(encodings.length);
  const readers = encodings.map(textReader);
  const featureOfEncoding = new Map(sources.flatMap((each) => (each.kind === "number" ? [] : [[each.encoding, each.feature]])));
  const used = Int32Array.from(featureOfEncoding.keys());
  const texts = Int32Array.from(featureOfEncoding.values());
  const compute = columns.map((column) => compileFormula(column, { numbers, encoded }));
  return (values) => {
    for (let i = 0; i < numeric.length; i++) numbers[numeric[i]] = toNumber(values[numeric[i]]);
    for (let i = 0; i < used.length; i++) {
      const value = values[texts[i]] ?? null;
      encoded[used[i]] = readers[used[i]](value === null ? null : String(value));
    }
    const row = new Float64Array(compute.length);
    for (let i = 0; i < compute.length; i++) row[i] = compute[i]();
    return row;
  };
}

const rowEncoders = new WeakMap<FittedPreparation, RowEncoder>();

/** One row of the estimator's matrix; the encoder of a preparation is kept as long as the preparation. */
export function encodeRow(preparation: FittedPreparation, values: readonly FeatureValue[]): Float64Array {
  let encoder = rowEncoders.get(preparation);
  if (encoder === undefined) {
    encoder = createRowEncoder(preparation);
    rowEncoders.set(preparation, encoder);
  }
  return encoder(values);
}

type PlainSource = Exclude<ColumnSource, { kind: "product" }>;

const plainSources = ({ source }: ColumnFormula): PlainSource[] =>
  source.kind === "product" ? source.of.flatMap(plainSources) : [source];

/** The row at hand: numbers by feature, texts by encoding. */
interface RowState {
  readonly numbers: Float64Array;
  readonly encoded: Float64Array;
}

function compileFormula({ source, maps }: ColumnFormula, row: RowState): () => number {
  const read = compileSource(source, row);
  const [first, second, ...more] = maps.map(compileMap);
  if (first === undefined) return read;
  if (second === undefined) return () => first(read());
  if (more.length === 0) return () => second(first(read()));
  const rest = more.reduce((inner: NumberFunction, outer) => (x) => outer(inner(x)));
  return () => rest(second(first(read())));
}

function compileSource(source: ColumnSource, row: RowState): () => number {
  const { numbers, encoded } = row;
  switch (source.kind) {
    case "number": {
      const { feature } = source;
      return () => numbers[feature];
    }
    case "encoded": {
      const { encoding } = source;
      return () => encoded[encoding];
    }
    case "indicator": {
      const { encoding, value } = source;
      return () => (encoded[encoding] === value ? 1 : 0);
    }
    case "product": {
      const [a, b] = source.of.map((factor) => compileFormula(factor, row));
      return () => bounded(a() * b());
    }
  }
}

function textReader(encoding: CategoryEncoding): (text: string | null) => number {
  const { categories, values } = encoding;
  // A map, because a category may be called like a member of every object ("constructor").
  const byText = new Map(categories.map((text, index) => [text, values[index]]));
  const unseen = encoding.unseen ?? Number.NaN;
  const missing = encoding.missing ?? Number.NaN;
  return (text) => (text === null ? missing : (byText.get(text) ?? unseen));
}

function toNumber(value: FeatureValue | undefined): number {
  if (typeof value === "number") return finiteOrNaN(value);
  return typeof value === "boolean" ? Number(value) : Number.NaN;
}

const finiteOrNaN = (value: number): number => (Number.isFinite(value) ? value : Number.NaN);
