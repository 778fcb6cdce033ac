import type { FeatureValue } from "../../features/index.ts";
import { type ModelPackage, predict, trainErrors } from "../../training/index.ts";
import { predictionOf, type RowFunction } from "../dependence/row-function.ts";
import { explainErrors } from "../errors.ts";
import { checkFeatures, evenSample, everyRow, unlabelledRows } from "../sample-rows.ts";
import type { Background } from "../shap/feature-game.ts";
import { changeRules, type FeatureConstraints } from "./feature-constraint.ts";
import { type FeatureSpace, featureSpace } from "./feature-space.ts";
import { cellOf, createVariantScorer, type Recompute, type VariantScorer, valueOfCell, withCategories } from "./row-variants.ts";
import {
  type Candidate,
  cheapestFirst,
  featuresKey,
  type Goal,
  meets,
  type SearchLimits,
  searchChanges,
} from "./search-changes.ts";
import { shrinkChanges } from "./shrink-changes.ts";

export interface CounterfactualOptions {
  readonly constraints?: FeatureConstraints;
  /**
   * Keeps on-demand features in step when a feature that they read changes: all values of the row in the plan's order, in and out.
   * Without it, what on-demand features read stays as it is.
   */
  readonly recompute?: Recompute;
  /** Regression: what the prediction should be. Binary: instead of the other side of the decision's threshold. */
  readonly goal?: { readonly kind: "at-least" | "below"; readonly value: number };
  /** Several classes: the class that should be the most likely; the second most likely one unless said. */
  readonly toClass?: string;
  /** Counterfactuals given at most; 3 unless said. */
  readonly count?: number;
  /** Features changed at most; 3 unless said. */
  readonly maxChanges?: number;
  /** Scores asked for at most while searching; 60,000 unless said. Making what was found smaller comes on top. */
  readonly budget?: number;
  /** Unfinished sets of changes that are carried on; 24 unless said. */
  readonly beam?: number;
  /** What a changed feature costs beyond its distance, so that few features are changed; 0.5 unless said. */
  readonly costPerChange?: number;
  /** Reference rows taken, evenly spaced; 2,000 unless said. */
  readonly maxReferenceRows?: number;
}

export interface FeatureChange {
  readonly feature: string;
  readonly from: FeatureValue;
  readonly to: FeatureValue;
  /** In median absolute deviations of the reference rows (in ranges where that is 0); 1 for categories and for what was missing. */
  readonly distance: number;
}

export interface Counterfactual {
  /** Largest distance first. Taking any one back undoes the flip. */
  readonly changes: readonly FeatureChange[];
  readonly distance: number;
  /** What is predicted then: probability (of several classes that of the wanted one) or value. */
  readonly prediction: number;
}

export interface CounterfactualAnswer {
  /** already: the row meets the goal as it is. none-within-limits: there may be one with more changes, values or a larger budget. */
  readonly outcome: "found" | "none-within-limits" | "already";
  readonly goal: CounterfactualGoal;
  /** Of the row as it is: probability (of several classes that of the wanted one) or value. */
  readonly prediction: number;
  /** By distance and `costPerChange` together, least first; each with other features; every one was scored again after the search. */
  readonly counterfactuals: readonly Counterfactual[];
  /** Features that may be changed and have a value to try that could make a difference. */
  readonly changeable: readonly string[];
  readonly evaluations: number;
}

export type CounterfactualGoal =
  | { readonly kind: "at-least" | "below"; readonly value: number }
  | { readonly kind: "class"; readonly name: string };

const DEFAULTS = { count: 3, maxChanges: 3, budget: 60_000, beam: 24, costPerChange: 0.5, maxReferenceRows: 2_000 };

/**
 * The smallest changes to one row that get another decision (Wachter, Mittelstadt and Russell, "Counterfactual explanations without
 * opening the black box", 2018), within constraints and changing few features; several, with different features. Of trees only values just
 * beyond thresholds are tried, since nothing else can change the answer; of other models quantiles of the reference rows, then
 * refined. A beam search that is certain of the smallest single change of trees (with up to 1,000 thresholds and 100 categories of a
 * feature); of several changes together it finds small ones, not always the smallest. The same input gives the same answer. It describes the model: whether the world would follow is another question.
 *
 * @param values the row, in the plan's order
 * @param reference rows of the training set: what counts as far, and which values there are
 * @throws EXPLAIN_FEATURES_MISMATCH, EXPLAIN_NO_ROWS, EXPLAIN_FEATURE_UNKNOWN, EXPLAIN_CONSTRAINT_INVALID, EXPLAIN_GOAL_INVALID,
 *   TRAIN_RULE_NOT_SERVABLE
 */
