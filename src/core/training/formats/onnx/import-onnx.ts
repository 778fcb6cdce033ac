import type { LinearEstimator, OnnxEstimator, Task, TreesEstimator } from "../../model.ts";
import { compileGraph } from "../onnx-graph/compile-graph.ts";
import { createOnnxScorer, inputParts } from "../onnx-graph/create-onnx-scorer.ts";
import { findPrediction } from "../onnx-graph/find-prediction.ts";
import { Attributes, invalidGraph } from "../onnx-graph/operator.ts";
import { classNames } from "../onnx-graph/read-ensemble.ts";
import { decodeOnnx } from "./decode-onnx.ts";
import type { OnnxModel } from "./onnx-model.ts";
import { type Recognized, recognize } from "./recognize.ts";

export interface ImportedOnnx {
  /** Trees and linear models are translated and served and explained as our own; anything else stays a graph. */
  readonly estimator: TreesEstimator | LinearEstimator | OnnxEstimator;
  readonly task: Task;
  /** Columns of the matrix that it reads: those of the graph's inputs, in order. */
  readonly columns: number;
  /** As in Matrix: 0 for numbers; columns that trees compare with codes say how many codes there are. */
  readonly categories: readonly number[];
  /** Names of the classes where the file says them. */
  readonly classes: readonly string[];
}

/**
 * Reads a model of tables that another trainer wrote as ONNX (skl2onnx, onnxmltools, xgboost …): float inputs [N, columns], one or
 * several; probabilities (with a label) or predictions as outputs. Two classes make one output, the probability of the second.
 *
 * A translated model decides every row as the file's float32 comparisons would; its sums are doubles, so that predictions
 * differ from a float32 runtime's by rounding, some 1e-7 of their size. Covers of its trees are 0, because ONNX does not keep
 * them: `fillCovers` counts rows.
 *
 * @throws TRAIN_ONNX_INVALID, TRAIN_ONNX_UNSUPPORTED, TRAIN_ONNX_OPERATOR_UNKNOWN
 */
export function importOnnx(bytes: Uint8Array): ImportedOnnx {
  const model = decodeOnnx(bytes);
  const columns = inputParts(model).reduce((sum, part) => sum + part.columns, 0);
  const recognized = recognize(model, columns);
  return recognized === null ? importGraph(model, bytes, columns) : importRecognized(recognized, columns);
}

function importRecognized({ estimator, classes }: Recognized, columns: number): ImportedOnnx {
  const outputs = estimator.kind === "trees" ? estimator.base.length : estimator.intercepts.length;
  const task = classes.length === 0 ? "regression" : outputs === 1 ? "binary" : "multiclass";
  return { estimator, task, columns, categories: cardinalities(estimator, columns), classes };
}

/** One row of zeros tells how many numbers there are for each, and that the graph runs at all. */
function importGraph(model: OnnxModel, bytes: Uint8Array, columns: number): ImportedOnnx {
  const { value, isClassifier } = findPrediction(model);
  const probe = compileGraph(
    model,
    value,
  )(
    new Map(
      inputParts(model).map((part) => [
        part.name,
        { type: part.type, dims: [1, part.columns], data: new Float64Array(part.columns) },
      ]),
    ),
  );
  const width = probe.data.length;
  if (width === 0 || probe.type === "string") throw invalidGraph(`its output ${value} has no numbers`);
  const outputs = isClassifier && width === 2 ? 1 : width;
  const estimator: OnnxEstimator = { kind: "onnx", link: "identity", outputs, graph: bytes };
  createOnnxScorer(estimator);
  const task = !isClassifier ? "regression" : outputs === 1 ? "binary" : "multiclass";
  const classes = isClassifier ? findClasses(model, width) : [];
  return { estimator, task, columns, categories: new Array<number>(columns).fill(0), classes };
}

/** A classifier's names, or the list from which the graph takes the label of the best class; empty where there is neither. */
function findClasses({ graph }: OnnxModel, width: number): readonly string[] {
  const lists = graph.nodes.flatMap((node) => {
    if (CLASSIFIERS.has(node.operator)) return [classNames(new Attributes(node))];
    if (node.operator !== "ArrayFeatureExtractor") return [];
    const list = graph.initializers.find(({ name }) => name === node.inputs[0])?.tensor;
    return list?.dims.length === 1 ? [Array.from<string | number, string>(list.data, String)] : [];
  });
  return lists.find(({ length }) => length === width) ?? [];
}

const CLASSIFIERS = new Set(["LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier"]);

function cardinalities(estimator: Recognized["estimator"], columns: number): number[] {
  const counts = new Array<number>(columns).fill(0);
  if (estimator.kind === "linear") return counts;
  for (const { feature, categorical } of estimator.trees) {
    if (categorical === undefined) continue;
    feature.forEach((column, node) => {
      if (categorical.start[node] >= 0) counts[column] = Math.max(counts[column], 32 * categorical.length[node]);
    });
  }
  return counts;
}
