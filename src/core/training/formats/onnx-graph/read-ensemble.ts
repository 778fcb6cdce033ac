import type { Tree } from "../../model.ts";
import { interleaveTrees } from "../imported-model.ts";
import { type Attributes, invalidGraph, type OperatorNode, unsupportedGraph } from "./operator.ts";
import { type EnsembleInput, type EnsembleNode, type EnsembleNodes, treesByTarget } from "./trees-by-target.ts";

/** A TreeEnsemble of any version as trees of ours: tree t counts for target t % targets. */
export interface Ensemble {
  readonly trees: readonly Tree[];
  readonly targets: number;
  /** Added to each target's sum. */
  readonly base: Float64Array;
  readonly transform: PostTransform;
  /** TreeEnsembleClassifier only: the classes' names, which are numbers in most models. */
  readonly classes: readonly string[];
  /** TreeEnsembleClassifier of two classes whose leaves all speak of one: what the sum stands for. */
  readonly isOneSided: boolean;
  readonly allPositive: boolean;
}

export type PostTransform = "NONE" | "LOGISTIC" | "SOFTMAX" | "SOFTMAX_ZERO" | "PROBIT";
const TRANSFORMS: readonly PostTransform[] = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"];

export function readTransform(attributes: Attributes): PostTransform {
  const name = attributes.text("post_transform", "NONE");
  const transform = TRANSFORMS.find((each) => each === name);
  if (transform === undefined) throw invalidGraph(`there is no post_transform ${name}`);
  return transform;
}

/** Modes in the order of their numbers in TreeEnsemble 5. */
const MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER"] as const;

interface ReadNodes extends EnsembleNodes {
  readonly targets: number;
}

/**
 * Reads TreeEnsembleClassifier, TreeEnsembleRegressor (versions 1 to 5) or TreeEnsemble (5).
 * @throws TRAIN_ONNX_INVALID for arrays that do not fit and as `treesByTarget`
 * @throws TRAIN_ONNX_UNSUPPORTED for minima and maxima over trees and as `treesByTarget`
 */
export function readEnsemble(node: OperatorNode, input: EnsembleInput): Ensemble {
  const { attributes, operator } = node;
  const classes = operator === "TreeEnsembleClassifier" ? classNames(attributes) : [];
  const read = operator === "TreeEnsemble" ? readNodes(attributes) : readNodesById(attributes, operator, classes.length);
  const { roots, nodes, targets } = read;
  const used = new Set(nodes.flatMap(({ weights }) => [...weights.keys()]));
  const isOneSided = classes.length === 2 && used.size === 1;
  // The one class that a one-sided classifier speaks of is the positive one, whichever number it has.
  const outputs = isOneSided ? 1 : targets;
  const targetOf = (target: number) => (isOneSided ? 0 : target);
  const made = treesByTarget(read, treeFactor(attributes, operator, roots.length), input);
  const trees = made.map(({ tree }) => tree);
  return {
    trees: interleaveTrees(trees, (index) => targetOf(made[index].target), outputs, invalidGraph),
    targets: outputs,
    base: readBase(attributes, outputs, isOneSided),
    transform: operator === "TreeEnsemble" ? readTransformNumber(attributes) : readTransform(attributes),
    classes,
    isOneSided,
    allPositive: nodes.every(({ weights }) => [...weights.values()].every((weight) => weight >= 0)),
  };
}

function readTransformNumber(attributes: Attributes): PostTransform {
  const transform = TRANSFORMS[attributes.integer("post_transform", 0)];
  if (transform === undefined) throw invalidGraph(`there is no post_transform ${attributes.integer("post_transform")}`);
  return transform;
}

/** Trees are summed, or their mean is taken. */
function treeFactor(attributes: Attributes, operator: string, trees: number): number {
  const name =
    operator === "TreeEnsemble" ? attributes.integer("aggregate_function", 1) : attributes.text("aggregate_function", "SUM");
  if (name === "SUM" || name === 1) return 1;
  if (name === "AVERAGE" || name === 0) return 1 / trees;
  throw unsupportedGraph(`trees are aggregated by ${name}`);
}

