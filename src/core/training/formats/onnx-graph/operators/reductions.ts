import {
  axisOf,
  broadcastDims,
  broadcastPlaces,
  type Inputs,
  invalidGraph,
  type NumberTensor,
  type Operator,
  type OperatorSet,
  rounder,
  sizeOf,
  stridesOf,
  walkPlaces,
} from "../operator.ts";

/** Products and sums are accumulated in double and rounded once, which is at least as exact as any order of float32. */
const matMul: Operator = () => (inputs) => {
  const a = asMatrix(inputs.numbers(0), "left");
  const b = asMatrix(inputs.numbers(1), "right");
  const [rows, inner] = a.dims.slice(-2);
  const [depth, columns] = b.dims.slice(-2);
  if (inner !== depth) throw invalidGraph(`MatMul has [${a.dims}] times [${b.dims}]`);
  const batch = broadcastDims(a.dims.slice(0, -2), b.dims.slice(0, -2));
  const data = inputs.allocate([...batch, rows, columns]);
  inputs.spend(data.length * inner);
  const [left, right] = [batchStarts(a.dims, batch), batchStarts(b.dims, batch)];
  const round = rounder(a.type);
  for (let block = 0; block < left.length; block++) {
    multiply(a.data, left[block], b.data, right[block], data, block * rows * columns, { rows, inner, columns }, round);
  }
  const dims = [...batch, ...(a.isVector ? [] : [rows]), ...(b.isVector ? [] : [columns])];
  return [{ type: a.type, dims, data }];
};

/** A list is one row on the left, one column on the right. */
function asMatrix(tensor: NumberTensor, side: "left" | "right"): NumberTensor & { readonly isVector: boolean } {
  const { dims } = tensor;
  if (dims.length === 0) throw invalidGraph("MatMul has a single number as its input");
  if (dims.length > 1) return { ...tensor, isVector: false };
  return { ...tensor, dims: side === "left" ? [1, dims[0]] : [dims[0], 1], isVector: true };
}

/** Where each matrix of a batch begins. */
function batchStarts(dims: readonly number[], batch: readonly number[]): Int32Array {
  const own = dims.slice(0, -2);
  const size = sizeOf(dims.slice(-2));
  const places = broadcastPlaces(own, batch) ?? Int32Array.from({ length: sizeOf(batch) }, (_, block) => block);
  return places.map((block) => block * size);
}

interface Sizes {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

function multiply(
  a: Float64Array,
  aStart: number,
  b: Float64Array,
  bStart: number,
  out: Float64Array,
  outStart: number,
  { rows, inner, columns }: Sizes,
  round: (x: number) => number,
): void {
  for (let row = 0; row < rows; row++) {
    const start = outStart + row * columns;
    for (let k = 0; k < inner; k++) {
      const factor = a[aStart + row * inner + k];
      for (let column = 0; column < columns; column++) out[start + column] += factor * b[bStart + k * columns + column];
    }
    for (let column = 0; column < columns; column++) out[start + column] = round(out[start + column]);
  }
}

const gemm: Operator = ({ attributes }) => {
  const alpha = attributes.float("alpha", 1);
  const beta = attributes.float("beta", 1);
  const [transA, transB] = [attributes.integer("transA", 0) === 1, attributes.integer("transB", 0) === 1];
  return (inputs) => {
    const a = transposedIf(inputs.matrix(0), transA);
    const b = transposedIf(inputs.matrix(1), transB);
    if (a.columns !== b.rows) throw invalidGraph(`Gemm has ${a.columns} columns on the left and ${b.rows} rows on the right`);
    const dims = [a.rows, b.columns];
    const data = inputs.allocate(dims);
    inputs.spend(data.length * a.columns);
    const sizes = { rows: a.rows, inner: a.columns, columns: b.columns };
    multiply(a.data, 0, b.data, 0, data, 0, sizes, (sum) => alpha * sum);
    const round = rounder(inputs.numbers(0).type);
    const added = inputs.has(2) ? inputs.numbers(2) : null;
    if (added !== null && `${broadcastDims(added.dims, dims)}` !== `${dims}`) {
      throw invalidGraph(`Gemm adds [${added.dims}] to [${dims}]`);
    }
    const places = added === null ? null : broadcastPlaces(added.dims, dims);
    for (let i = 0; i < data.length; i++) data[i] = round(data[i] + (added === null ? 0 : beta * added.data[places?.[i] ?? i]));
    return [{ type: inputs.numbers(0).type, dims, data }];
  };
};

interface Rectangle {
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

function transposedIf({ data, rows, columns }: Rectangle, turn: boolean): Rectangle {
  if (!turn) return { data, rows, columns };
  const turned = Float64Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]);
  return { data: turned, rows: columns, columns: rows };
}

