import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeOnnx } from "../../../src/core/training/formats/onnx/decode-onnx.ts";
import { exportOnnx } from "../../../src/core/training/formats/onnx/export-onnx.ts";
import { type FeatureColumn, predict } from "../../../src/core/training/index.ts";
import type { ExportCase } from "./export-cases.ts";
import type { Runtime, ScoreInput } from "./runtimes.ts";

/** Of max(1, |figure|). A row that went another way in a tree would differ by far more. */
const DOUBLES = 1e-12;
/** Where a graph from elsewhere computes in float32, in an order of its own. */
const FLOATS = 2e-6;
const BATCH = 20_000;

/**
 * Exports a model, runs it on the case's rows and compares with what Orrery itself says of them.
 * @throws when a number differs by more than is allowed or a label differs; labels of float32 numbers that are as near to each other as
 *   that may differ
 */
export function checkExport({ model, dataset }: ExportCase, runtime: Runtime, folder: string): string {
  const bytes = exportOnnx(model);
  const file = join(folder, "model.onnx");
  writeFileSync(file, bytes);
  const missingText = decodeOnnx(bytes).metadata.missing_text;
  const prediction = model.task === "regression" ? "prediction" : "probability";
  const names = ["raw", prediction, ...(model.task === "regression" ? [] : ["label"])];
  const outputs = names.map((name) => ({ name, file: join(folder, `${name}.bin`) }));
  runtime.score(
    {
      model: file,
      rows: dataset.rows,
      batch: BATCH,
      inputs: dataset.features.map((feature, index) => writeInput(feature, join(folder, `input${index}.bin`), missingText)),
      outputs,
    },
    folder,
  );
  const ours = predict(
    model,
    dataset,
    Uint32Array.from({ length: dataset.rows }, (_, row) => row),
  );
  const theirs = new Map(outputs.map(({ name, file: output }) => [name, readNumbers(output)]));
  const isProbability = model.task === "binary" && model.estimator.kind !== "rule" && model.estimator.link === "identity";
  const tolerance = model.estimator.kind === "onnx" ? FLOATS : DOUBLES;
  const figures = [
    // Orrery says log-odds of an estimator that says probabilities; the file keeps the estimator's own output.
    ...(isProbability ? [] : [`raw ${greatestDifference(ours.raw, theirs.get("raw"), tolerance)}`]),
    `${prediction} ${greatestDifference(ours.prediction, theirs.get(prediction), tolerance)}`,
    ...(names.includes("label") ? [`${sameLabels(model, ours.prediction, theirs.get("label"))} rows flipped`] : []),
  ];
  return `${dataset.rows} rows, greatest difference: ${figures.join(", ")}`;
}

function writeInput(feature: FeatureColumn, file: string, missingText: string): ScoreInput {
  if (feature.kind === "numeric") {
    writeFileSync(file, feature.values);
    return { name: feature.id, type: "double", file };
  }
  const missing = feature.categories.length;
  writeFileSync(
    file,
    feature.codes.map((code) => (code < 0 ? missing : code)),
  );
  return { name: feature.id, type: "string", file, categories: [...feature.categories, missingText] };
}

function readNumbers(file: string): Float64Array {
  const bytes = readFileSync(file);
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function greatestDifference(ours: Float64Array, theirs: Float64Array | undefined, tolerance: number): string {
  if (theirs === undefined || theirs.length !== ours.length) {
    throw new Error(`there are ${theirs?.length} numbers where Orrery has ${ours.length}`);
  }
  let greatest = 0;
  for (let i = 0; i < ours.length; i++) {
    const difference = Object.is(ours[i], theirs[i]) ? 0 : Math.abs(ours[i] - theirs[i]) / Math.max(1, Math.abs(ours[i]));
    if (!(difference <= tolerance)) throw new Error(`number ${i} is ${theirs[i]}, and Orrery says ${ours[i]}`);
    greatest = Math.max(greatest, difference);
  }
  return greatest.toExponential(1);
}

function sameLabels(model: ExportCase["model"], prediction: Float64Array, labels: Float64Array | undefined): number {
  const outputs = Math.max(1, model.classes.length);
  let flipped = 0;
  labels?.forEach((label, row) => {
    const own = prediction.subarray(row * outputs, (row + 1) * outputs);
    if (model.estimator.kind === "onnx" && isUndecided(own, model.decision.threshold)) return;
    const expected =
      outputs === 1 ? Number(own[0] >= model.decision.threshold) : own.indexOf(own.reduce((a, b) => Math.max(a, b)));
    if (label !== expected) flipped += 1;
  });
  if (labels === undefined || flipped > 0) throw new Error(`${flipped} of ${labels?.length} rows have another label`);
  return flipped;
}

function isUndecided(own: Float64Array, threshold: number): boolean {
  const [first, second = threshold] = own.toSorted().reverse();
  return Math.abs(first - second) <= FLOATS;
}