function readBase(attributes: Attributes, outputs: number, isOneSided: boolean): Float64Array {
  const values = attributes.numbers("base_values", "base_values_as_tensor");
  if (values.length === 0) return new Float64Array(outputs);
  if (isOneSided) return Float64Array.of(values[values.length - 1]);
  if (values.length !== outputs) throw invalidGraph(`trees have ${values.length} base values for ${outputs} targets`);
  return Float64Array.from(values);
}

/** Names of a classifier's classes; empty where it has none. */
export function classNames(attributes: Attributes): string[] {
  for (const name of ["classlabels_int64s", "classlabels_ints"]) {
    if (attributes.has(name)) return attributes.integers(name).map(String);
  }
  return [...attributes.texts("classlabels_strings", [])];
}

/** Versions 1 to 5 of the classifier and the regressor: nodes and leaves by the numbers of tree and node. */
function readNodesById(attributes: Attributes, operator: string, classes: number): ReadNodes {
  const prefix = operator === "TreeEnsembleClassifier" ? "class" : "target";
  const targets = operator === "TreeEnsembleClassifier" ? classes : attributes.integer("n_targets", 1);
  const tree = attributes.integers("nodes_treeids");
  const id = attributes.integers("nodes_nodeids");
  const count = tree.length;
  const feature = listOf(attributes.integers("nodes_featureids"), count, "nodes_featureids");
  const mode = listOf(attributes.texts("nodes_modes"), count, "nodes_modes");
  const value = listOf(attributes.numbers("nodes_values", "nodes_values_as_tensor"), count, "nodes_values");
  const whenTrue = listOf(attributes.integers("nodes_truenodeids"), count, "nodes_truenodeids");
  const whenFalse = listOf(attributes.integers("nodes_falsenodeids"), count, "nodes_falsenodeids");
  const missing = attributes.integers("nodes_missing_value_tracks_true", []);
  const places = placesById(tree, listOf(id, count, "nodes_nodeids"));
  const placeOf = (ofTree: number, node: number): number => {
    const place = places.get(ofTree)?.get(node);
    if (place === undefined) throw invalidGraph(`tree ${ofTree} has no node ${node}`);
    return place;
  };
  const weights = readWeights(attributes, prefix, targets, placeOf);
  const nodes = tree.map((ofTree, index): EnsembleNode => {
    const own = readMode(mode[index]);
    return {
      mode: own,
      feature: feature[index],
      value: value[index],
      whenTrue: own === "LEAF" ? -1 : placeOf(ofTree, whenTrue[index]),
      whenFalse: own === "LEAF" ? -1 : placeOf(ofTree, whenFalse[index]),
      missingIsTrue: missing[index] === 1,
      members: [],
      weights: weights.get(index) ?? NO_WEIGHTS,
    };
  });
  // A tree begins with the first of its nodes.
  return { nodes, roots: [...places.values()].map((ids) => [...ids.values()][0]), targets };
}

const NO_WEIGHTS: ReadonlyMap<number, number> = new Map();

/** Position of each node by tree and number, in the order of the file. */
function placesById(trees: readonly number[], ids: ArrayLike<number>): Map<number, Map<number, number>> {
  const places = new Map<number, Map<number, number>>();
  trees.forEach((tree, index) => {
    const own = places.get(tree) ?? new Map<number, number>();
    if (own.has(ids[index])) throw invalidGraph(`tree ${tree} has two nodes ${ids[index]}`);
    own.set(ids[index], index);
    places.set(tree, own);
  });
  return places;
}

function readWeights(
  attributes: Attributes,
  prefix: "class" | "target",
  targets: number,
  placeOf: (tree: number, node: number) => number,
): Map<number, Map<number, number>> {
  const tree = attributes.integers(`${prefix}_treeids`);
  const node = listOf(attributes.integers(`${prefix}_nodeids`), tree.length, `${prefix}_nodeids`);
  const target = listOf(attributes.integers(`${prefix}_ids`), tree.length, `${prefix}_ids`);
  const weight = listOf(attributes.numbers(`${prefix}_weights`, `${prefix}_weights_as_tensor`), tree.length, `${prefix}_weights`);
  const weights = new Map<number, Map<number, number>>();
  tree.forEach((ofTree, index) => {
    if (!(target[index] >= 0 && target[index] < targets))
      throw invalidGraph(`a leaf speaks of target ${target[index]} of ${targets}`);
    const place = placeOf(ofTree, node[index]);
    const own = weights.get(place) ?? new Map<number, number>();
    own.set(target[index], (own.get(target[index]) ?? 0) + weight[index]);
    weights.set(place, own);
  });
  return weights;
}

