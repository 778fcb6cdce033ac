import type { OnnxTensor } from "../../onnx/onnx-model.ts";
import {
  axisOf,
  broadcastDims,
  type Inputs,
  invalidGraph,
  type Operator,
  type OperatorSet,
  sizeOf,
  stridesOf,
  unsupportedGraph,
  walkPlaces,
} from "../operator.ts";

/** The same elements in another shape. */
function reshaped(tensor: OnnxTensor, dims: readonly number[]): OnnxTensor {
  if (!dims.every((size) => Number.isInteger(size) && size >= 0) || sizeOf(dims) !== tensor.data.length) {
    throw invalidGraph(`[${tensor.dims}] cannot have the shape [${dims}]`);
  }
  return { ...tensor, dims };
}

/** The elements at the places, in a shape of as many. */
function taken(inputs: Inputs, tensor: OnnxTensor, places: Int32Array, dims: readonly number[]): OnnxTensor {
  const data = inputs.allocate(dims);
  if (tensor.type === "string") return { type: "string", dims, data: Array.from(places, (place) => tensor.data[place]) };
  for (let i = 0; i < data.length; i++) data[i] = tensor.data[places[i]];
  return { type: tensor.type, dims, data };
}

/** -1 is what is left over, 0 the input's own size. */
const reshape: Operator = ({ attributes, opset }) => {
  const fixed = opset < 5 ? attributes.integers("shape") : null;
  const keepZero = attributes.integer("allowzero", 0) === 1;
  return (inputs) => {
    const tensor = inputs.any(0);
    const wanted = (fixed ?? inputs.integers(1)).map((size, axis) => (size === 0 && !keepZero ? (tensor.dims[axis] ?? 0) : size));
    const known = sizeOf(wanted.filter((size) => size !== -1));
    const rest = known === 0 ? 0 : tensor.data.length / known;
    return [
      reshaped(
        tensor,
        wanted.map((size) => (size === -1 ? rest : size)),
      ),
    ];
  };
};

const flatten: Operator = ({ attributes }) => {
  const axis = attributes.integer("axis", 1);
  return (inputs) => {
    const tensor = inputs.any(0);
    const at = axis === tensor.dims.length ? axis : axisOf(axis, tensor.dims.length);
    return [reshaped(tensor, [sizeOf(tensor.dims.slice(0, at)), sizeOf(tensor.dims.slice(at))])];
  };
};

/** Axes are an attribute up to version 12, an input since. */
const axesReader: (node: Parameters<Operator>[0]) => (inputs: Inputs) => readonly number[] | null = ({ attributes, opset }) => {
  if (opset >= 13) return (inputs) => (inputs.has(1) ? inputs.integers(1) : null);
  const axes = attributes.has("axes") ? attributes.integers("axes") : null;
  return () => axes;
};

const squeeze: Operator = (node) => {
  const axesOf = axesReader(node);
  return (inputs) => {
    const tensor = inputs.any(0);
    const axes = axesOf(inputs)?.map((axis) => axisOf(axis, tensor.dims.length));
    const dropped = (size: number, axis: number) => (axes === undefined ? size === 1 : axes.includes(axis));
    return [
      reshaped(
        tensor,
        tensor.dims.filter((size, axis) => !dropped(size, axis)),
      ),
    ];
  };
};

const unsqueeze: Operator = (node) => {
  const axesOf = axesReader(node);
  return (inputs) => {
    const tensor = inputs.any(0);
    const axes = axesOf(inputs) ?? [];
    const rank = tensor.dims.length + axes.length;
    const added = new Set(axes.map((axis) => axisOf(axis, rank)));
    const sizes = [...tensor.dims];
    return [
      reshaped(
        tensor,
        Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (sizes.shift() ?? 1))),
      ),
    ];
  };
};

