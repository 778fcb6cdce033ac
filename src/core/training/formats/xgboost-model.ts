import { z } from "zod";
import { trainErrors } from "../errors.ts";
import type { LinearEstimator, Link, Tree, TreesEstimator } from "../model.ts";
import { previousFloat, thresholdForRounded } from "./float-order.ts";
import {
  assembleTree,
  type DescribedNode,
  type ImportedModel,
  interleaveTrees,
  MAX_COLUMNS,
  MAX_OUTPUTS,
} from "./imported-model.ts";
import { readUbjson } from "./ubjson.ts";

const invalid = trainErrors.TRAIN_MODEL_FILE_INVALID;
const unsupported = trainErrors.TRAIN_MODEL_FILE_UNSUPPORTED;

const numbers = z.array(z.number());

const treeSchema = z.object({
  left_children: numbers,
  right_children: numbers,
  split_indices: numbers,
  split_conditions: numbers,
  default_left: numbers,
  sum_hessian: numbers,
  split_type: numbers.optional(),
  categories: numbers.optional(),
  categories_nodes: numbers.optional(),
  categories_segments: numbers.optional(),
  categories_sizes: numbers.optional(),
  tree_param: z.object({ size_leaf_vector: z.string().optional() }),
});

const treesSchema = z.object({ model: z.object({ trees: z.array(treeSchema), tree_info: numbers }) });

const fileSchema = z.object({
  learner: z.object({
    feature_names: z.array(z.string()).optional(),
    feature_types: z.array(z.string()).optional(),
    learner_model_param: z.object({
      base_score: z.string(),
      num_class: z.string(),
      num_feature: z.string(),
      num_target: z.string().optional(),
    }),
    objective: z.object({ name: z.string() }),
    gradient_booster: z.discriminatedUnion("name", [
      treesSchema.extend({ name: z.literal("gbtree") }),
      z.object({ name: z.literal("dart"), gbtree: treesSchema, weight_drop: numbers }),
      z.object({ name: z.literal("gblinear"), model: z.object({ weights: numbers }) }),
    ]),
  }),
});

type SavedTree = z.infer<typeof treeSchema>;
type Learner = z.infer<typeof fileSchema>["learner"];

/**
 * Reads a model that XGBoost's `save_model` or `save_raw` wrote, as JSON or UBJSON. The estimator's raw output is XGBoost's
 * `output_margin`: the same leaves for every row (numbers are compared as XGBoost does after rounding them to float32), summed
 * in double where XGBoost sums in float32, so that they differ by its rounding, some 1e-7 of the sum. Covers are sums of
 * hessians. A category code that XGBoost has not seen goes left there, and in every tree here.
 *
 * @throws TRAIN_MODEL_FILE_INVALID when it is no such file or damaged
 * @throws TRAIN_MODEL_FILE_UNSUPPORTED for several targets and objectives whose output is no link of ours
 */
export function readXgboostModel(bytes: Uint8Array): ImportedModel {
  const parsed = fileSchema.safeParse(parse(bytes));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`this is no XGBoost model: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { learner } = parsed.data;
  const objective = learner.objective.name;
  const link = LINKS[objective];
  if (link === undefined) throw unsupported(`XGBoost's objective ${objective} has no equivalent here`);
  const columns = whole(learner.learner_model_param.num_feature, "num_feature", MAX_COLUMNS);
  if (whole(learner.learner_model_param.num_target ?? "1", "num_target", MAX_OUTPUTS) > 1) {
    throw unsupported("the XGBoost model predicts several targets");
  }
  const base = readBase(learner);
  const estimator =
    learner.gradient_booster.name === "gblinear"
      ? readLinear(learner.gradient_booster.model.weights, columns, base, link)
      : readTrees(learner.gradient_booster, columns, base, link);
  return {
    estimator,
    features: featureNames(learner, columns),
    categories: cardinalities(learner, estimator, columns),
    objective,
  };
}