function readMode(name: string): EnsembleNode["mode"] {
  if (name === "LEAF") return name;
  const mode = MODES.find((each) => each === name);
  if (mode === undefined) throw invalidGraph(`there is no mode ${name}`);
  return mode;
}

/** Version 5: inner nodes and leaves in lists of their own; a node says of either child in which list it is. */
function readNodes(attributes: Attributes): ReadNodes {
  const feature = attributes.integers("nodes_featureids");
  const count = feature.length;
  const mode = listOf(numbersOf(attributes, "nodes_modes"), count, "nodes_modes");
  const value = listOf(numbersOf(attributes, "nodes_splits"), count, "nodes_splits");
  const whenTrue = listOf(attributes.integers("nodes_truenodeids"), count, "nodes_truenodeids");
  const whenFalse = listOf(attributes.integers("nodes_falsenodeids"), count, "nodes_falsenodeids");
  const trueIsLeaf = listOf(attributes.integers("nodes_trueleafs"), count, "nodes_trueleafs");
  const falseIsLeaf = listOf(attributes.integers("nodes_falseleafs"), count, "nodes_falseleafs");
  const missing = attributes.integers("nodes_missing_value_tracks_true", []);
  const targets = attributes.integer("n_targets", 1);
  const target = attributes.integers("leaf_targetids");
  const weight = listOf(numbersOf(attributes, "leaf_weights"), target.length, "leaf_weights");
  const members = readMembers(attributes);
  const inner = feature.map((column, index): EnsembleNode => {
    const name = MODES[mode[index]];
    if (name === undefined) throw invalidGraph(`there is no mode ${mode[index]}`);
    return {
      mode: name,
      feature: column,
      value: value[index],
      whenTrue: whenTrue[index] + (trueIsLeaf[index] === 1 ? count : 0),
      whenFalse: whenFalse[index] + (falseIsLeaf[index] === 1 ? count : 0),
      missingIsTrue: missing[index] === 1,
      members: name === "BRANCH_MEMBER" ? (members.shift() ?? []) : [],
      weights: NO_WEIGHTS,
    };
  });
  const leaves = target.map((own, index): EnsembleNode => {
    if (!(own >= 0 && own < targets)) throw invalidGraph(`a leaf speaks of target ${own} of ${targets}`);
    return { ...LEAF, weights: new Map([[own, weight[index]]]) };
  });
  const nodes = [...inner, ...leaves];
  return { nodes: withOwnLeaves(nodes), roots: attributes.integers("tree_roots"), targets };
}

const LEAF = { mode: "LEAF", feature: -1, value: 0, whenTrue: -1, whenFalse: -1, missingIsTrue: false, members: [] } as const;

/** A tree of one leaf is written as a node whose sides are the same leaf; that leaf stands here in its place. */
function withOwnLeaves(nodes: readonly EnsembleNode[]): EnsembleNode[] {
  return nodes.map((node) => (node.mode !== "LEAF" && node.whenTrue === node.whenFalse ? (nodes[node.whenTrue] ?? node) : node));
}

/** Sets follow each other, NaN after each. */
function readMembers(attributes: Attributes): number[][] {
  if (!attributes.has("membership_values")) return [];
  const sets: number[][] = [[]];
  for (const value of numbersOf(attributes, "membership_values")) {
    if (Number.isNaN(value)) sets.push([]);
    else sets[sets.length - 1].push(value);
  }
  return sets;
}

function numbersOf(attributes: Attributes, name: string): Float64Array {
  const tensor = attributes.tensor(name);
  if (tensor.type === "string") throw invalidGraph(`the attribute ${name} is text`);
  return tensor.data;
}

function listOf<T extends ArrayLike<unknown>>(list: T, count: number, name: string): T {
  if (list.length !== count) throw invalidGraph(`${name} has ${list.length} of ${count} elements`);
  return list;
}
