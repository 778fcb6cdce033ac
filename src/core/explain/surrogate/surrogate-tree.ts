import { randomForest } from "../../definitions/index.ts";
import {
  type Dataset,
  encode,
  type FeatureColumn,
  fitCandidate,
  type ModelPackage,
  outputsOf,
  predict,
  type RowSelection,
  scoreMatrix,
  seededRandom,
  type TreesEstimator,
} from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { checkFeatures, evenSample, everyRow, takeRows } from "../sample-rows.ts";
import { type LeafRule, leafRules } from "./leaf-rules.ts";

export interface SurrogateOptions {
  /** At most 4, so that it can be read; 3 unless said. */
  readonly maxDepth?: number;
  /** Rows taken, evenly spaced; 20,000 unless said. */
  readonly maxRows?: number;
  /** Least share of the rows in a leaf; 0.02 unless said. */
  readonly minLeafShare?: number;
  readonly seed?: number;
}

export interface SurrogateTree {
  readonly depth: number;
  /** Rows that it was grown on, and others that it was compared with the model on. */
  readonly rows: { readonly grown: number; readonly held: number };
  /** Most rows first. They exclude each other, and every row is in one. */
  readonly rules: readonly SurrogateRule[];
  readonly fidelity: SurrogateFidelity;
  /** What it can and cannot be used for, with the figures. */
  readonly limits: readonly string[];
}

export interface SurrogateRule {
  /** "weather.wind > 0.7 and shop.kind is a or b"; "always" for a single leaf. */
  readonly when: string;
  /** Binary, regression: the model's mean prediction among the rows it was grown on. Multiclass: the class that the model says most often. */
  readonly predicts: number | string;
  /** Share of all rows. */
  readonly share: number;
}

/** On rows that it was not grown on. */
export interface SurrogateFidelity {
  /** Share of the variance of the model's predictions that it explains; null where they do not vary, and for several classes. */
  readonly r2: number | null;
  /** Share of the rows for which it decides as the model does (at the threshold, or which class); null for values. */
  readonly agreement: number | null;
  /** What always saying the model's most frequent decision would reach; null for values. */
  readonly agreementOfConstant: number | null;
}

const DEFAULTS = { maxDepth: 3, maxRows: 20_000, minLeafShare: 0.02, seed: 1 };
const MOST_DEPTH = 4;
/** Share of the rows that it is compared on. */
const HELD = 0.3;

/**
 * A small decision tree on the model's own predictions (Craven and Shavlik, "Extracting tree-structured representations of trained
 * networks", 1996): a summary that can be read, and how faithful it is on rows that it was not grown on. Features are taken as they
 * are, without the model's preparation; of a feature with many categories the rarer ones count as one.
 *
 * @throws EXPLAIN_NO_ROWS, EXPLAIN_FEATURES_MISMATCH, EXPLAIN_DEPTH_INVALID, TRAIN_NO_FEATURES where no feature has a value
 */
export function surrogateTree(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  options: SurrogateOptions = {},
): SurrogateTree {
  const { maxDepth, maxRows, minLeafShare, seed } = { ...DEFAULTS, ...options };
  if (!(Number.isInteger(maxDepth) && maxDepth >= 1 && maxDepth <= MOST_DEPTH)) {
    throw explainErrors.EXPLAIN_DEPTH_INVALID(`a surrogate of depth ${maxDepth}`);
  }
  checkFeatures(model, dataset);
  const sample = takeRows(dataset, evenSample(rows, maxRows));
  const readable = { ...sample, features: sample.features.map(withFewCategories) };
  const saying = spoken(model, sample);
  const { grown, held } = apart(sample.rows, seed);
  const candidate = randomForest({
    trees: 1,
    maxDepth,
    minLeafRows: Math.max(1, Math.ceil(minLeafShare * grown.length)),
    maxFeatures: "all",
    bootstrap: false,
  });
  const fitted = varies(saying.label, grown) ? fitTree(model, { ...readable, ...saying }, grown, candidate, seed) : null;
  const told = fitted === null ? constantAnswer(saying.label, sample.rows) : fitted.answers;
  const rules = fitted === null ? [{ when: [], rows: sample.rows, answer: told[0] }] : fitted.rules;
  const fidelity = fidelityOf(model, saying.label, told, held);
  return {
    depth: fitted?.depth ?? 0,
    rows: { grown: grown.length, held: held.length },
    rules: rules
      .map(({ when, rows: count, answer }) => ({
        when: when.length === 0 ? "always" : when.join(" and "),
        predicts: model.task === "multiclass" ? model.classes[answer] : answer,
        share: count / sample.rows,
      }))
      .sort((a, b) => b.share - a.share),
    fidelity,
    limits: limitsOf(fidelity, maxDepth),
  };
}

