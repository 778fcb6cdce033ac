import type { OnnxTensor } from "../onnx/onnx-model.ts";

/** An output of a graph; `keys` where it is a map from classes to numbers for each row. */
export interface NamedOutput {
  readonly name: string;
  readonly tensor: OnnxTensor;
  readonly keys: readonly string[] | null;
}

/**
 * Predictions for a data frame, one object a row, as MLflow writes a frame of the outputs: flattened where all have as many values. Where they
 * have not (labels beside a matrix of probabilities), which MLflow refuses, a row's values of an output are a list.
 */
export function asRecords(outputs: readonly NamedOutput[], rows: number): Record<string, unknown>[] {
  const columns = outputs.map((output): [string, readonly unknown[]] => [output.name, valuesOf(output)]);
  const length = columns[0]?.[1].length ?? 0;
  const isEven = columns.every(([, values]) => values.length === length);
  const count = isEven ? length : rows;
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(
      columns.map(([name, values]) => [name, isEven || values.length === rows ? values[row] : rowOf(values, rows, row)]),
    ),
  );
}

function rowOf(values: readonly unknown[], rows: number, row: number): unknown {
  const width = values.length / rows;
  return Number.isInteger(width) ? values.slice(row * width, (row + 1) * width) : values;
}

/** Predictions for arrays: each output by name, in its shape. */
export const asArrays = (outputs: readonly NamedOutput[]): Record<string, unknown> =>
  Object.fromEntries(
    outputs.map((output) => [output.name, nested(valuesOf(output), output.keys === null ? output.tensor.dims : [-1])]),
  );

/** In JSON's terms: of a map one object a row, and null for what JSON has no number for. */
function valuesOf({ tensor, keys }: NamedOutput): readonly unknown[] {
  if (tensor.type === "string") return tensor.data;
  const { data, type } = tensor;
  const values = Array.from(data, (value) => (type === "bool" ? value !== 0 : Number.isFinite(value) ? value : null));
  if (keys === null || keys.length === 0) return values;
  return Array.from({ length: Math.floor(values.length / keys.length) }, (_, row) =>
    Object.fromEntries(keys.map((key, k) => [key, values[row * keys.length + k]])),
  );
}

function nested(values: readonly unknown[], dims: readonly number[]): unknown {
  if (dims.length === 0) return values[0];
  if (dims.length === 1) return values;
  const [, ...rest] = dims;
  const size = rest.reduce((product, length) => product * length, 1);
  return Array.from({ length: dims[0] }, (_, at) => nested(values.slice(at * size, (at + 1) * size), rest));
}