const LINKS: Readonly<Record<string, Link>> = {
  "binary:logistic": "logit",
  "reg:logistic": "logit",
  "binary:logitraw": "identity",
  "multi:softprob": "softmax",
  "multi:softmax": "softmax",
  "count:poisson": "log",
  "reg:gamma": "log",
  "reg:tweedie": "log",
  "survival:cox": "log",
  "survival:aft": "log",
  "reg:squarederror": "identity",
  "reg:linear": "identity",
  "reg:squaredlogerror": "identity",
  "reg:pseudohubererror": "identity",
  "reg:absoluteerror": "identity",
  "reg:quantileerror": "identity",
  "rank:pairwise": "identity",
  "rank:ndcg": "identity",
  "rank:map": "identity",
};

const OPEN_BRACE = 0x7b;

/** Both forms begin with a brace; UBJSON goes on with a length or another of its markers, JSON with a quote or white space. */
function parse(bytes: Uint8Array): unknown {
  if (bytes[0] !== OPEN_BRACE) throw invalid("this is no XGBoost model: it does not begin with {");
  if (!/[\s"}]/.test(String.fromCharCode(bytes[1]))) return readUbjson(bytes);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw invalid("the XGBoost model is no JSON", { cause });
  }
}

function whole(text: string, name: string, most: number): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 0 && value <= most)) throw invalid(`the XGBoost model's ${name} is ${text}`);
  return value;
}

/** `5E-1`, or `[1E-1,2E-1,7E-1]` since 3.1: what a row without trees would get, before the link where it has one. */
function readBase({ learner_model_param: { base_score, num_class }, objective }: Learner): Float64Array {
  const outputs = Math.max(1, whole(num_class, "num_class", MAX_OUTPUTS));
  const scores = base_score
    .replace(/^\[|\]$/g, "")
    .split(",")
    .map(Number);
  if (scores.some((score) => !Number.isFinite(score)) || (scores.length !== 1 && scores.length !== outputs)) {
    throw invalid(`the XGBoost model has the base score ${base_score} for ${outputs} outputs`);
  }
  const margins = scores.map((score) => Math.fround(marginOf(objective.name, score)));
  return Float64Array.from({ length: outputs }, (_, output) => margins[margins.length === 1 ? 0 : output]);
}

function marginOf(objective: string, score: number): number {
  const isProbability = LINKS[objective] === "logit" || objective === "binary:logitraw";
  if (isProbability) {
    if (!(score > 0 && score < 1)) throw invalid(`the XGBoost model has the base score ${score} for a probability`);
    return -Math.log(1 / score - 1);
  }
  if (LINKS[objective] !== "log") return score;
  if (!(score > 0)) throw invalid(`the XGBoost model has the base score ${score} for an expected value`);
  return Math.log(score);
}

/** Weights by column, one an output, and the intercepts last. */
function readLinear(weights: readonly number[], columns: number, base: Float64Array, link: Link): LinearEstimator {
  const outputs = base.length;
  if (weights.length !== (columns + 1) * outputs) {
    throw invalid(`the XGBoost model has ${weights.length} weights for ${columns} columns and ${outputs} outputs`);
  }
  const coefficients = Float64Array.from({ length: columns * outputs }, (_, index) =>
    Math.fround(weights[(index % columns) * outputs + Math.floor(index / columns)]),
  );
  return {
    kind: "linear",
    link,
    intercepts: base.map((score, output) => score + Math.fround(weights[columns * outputs + output])),
    coefficients,
  };
}

function readTrees(
  booster: Exclude<Learner["gradient_booster"], { name: "gblinear" }>,
  columns: number,
  base: Float64Array,
  link: Link,
): TreesEstimator {
  const { trees, tree_info } = booster.name === "dart" ? booster.gbtree.model : booster.model;
  const weights = booster.name === "dart" ? booster.weight_drop : trees.map(() => 1);
  if (tree_info.length !== trees.length || weights.length !== trees.length) {
    throw invalid(`the XGBoost model has ${trees.length} trees, outputs of ${tree_info.length} and weights of ${weights.length}`);
  }
  const outputs = base.length;
  if (tree_info.some((output) => !(Number.isInteger(output) && output >= 0 && output < outputs))) {
    throw invalid(`a tree of the XGBoost model belongs to none of its ${outputs} outputs`);
  }
  const read = trees.map((tree, index) => readTree(tree, columns, Math.fround(weights[index])));
  return { kind: "trees", link, base, trees: interleaveTrees(read, (tree) => tree_info[tree], outputs, invalid) };
}

