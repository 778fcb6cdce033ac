import { trainErrors } from "../errors.ts";
import type { Link, Tree, TreesEstimator } from "../model.ts";
import { previousDouble } from "./float-order.ts";
import { assembleTree, type DescribedNode, type ImportedModel, MAX_OUTPUTS } from "./imported-model.ts";

const invalid = trainErrors.TRAIN_MODEL_FILE_INVALID;
const unsupported = trainErrors.TRAIN_MODEL_FILE_UNSUPPORTED;

/** Bits of `decision_type`: 1 splits on categories, 2 missing goes left, 4 and 8 say what counts as missing. */
const CATEGORICAL = 1;
const DEFAULT_LEFT = 2;
const MISSING_ZERO = 1;
const MISSING_NAN = 2;

/** Where zero counts as missing, numbers at most this far from it do too: LightGBM's kZeroThreshold, a float32. */
const ZERO = Math.fround(1e-35);

/** Nodes that treat zero as missing need copies of their subtrees; a tree may grow by this factor. */
const MAX_GROWTH = 64;

/**
 * Reads a text model that LightGBM's `save_model` or `model_to_string` wrote (versions 3 and 4). The estimator's raw output is
 * LightGBM's `raw_score` to the last bit (times the sigmoid parameter of a binary objective, divided by the number of
 * iterations of a random forest); covers are row counts, as LightGBM's own SHAP values use them. Categories are LightGBM's
 * integer codes; a code that it has not seen goes right, and so does a missing one.
 *
 * @throws TRAIN_MODEL_FILE_INVALID when it is no such file or damaged
 * @throws TRAIN_MODEL_FILE_UNSUPPORTED for linear trees and objectives whose output is no link of ours (multiclassova, cross_entropy_lambda, sqrt)
 */
export function readLightgbmModel(text: string): ImportedModel<TreesEstimator> {
  const [head, ...blocks] = text.split(/^Tree=\d+\r?$/m);
  if (!/^tree\r?$/m.test(head.split("\n", 1)[0])) throw invalid("this is no LightGBM text model: it does not begin with tree");
  const header = readFields(head);
  if (!/^end of trees\r?$/m.test(text)) throw invalid("the LightGBM model ends before its trees do");
  const sizes = header.numbers("tree_sizes", 0);
  if (sizes.length !== blocks.length) {
    throw invalid(`the LightGBM model says ${sizes.length} trees and has ${blocks.length}`);
  }
  const features = header.text("feature_names").split(" ");
  if (features.length !== header.number("max_feature_idx") + 1) {
    throw invalid(`the LightGBM model names ${features.length} features and has ${header.number("max_feature_idx") + 1}`);
  }
  const outputs = header.number("num_tree_per_iteration");
  if (!(Number.isInteger(outputs) && outputs >= 1 && outputs <= MAX_OUTPUTS && blocks.length % outputs === 0)) {
    throw invalid(`the LightGBM model has ${blocks.length} trees for ${outputs} outputs`);
  }
  const objective = header.has("objective") ? header.text("objective") : "custom";
  const { link, scale } = readObjective(objective);
  const factor = header.has("average_output") ? scale / (blocks.length / outputs) : scale;
  const trees = blocks.map((block) => scaled(readTree(block, features.length), factor));
  return {
    estimator: { kind: "trees", link, base: new Float64Array(outputs), trees },
    features,
    categories: cardinalities(header, trees, features.length),
    objective,
  };
}

const LINKS: Readonly<Record<string, Link>> = {
  binary: "logit",
  cross_entropy: "logit",
  multiclass: "softmax",
  poisson: "log",
  gamma: "log",
  tweedie: "log",
  regression: "identity",
  regression_l1: "identity",
  huber: "identity",
  fair: "identity",
  quantile: "identity",
  mape: "identity",
  lambdarank: "identity",
  rank_xendcg: "identity",
  custom: "identity",
};

/** `binary sigmoid:1`, `multiclass num_class:3`, `regression sqrt`: the link, and by how much raw outputs are scaled under it. */
function readObjective(objective: string): { readonly link: Link; readonly scale: number } {
  const [name, ...parameters] = objective.split(" ");
  const link = LINKS[name];
  if (link === undefined) throw unsupported(`LightGBM's objective ${name} has no equivalent here`);
  if (parameters.includes("sqrt")) throw unsupported("LightGBM's reg_sqrt squares its output, which has no equivalent here");
  const sigmoid = parameters.find((each) => each.startsWith("sigmoid:"));
  const scale = sigmoid === undefined || name !== "binary" ? 1 : Number(sigmoid.slice("sigmoid:".length));
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY)) throw invalid(`the LightGBM model has the objective ${objective}`);
  return { link, scale };
}

