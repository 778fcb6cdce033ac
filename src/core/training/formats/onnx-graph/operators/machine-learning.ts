import { treesScorer } from "../../../trees/trees-scorer.ts";
import type { OnnxTensor } from "../../onnx/onnx-model.ts";
import { classified } from "../classified.ts";
import {
  type Inputs,
  invalidGraph,
  type Kernel,
  type NumberTensor,
  type Operator,
  type OperatorSet,
  rounder,
  sizeOf,
} from "../operator.ts";
import { bothClasses, postTransform } from "../post-transform.ts";
import { classNames, type Ensemble, readEnsemble, readTransform } from "../read-ensemble.ts";
import { labelEncoder } from "./label-encoder.ts";
import { svmClassifier, svmRegressor } from "./support-vectors.ts";

/** Number `column` of a list that has one for all columns, or one for each. */
function perColumn(list: ArrayLike<number>, columns: number, operator: string): (column: number) => number {
  if (list.length === 1) return () => list[0];
  if (list.length !== columns) throw invalidGraph(`${operator} has ${list.length} numbers for ${columns} columns`);
  return (column) => list[column];
}

function mapColumns(inputs: Inputs, compute: (x: number, column: number) => number): OnnxTensor {
  const { data, dims, columns, type } = inputs.matrix(0);
  const out = inputs.allocate(dims);
  const round = rounder(type === "double" ? "double" : "float");
  for (let i = 0; i < data.length; i++) out[i] = round(compute(data[i], i % columns));
  return { type: type === "double" ? "double" : "float", dims, data: out };
}

const scaler: Operator = ({ attributes }) => {
  const offsets = attributes.floats("offset");
  const scales = attributes.floats("scale");
  return (inputs) => {
    const { columns } = inputs.matrix(0);
    const offset = perColumn(offsets, columns, "Scaler");
    const scale = perColumn(scales, columns, "Scaler");
    return [mapColumns(inputs, (x, column) => Math.fround(x - offset(column)) * scale(column))];
  };
};

const imputer: Operator = ({ attributes }) => {
  const isWhole = attributes.has("imputed_value_int64s");
  const values = isWhole ? attributes.integers("imputed_value_int64s") : attributes.floats("imputed_value_floats");
  const replaced = isWhole ? attributes.integer("replaced_value_int64", 0) : attributes.float("replaced_value_float", 0);
  const isReplaced = (x: number) => (Number.isNaN(replaced) ? Number.isNaN(x) : x === replaced);
  return (inputs) => {
    const value = perColumn(values, inputs.matrix(0).columns, "Imputer");
    return [mapColumns(inputs, (x, column) => (isReplaced(x) ? value(column) : x))];
  };
};

const NORMS: Readonly<Record<string, (row: Float64Array) => number>> = {
  MAX: (row) => row.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY),
  L1: (row) => row.reduce((sum, x) => sum + Math.abs(x), 0),
  L2: (row) => Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)),
};

const normalizer: Operator = ({ attributes }) => {
  const norm = NORMS[attributes.text("norm", "MAX")];
  if (norm === undefined) throw invalidGraph(`there is no norm ${attributes.text("norm")}`);
  return (inputs) => {
    const { data, rows, columns, dims } = inputs.matrix(0);
    const out = inputs.allocate(dims);
    for (let row = 0; row < rows; row++) {
      const values = data.subarray(row * columns, (row + 1) * columns);
      const size = norm(values) || 1;
      for (let column = 0; column < columns; column++) out[row * columns + column] = Math.fround(values[column] / size);
    }
    return [{ type: "float", dims, data: out }];
  };
};