export function counterfactuals(
  model: ModelPackage,
  values: readonly FeatureValue[],
  reference: Background,
  options: CounterfactualOptions = {},
): CounterfactualAnswer {
  const { constraints = {}, recompute, count, maxReferenceRows, ...limits } = { ...DEFAULTS, ...options };
  check(model, values, reference);
  const rules = changeRules(model.plan, constraints, recompute !== undefined);
  const dataset = withCategories(
    reference.dataset,
    values.map((value, index) => [value, ...(rules[index]?.values ?? [])]),
  );
  const given = recompute === undefined ? values : recompute(values);
  const cells = given.map((value, index) => cellOf(dataset.features[index], value));
  const rows = evenSample(reference.rows, maxReferenceRows);
  const target = targetOf(model, oneRow(dataset, cells), options);
  const score = countedScorer(createVariantScorer(target.score, model, dataset, cells, recompute));
  const spaces = rules.flatMap((rule, index) =>
    rule === null ? [] : [featureSpace(model, dataset, rows, index, cells[index], rule)],
  );
  const predicted = createVariantScorer(target.predicted, model, dataset, cells, recompute);
  const [start] = score.of([new Map()]);
  const isMet = meets(target.goal, start);
  const chosen = isMet ? [] : smallestOfEach(score.of, spaces, target.goal, start, count, limits);
  const shown = predicted(chosen.map(({ changes }) => changes));
  return {
    outcome: isMet ? "already" : chosen.length > 0 ? "found" : "none-within-limits",
    goal: target.shown,
    prediction: predicted([new Map()])[0],
    counterfactuals: chosen.map((candidate, i) => describe(candidate, shown[i])),
    changeable: spaces.filter(({ candidates }) => candidates.length > 0).map(({ feature }) => dataset.features[feature].id),
    evaluations: score.count(),
  };

  function describe({ changes }: Candidate, prediction: number): Counterfactual {
    const described = spaces.flatMap((space): FeatureChange[] => {
      const cell = changes.get(space.feature);
      if (cell === undefined) return [];
      const [column, { id, type }] = [dataset.features[space.feature], model.plan.features[space.feature]];
      const [from, to] = [space.from, cell].map((each) => valueOfCell(column, type, each));
      return [{ feature: id, from, to, distance: space.costOf(cell) }];
    });
    const distance = described.reduce((sum, each) => sum + each.distance, 0);
    return { changes: described.sort((a, b) => b.distance - a.distance), distance, prediction };
  }
}

/** Searches again without the dearest feature of what was found, so that there is something else to choose. */
function smallestOfEach(
  score: VariantScorer,
  spaces: readonly FeatureSpace[],
  goal: Goal,
  start: number,
  count: number,
  limits: SearchLimits,
): Candidate[] {
  const spaceOf = new Map(spaces.map((space) => [space.feature, space]));
  const found = new Map<string, Candidate>();
  const banned = new Set<number>();
  let left = limits.budget;
  for (let round = 0; round < count && left > 0; round++) {
    const allowed = spaces.filter(({ feature }) => !banned.has(feature));
    // What is left is shared out, so that the first search cannot use it up.
    const search = searchChanges(score, allowed, goal, start, { ...limits, budget: Math.ceil(left / (count - round)) });
    left -= search.evaluations;
    const shrunk = search.found.slice(0, count).map((each) => shrinkChanges(score, spaceOf, goal, each, limits));
    for (const each of shrunk) {
      const key = featuresKey(each.changes);
      if (each.cost < (found.get(key)?.cost ?? Number.POSITIVE_INFINITY)) found.set(key, each);
    }
    const [best] = shrunk.sort(cheapestFirst);
    if (best === undefined) break;
    banned.add(dearest(best, spaceOf));
  }
  return differentOnes([...found.values()].sort(cheapestFirst), count);
}

function dearest({ changes }: Candidate, spaceOf: ReadonlyMap<number, FeatureSpace>): number {
  const costs = Array.from(changes, ([feature, cell]) => ({ feature, cost: spaceOf.get(feature)?.costOf(cell) ?? 0 }));
  return costs.reduce((most, each) => (each.cost > most.cost ? each : most)).feature;
}

