import type { TrainerFeature, TrainerRequest, TrainerRows } from "../../../src/core/ports/index.ts";
import { seededRandom } from "../../../src/core/training/random.ts";
import { type GoldenName, goldenData } from "../../fixtures/golden-data.ts";

export type TrainingData = Pick<TrainerRequest, "task" | "classes" | "features" | "train" | "validation">;

/** A golden data set as a trainer gets it: texts as codes, three rows in ten to validate with, and rows of weight 1 and 2. */
export function trainingData(name: GoldenName, task: TrainerRequest["task"], classes: number): TrainingData {
  const data = goldenData(name);
  const encoded = data.names.map((each) => encode(each, data.columns[each]));
  const random = seededRandom(1);
  const validates = Uint8Array.from({ length: data.rows }, () => (random.below(10) < 3 ? 1 : 0));
  const take = (wanted: number): TrainerRows => {
    const rows = [...validates.keys()].filter((row) => validates[row] === wanted);
    const pick = (column: ArrayLike<number>) => Float64Array.from(rows, (row) => column[row]);
    return {
      matrix: { rows: rows.length, columns: encoded.map(({ values }) => pick(values)) },
      target: { values: pick(data.target), weights: Float64Array.from(rows, (row) => 1 + (row % 2)) },
    };
  };
  return { task, classes, features: encoded.map(({ feature }) => feature), train: take(0), validation: take(1) };
}

function encode(
  name: string,
  column: Float64Array | readonly (string | null)[],
): { readonly feature: TrainerFeature; readonly values: Float64Array } {
  if (column instanceof Float64Array) return { feature: { name, categories: 0 }, values: column };
  const categories = [...new Set(column.filter((text) => text !== null))].sort();
  const codes = new Map(categories.map((text, code) => [text, code]));
  const values = Float64Array.from(column, (text) => (text === null ? Number.NaN : (codes.get(text) ?? Number.NaN)));
  return { feature: { name, categories: categories.length }, values };
}