/** One place more for each category; a value that is none of them has zeros only, or is refused. */
const oneHotEncoder: Operator = ({ attributes }) => {
  const texts = attributes.texts("cats_strings", []);
  const numbers = attributes.integers("cats_int64s", []);
  const takesUnknown = attributes.integer("zeros", 1) === 1;
  const places = new Map<string | number, number>();
  for (const [place, category] of (texts.length > 0 ? texts : numbers).entries()) places.set(category, place);
  return (inputs) => {
    const tensor = inputs.any(0);
    const dims = [...tensor.dims, places.size];
    const data = inputs.allocate(dims);
    for (let i = 0; i < tensor.data.length; i++) {
      const value = tensor.data[i];
      const place = places.get(typeof value === "number" ? Math.trunc(value) : value);
      if (place !== undefined) data[i * places.size + place] = 1;
      else if (!takesUnknown) throw invalidGraph(`OneHotEncoder does not know ${value}`);
    }
    return [{ type: "float", dims, data }];
  };
};

/** Inputs side by side. */
const featureVectorizer: Operator = () => (inputs) => {
  const parts = Array.from({ length: inputs.count }, (_, index) => inputs.matrix(index));
  const rows = parts[0]?.rows ?? 0;
  if (parts.some((part) => part.rows !== rows)) throw invalidGraph("FeatureVectorizer has inputs of different lengths");
  const columns = parts.reduce((sum, part) => sum + part.columns, 0);
  const data = inputs.allocate([rows, columns]);
  for (let row = 0, at = 0; row < rows; row++) {
    for (const part of parts) {
      data.set(part.data.subarray(row * part.columns, (row + 1) * part.columns).map(Math.fround), at);
      at += part.columns;
    }
  }
  return [{ type: "float", dims: [rows, columns], data }];
};

const binarizer: Operator = ({ attributes }) => {
  const threshold = attributes.float("threshold", 0);
  return (inputs) => [mapColumns(inputs, (x) => (x > threshold ? 1 : 0))];
};

/** Elements of the last axis by their places; of a list it makes one row. */
const arrayFeatureExtractor: Operator = () => (inputs) => {
  const tensor = inputs.any(0);
  const places = inputs.integers(1);
  const size = tensor.dims[tensor.dims.length - 1] ?? 0;
  if (places.some((place) => !(place >= 0 && place < size)))
    throw invalidGraph(`ArrayFeatureExtractor asks for places beyond ${size}`);
  const outer = size === 0 ? 0 : tensor.data.length / size;
  const dims = tensor.dims.length === 1 ? [1, places.length] : [...tensor.dims.slice(0, -1), places.length];
  const data = inputs.allocate(dims);
  const at = (i: number) => Math.floor(i / places.length) * size + places[i % places.length];
  if (sizeOf(dims) !== outer * places.length) throw invalidGraph("ArrayFeatureExtractor has no elements to take");
  if (tensor.type === "string") return [{ type: "string", dims, data: Array.from(data, (_, i) => tensor.data[at(i)]) }];
  for (let i = 0; i < data.length; i++) data[i] = tensor.data[at(i)];
  return [{ type: tensor.type, dims, data }];
};

/** A list of maps from names to probabilities says no more than the probabilities, which are handed on. */
const zipMap: Operator = (): Kernel => (inputs) => [inputs.any(0)];

/** Sums of products, one for each class or target: [rows][outputs]. */
function linearScores(
  inputs: Inputs,
  coefficients: readonly number[],
  intercepts: readonly number[],
  outputs: number,
): number[][] {
  const { data, rows, columns } = inputs.matrix(0);
  if (coefficients.length !== columns * outputs) {
    throw invalidGraph(`there are ${coefficients.length} coefficients for ${columns} columns and ${outputs} outputs`);
  }
  inputs.spend(rows * coefficients.length);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: outputs }, (_, output) => {
      let score = intercepts[output] ?? 0;
      for (let column = 0; column < columns; column++) {
        score += coefficients[output * columns + column] * data[row * columns + column];
      }
      return score;
    }),
  );
}

const linearClassifier: Operator = ({ attributes }) => {
  const coefficients = attributes.floats("coefficients");
  const intercepts = attributes.floats("intercepts", []);
  const transform = readTransform(attributes);
  const classes = classNames(attributes).length;
  return (inputs) => {
    const { columns } = inputs.matrix(0);
    const outputs = coefficients.length === columns && classes === 2 ? 1 : classes;
    const scores = linearScores(inputs, coefficients, intercepts, outputs);
    const rows = scores.map((row) => (outputs === 1 ? bothClasses(transform, row[0], false) : postTransform(transform, row)));
    return classified(inputs, attributes, rows);
  };
};