function readTree(block: string, columns: number): Tree {
  const fields = readFields(block);
  if (fields.has("is_linear") && fields.number("is_linear") !== 0) {
    throw unsupported("the LightGBM model has linear trees (linear_tree=true)");
  }
  const leaves = fields.number("num_leaves");
  if (!(Number.isInteger(leaves) && leaves >= 1)) throw invalid(`a LightGBM tree has ${leaves} leaves`);
  const nodes = leaves === 1 ? [onlyLeaf(fields)] : describeNodes(fields, leaves);
  return assembleTree({
    root: 0,
    nodeAt: (node) => {
      const described = nodes[node];
      if (described === undefined) throw invalid(`a LightGBM tree leads to node ${node}, which it does not have`);
      return described;
    },
    columns,
    maxNodes: nodes.length > 2 * leaves - 1 ? MAX_GROWTH * nodes.length : nodes.length,
    fail: invalid,
  });
}

const onlyLeaf = (fields: Fields): DescribedNode => ({
  kind: "leaf",
  value: fields.numbers("leaf_value", 1)[0],
  cover: fields.has("leaf_count") ? fields.numbers("leaf_count", 1)[0] : 0,
});

/** Inner nodes first, then leaves (LightGBM's ~leaf), then what nodes that treat zero as missing need besides. */
function describeNodes(fields: Fields, leaves: number): DescribedNode[] {
  const inner = leaves - 1;
  const feature = fields.numbers("split_feature", inner);
  const threshold = fields.numbers("threshold", inner);
  const decision = fields.numbers("decision_type", inner);
  const left = fields.numbers("left_child", inner);
  const right = fields.numbers("right_child", inner);
  const cover = fields.numbers("internal_count", inner);
  const value = fields.numbers("leaf_value", leaves);
  const leafCover = fields.numbers("leaf_count", leaves);
  const setOf = categorySets(fields);
  const place = (child: number) => (child >= 0 ? child : inner + ~child);
  const coverAt = (node: number) => (node < inner ? cover[node] : leafCover[node - inner]);

  const nodes: DescribedNode[] = [];
  for (let leaf = 0; leaf < leaves; leaf++) nodes[inner + leaf] = { kind: "leaf", value: value[leaf], cover: leafCover[leaf] };
  for (let node = 0; node < inner; node++) {
    const split = { feature: feature[node], left: place(left[node]), right: place(right[node]), cover: cover[node] };
    const defaultLeft = (decision[node] & DEFAULT_LEFT) !== 0;
    const missing = (decision[node] >> 2) & 3;
    if ((decision[node] & CATEGORICAL) !== 0) {
      nodes[node] = { ...split, kind: "categories", missingLeft: false, words: setOf(threshold[node]) };
    } else if (missing === MISSING_ZERO) {
      const covers = { leftCover: coverAt(split.left), rightCover: coverAt(split.right) };
      describeZeroAsMissing(nodes, node, { ...split, ...covers, threshold: threshold[node], defaultLeft });
    } else {
      // Where NaN is not expected, LightGBM reads it as 0.
      const missingLeft = missing === MISSING_NAN ? defaultLeft : threshold[node] >= 0;
      nodes[node] = { ...split, kind: "number", missingLeft, threshold: threshold[node] };
    }
  }
  return nodes;
}

interface ZeroSplit {
  readonly feature: number;
  readonly left: number;
  readonly right: number;
  readonly cover: number;
  readonly leftCover: number;
  readonly rightCover: number;
  readonly threshold: number;
  readonly defaultLeft: boolean;
}

/**
 * A node that sends zero and NaN one way and other numbers by its threshold. Where zero is on its side of the threshold anyway,
 * one comparison says that. Otherwise it takes three, and copies of both subtrees. Each copy gets half the cover: then the
 * shares by which path-dependent SHAP weighs both sides stay those of LightGBM's one node.
 */
