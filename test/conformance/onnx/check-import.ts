import { readFileSync } from "node:fs";
import { join } from "node:path";
import { importOnnx } from "../../../src/core/training/formats/onnx/import-onnx.ts";
import { createOnnxScorer } from "../../../src/core/training/formats/onnx-graph/create-onnx-scorer.ts";
import type { Matrix } from "../../../src/core/training/index.ts";
import { applyLink, outputsOf, scoreMatrix } from "../../../src/core/training/score-estimator.ts";
import type { ExportCase } from "./export-cases.ts";
import { datasetFrom, numbers, packageOf } from "./random-models.ts";

/** What train-models.py says of a model it wrote. */
export interface TrainedModel {
  readonly name: string;
  readonly file: string;
  readonly columns: number;
  readonly outputs: number;
}

/** Of max(1, |figure|): ONNX Runtime computes in float32, in an order of its own. A row that went another way would differ by more. */
const TOLERANCE = 2e-6;

/** A model that stays a graph, behind a preparation of ours, to be written as one file; null for one that was translated. */
export function foreignCase({ name, file, columns }: TrainedModel, folder: string): ExportCase | null {
  const { estimator, task } = importOnnx(new Uint8Array(readFileSync(join(folder, `${file}.onnx`))));
  if (estimator.kind !== "onnx") return null;
  const matrix = matrixOf(readNumbers(join(folder, `${file}.rows.bin`)), columns);
  const dataset = datasetFrom(
    matrix.columns.map((values, column) => numbers(`view.n${column}`, values)),
    matrix.rows,
  );
  const preparation = {
    columns: matrix.columns.map((_, feature) => ({
      name: `n${feature}`,
      categories: 0,
      source: { kind: "number" as const, feature },
      maps: [{ kind: "fill" as const, value: 0 }],
    })),
    encodings: [],
  };
  const classes = task === "multiclass" ? Array.from({ length: estimator.outputs }, (_, index) => String(index)) : [];
  return { name: `${name} behind a preparation`, dataset, model: packageOf(dataset, { task, classes, preparation, estimator }) };
}

/**
 * Reads a model and compares what it says of each row with ONNX Runtime: as it is served (translated, where it is known), and
 * run by the interpreter in any case.
 */
export function checkImport({ file, columns, outputs }: TrainedModel, folder: string): string {
  const bytes = new Uint8Array(readFileSync(join(folder, `${file}.onnx`)));
  const expected = readNumbers(join(folder, `${file}.expected.bin`));
  const matrix = matrixOf(readNumbers(join(folder, `${file}.rows.bin`)), columns);
  const { estimator, task } = importOnnx(bytes);
  const interpreted = createOnnxScorer({ graph: bytes, outputs })(matrix);
  const served = estimator.kind === "onnx" ? interpreted : scoreMatrix(estimator, matrix);
  const prediction = applyLink(estimator.link, served, outputsOf(estimator));
  const asServed = greatestDifference(prediction, expected);
  const asRun = greatestDifference(interpreted, expected);
  return `${task} as ${estimator.kind} with link ${estimator.link}: ${asServed}; interpreted: ${asRun}`;
}

function readNumbers(file: string): Float64Array {
  const bytes = readFileSync(file);
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function matrixOf(values: Float64Array, columns: number): Matrix {
  const rows = values.length / columns;
  return {
    rows,
    columns: Array.from({ length: columns }, (_, column) =>
      Float64Array.from({ length: rows }, (_, row) => values[row * columns + column]),
    ),
  };
}

function greatestDifference(ours: Float64Array, theirs: Float64Array): string {
  if (theirs.length !== ours.length) throw new Error(`there are ${ours.length} numbers where ONNX Runtime has ${theirs.length}`);
  let greatest = 0;
  let different = 0;
  let first = -1;
  for (let i = 0; i < ours.length; i++) {
    const difference = Object.is(ours[i], theirs[i]) ? 0 : Math.abs(ours[i] - theirs[i]) / Math.max(1, Math.abs(theirs[i]));
    if (!(difference <= TOLERANCE)) {
      different += 1;
      if (first < 0) first = i;
    }
    greatest = Math.max(greatest, difference);
  }
  if (different > 0) {
    throw new Error(`${different} of ${ours.length} numbers differ, number ${first}: ${ours[first]} for ${theirs[first]}`);
  }
  return greatest.toExponential(1);
}
