import type { ModelPackage } from "../../core/training/index.ts";

type Classes = Pick<ModelPackage, "task" | "classes">;

/**
 * One model's probabilities, rows x its classes, in the order of another's classes: a class that it never saw has none, and what it says
 * of classes that the other does not know is left out. Of other tasks: the predictions as they are.
 */
export function inClassesOf({ classes }: Classes, own: Classes, prediction: Float64Array): Float64Array {
  if (own.task !== "multiclass") return prediction;
  const places = classes.map((name) => own.classes.indexOf(name));
  const rows = prediction.length / own.classes.length;
  return Float64Array.from({ length: rows * classes.length }, (_, i) => {
    const place = places[i % classes.length];
    return place < 0 ? 0 : prediction[Math.floor(i / classes.length) * own.classes.length + place];
  });
}