/** The cheapest first; then those that are cheap and share few features with the ones before. */
function differentOnes(found: readonly Candidate[], count: number): Candidate[] {
  const chosen: Candidate[] = [];
  const left = new Set(found);
  const shared = (a: Candidate, b: Candidate) => {
    const both = [...a.changes.keys()].filter((feature) => b.changes.has(feature)).length;
    return both / (a.changes.size + b.changes.size - both);
  };
  while (chosen.length < count && left.size > 0) {
    const weighed = Array.from(left, (candidate) => ({
      candidate,
      cost: candidate.cost * (1 + chosen.reduce((most, other) => Math.max(most, shared(candidate, other)), 0)),
    }));
    const { candidate } = weighed.reduce((least, each) => (each.cost < least.cost ? each : least));
    chosen.push(candidate);
    left.delete(candidate);
  }
  return chosen.sort(cheapestFirst);
}

interface Target {
  /** What the goal is about. */
  readonly score: RowFunction;
  readonly goal: Goal;
  readonly predicted: RowFunction;
  readonly shown: CounterfactualGoal;
}

function targetOf(model: ModelPackage, row: Background["dataset"], { goal, toClass }: CounterfactualOptions): Target {
  const predicted = predictionOf(model);
  const about = (wanted: { kind: "at-least" | "below"; value: number }): Target => ({
    score: predicted,
    predicted,
    goal: wanted,
    shown: wanted,
  });
  if (model.task === "multiclass") return classTarget(model, row, goal, toClass);
  if (toClass !== undefined) throw explainErrors.EXPLAIN_GOAL_INVALID(`${model.model} has no classes to choose ${toClass} from`);
  if (goal !== undefined) {
    if (!Number.isFinite(goal.value)) throw explainErrors.EXPLAIN_GOAL_INVALID(`the goal is ${goal.kind} ${goal.value}`);
    return about(goal);
  }
  if (model.task === "regression") throw explainErrors.EXPLAIN_GOAL_INVALID("a predicted value has no other side to get to");
  const { threshold } = model.decision;
  return about({ kind: predicted(row)[0] >= threshold ? "below" : "at-least", value: threshold });
}

function classTarget(
  model: ModelPackage,
  row: Background["dataset"],
  goal: CounterfactualOptions["goal"],
  toClass: string | undefined,
): Target {
  if (goal !== undefined) throw explainErrors.EXPLAIN_GOAL_INVALID("of several classes, name the wanted one by `toClass`");
  const { prediction } = predict(model, row, everyRow(row));
  const byProbability = Array.from(prediction.keys()).sort((a, b) => prediction[b] - prediction[a] || a - b);
  const wanted = toClass === undefined ? (byProbability[1] ?? 0) : model.classes.indexOf(toClass);
  if (wanted < 0) throw explainErrors.EXPLAIN_GOAL_INVALID(`${toClass} is none of ${model.classes.join(", ")}`);
  return {
    score: leadOf(model, wanted),
    predicted: predictionOf(model, wanted),
    goal: { kind: "above", value: 0 },
    shown: { kind: "class", name: model.classes[wanted] },
  };
}

/** How far a class's probability is above that of the likeliest other class. */
const leadOf =
  (model: ModelPackage, wanted: number): RowFunction =>
  (dataset) => {
    const { prediction } = predict(model, dataset, everyRow(dataset));
    const classes = model.classes.length;
    return Float64Array.from({ length: dataset.rows }, (_, row) => {
      let other = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < classes; k++) if (k !== wanted) other = Math.max(other, prediction[row * classes + k]);
      return prediction[row * classes + wanted] - other;
    });
  };

function oneRow(dataset: Background["dataset"], cells: readonly number[]): Background["dataset"] {
  const columns = dataset.features.map((column, index) =>
    column.kind === "categorical"
      ? { ...column, codes: Int32Array.of(cells[index]) }
      : { ...column, values: Float64Array.of(cells[index]) },
  );
  return unlabelledRows(columns, 1, dataset);
}

function countedScorer(score: VariantScorer): { of: VariantScorer; count: () => number } {
  let count = 0;
  return {
    of: (variants) => {
      count += variants.length;
      return score(variants);
    },
    count: () => count,
  };
}

function check(model: ModelPackage, values: readonly FeatureValue[], reference: Background): void {
  if (model.estimator.kind === "rule") {
    throw trainErrors.TRAIN_RULE_NOT_SERVABLE(
      `${model.candidate.name} is a condition in SQL, which cannot be asked about other rows`,
    );
  }
  checkFeatures(model, reference.dataset);
  if (values.length !== model.plan.features.length) {
    throw explainErrors.EXPLAIN_FEATURES_MISMATCH(`${values.length} values for ${model.plan.features.length} features`);
  }
}
