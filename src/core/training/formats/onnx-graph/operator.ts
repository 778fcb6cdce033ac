import { trainErrors } from "../../errors.ts";
import type { ElementType, OnnxAttribute, OnnxNode, OnnxTensor } from "../onnx/onnx-model.ts";

export type NumberTensor = Extract<OnnxTensor, { readonly data: Float64Array }>;
export type NumberType = NumberTensor["type"];

/** What a node says of itself, before it runs. */
export interface OperatorNode {
  readonly operator: string;
  /** Version of the node's operator set. */
  readonly opset: number;
  readonly attributes: Attributes;
}

/** Runs a node on the values of its inputs; pure. */
export type Kernel = (inputs: Inputs) => readonly OnnxTensor[];

/** Reads a node's attributes once and gives what runs it. */
export type Operator = (node: OperatorNode) => Kernel;

/** Operators of a domain by name. */
export type OperatorSet = Readonly<Record<string, Operator>>;

export const invalidGraph = (message: string) => trainErrors.TRAIN_ONNX_INVALID(`the ONNX graph cannot be run: ${message}`);
export const unsupportedGraph = (message: string) =>
  trainErrors.TRAIN_ONNX_UNSUPPORTED(`the ONNX graph cannot be run: ${message}`);

/** A node's attributes, read by type; one that is absent is the default. */
export class Attributes {
  readonly #node: OnnxNode;

  constructor(node: OnnxNode) {
    this.#node = node;
  }

  has(name: string): boolean {
    return this.#node.attributes.has(name);
  }

  integer(name: string, otherwise?: number): number {
    return this.#read(name, "int", otherwise);
  }

  float(name: string, otherwise?: number): number {
    return this.#read(name, "float", otherwise);
  }

  text(name: string, otherwise?: string): string {
    return this.#read(name, "string", otherwise);
  }

  integers(name: string, otherwise?: readonly number[]): readonly number[] {
    return this.#read(name, "ints", otherwise);
  }

  floats(name: string, otherwise?: readonly number[]): readonly number[] {
    return this.#read(name, "floats", otherwise);
  }

  texts(name: string, otherwise?: readonly string[]): readonly string[] {
    return this.#read(name, "strings", otherwise);
  }

  tensor(name: string, otherwise?: OnnxTensor): OnnxTensor {
    return this.#read(name, "tensor", otherwise);
  }

  /** Numbers of a list of floats, or of the tensor that newer versions have beside it. */
  numbers(floats: string, tensor: string): ArrayLike<number> {
    if (!this.has(tensor)) return this.floats(floats, []);
    const { data } = this.tensor(tensor);
    if (data instanceof Float64Array) return data;
    throw this.#wrong(tensor);
  }

  #read<T extends keyof AttributeValues>(name: string, type: T, otherwise?: AttributeValues[T]): AttributeValues[T] {
    const attribute: OnnxAttribute | undefined = this.#node.attributes.get(name);
    if (attribute === undefined) {
      if (otherwise === undefined) throw invalidGraph(`${this.#node.operator} lacks its attribute ${name}`);
      return otherwise;
    }
    if (!isOfType(attribute, type)) throw this.#wrong(name);
    return attribute.value;
  }

  #wrong(name: string) {
    return invalidGraph(`${this.#node.operator} has an attribute ${name} of another type than it should`);
  }
}

interface AttributeValues {
  readonly int: number;
  readonly float: number;
  readonly string: string;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly strings: readonly string[];
  readonly tensor: OnnxTensor;
}

const isOfType = <T extends keyof AttributeValues>(
  attribute: OnnxAttribute,
  type: T,
): attribute is OnnxAttribute & { readonly value: AttributeValues[T] } => attribute.type === type;

/** The values that a node reads, checked as they are asked for. */
export class Inputs {
  readonly #operator: string;
  readonly #values: readonly (OnnxTensor | null)[];
  readonly #work: Work;

  constructor(operator: string, values: readonly (OnnxTensor | null)[], work: Work) {
    this.#operator = operator;
    this.#values = values;
    this.#work = work;
  }

  get count(): number {
    return this.#values.length;
  }

