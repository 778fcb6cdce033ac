import type { OnnxTensor } from "../onnx/onnx-model.ts";
import type { Attributes, Inputs } from "./operator.ts";
import { classNames } from "./read-ensemble.ts";

/** Label and scores of each row; the label is the class with the highest score. */
export function classified(inputs: Inputs, attributes: Attributes, rows: readonly (readonly number[])[]): OnnxTensor[] {
  const names = classNames(attributes);
  const columns = rows[0]?.length ?? names.length;
  const scores = inputs.allocate([rows.length, columns]);
  rows.forEach((row, index) => {
    scores.set(row.map(Math.fround), index * columns);
  });
  const best = rows.map((row) => row.reduce((most, score, index) => (score > row[most] ? index : most), 0));
  const label: OnnxTensor = attributes.has("classlabels_strings")
    ? { type: "string", dims: [rows.length], data: best.map((index) => names[index] ?? "") }
    : { type: "int64", dims: [rows.length], data: Float64Array.from(best, (index) => Number(names[index] ?? index)) };
  return [label, { type: "float", dims: [rows.length, columns], data: scores }];
}