/** A tensor as lines along one axis: line i begins at `starts[i]` and goes on by `stride`. */
interface Lines {
  readonly starts: Int32Array;
  readonly stride: number;
  readonly length: number;
}

function linesAlong({ dims }: NumberTensor, axis: number): Lines {
  const strides = stridesOf(dims);
  const others = dims.map((_, each) => each).filter((each) => each !== axis);
  const starts = walkPlaces(
    others.map((each) => dims[each]),
    others.map((each) => strides[each]),
  );
  return { starts, stride: strides[axis], length: dims[axis] };
}

/** Softmax and its logarithm. Up to version 12 all axes from `axis` on are taken together. */
const softmax =
  (finish: (exponent: number, total: number) => number): Operator =>
  ({ attributes, opset }) => {
    const wanted = attributes.integer("axis", opset < 13 ? 1 : -1);
    return (inputs) => {
      const tensor = inputs.numbers(0);
      const axis = axisOf(wanted, tensor.dims.length);
      const flat = opset < 13 ? [sizeOf(tensor.dims.slice(0, axis)), sizeOf(tensor.dims.slice(axis))] : tensor.dims;
      const lines = linesAlong({ ...tensor, dims: flat }, opset < 13 ? 1 : axis);
      const data = inputs.allocate(tensor.dims);
      const round = rounder(tensor.type);
      for (const start of lines.starts) {
        const places = Array.from({ length: lines.length }, (_, i) => start + i * lines.stride);
        const highest = places.reduce((most, place) => Math.max(most, tensor.data[place]), Number.NEGATIVE_INFINITY);
        const total = places.reduce((sum, place) => sum + Math.exp(tensor.data[place] - highest), 0);
        for (const place of places) data[place] = round(finish(tensor.data[place] - highest, total));
      }
      return [{ type: tensor.type, dims: tensor.dims, data }];
    };
  };

/** The place of the best of each line; of equal ones the first, or the last where `select_last_index` is set. */
const argBest =
  (sign: 1 | -1): Operator =>
  ({ attributes }) => {
    const wanted = attributes.integer("axis", 0);
    const keeps = attributes.integer("keepdims", 1) === 1;
    const takesLast = attributes.integer("select_last_index", 0) === 1;
    return (inputs) => {
      const tensor = inputs.numbers(0);
      const axis = axisOf(wanted, tensor.dims.length);
      const { starts, stride, length } = linesAlong(tensor, axis);
      if (length === 0) throw invalidGraph("there is no best of nothing");
      const dims = tensor.dims.flatMap((size, each) => (each !== axis ? [size] : keeps ? [1] : []));
      const data = inputs.allocate(dims);
      for (let line = 0; line < starts.length; line++) {
        let best = 0;
        for (let i = 1; i < length; i++) {
          const difference = sign * (tensor.data[starts[line] + i * stride] - tensor.data[starts[line] + best * stride]);
          if (difference > 0 || (takesLast && difference === 0)) best = i;
        }
        data[line] = best;
      }
      return [{ type: "int64", dims, data }];
    };
  };

