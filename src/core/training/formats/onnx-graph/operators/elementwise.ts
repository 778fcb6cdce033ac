import type { OnnxTensor } from "../../onnx/onnx-model.ts";
import { ELEMENT_TYPES } from "../../onnx/onnx-model.ts";
import {
  broadcastDims,
  broadcastPlaces,
  type Inputs,
  invalidGraph,
  type Kernel,
  type NumberTensor,
  type NumberType,
  type Operator,
  type OperatorSet,
  rounder,
  unsupportedGraph,
} from "../operator.ts";

/** Reads each element of a tensor that is repeated to fit the shape. */
function reader({ data, dims }: NumberTensor, to: readonly number[]): (index: number) => number {
  const places = broadcastPlaces(dims, to);
  return places === null ? (index) => data[index] : (index) => data[places[index]];
}

function combine(inputs: Inputs, type: NumberType | null, compute: (a: number, b: number) => number): NumberTensor {
  const [a, b] = [inputs.numbers(0), inputs.numbers(1)];
  const dims = broadcastDims(a.dims, b.dims);
  const data = inputs.allocate(dims);
  const [left, right] = [reader(a, dims), reader(b, dims)];
  const round = rounder(type ?? a.type);
  for (let i = 0; i < data.length; i++) data[i] = round(compute(left(i), right(i)));
  return { type: type ?? a.type, dims, data };
}

const arithmetic =
  (compute: (a: number, b: number) => number): Operator =>
  () =>
  (inputs) => [combine(inputs, null, compute)];

const comparison =
  (compute: (a: number, b: number) => boolean): Operator =>
  () =>
  (inputs) => [combine(inputs, "bool", (a, b) => (compute(a, b) ? 1 : 0))];

/** Division of whole numbers drops the remainder. */
const divide: Operator = () => (inputs) => {
  const { type } = inputs.numbers(0);
  const isWhole = type !== "float" && type !== "double";
  return [combine(inputs, null, isWhole ? (a, b) => Math.trunc(a / (b === 0 ? Number.NaN : b)) || 0 : (a, b) => a / b)];
};

const equal: Operator = () => (inputs) => {
  const [a, b] = [inputs.any(0), inputs.any(1)];
  if (a.type !== "string" || b.type !== "string") return [combine(inputs, "bool", (x, y) => (x === y ? 1 : 0))];
  const dims = broadcastDims(a.dims, b.dims);
  const data = inputs.allocate(dims);
  const [left, right] = [broadcastPlaces(a.dims, dims), broadcastPlaces(b.dims, dims)];
  for (let i = 0; i < data.length; i++) data[i] = a.data[left?.[i] ?? i] === b.data[right?.[i] ?? i] ? 1 : 0;
  return [{ type: "bool", dims, data }];
};

/** Any number of inputs, taken together from the first on. */
const folded =
  (compute: (a: number, b: number) => number, finish: (sum: number, count: number) => number = (sum) => sum): Operator =>
  () =>
  (inputs) => {
    const all = Array.from({ length: inputs.count }, (_, index) => inputs.numbers(index));
    const [first] = all;
    if (first === undefined) throw invalidGraph("a sum has no inputs");
    const dims = all.reduce<readonly number[]>((shape, each) => broadcastDims(shape, each.dims), []);
    const data = inputs.allocate(dims);
    const round = rounder(first.type);
    const readers = all.map((each) => reader(each, dims));
    for (let i = 0; i < data.length; i++) {
      const total = readers.slice(1).reduce((sum, read) => round(compute(sum, read(i))), readers[0](i));
      data[i] = round(finish(total, all.length));
    }
    return [{ type: first.type, dims, data }];
  };

function mapNumbers(inputs: Inputs, type: NumberType | null, compute: (x: number) => number): NumberTensor {
  const input = inputs.numbers(0);
  const data = inputs.allocate(input.dims);
  const round = rounder(type ?? input.type);
  for (let i = 0; i < data.length; i++) data[i] = round(compute(input.data[i]));
  return { type: type ?? input.type, dims: input.dims, data };
}

const unary =
  (compute: (x: number) => number): Operator =>
  () =>
  (inputs) => [mapNumbers(inputs, null, compute)];
const test =
  (compute: (x: number) => boolean): Operator =>
  () =>
  (inputs) => [mapNumbers(inputs, "bool", (x) => (compute(x) ? 1 : 0))];

const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** To even where two are equally near. */
function roundToEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** Bounds are attributes up to version 10, inputs since. */
const clip: Operator = ({ attributes, opset }) => {
  const fixed = [attributes.float("min", Number.NEGATIVE_INFINITY), attributes.float("max", Number.POSITIVE_INFINITY)];
  return (inputs) => {
    const bound = (index: 1 | 2) => (opset >= 11 && inputs.has(index) ? inputs.numbers(index).data[0] : fixed[index - 1]);
    const [low, high] = [bound(1), bound(2)];
    return [mapNumbers(inputs, null, (x) => (x < low ? low : x > high ? high : x))];
  };
};

