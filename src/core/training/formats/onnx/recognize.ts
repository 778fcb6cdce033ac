import type { LinearEstimator, Link, TreesEstimator } from "../../model.ts";
import { findPrediction } from "../onnx-graph/find-prediction.ts";
import { Attributes } from "../onnx-graph/operator.ts";
import { classNames, type Ensemble, readEnsemble, readTransform } from "../onnx-graph/read-ensemble.ts";
import type { OnnxModel, OnnxNode } from "./onnx-model.ts";

export interface Recognized {
  readonly estimator: TreesEstimator | LinearEstimator;
  /** Empty: it predicts a number. */
  readonly classes: readonly string[];
}

const FLOAT = 1;
const DOUBLE = 11;

/**
 * A graph of one tree ensemble or linear model between a single input and the prediction, as an estimator of ours; null for
 * anything else, which is no error. Around the model there may be casts, what names probabilities (ZipMap), and what makes a
 * prediction of a sum (a factor, a constant, Exp, Sigmoid); before a linear model scalers, which are worked into it.
 *
 * @throws TRAIN_ONNX_INVALID, TRAIN_ONNX_UNSUPPORTED for a tree ensemble that cannot be read
 */
export function recognize(model: OnnxModel, columns: number): Recognized | null {
  const graph = new GraphReader(model);
  const tail: OnnxNode[] = [];
  let { value } = findPrediction(model);
  for (let node = graph.makerOf(value); node !== null; node = graph.makerOf(value)) {
    const core = recognizeCore(graph, node, value, columns);
    if (core !== null) return tail.reverse().reduce<Recognized | null>((so, each) => so && applyTail(graph, so, each), core);
    const [inner, ...others] = node.inputs.filter((name) => graph.constantOf(name) === null);
    if (inner === undefined || others.length > 0) return null;
    tail.push(node);
    value = inner;
  }
  return null;
}

/** Who makes what, in a graph whose nodes come in order, so that following inputs ends. */
class GraphReader {
  readonly model: OnnxModel;
  readonly #makers = new Map<string, { readonly node: OnnxNode; readonly place: number }>();
  readonly #constants: ReadonlyMap<string, readonly number[]>;
  #lastPlace = Number.POSITIVE_INFINITY;

  constructor(model: OnnxModel) {
    this.model = model;
    model.graph.nodes.forEach((node, place) => {
      for (const name of node.outputs) if (name !== "" && !this.#makers.has(name)) this.#makers.set(name, { node, place });
    });
    this.#constants = new Map(
      model.graph.initializers.flatMap(({ name, tensor }) =>
        tensor.type === "string" ? [] : [[name, Array.from(tensor.data)] as const],
      ),
    );
  }

