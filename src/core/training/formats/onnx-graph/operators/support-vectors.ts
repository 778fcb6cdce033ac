import { classified } from "../classified.ts";
import { type Attributes, type Inputs, invalidGraph, type NumberTensor, type Operator, unsupportedGraph } from "../operator.ts";

interface SupportVectors {
  readonly count: number;
  /** Values of the kernel between a row and each vector. */
  readonly kernels: (row: Float64Array) => Float64Array;
}

function readVectors(attributes: Attributes, count: number): SupportVectors {
  const vectors = Float64Array.from(attributes.floats("support_vectors", []));
  const kernel = readKernel(attributes);
  return {
    count,
    kernels: (row) => {
      if (vectors.length !== count * row.length) {
        throw invalidGraph(`there are ${vectors.length} numbers of ${count} support vectors for ${row.length} columns`);
      }
      return Float64Array.from({ length: count }, (_, i) => kernel(row, vectors.subarray(i * row.length, (i + 1) * row.length)));
    },
  };
}

type KernelFunction = (x: Float64Array, y: Float64Array) => number;

function readKernel(attributes: Attributes): KernelFunction {
  const name = attributes.text("kernel_type", "LINEAR");
  const [gamma = 0, shift = 0, degree = 3] = attributes.floats("kernel_params", []);
  switch (name) {
    case "LINEAR":
      return dot;
    case "POLY":
      return (x, y) => (gamma * dot(x, y) + shift) ** degree;
    case "RBF":
      return (x, y) => Math.exp(-gamma * x.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0));
    case "SIGMOID":
      return (x, y) => Math.tanh(gamma * dot(x, y) + shift);
    default:
      throw invalidGraph(`there is no kernel ${name}`);
  }
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

type Rows = NumberTensor & { readonly rows: number; readonly columns: number };
const rowOf = ({ data, columns }: Rows, row: number) => data.subarray(row * columns, (row + 1) * columns);

export const svmRegressor: Operator = ({ attributes }) => {
  if (attributes.integer("one_class", 0) !== 0) throw unsupportedGraph("SVMRegressor that finds outliers (one_class)");
  const coefficients = Float64Array.from(attributes.floats("coefficients"));
  const [rho = 0] = attributes.floats("rho", [0]);
  const vectors = readVectors(attributes, attributes.integer("n_supports", 0));
  return (inputs) => {
    const matrix = inputs.matrix(0);
    inputs.spend(matrix.data.length * Math.max(1, vectors.count));
    const data = inputs.allocate([matrix.rows, 1]);
    for (let row = 0; row < matrix.rows; row++) {
      const x = rowOf(matrix, row);
      const values = vectors.count > 0 ? vectors.kernels(x) : x;
      if (values.length !== coefficients.length) {
        throw invalidGraph(`SVMRegressor has ${coefficients.length} coefficients for ${values.length}`);
      }
      data[row] = Math.fround(rho + dot(coefficients, values));
    }
    return [{ type: "float", dims: [matrix.rows, 1], data }];
  };
};

/** A classifier of pairs of classes, whose decisions become probabilities (Platt) that are then coupled. */
export const svmClassifier: Operator = ({ attributes }) => {
  const perClass = attributes.integers("vectors_per_class", []);
  const pairs = { a: attributes.floats("prob_a", []), b: attributes.floats("prob_b", []), rho: attributes.floats("rho", []) };
  const classes = perClass.length;
  const pairCount = (classes * (classes - 1)) / 2;
  if (classes < 2 || pairs.a.length === 0) throw unsupportedGraph("SVMClassifier without probabilities (probability=True)");
  if ([pairs.a, pairs.b, pairs.rho].some(({ length }) => length !== pairCount)) {
    throw invalidGraph(`SVMClassifier has not ${pairCount} pairs of classes`);
  }
  const vectors = readVectors(
    attributes,
    perClass.reduce((sum, count) => sum + count, 0),
  );
  const coefficients = Float64Array.from(attributes.floats("coefficients"));
  if (coefficients.length !== (classes - 1) * vectors.count) {
    throw invalidGraph(`SVMClassifier has ${coefficients.length} coefficients for ${vectors.count} vectors`);
  }
  const decide = pairDecisions(perClass, coefficients, pairs.rho);
  return (inputs: Inputs) => {
    const matrix = inputs.matrix(0);
    inputs.spend(matrix.data.length * vectors.count);
    const rows = Array.from({ length: matrix.rows }, (_, row) => {
      const decisions = decide(vectors.kernels(rowOf(matrix, row)));
      return coupled(
        classes,
        decisions.map((decision, pair) => platt(decision, pairs.a[pair], pairs.b[pair])),
      );
    });
    return classified(inputs, attributes, rows);
  };
};