const leakyRelu: Operator = ({ attributes }) => {
  const slope = attributes.float("alpha", 0.01);
  return (inputs) => [mapNumbers(inputs, null, (x) => (x < 0 ? slope * x : x))];
};

const isInfinite: Operator = ({ attributes }) => {
  const negative = attributes.integer("detect_negative", 1) === 1;
  const positive = attributes.integer("detect_positive", 1) === 1;
  const isIt = (x: number) => (x === Number.POSITIVE_INFINITY && positive) || (x === Number.NEGATIVE_INFINITY && negative);
  return (inputs) => [mapNumbers(inputs, "bool", (x) => (isIt(x) ? 1 : 0))];
};

const TYPES: Readonly<Record<number, OnnxTensor["type"] | undefined>> = {
  [ELEMENT_TYPES.float]: "float",
  [ELEMENT_TYPES.double]: "double",
  [ELEMENT_TYPES.int32]: "int32",
  [ELEMENT_TYPES.int64]: "int64",
  [ELEMENT_TYPES.int8]: "int8",
  [ELEMENT_TYPES.uint8]: "uint8",
  [ELEMENT_TYPES.bool]: "bool",
  [ELEMENT_TYPES.string]: "string",
};

const cast: Operator = ({ attributes }) => {
  const number = attributes.integer("to");
  const type = TYPES[number];
  if (type === undefined) throw unsupportedGraph(`Cast to element type ${number}`);
  return (inputs) => [castTensor(inputs, type)];
};

function castTensor(inputs: Inputs, type: OnnxTensor["type"]): OnnxTensor {
  const input = inputs.any(0);
  if (input.type === "string") {
    if (type === "string") return input;
    const data = inputs.allocate(input.dims);
    const round = castRounder(type);
    for (let i = 0; i < data.length; i++) data[i] = round(Number(input.data[i]));
    return { type, dims: input.dims, data };
  }
  if (type === "string") return { type, dims: input.dims, data: Array.from(input.data, String) };
  return mapNumbers(inputs, type, castRounder(type));
}

/** Numbers lose their fraction where they become whole. */
const castRounder = (type: NumberType): ((x: number) => number) =>
  type === "float" || type === "double" || type === "bool" ? (x) => x : Math.trunc;

const where: Operator = () => (inputs) => {
  const [condition, yes, no] = [inputs.numbers(0), inputs.any(1), inputs.any(2)];
  const dims = broadcastDims(condition.dims, broadcastDims(yes.dims, no.dims));
  const holds = reader(condition, dims);
  const data = inputs.allocate(dims);
  if (yes.type !== "string" && no.type !== "string") {
    const [left, right] = [reader(yes, dims), reader(no, dims)];
    for (let i = 0; i < data.length; i++) data[i] = holds(i) !== 0 ? left(i) : right(i);
    return [{ type: yes.type, dims, data }];
  }
  if (yes.type !== "string" || no.type !== "string") throw invalidGraph("Where has a text and a number to choose from");
  const [left, right] = [broadcastPlaces(yes.dims, dims), broadcastPlaces(no.dims, dims)];
  const texts = Array.from(data, (_, i) => (holds(i) !== 0 ? yes.data[left?.[i] ?? i] : no.data[right?.[i] ?? i]));
  return [{ type: "string", dims, data: texts }];
};

const identity: Operator = (): Kernel => (inputs) => [inputs.any(0)];

/** Operators that look at one element of each input at a time. */
export const ELEMENTWISE: OperatorSet = {
  Abs: unary(Math.abs),
  Add: arithmetic((a, b) => a + b),
  And: comparison((a, b) => a !== 0 && b !== 0),
  Cast: cast,
  Ceil: unary(Math.ceil),
  Clip: clip,
  Cos: unary(Math.cos),
  Div: divide,
  Dropout: identity,
  Equal: equal,
  Exp: unary(Math.exp),
  Floor: unary(Math.floor),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Identity: identity,
  IsInf: isInfinite,
  IsNaN: test(Number.isNaN),
  LeakyRelu: leakyRelu,
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  Log: unary(Math.log),
  Max: folded((a, b) => Math.max(a, b)),
  Mean: folded(
    (a, b) => a + b,
    (sum, count) => sum / count,
  ),
  Min: folded((a, b) => Math.min(a, b)),
  Mul: arithmetic((a, b) => a * b),
  Neg: unary((x) => -x),
  Not: test((x) => x === 0),
  Or: comparison((a, b) => a !== 0 || b !== 0),
  Pow: arithmetic((a, b) => a ** b),
  Reciprocal: unary((x) => 1 / x),
  Relu: unary((x) => (x < 0 ? 0 : x)),
  Round: unary(roundToEven),
  Sigmoid: unary(sigmoid),
  Sign: unary(Math.sign),
  Sin: unary(Math.sin),
  Softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  Sqrt: unary(Math.sqrt),
  Sub: arithmetic((a, b) => a - b),
  Sum: folded((a, b) => a + b),
  Tanh: unary(Math.tanh),
  Where: where,
  Xor: comparison((a, b) => (a !== 0) !== (b !== 0)),
};
