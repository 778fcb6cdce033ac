import { trainErrors } from "../../errors.ts";
import type { OnnxEstimator } from "../../model.ts";
import { neededNodes } from "../onnx-graph/compile-graph.ts";
import { type InputPart, inputParts } from "../onnx-graph/create-onnx-scorer.ts";
import { findPrediction } from "../onnx-graph/find-prediction.ts";
import { decodeOnnx } from "./decode-onnx.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import { ELEMENT_TYPES, type OnnxModel, type OnnxNode } from "./onnx-model.ts";

/**
 * Puts the nodes of a graph that was trained elsewhere behind the matrix that our preparation makes.
 *
 * @param matrix doubles [N, columns], rounded to what the graph's inputs are
 * @returns doubles [N, outputs]
 * @throws TRAIN_ONNX_UNSUPPORTED where the graph's nodes would mean something else under the opset of the file
 */
export function exportGraph(graph: GraphBuilder, { graph: bytes, outputs }: OnnxEstimator, matrix: Value): Value {
  const model = decodeOnnx(bytes);
  const { value, isClassifier } = findPrediction(model);
  const nodes = neededNodes(model, value);
  refuseOtherMeanings(graph, model, nodes);
  const names = new Map(inputParts(model).map((part) => [part.name, exportPart(graph, part, matrix)]));
  for (const { name, tensor } of model.graph.initializers) names.set(name, graph.constant(tensor));
  const nameOf = (name: string) => (name === "" ? "" : (names.get(name) ?? name));
  for (const node of nodes) {
    const made = graph.copy(
      isMapOfNames(node) ? { ...node, operator: "Identity", domain: "", attributes: new Map() } : node,
      nameOf,
    );
    node.outputs.forEach((name, index) => {
      names.set(name, made[index]);
    });
  }
  const doubles = graph.add("Cast", [nameOf(value)], { to: { type: "int", value: ELEMENT_TYPES.double } });
  const rows = graph.add("Reshape", [doubles, graph.integers([-1, isClassifier && outputs === 1 ? 2 : outputs])]);
  return isClassifier && outputs === 1
    ? graph.add("Gather", [rows, graph.integers([1])], { axis: { type: "int", value: 1 } })
    : rows;
}

/** ZipMap makes maps of names to probabilities, which are what is wanted here. */
const isMapOfNames = ({ operator, domain }: OnnxNode): boolean => operator === "ZipMap" && domain === "ai.onnx.ml";

function exportPart(graph: GraphBuilder, { type, first, columns }: InputPart, matrix: Value): Value {
  const places = Array.from({ length: columns }, (_, column) => first + column);
  const own = graph.add("Gather", [matrix, graph.integers(places)], { axis: { type: "int", value: 1 } });
  return graph.add("Cast", [own], { to: { type: "int", value: ELEMENT_TYPES[type] } });
}

/** Our own nodes need this opset at least, and any later one suits them. */
const OWN_OPSET = 13;

/** Operators that became others between the oldest opset in use and `OWN_OPSET`, and of ai.onnx.ml after its first version. */
const CHANGED = new Set(["Clip", "Dropout", "LogSoftmax", "ReduceSum", "Reshape", "Slice", "Softmax", "Squeeze", "Unsqueeze"]);
const RESHAPE_SINCE = 5;

function refuseOtherMeanings(graph: GraphBuilder, model: OnnxModel, nodes: readonly OnnxNode[]): void {
  const opset = model.opsets.get("") ?? OWN_OPSET;
  const mlOpset = model.opsets.get("ai.onnx.ml") ?? 1;
  const changed = nodes.filter(
    ({ operator, domain }) =>
      (domain === "" && opset < OWN_OPSET && CHANGED.has(operator) && !(operator === "Reshape" && opset >= RESHAPE_SINCE)) ||
      (domain === "ai.onnx.ml" && mlOpset < 2 && operator === "LabelEncoder"),
  );
  if (changed.length > 0 || !graph.takeOpset(Math.max(opset, OWN_OPSET))) {
    const names = [...new Set(changed.map(({ operator }) => operator))].join(", ");
    throw trainErrors.TRAIN_ONNX_UNSUPPORTED(
      `the model is a graph of opset ${opset}, which cannot be joined with the nodes of its preparation${names && `: ${names}`}`,
      { hint: "Have its trainer write ONNX with opset 18 or later, and train again." },
    );
  }
}