interface Reduction {
  /** Axes became an input in this version. */
  readonly axesAreInputSince: number;
  readonly reduce: (values: readonly number[]) => number;
}

/** Reduces the axes given, or all of them. */
const reduction =
  ({ axesAreInputSince, reduce }: Reduction): Operator =>
  ({ attributes, opset }) => {
    const keeps = attributes.integer("keepdims", 1) === 1;
    const emptyIsNone = attributes.integer("noop_with_empty_axes", 0) === 1;
    const fixed = attributes.has("axes") ? attributes.integers("axes") : null;
    return (inputs) => {
      const tensor = inputs.numbers(0);
      const given = opset >= axesAreInputSince ? givenAxes(inputs) : fixed;
      if (given === null && emptyIsNone) return [tensor];
      const axes = new Set(given?.map((axis) => axisOf(axis, tensor.dims.length)) ?? tensor.dims.map((_, axis) => axis));
      return [reduceAxes(inputs, tensor, axes, keeps, reduce)];
    };
  };

const givenAxes = (inputs: Inputs): readonly number[] | null => {
  const axes = inputs.has(1) ? inputs.integers(1) : [];
  return axes.length === 0 ? null : axes;
};

function reduceAxes(
  inputs: Inputs,
  tensor: NumberTensor,
  axes: ReadonlySet<number>,
  keeps: boolean,
  reduce: (values: readonly number[]) => number,
): NumberTensor {
  const strides = stridesOf(tensor.dims);
  const all = tensor.dims.map((_, axis) => axis);
  const [gone, kept] = [all.filter((axis) => axes.has(axis)), all.filter((axis) => !axes.has(axis))];
  const pick = (from: readonly number[], which: readonly number[]) => which.map((axis) => from[axis]);
  const starts = walkPlaces(pick(tensor.dims, kept), pick(strides, kept));
  const within = walkPlaces(pick(tensor.dims, gone), pick(strides, gone));
  const dims = tensor.dims.flatMap((size, axis) => (axes.has(axis) ? (keeps ? [1] : []) : [size]));
  const data = inputs.allocate(dims);
  const round = rounder(tensor.type);
  for (let i = 0; i < data.length; i++) data[i] = round(reduce(Array.from(within, (place) => tensor.data[starts[i] + place])));
  return { type: tensor.type, dims, data };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const greatest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);

function logSumExp(values: readonly number[]): number {
  const highest = greatest(values);
  return highest + Math.log(sum(values.map((value) => Math.exp(value - highest))));
}

/** Operators that look along axes. */
export const REDUCTIONS: OperatorSet = {
  ArgMax: argBest(1),
  ArgMin: argBest(-1),
  Gemm: gemm,
  LogSoftmax: softmax((exponent, total) => exponent - Math.log(total)),
  MatMul: matMul,
  ReduceL1: reduction({ axesAreInputSince: 18, reduce: (values) => sum(values.map(Math.abs)) }),
  ReduceL2: reduction({ axesAreInputSince: 18, reduce: (values) => Math.hypot(...values) }),
  ReduceLogSumExp: reduction({ axesAreInputSince: 18, reduce: logSumExp }),
  ReduceMax: reduction({ axesAreInputSince: 18, reduce: greatest }),
  ReduceMean: reduction({ axesAreInputSince: 18, reduce: (values) => sum(values) / values.length }),
  ReduceMin: reduction({ axesAreInputSince: 18, reduce: (values) => -greatest(values.map((value) => -value)) }),
  ReduceProd: reduction({ axesAreInputSince: 18, reduce: (values) => values.reduce((product, value) => product * value, 1) }),
  ReduceSum: reduction({ axesAreInputSince: 13, reduce: sum }),
  ReduceSumSquare: reduction({ axesAreInputSince: 18, reduce: (values) => sum(values.map((value) => value * value)) }),
  Softmax: softmax((exponent, total) => Math.exp(exponent) / total),
};
