import { trainErrors } from "../../errors.ts";
import type {
  EnsembleEstimator,
  FittedEstimator,
  LinearEstimator,
  OnnxEstimator,
  ServableEstimator,
  TreesEstimator,
} from "../../model.ts";
import type { FittedPreparation } from "../../preparation/fitted-preparation.ts";
import { outputsOf } from "../../score-estimator.ts";
import { exportSigmoid } from "./export-calibration.ts";
import { exportGraph } from "./export-graph.ts";
import { exportPreparation, type FeatureInputs } from "./export-preparation.ts";
import { exportTrees } from "./export-trees.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";

/**
 * The estimator's raw output.
 * @returns doubles [N, outputs]
 * @throws TRAIN_RULE_NOT_SERVABLE for the rule
 * @throws TRAIN_ONNX_UNSUPPORTED for a graph that was trained elsewhere and written for an opset that does not suit
 */
export function exportEstimator(
  graph: GraphBuilder,
  estimator: FittedEstimator,
  preparation: FittedPreparation,
  inputs: FeatureInputs,
): Value {
  switch (estimator.kind) {
    case "baseline":
      return exportRepeated(graph, estimator.output, inputs);
    case "ensemble":
      return exportEnsemble(graph, estimator, inputs);
    case "linear":
    case "trees":
    case "onnx": {
      const matrix = exportPreparation(graph, preparation, inputs);
      if (estimator.kind === "onnx") return exportForeign(graph, estimator, matrix);
      const sumsNothing = estimator.kind === "trees" && estimator.trees.length === 0;
      if (matrix === null || sumsNothing) return exportRepeated(graph, constantPart(estimator), inputs);
      return estimator.kind === "linear" ? exportLinear(graph, estimator, matrix) : exportSum(graph, estimator, matrix);
    }
    case "rule":
      throw trainErrors.TRAIN_RULE_NOT_SERVABLE("the charter's rule is SQL, which ONNX cannot say");
  }
}

function exportForeign(graph: GraphBuilder, estimator: OnnxEstimator, matrix: Value | null): Value {
  if (matrix === null) throw trainErrors.TRAIN_MODEL_CORRUPT("the model's graph reads columns, and its preparation makes none");
  return exportGraph(graph, estimator, matrix);
}

const constantPart = (estimator: LinearEstimator | TreesEstimator): Float64Array =>
  estimator.kind === "linear" ? estimator.intercepts : estimator.base;

/** The same numbers for every row. */
function exportRepeated(graph: GraphBuilder, numbers: Float64Array, inputs: FeatureInputs): Value {
  const rows = graph.add("Gather", [graph.add("Shape", [inputs.values[0]]), graph.integers([0])]);
  const shape = graph.add("Concat", [rows, graph.integers([numbers.length])], { axis: { type: "int", value: 0 } });
  return graph.add("Expand", [graph.matrix(numbers, 1, numbers.length), shape]);
}

function exportLinear(graph: GraphBuilder, { coefficients, intercepts }: LinearEstimator, matrix: Value): Value {
  const outputs = intercepts.length;
  const columns = coefficients.length / outputs;
  const transposed = Float64Array.from(coefficients, (_, i) => coefficients[(i % outputs) * columns + Math.floor(i / outputs)]);
  const product = graph.add("MatMul", [matrix, graph.matrix(transposed, columns, outputs)]);
  return graph.plus(product, graph.matrix(intercepts, 1, outputs));
}

function exportSum(graph: GraphBuilder, { base, trees }: TreesEstimator, matrix: Value): Value {
  return graph.plus(exportTrees(graph, matrix, trees, base.length), graph.matrix(base, 1, base.length));
}

/** A weighted mean of predictions; members prepare the features each in its own way. */
function exportEnsemble(graph: GraphBuilder, { members }: EnsembleEstimator, inputs: FeatureInputs): Value {
  const predictions = members.map(({ estimator, preparation, weight }) => {
    const raw = exportEstimator(graph, estimator, preparation, inputs);
    return graph.times(exportLink(graph, estimator, raw), graph.number(weight));
  });
  return predictions.reduce((sum, prediction) => graph.plus(sum, prediction));
}

/** Predictions of raw outputs. */
export function exportLink(graph: GraphBuilder, estimator: ServableEstimator, raw: Value): Value {
  if (estimator.link === "softmax" && outputsOf(estimator) < 2) {
    throw trainErrors.TRAIN_MODEL_CORRUPT("the model has a softmax of one output");
  }
  switch (estimator.link) {
    case "identity":
      return raw;
    case "logit":
      return exportSigmoid(graph, raw);
    case "softmax":
      return graph.add("Softmax", [raw]);
    case "log":
      return graph.add("Exp", [raw]);
  }
}