const transpose: Operator = ({ attributes }) => {
  const fixed = attributes.has("perm") ? attributes.integers("perm") : null;
  return (inputs) => {
    const tensor = inputs.any(0);
    const axes = fixed ?? tensor.dims.map((_, axis) => axis).reverse();
    if (new Set(axes).size !== tensor.dims.length || axes.length !== tensor.dims.length) {
      throw invalidGraph(`Transpose has the axes [${axes}] for [${tensor.dims}]`);
    }
    const strides = stridesOf(tensor.dims);
    const order = axes.map((axis) => axisOf(axis, tensor.dims.length));
    const dims = order.map((axis) => tensor.dims[axis]);
    return [
      taken(
        inputs,
        tensor,
        walkPlaces(
          dims,
          order.map((axis) => strides[axis]),
        ),
        dims,
      ),
    ];
  };
};

const concat: Operator = ({ attributes }) => {
  const axis = attributes.integer("axis");
  return (inputs) => {
    const parts = Array.from({ length: inputs.count }, (_, index) => inputs.any(index));
    const [first] = parts;
    if (first === undefined) throw invalidGraph("Concat has no inputs");
    const at = axisOf(axis, first.dims.length);
    for (const { dims, type } of parts) {
      const fits = dims.length === first.dims.length && dims.every((size, each) => each === at || size === first.dims[each]);
      if (!fits || (type === "string") !== (first.type === "string")) {
        throw invalidGraph(`Concat has [${first.dims}] of ${first.type} beside [${dims}] of ${type}`);
      }
    }
    const dims = first.dims.map((size, each) => (each === at ? parts.reduce((sum, part) => sum + part.dims[at], 0) : size));
    return [joined(inputs, parts, dims, at)];
  };
};

function joined(inputs: Inputs, parts: readonly OnnxTensor[], dims: readonly number[], axis: number): OnnxTensor {
  const data = inputs.allocate(dims);
  const texts: string[] = [];
  const blocks = sizeOf(dims.slice(0, axis));
  let at = 0;
  for (let block = 0; block < blocks; block++) {
    for (const part of parts) {
      const size = part.data.length / blocks;
      if (part.type === "string") texts.push(...part.data.slice(block * size, (block + 1) * size));
      else data.set(part.data.subarray(block * size, (block + 1) * size), at);
      at += size;
    }
  }
  const { type } = parts[0];
  return type === "string" ? { type, dims, data: texts } : { type, dims, data };
}

const gather: Operator = ({ attributes }) => {
  const axis = attributes.integer("axis", 0);
  return (inputs) => {
    const tensor = inputs.any(0);
    const wanted = inputs.numbers(1);
    const at = axisOf(axis, tensor.dims.length);
    const size = tensor.dims[at];
    const indices = inputs.integers(1).map((index) => (index < 0 ? index + size : index));
    if (indices.some((index) => !(index >= 0 && index < size))) throw invalidGraph(`Gather asks for places beyond ${size}`);
    const dims = [...tensor.dims.slice(0, at), ...wanted.dims, ...tensor.dims.slice(at + 1)];
    const inner = sizeOf(tensor.dims.slice(at + 1));
    inputs.spend(sizeOf(dims));
    const places = new Int32Array(inputs.allocate(dims).length);
    let next = 0;
    for (let outer = 0; outer < sizeOf(tensor.dims.slice(0, at)); outer++) {
      for (const index of indices) {
        const start = (outer * size + index) * inner;
        for (let i = 0; i < inner; i++) places[next++] = start + i;
      }
    }
    return [taken(inputs, tensor, places, dims)];
  };
};