  /** The node before the one asked for last; null where there is none, or where nodes go in circles. */
  makerOf(value: string): OnnxNode | null {
    const made = this.#makers.get(value);
    if (made === undefined || made.place >= this.#lastPlace) return null;
    this.#lastPlace = made.place;
    return made.node;
  }

  constantOf(name: string): readonly number[] | null {
    return this.#constants.get(name) ?? null;
  }

  /** Whether the value is the graph's one input. */
  isInput(value: string): boolean {
    const inputs = this.model.graph.inputs.filter(({ name }) => !this.#constants.has(name));
    return inputs.length === 1 && inputs[0].name === value;
  }
}

/** The link and the estimator where the node is a model that reads the graph's input. */
function recognizeCore(graph: GraphReader, node: OnnxNode, value: string, columns: number): Recognized | null {
  if (node.domain === "" && node.operator === "MatMul") return recognizeProduct(graph, node, columns);
  if (node.domain !== "ai.onnx.ml") return null;
  const isClassifier = node.operator === "TreeEnsembleClassifier" || node.operator === "LinearClassifier";
  if (node.outputs[isClassifier ? 1 : 0] !== value) return null;
  switch (node.operator) {
    case "TreeEnsembleClassifier":
    case "TreeEnsembleRegressor":
    case "TreeEnsemble":
      return recognizeTrees(graph, node, columns);
    case "LinearClassifier":
    case "LinearRegressor":
      return recognizeLinear(graph, node, columns);
    default:
      return null;
  }
}

function recognizeTrees(graph: GraphReader, node: OnnxNode, columns: number): Recognized | null {
  const input = followInput(graph, node.inputs[0]);
  if (input === null || input.scalers.length > 0) return null;
  const opset = graph.model.opsets.get(node.domain) ?? 1;
  const attributes = new Attributes(node);
  const ensemble = readEnsemble({ operator: node.operator, opset, attributes }, { columns, isRounded: input.isRounded });
  if (node.operator !== "TreeEnsembleClassifier") {
    const link = ({ NONE: "identity", LOGISTIC: "logit" } as const)[String(ensemble.transform)];
    if (link === undefined || ensemble.targets !== 1) return null;
    return { estimator: treesOf(ensemble, link), classes: [] };
  }
  return recognizeTreeClassifier(ensemble);
}

const treesOf = ({ trees, base }: Ensemble, link: Link): TreesEstimator => ({ kind: "trees", link, base, trees });

function recognizeTreeClassifier(ensemble: Ensemble): Recognized | null {
  const { transform, classes, isOneSided, allPositive, targets } = ensemble;
  if (isOneSided) {
    if (transform === "LOGISTIC") return { estimator: treesOf(ensemble, "logit"), classes };
    return transform === "NONE" && allPositive ? { estimator: treesOf(ensemble, "identity"), classes } : null;
  }
  const link = ({ NONE: "identity", SOFTMAX: "softmax" } as const)[String(transform)];
  if (link === undefined) return null;
  if (targets !== 2) return { estimator: treesOf(ensemble, link), classes };
  const estimator = link === "softmax" ? differenceOfTrees(ensemble) : secondOutput(ensemble);
  return { estimator, classes };
}

/** Of two probabilities one says it all. */
function secondOutput({ trees, base }: Ensemble): TreesEstimator {
  return { kind: "trees", link: "identity", base: base.subarray(1), trees: trees.filter((_, tree) => tree % 2 === 1) };
}

/** The softmax of two scores is the logistic function of their difference. */
function differenceOfTrees({ trees, base }: Ensemble): TreesEstimator {
  const signed = trees.map((tree, index) => (index % 2 === 1 ? tree : { ...tree, value: tree.value.map((value) => -value) }));
  return { kind: "trees", link: "logit", base: Float64Array.of(base[1] - base[0]), trees: signed };
}

interface FollowedInput {
  /** Whether numbers are float32 when the model reads them. */
  readonly isRounded: boolean;
  /** From the input on. */
  readonly scalers: readonly OnnxNode[];
}

/** The way back from a model's input to the graph's, through casts and scalers; null where there is anything else on it. */
function followInput(graph: GraphReader, start: string): FollowedInput | null {
  const scalers: OnnxNode[] = [];
  let isRounded = false;
  let value = start;
  for (let node = graph.makerOf(value); node !== null; node = graph.makerOf(value)) {
    const attributes = new Attributes(node);
    if (node.operator === "Scaler") {
      scalers.unshift(node);
      isRounded = true;
    } else if (node.operator === "Cast" && attributes.integer("to") === FLOAT) isRounded = true;
    else if (node.operator !== "Identity" && !(node.operator === "Cast" && attributes.integer("to") === DOUBLE)) return null;
    value = node.inputs[0];
  }
  if (!graph.isInput(value)) return null;
  const type = graph.model.graph.inputs.find(({ name }) => name === value)?.type;
  if (type !== "float" && type !== "double") return null;
  return { isRounded: isRounded || type === "float", scalers };
}

function recognizeLinear(graph: GraphReader, node: OnnxNode, columns: number): Recognized | null {
  const input = followInput(graph, node.inputs[0]);
  if (input === null) return null;
  const attributes = new Attributes(node);
  const coefficients = Float64Array.from(attributes.floats("coefficients"));
  const intercepts = Float64Array.from(attributes.floats("intercepts", []));
  const outputs = coefficients.length / columns;
  if (!Number.isInteger(outputs) || (intercepts.length !== outputs && intercepts.length > 0)) return null;
  const plain: Coefficients = { coefficients, intercepts: intercepts.length > 0 ? intercepts : new Float64Array(outputs) };
  const scaled = input.scalers
    .toReversed()
    .reduce<Coefficients | null>((so, scaler) => so && withoutScaler(so, scaler, columns), plain);
  if (scaled === null) return null;
  const transform = readTransform(attributes);
  if (node.operator === "LinearRegressor") {
    return outputs === 1 && transform === "NONE" ? { estimator: linearOf(scaled, "identity"), classes: [] } : null;
  }
  const classes = classNames(attributes);
  if (transform === "SOFTMAX" && outputs === classes.length) {
    return { estimator: outputs === 2 ? linearOf(differenceOf(scaled), "logit") : linearOf(scaled, "softmax"), classes };
  }
  if (transform !== "LOGISTIC" || classes.length !== 2) return null;
  if (outputs === 1) return { estimator: linearOf(scaled, "logit"), classes };
  return outputs === 2 && isMirrored(scaled) ? { estimator: linearOf(secondOf(scaled), "logit"), classes } : null;
}

/** A row times a column of coefficients; what is added to it comes after. */
function recognizeProduct(graph: GraphReader, node: OnnxNode, columns: number): Recognized | null {
  const coefficients = graph.constantOf(node.inputs[1]);
  const input = followInput(graph, node.inputs[0]);
  if (coefficients?.length !== columns || input === null || input.scalers.length > 0) return null;
  const product = { coefficients: Float64Array.from(coefficients), intercepts: new Float64Array(1) };
  return { estimator: linearOf(product, "identity"), classes: [] };
}

interface Coefficients {
  readonly coefficients: Float64Array;
  readonly intercepts: Float64Array;
}

const linearOf = ({ coefficients, intercepts }: Coefficients, link: Link): LinearEstimator => ({
  kind: "linear",
  link,
  coefficients,
  intercepts,
});

/** The same scores from what the scaler reads: (x - offset) * scale. */
function withoutScaler({ coefficients, intercepts }: Coefficients, scaler: OnnxNode, columns: number): Coefficients | null {
  const attributes = new Attributes(scaler);
  const [offset, scale] = [attributes.floats("offset"), attributes.floats("scale")];
  if (![1, columns].includes(offset.length) || ![1, columns].includes(scale.length)) return null;
  const scaled = coefficients.map((value, i) => value * scale[scale.length === 1 ? 0 : i % columns]);
  const shifted = intercepts.map((intercept, output) => {
    let sum = intercept;
    for (let column = 0; column < columns; column++) {
      sum -= scaled[output * columns + column] * offset[offset.length === 1 ? 0 : column];
    }
    return sum;
  });
  return { coefficients: scaled, intercepts: shifted };
}

/** Whether the first class's scores are the second's with the other sign. */
function isMirrored({ coefficients, intercepts }: Coefficients): boolean {
  const columns = coefficients.length / 2;
  return (
    intercepts[0] === -intercepts[1] &&
    coefficients.subarray(0, columns).every((value, i) => value === -coefficients[columns + i])
  );
}

function secondOf({ coefficients, intercepts }: Coefficients): Coefficients {
  return { coefficients: coefficients.slice(coefficients.length / 2), intercepts: intercepts.slice(1) };
}

function differenceOf({ coefficients, intercepts }: Coefficients): Coefficients {
  const columns = coefficients.length / 2;
  return {
    coefficients: coefficients.slice(columns).map((value, i) => value - coefficients[i]),
    intercepts: Float64Array.of(intercepts[1] - intercepts[0]),
  };
}

/** What a node after the model makes of it; null where that is not known. */
function applyTail(graph: GraphReader, { estimator, classes }: Recognized, node: OnnxNode): Recognized | null {
  const attributes = new Attributes(node);
  switch (node.operator) {
    case "Identity":
    case "ZipMap":
      return { estimator, classes };
    case "Cast":
      return [FLOAT, DOUBLE].includes(attributes.integer("to")) ? { estimator, classes } : null;
    case "Reshape":
    case "Flatten":
      return classes.length === 0 ? { estimator, classes } : null;
    case "Normalizer":
      // Probabilities sum to 1 already, but for rounding.
      return estimator.link === "softmax" && attributes.text("norm", "MAX") === "L1" ? { estimator, classes } : null;
    case "Exp":
      return classes.length === 0 && estimator.link === "identity" ? { estimator: { ...estimator, link: "log" }, classes } : null;
    case "Sigmoid":
      return classes.length === 0 && estimator.link === "identity"
        ? { estimator: { ...estimator, link: "logit" }, classes }
        : null;
    default:
      return applyArithmetic(graph, { estimator, classes }, node);
  }
}

/** A factor or a constant, worked into the model. */
function applyArithmetic(graph: GraphReader, { estimator, classes }: Recognized, node: OnnxNode): Recognized | null {
  const [left, right] = node.inputs.map((name) => graph.constantOf(name));
  const [constant, ...more] = left ?? right ?? [];
  if (constant === undefined || more.length > 0) return null;
  const isNeutral = (node.operator === "Mul" && constant === 1) || (node.operator === "Div" && constant === 1 && left === null);
  if (isNeutral) return { estimator, classes };
  if (node.operator === "Mul" && estimator.link === "log" && constant > 0) {
    return { estimator: shifted(estimator, Math.log(constant)), classes };
  }
  if (classes.length > 0 || estimator.link !== "identity") return null;
  switch (node.operator) {
    case "Mul":
      return { estimator: multiplied(estimator, constant), classes };
    case "Div":
      return left === null ? { estimator: multiplied(estimator, 1 / constant), classes } : null;
    case "Add":
      return { estimator: shifted(estimator, constant), classes };
    case "Sub":
      return left === null ? { estimator: shifted(estimator, -constant), classes } : null;
    default:
      return null;
  }
}

function multiplied(estimator: Recognized["estimator"], factor: number): Recognized["estimator"] {
  const times = (values: Float64Array) => values.map((value) => value * factor);
  if (estimator.kind === "linear") {
    return { ...estimator, coefficients: times(estimator.coefficients), intercepts: times(estimator.intercepts) };
  }
  return {
    ...estimator,
    base: times(estimator.base),
    trees: estimator.trees.map((tree) => ({ ...tree, value: times(tree.value) })),
  };
}

function shifted(estimator: Recognized["estimator"], constant: number): Recognized["estimator"] {
  const plus = (values: Float64Array) => values.map((value) => value + constant);
  if (estimator.kind === "linear") return { ...estimator, intercepts: plus(estimator.intercepts) };
  return { ...estimator, base: plus(estimator.base) };
}
