import type { Matrix } from "../../matrix.ts";
import type { OnnxEstimator } from "../../model.ts";
import { MAX_COLUMNS } from "../imported-model.ts";
import { decodeOnnx } from "../onnx/decode-onnx.ts";
import type { OnnxModel, OnnxTensor } from "../onnx/onnx-model.ts";
import { compileGraph } from "./compile-graph.ts";
import { findPrediction } from "./find-prediction.ts";
import { invalidGraph, rounder, unsupportedGraph } from "./operator.ts";

/** Rows that run through the graph together: enough to pay for the walk over its nodes, few enough to keep its values small. */
const BATCH = 1_024;

export type OnnxScorer = (matrix: Matrix) => Float64Array;

/**
 * Makes a graph that was trained elsewhere ready to score, synchronously and without a native runtime: raw outputs,
 * rows x outputs, row by row. Everything that does not depend on the rows is done here, once.
 *
 * @throws TRAIN_ONNX_INVALID, TRAIN_ONNX_UNSUPPORTED, TRAIN_ONNX_OPERATOR_UNKNOWN
 */
export function createOnnxScorer({ graph, outputs }: Pick<OnnxEstimator, "graph" | "outputs">): OnnxScorer {
  const model = decodeOnnx(graph);
  const run = compileGraph(model, findPrediction(model).value);
  const parts = inputParts(model);
  const columns = parts.reduce((sum, part) => sum + part.columns, 0);
  return (matrix) => {
    if (matrix.columns.length !== columns) {
      throw invalidGraph(`it reads ${columns} columns, and the matrix has ${matrix.columns.length}`);
    }
    const raw = new Float64Array(matrix.rows * outputs);
    for (let start = 0; start < matrix.rows; start += BATCH) {
      const rows = Math.min(BATCH, matrix.rows - start);
      const feeds = new Map(parts.map((part) => [part.name, partOf(matrix, part, start, rows)]));
      raw.set(wantedOutputs(run(feeds), rows, outputs), start * outputs);
    }
    return raw;
  };
}

/** An input of the graph: some columns of the matrix, side by side. */
export interface InputPart {
  readonly name: string;
  readonly type: "float" | "double" | "int64" | "int32" | "bool";
  readonly first: number;
  readonly columns: number;
}

/**
 * The graph's inputs, in order, as parts of one matrix.
 * @throws TRAIN_ONNX_UNSUPPORTED for texts and for inputs whose number of columns the file does not say
 */
export function inputParts({ graph }: OnnxModel): InputPart[] {
  const given = new Set(graph.initializers.map(({ name }) => name));
  let first = 0;
  return graph.inputs
    .filter(({ name }) => !given.has(name))
    .map(({ name, type, dims }) => {
      if (type === undefined || type === "string" || type === "int8" || type === "uint8") {
        throw unsupportedGraph(`its input ${name} is ${type ?? "no tensor"}, not numbers`);
      }
      const columns = dims?.length === 2 ? dims[1] : -1;
      if (!(columns >= 1)) throw unsupportedGraph(`the file does not say how many columns its input ${name} has`);
      if (first + columns > MAX_COLUMNS) throw unsupportedGraph(`its inputs have more than ${MAX_COLUMNS} columns`);
      const part = { name, type, first, columns };
      first += columns;
      return part;
    });
}

function partOf(matrix: Matrix, { type, first, columns }: InputPart, start: number, rows: number): OnnxTensor {
  const round = rounder(type);
  const data = new Float64Array(rows * columns);
  for (let column = 0; column < columns; column++) {
    const values = matrix.columns[first + column];
    for (let row = 0; row < rows; row++) data[row * columns + column] = round(values[start + row]);
  }
  return { type, dims: [rows, columns], data };
}

/** Of two classes' probabilities the second, where one number a row is wanted. */
function wantedOutputs(value: OnnxTensor, rows: number, outputs: number): Float64Array {
  if (value.type === "string") throw invalidGraph("its output is text");
  const width = value.data.length / rows;
  if (width === outputs) return value.data;
  if (outputs !== 1 || width !== 2) throw invalidGraph(`it gives ${width} numbers a row, not ${outputs}`);
  return Float64Array.from({ length: rows }, (_, row) => value.data[2 * row + 1]);
}
