import { readFile, stat } from "node:fs/promises";
import type { TrainerPredictions, TrainerResult } from "../../core/ports/index.ts";
import { trainerErrors } from "./errors.ts";
import { isOnnx } from "./onnx-file.ts";
import { megabytes } from "./training-files.ts";
import type { OutputPaths } from "./training-spec.ts";

/** What is read of each file at most: a model is loaded whole by every process that serves it. */
const MODEL_LIMIT = 512e6;
const JSON_LIMIT = 16e6;

/**
 * Reads and checks what a program has written.
 * @throws TRAIN_PYTHON_OUTPUT_INVALID
 */
export async function readOutput(
  paths: OutputPaths,
  details: { readonly program: string; readonly log: string },
): Promise<Pick<TrainerResult, "onnx" | "metrics" | "predictions">> {
  const refuse = (problem: string) => trainerErrors.TRAIN_PYTHON_OUTPUT_INVALID(`${details.program} ${problem}`, { details });
  try {
    const onnx = await readLimited(paths.model, MODEL_LIMIT);
    if (onnx === null) throw new Unusable("ended without saving a model");
    if (!isOnnx(onnx)) throw new Unusable(`saved ${onnx.length} bytes that are no ONNX model`);
    return {
      onnx,
      metrics: readMetrics(await readJson(paths.metrics, "metrics")),
      predictions: readPredictions(await readJson(paths.predictions, "predictions")),
    };
  } catch (error) {
    throw error instanceof Unusable ? refuse(error.message) : error;
  }
}

/** Says what is wrong, as the end of a sentence that begins with the program. */
class Unusable extends Error {}

async function readLimited(path: string, limit: number): Promise<Buffer | null> {
  try {
    const { size } = await stat(path);
    if (size > limit) throw new Unusable(`saved ${megabytes(size)} in one file; the limit is ${megabytes(limit)}`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "EISDIR")) return null;
    throw error;
  }
}

async function readJson(path: string, what: string): Promise<unknown> {
  const bytes = await readLimited(path, JSON_LIMIT);
  if (bytes === null) return null;
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Unusable(`saved ${what} that are no JSON (NaN and Infinity are none)`);
  }
}

function readMetrics(metrics: unknown): Record<string, number> {
  if (metrics === null) return {};
  if (typeof metrics !== "object" || Array.isArray(metrics)) throw new Unusable("saved metrics that are no object");
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => {
      if (typeof value !== "number") throw new Unusable(`saved a metric ${name} that is no number`);
      return [name, value];
    }),
  );
}

function readPredictions(saved: unknown): TrainerPredictions | null {
  if (saved === null) return null;
  if (!isPredictions(saved)) throw new Unusable("saved predictions that are not { part, outputs, values: [numbers] }");
  const { part, outputs, values } = saved;
  return { part, outputs, rows: values.length / outputs, values: Float64Array.from(values) };
}

function isPredictions(saved: unknown): saved is { part: "train" | "validation"; outputs: number; values: number[] } {
  if (typeof saved !== "object" || saved === null || !("part" in saved && "outputs" in saved && "values" in saved)) return false;
  const { part, outputs, values } = saved;
  return (
    (part === "train" || part === "validation") &&
    typeof outputs === "number" &&
    Number.isInteger(outputs) &&
    outputs > 0 &&
    Array.isArray(values) &&
    values.length % outputs === 0 &&
    values.every((value) => typeof value === "number")
  );
}
