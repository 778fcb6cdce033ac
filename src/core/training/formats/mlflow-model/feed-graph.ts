import type { ElementType, OnnxTensor, OnnxValueInfo } from "../onnx/onnx-model.ts";
import { rounder } from "../onnx-graph/operator.ts";
import type { CheckedInput } from "./enforce-signature.ts";
import { type FrameInput, invalidInput, type Nested, shown } from "./model-input.ts";

/** An input of a graph that has to be fed. */
export type GraphInput = OnnxValueInfo & { readonly type: ElementType };

/** What a runtime reads where pandas has a missing text. */
const MISSING_TEXT = "nan";

const WHOLE: Readonly<Partial<Record<ElementType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/**
 * The graph's inputs, made of what was checked, as mlflow.onnx makes them: a data frame is one matrix for a graph with one input, and a list a
 * column for one with several; arrays go to the input of their name, one without a name to the only one. Numbers take the type of the input
 * where they lose nothing but a double's digits.
 *
 * @throws TRAIN_MODEL_INPUT_INVALID
 */
export function feedGraph(inputs: readonly GraphInput[], given: CheckedInput): Map<string, OnnxTensor> {
  const named = given.kind === "frame" ? ofFrame(inputs, given) : ofTensors(inputs, given.values);
  return new Map(inputs.map((input) => [input.name, tensorOf(input, nestedOf(input, named))]));
}

function ofFrame(inputs: readonly GraphInput[], { columns, rows }: FrameInput): ReadonlyMap<string, Nested> {
  if (inputs.length > 1) return new Map(Array.from(columns, ([name, flat]): [string, Nested] => [name, { dims: [rows], flat }]));
  const lists = [...columns.values()];
  const width = lists.length;
  const flat = new Array<unknown>(rows * width);
  lists.forEach((values, column) => {
    for (let row = 0; row < rows; row++) flat[row * width + column] = values[row];
  });
  return new Map([[inputs[0]?.name ?? "", { dims: [rows, width], flat }]]);
}

function ofTensors(inputs: readonly GraphInput[], values: ReadonlyMap<string, Nested>): ReadonlyMap<string, Nested> {
  const only = values.get("");
  if (only !== undefined) {
    if (inputs.length === 1) return new Map([[inputs[0].name, only]]);
    const names = inputs.map(({ name }) => name).join(", ");
    throw invalidInput(`one array cannot be the ${inputs.length} inputs of the model: send them by name, ${names}`);
  }
  const known = new Set(inputs.map(({ name }) => name));
  const stranger = [...values.keys()].find((name) => !known.has(name));
  if (stranger !== undefined) throw invalidInput(`the model has no input ${stranger}; it has ${[...known].join(", ")}`);
  return values;
}

function nestedOf(input: GraphInput, given: ReadonlyMap<string, Nested>): Nested {
  const nested = given.get(input.name);
  if (nested === undefined) throw invalidInput(`Model is missing inputs ['${input.name}'].`);
  return nested;
}

/** One value a row is a list or a matrix of one column, whichever the graph takes. */
function tensorOf({ name, type, dims }: GraphInput, given: Nested): OnnxTensor {
  const shape = dims === undefined ? given.dims : fitted(dims, given.dims);
  if (dims !== undefined && (shape.length !== dims.length || dims.some((size, axis) => size >= 0 && size !== shape[axis])))
    throw invalidInput(
      `the input ${name} takes the shape [${dims.map((size) => (size < 0 ? "N" : size)).join(", ")}], not [${given.dims.join(", ")}]`,
    );
  if (type === "string") return { type, dims: shape, data: given.flat.map((value) => textOf(value, name)) };
  const convert = converterOf(type, name);
  return { type, dims: shape, data: Float64Array.from(given.flat, convert) };
}

function fitted(wanted: readonly number[], given: readonly number[]): readonly number[] {
  if (wanted.length === 2 && given.length === 1 && (wanted[1] === 1 || wanted[1] < 0)) return [given[0], 1];
  if (wanted.length === 1 && given.length === 2 && given[1] === 1) return [given[0]];
  return given;
}

function textOf(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  if (value === null) return MISSING_TEXT;
  if (typeof value === "number") return Number.isNaN(value) ? MISSING_TEXT : String(value);
  throw invalidInput(`the input ${name} takes texts, not ${shown(value)}`);
}

function converterOf(type: Exclude<ElementType, "string">, name: string): (value: unknown) => number {
  const round = rounder(type);
  const range = WHOLE[type];
  return (value) => {
    const number = typeof value === "boolean" ? Number(value) : value === null ? Number.NaN : value;
    if (typeof number !== "number") throw invalidInput(`the input ${name} takes numbers, not ${shown(value)}`);
    if (range !== undefined && !(Number.isInteger(number) && number >= range[0] && number <= range[1]))
      throw invalidInput(`the input ${name} takes whole numbers of type ${type}, not ${shown(value)}`);
    if (type === "bool" && number !== 0 && number !== 1)
      throw invalidInput(`the input ${name} takes true or false, not ${shown(value)}`);
    return round(number);
  };
}