/** Decisions of all pairs i < j, in the order (0,1), (0,2) … (1,2) …, as libsvm lays out its coefficients. */
function pairDecisions(perClass: readonly number[], coefficients: Float64Array, rho: readonly number[]) {
  const starts = perClass.map((_, index) => perClass.slice(0, index).reduce((sum, count) => sum + count, 0));
  const total = starts[starts.length - 1] + perClass[perClass.length - 1];
  const sumOf = (kernels: Float64Array, ofClass: number, line: number) => {
    let sum = 0;
    for (let i = starts[ofClass]; i < starts[ofClass] + perClass[ofClass]; i++)
      sum += coefficients[line * total + i] * kernels[i];
    return sum;
  };
  return (kernels: Float64Array): number[] => {
    const decisions: number[] = [];
    for (let i = 0; i < perClass.length; i++) {
      for (let j = i + 1; j < perClass.length; j++) {
        decisions.push(sumOf(kernels, i, j - 1) + sumOf(kernels, j, i) + rho[decisions.length]);
      }
    }
    return decisions;
  };
}

const LEAST = 1e-7;

function platt(decision: number, a: number, b: number): number {
  const probability = 1 / (1 + Math.exp(a * decision + b));
  return Math.min(1 - LEAST, Math.max(LEAST, probability));
}

/**
 * Probabilities of the classes from those of pairs: Wu, Lin and Weng, "Probability estimates for multi-class classification by pairwise
 * coupling" (2004), the second method, solved by the iteration of its appendix as libsvm does.
 */
function coupled(classes: number, pairs: readonly number[]): number[] {
  const wins = (i: number, j: number) => (i < j ? pairs[pairIndex(classes, i, j)] : 1 - pairs[pairIndex(classes, j, i)]);
  const all = Array.from({ length: classes }, (_, index) => index);
  const q = all.map((i) =>
    all.map((j) =>
      i === j ? all.reduce((sum, other) => sum + (other === i ? 0 : wins(other, i) ** 2), 0) : -wins(j, i) * wins(i, j),
    ),
  );
  const p = all.map(() => 1 / classes);
  for (let round = 0; round < Math.max(100, classes); round++) {
    const qp = all.map((i) => q[i].reduce((sum, value, j) => sum + value * p[j], 0));
    let pqp = qp.reduce((sum, value, i) => sum + value * p[i], 0);
    if (qp.every((value) => Math.abs(value - pqp) < 0.005 / classes)) break;
    for (const i of all) {
      const step = (pqp - qp[i]) / q[i][i];
      p[i] += step;
      pqp = (pqp + step * (step * q[i][i] + 2 * qp[i])) / (1 + step) ** 2;
      for (const j of all) {
        qp[j] = (qp[j] + step * q[i][j]) / (1 + step);
        p[j] /= 1 + step;
      }
    }
  }
  return p;
}

/** Place of the pair i < j among (0,1), (0,2) … (1,2) … */
const pairIndex = (classes: number, i: number, j: number): number => i * classes - (i * (i + 1)) / 2 + (j - i - 1);