interface SliceRange {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** Starts, ends and axes are attributes up to version 9, inputs since. */
const slice: Operator = ({ attributes, opset }) => {
  const list = (inputs: Inputs, name: string, index: number): readonly number[] | null => {
    if (opset >= 10) return inputs.has(index) ? inputs.integers(index) : null;
    return attributes.has(name) ? attributes.integers(name) : null;
  };
  return (inputs) => {
    const tensor = inputs.any(0);
    const starts = list(inputs, "starts", 1) ?? [];
    const ends = list(inputs, "ends", 2) ?? [];
    const axes = list(inputs, "axes", 3) ?? starts.map((_, axis) => axis);
    const steps = list(inputs, "steps", 4) ?? starts.map(() => 1);
    if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
      throw invalidGraph(`Slice has ${starts.length} starts, ${ends.length} ends, ${axes.length} axes and ${steps.length} steps`);
    }
    const ranges = starts.map((start, i) => rangeOf(tensor.dims, axes[i], start, ends[i], steps[i]));
    const dims = [...tensor.dims];
    const strides = stridesOf(tensor.dims);
    let first = 0;
    for (const { axis, start, step, length } of ranges) {
      first += start * strides[axis];
      strides[axis] *= step;
      dims[axis] = length;
    }
    return [taken(inputs, tensor, walkPlaces(dims, strides, first), dims)];
  };
};

function rangeOf(dims: readonly number[], axis: number, start: number, end: number, step: number): SliceRange {
  const at = axisOf(axis, dims.length);
  const size = dims[at];
  if (step === 0) throw invalidGraph("Slice has a step of 0");
  const fromFront = (index: number) => (index < 0 ? index + size : index);
  const clamp = (index: number, low: number, high: number) => Math.min(high, Math.max(low, fromFront(index)));
  const from = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1);
  const to = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
  return { axis: at, start: from, step, length: Math.max(0, Math.ceil((to - from) / step)) };
}

const shape: Operator = () => (inputs) => {
  const { dims } = inputs.any(0);
  return [{ type: "int64", dims: [dims.length], data: Float64Array.from(dims) }];
};

const constantOfShape: Operator = ({ attributes }) => {
  const value = attributes.tensor("value", { type: "float", dims: [1], data: Float64Array.of(0) });
  if (value.type === "string") throw unsupportedGraph("ConstantOfShape of a text");
  return (inputs) => {
    const dims = inputs.integers(0);
    if (dims.some((size) => size < 0)) throw invalidGraph(`ConstantOfShape has the shape [${dims}]`);
    return [{ type: value.type, dims, data: inputs.allocate(dims).fill(value.data[0]) }];
  };
};

const expand: Operator = () => (inputs) => {
  const tensor = inputs.any(0);
  const dims = broadcastDims(tensor.dims, inputs.integers(1));
  inputs.allocate(dims);
  const own = stridesOf(tensor.dims);
  const lead = dims.length - tensor.dims.length;
  const strides = dims.map((_, axis) => (axis < lead || tensor.dims[axis - lead] === 1 ? 0 : own[axis - lead]));
  return [taken(inputs, tensor, walkPlaces(dims, strides), dims)];
};

const constant: Operator = ({ attributes }) => {
  const value = constantValue(attributes);
  return () => [value];
};

function constantValue(attributes: Parameters<Operator>[0]["attributes"]): OnnxTensor {
  if (attributes.has("value")) return attributes.tensor("value");
  if (attributes.has("value_float")) return { type: "float", dims: [], data: Float64Array.of(attributes.float("value_float")) };
  if (attributes.has("value_int")) return { type: "int64", dims: [], data: Float64Array.of(attributes.integer("value_int")) };
  if (attributes.has("value_floats")) {
    const data = Float64Array.from(attributes.floats("value_floats"));
    return { type: "float", dims: [data.length], data };
  }
  if (attributes.has("value_ints")) {
    const data = Float64Array.from(attributes.integers("value_ints"));
    return { type: "int64", dims: [data.length], data };
  }
  throw unsupportedGraph("a Constant of a kind that models of tables do not need");
}

/** Operators that move elements about. */
export const SHAPES: OperatorSet = {
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  Reshape: reshape,
  Shape: shape,
  Slice: slice,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
