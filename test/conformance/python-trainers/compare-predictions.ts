import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import type { TrainerPredictions, TrainerRequest, TrainerResult, TrainerRows } from "../../../src/core/ports/index.ts";
import { importOnnx } from "../../../src/core/training/formats/onnx/import-onnx.ts";
import type { Matrix } from "../../../src/core/training/matrix.ts";
import { applyLink, outputsOf, scoreMatrix } from "../../../src/core/training/score-estimator.ts";

/** Graphs add float32, models mostly doubles. */
const TOLERANCE = 2e-5;

/**
 * Holds what a trainer's model predicted against its graph in ONNX Runtime, and against the estimator that Orrery makes of the
 * graph; says how far apart they are at most, and what was made.
 */
export function comparePredictions(request: TrainerRequest, result: TrainerResult, scratch: string): string {
  const { predictions, onnx } = result;
  if (predictions === null || predictions.rows === 0) throw new Error("no predictions to compare with");
  const part: TrainerRows | null = request[predictions.part];
  if (part === null) throw new Error(`there are no ${predictions.part} rows`);
  const columns = part.matrix.columns.map((column) => column.slice(0, predictions.rows));
  const matrix: Matrix = { rows: predictions.rows, columns, categories: request.features.map(({ categories }) => categories) };
  const { estimator } = importOnnx(onnx);
  const inRuntime = difference(predictions, scoreInRuntime(onnx, matrix, scratch));
  const imported = difference(predictions, applyLink(estimator.link, scoreMatrix(estimator, matrix), outputsOf(estimator)));
  return `${inRuntime.toExponential(1)} apart in ONNX Runtime, ${imported.toExponential(1)} imported as ${estimator.kind}`;
}

function scoreInRuntime(onnx: Uint8Array, { rows, columns }: Matrix, scratch: string): Float64Array {
  const x = new Float32Array(rows * columns.length);
  columns.forEach((column, index) => {
    for (let row = 0; row < rows; row++) x[row * columns.length + index] = column[row];
  });
  const [model, data] = [join(scratch, "model.onnx"), join(scratch, "rows.f32")];
  writeFileSync(model, onnx);
  writeFileSync(data, x);
  const score = [join(import.meta.dirname, "score.py"), model, data, String(columns.length)];
  const scored: number[][] = JSON.parse(
    execFileSync(pythonEnvironment(), score, { encoding: "utf8", maxBuffer: 64e6, stdio: ["ignore", "pipe", "ignore"] }),
  );
  return Float64Array.from(scored.flat());
}

/** Of two classes a graph may say both; the second is compared. */
function difference({ rows, outputs, values }: TrainerPredictions, found: Float64Array): number {
  const width = found.length / rows;
  if (width !== outputs && !(outputs === 1 && width === 2)) throw new Error(`${width} numbers a row instead of ${outputs}`);
  let worst = 0;
  for (let row = 0; row < rows; row++)
    for (let k = 0; k < outputs; k++) {
      const expected = values[row * outputs + k];
      const apart = Math.abs(found[row * width + width - outputs + k] - expected) / Math.max(1, Math.abs(expected));
      if (!(apart <= TOLERANCE))
        throw new Error(`row ${row} has ${found[row * width + width - outputs + k]} instead of ${expected}`);
      worst = Math.max(worst, apart);
    }
  return worst;
}