/** Categories with a name of their own in the rules: the most frequent ones. */
const NAMED = 8;

/** The rarer categories as one, so that a rule can name all that it is about. */
function withFewCategories(column: FeatureColumn): FeatureColumn {
  if (column.kind === "numeric") return column;
  const counts = new Float64Array(column.categories.length);
  for (const code of column.codes) if (code >= 0) counts[code] += 1;
  const present = Array.from(counts.keys()).filter((code) => counts[code] > 0);
  if (present.length <= NAMED + 1) return column;
  const named = present.sort((a, b) => counts[b] - counts[a] || a - b).slice(0, NAMED);
  const positions = new Map(named.map((code, position) => [code, position]));
  return {
    ...column,
    codes: column.codes.map((code) => (code < 0 ? -1 : (positions.get(code) ?? NAMED))),
    categories: [...named.map((code) => column.categories[code]), `any of ${present.length - NAMED} rarer ones`],
  };
}

/** The model's predictions as labels: probability or value as they are, of several classes the likeliest. */
function spoken(model: ModelPackage, sample: Dataset): Pick<Dataset, "task" | "classes" | "label"> {
  const { prediction } = predict(model, sample, everyRow(sample));
  if (model.task !== "multiclass") return { task: "regression", classes: [], label: prediction };
  return { task: "multiclass", classes: model.classes, label: likeliest(prediction, model.classes.length) };
}

function likeliest(probabilities: Float64Array, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, row) => {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      if (probabilities[row * classes + k] > probabilities[row * classes + best]) best = k;
    }
    return best;
  });
}