function describeZeroAsMissing(nodes: DescribedNode[], node: number, split: ZeroSplit): void {
  const { feature, left, right, cover, threshold, defaultLeft } = split;
  const belowZero = previousDouble(-ZERO);
  if (threshold >= belowZero && threshold <= ZERO) {
    // The threshold lies among the numbers that count as zero: they all go the default way.
    const moved = defaultLeft ? ZERO : belowZero;
    nodes[node] = { kind: "number", feature, left, right, cover, missingLeft: defaultLeft, threshold: moved };
    return;
  }
  const zeroIsLeft = threshold > 0;
  if (zeroIsLeft === defaultLeft) {
    nodes[node] = { kind: "number", feature, left, right, cover, missingLeft: defaultLeft, threshold };
    return;
  }
  const second = nodes.length;
  const third = second + 1;
  const secondCover = cover - 0.5 * split.leftCover;
  const thirdCover = secondCover - 0.5 * split.rightCover;
  const common = { kind: "number", feature, missingLeft: defaultLeft } as const;
  const last = { left, leftShare: 0.5, right, rightShare: 0.5, cover: thirdCover };
  if (defaultLeft) {
    // x <= threshold: left; below zero: right; zero: left; above: right.
    nodes[node] = { ...common, threshold, cover, left, leftShare: 0.5, right: second };
    nodes[second] = { ...common, threshold: belowZero, cover: secondCover, left: right, leftShare: 0.5, right: third };
    nodes[third] = { ...common, ...last, threshold: ZERO };
    return;
  }
  // Below zero: left; zero and NaN: right; x <= threshold: left; above: right.
  nodes[node] = { ...common, threshold: belowZero, cover, left, leftShare: 0.5, right: second };
  nodes[second] = {
    ...common,
    missingLeft: true,
    threshold: ZERO,
    cover: secondCover,
    left: right,
    leftShare: 0.5,
    right: third,
  };
  nodes[third] = { ...common, ...last, threshold };
}

/** Sets of category codes by their number, as words of 32 bits. */
function categorySets(fields: Fields): (set: number) => readonly number[] {
  const count = fields.number("num_cat");
  if (count === 0) {
    return () => {
      throw invalid("a LightGBM node splits on categories that its tree does not list");
    };
  }
  const bounds = fields.numbers("cat_boundaries", count + 1);
  const words = fields.numbers("cat_threshold", bounds[count]);
  if (words.some((word) => !(Number.isInteger(word) && word >= 0 && word <= 0xffffffff))) {
    throw invalid("a LightGBM tree has a damaged set of categories");
  }
  return (set) => {
    const [start, end] = [bounds[set], bounds[set + 1]];
    if (!(start >= 0 && start <= end && end <= words.length)) throw invalid(`a LightGBM node splits on the missing set ${set}`);
    return words.slice(start, end);
  };
}

function scaled(tree: Tree, factor: number): Tree {
  return factor === 1 ? tree : { ...tree, value: tree.value.map((value) => value * factor) };
}

/** `feature_infos` has `[low:high]` for a number, `none` for a column that is not used, and `3:0:1` for codes. */
function cardinalities(header: Fields, trees: readonly Tree[], columns: number): number[] {
  const infos = header.has("feature_infos") ? header.text("feature_infos").split(" ") : [];
  const counts = Array.from({ length: columns }, (_, column) => {
    const info = infos[column] ?? "none";
    if (info === "none" || info.startsWith("[")) return 0;
    return info.split(":").reduce((most, code) => Math.max(most, Number(code) + 1), 0);
  });
  for (const { feature, categorical } of trees) {
    if (categorical === undefined) continue;
    feature.forEach((column, node) => {
      if (categorical.start[node] >= 0) counts[column] = Math.max(counts[column], 1);
    });
  }
  return counts;
}

interface Fields {
  has(name: string): boolean;
  text(name: string): string;
  number(name: string): number;
  /** Numbers between spaces; `count` of them, or any number of them where it is 0. */
  numbers(name: string, count: number): number[];
}

/** Lines of the form name=value; a line without `=` is a name without a value. */
function readFields(block: string): Fields {
  const values = new Map<string, string>();
  for (const line of block.split("\n")) {
    const trimmed = line.trimEnd();
    const equals = trimmed.indexOf("=");
    if (equals < 0) values.set(trimmed, "");
    else if (!values.has(trimmed.slice(0, equals))) values.set(trimmed.slice(0, equals), trimmed.slice(equals + 1));
  }
  const text = (name: string) => {
    const value = values.get(name);
    if (value === undefined) throw invalid(`the LightGBM model lacks ${name}`);
    return value;
  };
  const numbers = (name: string, count: number) => {
    const parts = text(name).split(" ").filter(Boolean);
    const parsed = parts.map(readNumber);
    if ((count > 0 && parsed.length !== count) || parsed.some(Number.isNaN)) {
      throw invalid(`the LightGBM model's ${name} is not ${count > 0 ? count : "a list of"} numbers`);
    }
    return parsed;
  };
  return { has: (name) => values.has(name), text, number: (name) => numbers(name, 1)[0], numbers };
}

/** C++ writes infinities as inf. */
function readNumber(text: string): number {
  if (text === "inf") return Number.POSITIVE_INFINITY;
  if (text === "-inf") return Number.NEGATIVE_INFINITY;
  return Number(text);
}
