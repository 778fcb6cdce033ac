import type { Tree } from "../../model.ts";
import { previousDouble } from "../float-order.ts";
import { type GraphBuilder, ML_DOMAIN, type Value } from "./graph-builder.ts";
import type { OnnxAttribute } from "./onnx-model.ts";

/** Modes of TreeEnsemble's nodes. */
const LESS_OR_EQUAL = 0;
const MEMBER = 6;

const BELOW_ALL = -Number.MAX_VALUE;

const SUM = 1;
const NO_TRANSFORM = 0;

/**
 * Sums of trees as one TreeEnsemble node (ai.onnx.ml 5), which alone of ONNX's tree operators gives doubles and has sets of
 * categories. Tree t counts for target t % targets.
 *
 * @param input doubles [N, columns]
 * @returns doubles [N, targets]
 */
export function exportTrees(graph: GraphBuilder, input: Value, trees: readonly Tree[], targets: number): Value {
  const nodes = new EnsembleNodes();
  trees.forEach((tree, index) => {
    nodes.add(tree, index % targets);
  });
  return graph.add("TreeEnsemble", [input], nodes.attributes(targets), ML_DOMAIN);
}

/** The parallel arrays of a TreeEnsemble: inner nodes and leaves are numbered apart. */
class EnsembleNodes {
  readonly #features: number[] = [];
  readonly #splits: number[] = [];
  readonly #modes: number[] = [];
  readonly #whenTrue: number[] = [];
  readonly #whenFalse: number[] = [];
  readonly #trueIsLeaf: number[] = [];
  readonly #falseIsLeaf: number[] = [];
  readonly #missingIsTrue: number[] = [];
  /** Sets of the nodes that have one, in their order, NaN after each. */
  readonly #members: number[] = [];
  readonly #weights: number[] = [];
  readonly #targets: number[] = [];
  readonly #roots: number[] = [];

  add(tree: Tree, target: number): void {
    this.#roots.push(this.#features.length);
    if (tree.feature[0] < 0) {
      this.#addLeafTree(tree.value[0], target);
      return;
    }
    const places = this.#placesOf(tree);
    for (let node = 0; node < tree.feature.length; node++) {
      if (tree.feature[node] < 0) {
        this.#weights.push(tree.value[node]);
        this.#targets.push(target);
      } else this.#addSplit(tree, node, places);
    }
  }