const linearRegressor: Operator = ({ attributes }) => {
  const coefficients = attributes.floats("coefficients");
  const intercepts = attributes.floats("intercepts", []);
  const targets = attributes.integer("targets", 1);
  const transform = readTransform(attributes);
  return (inputs) => {
    const rows = linearScores(inputs, coefficients, intercepts, targets);
    const data = inputs.allocate([rows.length, targets]);
    rows.forEach((row, index) => {
      data.set(postTransform(transform, row).map(Math.fround), index * targets);
    });
    return [{ type: "float", dims: [rows.length, targets], data }];
  };
};

/** Trees are read at the first batch, because only then the number of columns is known. */
const treeEnsemble: Operator = (node) => {
  let read: { readonly ensemble: Ensemble; readonly columns: number; readonly isRounded: boolean } | null = null;
  return (inputs) => {
    const matrix = inputs.matrix(0);
    const isRounded = matrix.type !== "double";
    if (read?.columns !== matrix.columns || read.isRounded !== isRounded) {
      const { columns } = matrix;
      read = { ensemble: readEnsemble(node, { columns, isRounded }), columns, isRounded };
    }
    const { ensemble } = read;
    inputs.spend(matrix.rows * ensemble.trees.length);
    const scores = ensembleScores(ensemble, matrix);
    if (node.operator === "TreeEnsembleClassifier") {
      const { transform, isOneSided, allPositive } = ensemble;
      const rows = scores.map((row) =>
        isOneSided ? bothClasses(transform, row[0], allPositive) : postTransform(transform, row),
      );
      return classified(inputs, node.attributes, rows);
    }
    // The older operators give float32 whatever they read; TreeEnsemble gives the type of its input.
    const type = node.operator === "TreeEnsemble" && !isRounded ? "double" : "float";
    const round = rounder(type);
    const data = inputs.allocate([matrix.rows, ensemble.targets]);
    scores.forEach((row, index) => {
      data.set(postTransform(ensemble.transform, row).map(round), index * ensemble.targets);
    });
    return [{ type, dims: [matrix.rows, ensemble.targets], data }];
  };
};

function ensembleScores(
  { trees, base, targets }: Ensemble,
  { data, rows, columns }: NumberTensor & { readonly rows: number; readonly columns: number },
): number[][] {
  const byColumn = Array.from({ length: columns }, (_, column) =>
    Float64Array.from({ length: rows }, (_, row) => data[row * columns + column]),
  );
  const scorer = treesScorer(estimatorOf(trees, base));
  const raw = scorer.scoreMatrix({ rows, columns: byColumn });
  return Array.from({ length: rows }, (_, row) => Array.from(raw.subarray(row * targets, (row + 1) * targets)));
}

const estimators = new WeakMap<Ensemble["trees"], Parameters<typeof treesScorer>[0]>();

/** The same estimator for the same trees, because scorers are kept by it. */
function estimatorOf(trees: Ensemble["trees"], base: Float64Array): Parameters<typeof treesScorer>[0] {
  const known = estimators.get(trees) ?? { kind: "trees", link: "identity", base, trees };
  estimators.set(trees, known);
  return known;
}

/** Operators of the domain ai.onnx.ml. */
export const MACHINE_LEARNING: OperatorSet = {
  ArrayFeatureExtractor: arrayFeatureExtractor,
  Binarizer: binarizer,
  FeatureVectorizer: featureVectorizer,
  Imputer: imputer,
  LabelEncoder: labelEncoder,
  LinearClassifier: linearClassifier,
  LinearRegressor: linearRegressor,
  Normalizer: normalizer,
  OneHotEncoder: oneHotEncoder,
  Scaler: scaler,
  SVMClassifier: svmClassifier,
  SVMRegressor: svmRegressor,
  TreeEnsemble: treeEnsemble,
  TreeEnsembleClassifier: treeEnsemble,
  TreeEnsembleRegressor: treeEnsemble,
  ZipMap: zipMap,
};