  has(index: number): boolean {
    return (this.#values[index] ?? null) !== null;
  }

  any(index: number): OnnxTensor {
    const value = this.#values[index] ?? null;
    if (value === null) throw invalidGraph(`${this.#operator} lacks its input ${index}`);
    return value;
  }

  numbers(index: number): NumberTensor {
    const value = this.any(index);
    if (value.type === "string") throw invalidGraph(`input ${index} of ${this.#operator} is text`);
    return value;
  }

  /** A list of whole numbers, as shapes and axes are. */
  integers(index: number): number[] {
    const { data } = this.numbers(index);
    return Array.from(data, (value) => {
      if (!Number.isSafeInteger(value)) throw invalidGraph(`input ${index} of ${this.#operator} is not whole numbers`);
      return value;
    });
  }

  /** Rows and columns; a list is one row. */
  matrix(index: number): NumberTensor & { readonly rows: number; readonly columns: number } {
    const tensor = this.numbers(index);
    const { dims } = tensor;
    if (dims.length === 0 || dims.length > 2) {
      throw invalidGraph(`input ${index} of ${this.#operator} has ${dims.length} dimensions, not 2`);
    }
    const columns = dims[dims.length - 1];
    return { ...tensor, rows: dims.length === 1 ? 1 : dims[0], columns };
  }

  /** Says that so many steps are to be taken. */
  spend(steps: number): void {
    this.#work.spend(steps);
  }

  /** Room for the elements of a result. */
  allocate(dims: readonly number[]): Float64Array {
    const size = sizeOf(dims);
    if (!(size <= MAX_ELEMENTS)) throw invalidGraph(`${this.#operator} makes ${size} numbers, more than ${MAX_ELEMENTS}`);
    this.#work.spend(size);
    return new Float64Array(size);
  }
}

/** A tensor of more is no part of a model of tables, even for the rows of a batch. */
const MAX_ELEMENTS = 2 ** 24;
/** So much takes seconds; a graph that asks for more is out of proportion or means harm. */
const MAX_STEPS = 2 ** 32;

/** Counts what a run costs. */
export class Work {
  #steps = 0;

  spend(steps: number): void {
    this.#steps += steps;
    if (!(this.#steps <= MAX_STEPS)) throw invalidGraph(`it takes more than ${MAX_STEPS} steps for a batch of rows`);
  }
}

export const sizeOf = (dims: readonly number[]): number => dims.reduce((product, size) => product * size, 1);

/** The nearest number that the type can hold, as arithmetic in that type would give it. */
export function rounder(type: ElementType): (value: number) => number {
  switch (type) {
    case "float":
      return Math.fround;
    case "double":
    case "string":
      return (value) => value;
    case "bool":
      return (value) => (value === 0 ? 0 : 1);
    case "int32":
      return (value) => value | 0;
    case "int8":
      return (value) => (value << 24) >> 24;
    case "uint8":
      return (value) => value & 0xff;
    case "int64":
      return Math.trunc;
  }
}

/** Strides in elements, row-major. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const size of dims.toReversed()) {
    strides.unshift(stride);
    stride *= size;
  }
  return strides;
}

/** An axis counted from the front; -1 is the last. */
export function axisOf(axis: number, rank: number): number {
  const fromFront = axis < 0 ? axis + rank : axis;
  if (!(fromFront >= 0 && fromFront < rank)) throw invalidGraph(`there is no axis ${axis} in ${rank} dimensions`);
  return fromFront;
}

/** The shape of two that are repeated to fit each other (numpy's broadcasting). */
export function broadcastDims(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [x, y] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1) throw invalidGraph(`shapes [${a}] and [${b}] do not fit each other`);
    return x === 1 ? y : x;
  });
}

/**
 * Where each element of a tensor of shape `to` comes from in one of shape `from` that is repeated to fit; null where that is
 * the same place.
 */
export function broadcastPlaces(from: readonly number[], to: readonly number[]): Int32Array | null {
  if (from.length === to.length && from.every((size, axis) => size === to[axis])) return null;
  const own = stridesOf(from);
  const lead = to.length - from.length;
  const strides = to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : own[axis - lead]));
  return walkPlaces(to, strides);
}

/** For each element of a tensor of shape `dims`, in order: the sum of its indices times the strides. */
export function walkPlaces(dims: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const places = new Int32Array(sizeOf(dims));
  const index = dims.map(() => 0);
  let place = start;
  for (let i = 0; i < places.length; i++) {
    places[i] = place;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      place += strides[axis];
      if (++index[axis] < dims[axis]) break;
      place -= strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return places;
}