  /** Where each node will stand: inner nodes among inner nodes, leaves among leaves. */
  #placesOf(tree: Tree): Int32Array {
    let inner = this.#features.length;
    let leaves = this.#weights.length;
    return tree.feature.map((feature) => (feature < 0 ? leaves++ : inner++));
  }

  #addSplit(tree: Tree, node: number, places: Int32Array): void {
    const { feature, threshold, left, right, categorical } = tree;
    const isCategorical = categorical !== undefined && categorical.start[node] >= 0;
    const members = isCategorical ? membersOf(categorical, node) : [];
    this.#features.push(feature[node]);
    this.#splits.push(isCategorical ? BELOW_ALL : threshold[node]);
    // A set without members, which missing values alone pass, is refused by runtimes; no code is below all numbers either.
    this.#modes.push(members.length > 0 ? MEMBER : LESS_OR_EQUAL);
    this.#whenTrue.push(places[left[node]]);
    this.#whenFalse.push(places[right[node]]);
    this.#trueIsLeaf.push(feature[left[node]] < 0 ? 1 : 0);
    this.#falseIsLeaf.push(feature[right[node]] < 0 ? 1 : 0);
    this.#missingIsTrue.push(missingGoesLeft(tree, node) ? 1 : 0);
    if (members.length > 0) this.#members.push(...members, Number.NaN);
  }

  /** A tree needs a node, and so one whose sides are the same. */
  #addLeafTree(value: number, target: number): void {
    const leaf = this.#weights.push(value) - 1;
    this.#targets.push(target);
    this.#features.push(0);
    this.#splits.push(0);
    this.#modes.push(LESS_OR_EQUAL);
    this.#whenTrue.push(leaf);
    this.#whenFalse.push(leaf);
    this.#trueIsLeaf.push(1);
    this.#falseIsLeaf.push(1);
    this.#missingIsTrue.push(0);
  }

  attributes(targets: number): Record<string, OnnxAttribute> {
    return {
      tree_roots: { type: "ints", value: this.#roots },
      nodes_featureids: { type: "ints", value: this.#features },
      nodes_splits: doubles(this.#splits),
      nodes_modes: {
        type: "tensor",
        value: { type: "uint8", dims: [this.#modes.length], data: Float64Array.from(this.#modes) },
      },
      nodes_truenodeids: { type: "ints", value: this.#whenTrue },
      nodes_falsenodeids: { type: "ints", value: this.#whenFalse },
      nodes_trueleafs: { type: "ints", value: this.#trueIsLeaf },
      nodes_falseleafs: { type: "ints", value: this.#falseIsLeaf },
      nodes_missing_value_tracks_true: { type: "ints", value: this.#missingIsTrue },
      ...(this.#members.length > 0 && { membership_values: doubles(this.#members) }),
      leaf_weights: doubles(this.#weights),
      leaf_targetids: { type: "ints", value: this.#targets },
      n_targets: { type: "int", value: targets },
      aggregate_function: { type: "int", value: SUM },
      post_transform: { type: "int", value: NO_TRANSFORM },
    };
  }
}

/**
 * Where a missing value goes. ONNX Runtime (seen in 1.30 and 1.32) joins nodes that ask the same column for sets of categories, one to
 * the right of the other, where both lead to leaves of the same value on the left, and then knows the first node's side for missing
 * values only. Such a row may as well go left at the first node if it would at a later one: it ends at the same value.
 */
function missingGoesLeft(tree: Tree, node: number): boolean {
  if (tree.missingLeft[node] === 1) return true;
  const next = tree.right[node];
  return isJoined(tree, node, next) && missingGoesLeft(tree, next);
}

function isJoined({ feature, left, value, categorical }: Tree, node: number, next: number): boolean {
  const bothAskForSets = categorical !== undefined && categorical.start[node] >= 0 && categorical.start[next] >= 0;
  const bothEndLeft = feature[left[node]] < 0 && feature[left[next]] < 0;
  return bothAskForSets && bothEndLeft && feature[node] === feature[next] && value[left[node]] === value[left[next]];
}

const doubles = (values: readonly number[]): OnnxAttribute => ({
  type: "tensor",
  value: { type: "double", dims: [values.length], data: Float64Array.from(values) },
});

function membersOf({ start, length, words }: NonNullable<Tree["categorical"]>, node: number): number[] {
  const members: number[] = [];
  for (let code = 0; code < 32 * length[node]; code++) {
    const word = words[start[node] + (code >> 5)];
    if (((word >>> (code & 31)) & 1) === 1) members.push(code);
  }
  return members;
}

/**
 * How many of the ascending `points` are at most `x` (or, with `strictly`, below it), as a tree that asks for it: no table of
 * rows x points is made. NaN counts as above all.
 *
 * @param x doubles [N, 1]
 * @returns doubles [N, 1]
 */
export function exportRank(graph: GraphBuilder, x: Value, points: ArrayLike<number>, strictly = false): Value {
  return exportTrees(graph, x, [rankTree(points, strictly)], 1);
}

function rankTree(points: ArrayLike<number>, strictly: boolean): Tree {
  const feature: number[] = [];
  const threshold: number[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const value: number[] = [];
  // A leaf stands for each number from `low` to `high` points passed.
  const grow = (low: number, high: number): number => {
    const node = feature.push(low === high ? -1 : 0) - 1;
    const middle = (low + high) >> 1;
    const point = low === high ? 0 : points[middle];
    threshold.push(strictly ? point : previousDouble(point));
    value.push(low === high ? low : 0);
    left.push(0);
    right.push(0);
    if (low === high) return node;
    left[node] = grow(low, middle);
    right[node] = grow(middle + 1, high);
    return node;
  };
  grow(0, points.length);
  return {
    feature: Int32Array.from(feature),
    threshold: Float64Array.from(threshold),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    missingLeft: new Uint8Array(feature.length),
    value: Float64Array.from(value),
    cover: new Float64Array(feature.length),
  };
}
