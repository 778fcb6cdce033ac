import type { OnnxModel } from "../onnx/onnx-model.ts";
import { unsupportedGraph } from "./operator.ts";

export interface PredictionValue {
  /** Name of the value that holds probabilities or predictions. */
  readonly value: string;
  /** Whether the graph says a label beside it. */
  readonly isClassifier: boolean;
}

/**
 * What of a graph is the prediction: its first output that is floats, or a list of maps (ZipMap). A classifier says a label too.
 * @throws TRAIN_ONNX_UNSUPPORTED when there is none
 */
export function findPrediction({ graph }: OnnxModel): PredictionValue {
  const isLabel = (type: string | undefined) => type === "int64" || type === "int32" || type === "string";
  const prediction = graph.outputs.find(({ type }) => !isLabel(type));
  if (prediction === undefined) throw unsupportedGraph("it has no output of probabilities or numbers");
  return { value: prediction.name, isClassifier: graph.outputs.some(({ type }) => isLabel(type)) };
}