function readTree(saved: SavedTree, columns: number, weight: number): Tree {
  if (Number(saved.tree_param.size_leaf_vector ?? "1") > 1) throw unsupported("the XGBoost model's leaves are vectors");
  const nodes = saved.left_children.length;
  for (const name of ["right_children", "split_indices", "split_conditions", "default_left", "sum_hessian"] as const) {
    if (saved[name].length !== nodes)
      throw invalid(`a tree of the XGBoost model has ${nodes} nodes, but ${saved[name].length} ${name}`);
  }
  const setOf = categorySets(saved);
  return assembleTree({
    root: 0,
    nodeAt: (node) => describeNode(saved, node, weight, setOf),
    columns,
    maxNodes: nodes,
    fail: invalid,
  });
}

function describeNode(saved: SavedTree, node: number, weight: number, setOf: (node: number) => Uint32Array): DescribedNode {
  const left = saved.left_children[node];
  const right = saved.right_children[node];
  if (left === undefined) throw invalid(`a tree of the XGBoost model leads to node ${node}, which it does not have`);
  const cover = Math.fround(saved.sum_hessian[node]);
  const condition = Math.fround(saved.split_conditions[node]);
  if (left < 0) return { kind: "leaf", value: Math.fround(condition * weight), cover };
  const feature = saved.split_indices[node];
  const defaultLeft = saved.default_left[node] === 1;
  if (saved.split_type?.[node] === 1) {
    // XGBoost's set goes right, and so sides change places here.
    return { kind: "categories", feature, left: right, right: left, missingLeft: !defaultLeft, words: setOf(node), cover };
  }
  const threshold = thresholdForRounded(previousFloat(condition));
  return { kind: "number", feature, threshold, left, right, missingLeft: defaultLeft, cover };
}

/** More codes than this are no categories but damage: XGBoost itself stops at 2^24. */
const MAX_CATEGORIES = 2 ** 24;

/** The codes in a node's set, as words of 32 bits. */
function categorySets(saved: SavedTree): (node: number) => Uint32Array {
  const { categories = [], categories_nodes = [], categories_segments = [], categories_sizes = [] } = saved;
  const places = new Map(categories_nodes.map((node, index) => [node, index]));
  return (node) => {
    const place = places.get(node);
    if (place === undefined) throw invalid("a node of the XGBoost model splits on categories that its tree does not list");
    const start = categories_segments[place];
    const codes = categories.slice(start, start + categories_sizes[place]);
    if (!codes.every((code) => Number.isInteger(code) && code >= 0 && code < MAX_CATEGORIES)) {
      throw invalid("a tree of the XGBoost model has a damaged set of categories");
    }
    const words = new Uint32Array(codes.reduce((most, code) => Math.max(most, (code >> 5) + 1), 0));
    for (const code of codes) words[code >> 5] |= 1 << (code & 31);
    return words;
  };
}

function featureNames({ feature_names = [] }: Learner, columns: number): string[] {
  if (feature_names.length !== 0 && feature_names.length !== columns) {
    throw invalid(`the XGBoost model names ${feature_names.length} of its ${columns} features`);
  }
  return Array.from({ length: columns }, (_, column) => feature_names[column] ?? `f${column}`);
}

/** The file does not say how many codes a column has: one more than the highest that a node asks for. */
function cardinalities({ feature_types = [] }: Learner, estimator: ImportedModel["estimator"], columns: number): number[] {
  const counts: number[] = Array.from({ length: columns }, (_, column) => (feature_types[column] === "c" ? 1 : 0));
  if (estimator.kind === "linear") return counts;
  for (const { feature, categorical } of estimator.trees) {
    if (categorical === undefined) continue;
    feature.forEach((column, node) => {
      const start = categorical.start[node];
      const length = categorical.length[node];
      if (start < 0 || length === 0) return;
      const highest = 32 * (length - 1) + 31 - Math.clz32(categorical.words[start + length - 1]);
      counts[column] = Math.max(counts[column], highest + 1);
    });
  }
  return counts;
}