/** A single row is both. */
function apart(rows: number, seed: number): { grown: RowSelection; held: RowSelection } {
  const random = seededRandom(seed);
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  for (let i = rows - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
  const count = rows < 2 ? rows : Math.max(1, Math.round((1 - HELD) * rows));
  return { grown: order.subarray(0, count).sort(), held: rows < 2 ? order : order.subarray(count).sort() };
}

const varies = (label: Dataset["label"], rows: RowSelection): boolean => rows.some((row) => label[row] !== label[rows[0]]);

const constantAnswer = (label: Dataset["label"], rows: number): Float64Array => new Float64Array(rows).fill(label[0]);

interface FittedTree {
  /** By row of the sample. */
  readonly answers: Float64Array;
  readonly rules: readonly (LeafRule & { readonly answer: number })[];
  readonly depth: number;
}

function fitTree(
  model: ModelPackage,
  labelled: Dataset,
  grown: RowSelection,
  candidate: ReturnType<typeof randomForest>,
  seed: number,
): FittedTree {
  const { preparation, estimator } = fitCandidate(labelled, { train: grown, validation: new Uint32Array(0) }, candidate, {
    candidate,
    prepare: [],
    plan: model.plan,
    decision: model.decision,
    model: model.model,
    seed,
    select: "rmse",
    trainedAt: model.trainedAt,
    snapshots: model.snapshots,
  });
  if (estimator.kind !== "trees") throw explainErrors.EXPLAIN_TREE_INVALID(`a surrogate came out as ${estimator.kind}`);
  const matrix = encode(preparation, labelled, everyRow(labelled));
  const outputs = outputsOf(estimator);
  const raw = scoreMatrix(estimator, matrix);
  const answers = labelled.task === "regression" ? raw : Float64Array.from(answersOf(raw, outputs));
  const rules = leafRules(estimator.trees[0], preparation, labelled, matrix);
  return {
    answers,
    rules: rules.map((rule) => ({ ...rule, answer: answerAt(estimator, rule.leaf, labelled.task === "regression") })),
    depth: rules.reduce((most, { depth }) => Math.max(most, depth), 0),
  };
}

/** One probability (of two classes) or one a class, as the likeliest class. */
const answersOf = (raw: Float64Array, outputs: number): Int32Array =>
  outputs === 1 ? Int32Array.from(raw, (p) => (p > 0.5 ? 1 : 0)) : likeliest(raw, outputs);

function answerAt({ base, trees }: TreesEstimator, leaf: number, isNumber: boolean): number {
  const values = Float64Array.from(base, (start, output) => start + trees[output].value[leaf]);
  return isNumber ? values[0] : answersOf(values, values.length)[0];
}

function fidelityOf(
  model: ModelPackage,
  spokenLabel: Dataset["label"],
  told: Float64Array,
  held: RowSelection,
): SurrogateFidelity {
  const truth = Float64Array.from(held, (row) => spokenLabel[row]);
  const answer = Float64Array.from(held, (row) => told[row]);
  const decide = deciderOf(model);
  return {
    r2: model.task === "multiclass" ? null : explained(truth, answer),
    agreement: decide === null ? null : shareOf(truth, (value, i) => decide(value) === decide(answer[i])),
    agreementOfConstant: decide === null ? null : mostFrequentShare(truth.map(decide)),
  };
}

function deciderOf({ task, decision }: ModelPackage): ((answer: number) => number) | null {
  if (task === "regression") return null;
  return task === "multiclass" ? (answer) => answer : (answer) => (answer >= decision.threshold ? 1 : 0);
}

function explained(truth: Float64Array, answer: Float64Array): number | null {
  const mean = truth.reduce((sum, value) => sum + value, 0) / truth.length;
  const total = truth.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const left = truth.reduce((sum, value, i) => sum + (value - answer[i]) ** 2, 0);
  // Equal values differ from their mean by its rounding.
  return total > 1e-24 * truth.length * Math.max(1e-300, mean ** 2) ? 1 - left / total : null;
}

const shareOf = (values: Float64Array, holds: (value: number, i: number) => boolean): number =>
  values.reduce((count, value, i) => count + (holds(value, i) ? 1 : 0), 0) / values.length;

function mostFrequentShare(decisions: Float64Array): number {
  const counts = new Map<number, number>();
  for (const each of decisions) counts.set(each, (counts.get(each) ?? 0) + 1);
  return Math.max(...counts.values()) / decisions.length;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

function limitsOf({ r2, agreement, agreementOfConstant }: SurrogateFidelity, maxDepth: number): string[] {
  const sentences = [`The rules are a summary of at most ${maxDepth} questions, not how the model computes.`];
  if (r2 !== null) {
    sentences.push(
      `On rows that they were not made from they explain ${percent(Math.max(0, r2))} of the variance of its predictions.`,
    );
  }
  if (agreement !== null && agreementOfConstant !== null) {
    sentences.push(
      `They decide as the model does for ${percent(agreement)} of these rows; always giving its most frequent answer would for ${percent(agreementOfConstant)}.`,
    );
  }
  const isPoor = r2 !== null ? r2 < 0.5 : agreement !== null && agreementOfConstant !== null && agreement <= agreementOfConstant;
  if (isPoor) sentences.push("That is too little to speak for the model: read SHAP values and dependence instead.");
  return sentences;
}
