import type { Payoff } from "../../definitions/index.ts";
import { cumulate, rankRows, thresholdAbove } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import type { ProtectedGroups } from "./protected-groups.ts";

export type FairnessConstraint = "demographic-parity" | "equal-opportunity" | "equalized-odds";

export interface GroupThresholdOptions {
  readonly constraint: FairnessConstraint;
  /** How far the groups' rates may lie apart, 0…1; 0.02 unless said. */
  readonly tolerance?: number;
  /** What is made as great as possible: accuracy, the mean of recall and specificity, or the payoff. */
  readonly objective: "accuracy" | "balanced-accuracy" | Payoff;
  readonly weights?: Float64Array;
}

export interface GroupThresholds {
  readonly groups: readonly {
    readonly values: readonly (string | null)[];
    /** Act on the group's rows from here on; above 1 and every score where it is not acted on at all. */
    readonly threshold: number;
    readonly selectionRate: number;
    /** `null` where the group has no positives, or no negatives. */
    readonly truePositiveRate: number | null;
    readonly falsePositiveRate: number | null;
  }[];
  /** Greatest difference between groups of a constrained rate; at most the tolerance. */
  readonly disparity: number;
  /** What the objective reaches: accuracy, balanced accuracy, or payoff per decision. */
  readonly value: number;
  /** What the best threshold that is the same for all groups reaches, without the constraint: the difference is what fairness costs. */
  readonly valueOfOneThreshold: number;
}

/** Thresholds considered for each group, when one rate is constrained; for two rates they are fewer by the groups. */
const POINTS = 1000;
/** Rounding of rates must not keep equal ones apart. */
const ROUNDING = 1e-12;

/**
 * One threshold a group, so that the constrained rates lie within the tolerance of each other and the objective is as great as such
 * thresholds can make it: demographic parity constrains the selection rate, equal opportunity the true positive rate, equalized odds
 * true and false positive rates (Hardt, Price and Srebro 2016, without their coin flips: equal rows are decided equally, which is why a
 * tolerance is needed, and for equalized odds of groups whose ROC curves differ a wide one). Exact over at most 1,000 thresholds a group, evenly spread over its ranking: for each window of rates as wide
 * as the tolerance each group takes its best threshold inside. Acting on nobody is always within reach, so there is always an answer.
 * To be chosen on rows of validation.
 *
 * @param scores finite, higher for the positive class
 * @throws EXPLAIN_GROUPS_INVALID where a group lacks rows, or positives or negatives that the constraint needs
 */
export function groupThresholds(
  groups: ProtectedGroups,
  labels: Uint8Array,
  scores: Float64Array,
  { constraint, objective, tolerance = 0.02, weights }: GroupThresholdOptions,
): GroupThresholds {
  checkInput(groups, labels, scores, tolerance);
  const all = cumulate(rankRows(labels, scores, weights));
  const worth = worthOf(objective, all.positives, all.negatives);
  const points = constraint === "equalized-odds" ? Math.max(20, Math.floor(POINTS / groups.values.length)) : POINTS;
  const candidates = groups.values.map((_, group) => {
    const rows = Uint32Array.from(groups.group.keys()).filter((row) => groups.group[row] === group);
    return candidatesOf(rows, labels, scores, weights, worth, points);
  });
  candidates.forEach(({ positives, negatives }, group) => {
    checkGroup(groups.values[group], constraint, positives, negatives);
  });
  const chosen = bestWindow(candidates, constraint, tolerance);
  const constrained = ratesOf(constraint).map((rate) => candidates.map((each, group) => each[rate][chosen[group]]));
  return {
    groups: candidates.map((each, group) => ({
      values: groups.values[group],
      threshold: each.threshold[chosen[group]],
      selectionRate: each.selectionRate[chosen[group]],
      truePositiveRate: each.positives > 0 ? each.truePositiveRate[chosen[group]] : null,
      falsePositiveRate: each.negatives > 0 ? each.falsePositiveRate[chosen[group]] : null,
    })),
    disparity: Math.max(...constrained.map((rates) => Math.max(...rates) - Math.min(...rates))),
    value: worth.ofNothing + candidates.reduce((sum, each, group) => sum + each.gain[chosen[group]], 0),
    valueOfOneThreshold: worth.ofNothing + bestGain(all, worth),
  };
}

/** The objective as a sum over rows: what acting on a positive and on a negative adds to acting on nothing. */
interface Worth {
  readonly ofNothing: number;
  readonly truePositive: number;
  readonly falsePositive: number;
}

function worthOf(objective: GroupThresholdOptions["objective"], positives: number, negatives: number): Worth {
  const rows = positives + negatives;
  if (objective === "accuracy") return { ofNothing: negatives / rows, truePositive: 1 / rows, falsePositive: -1 / rows };
  if (objective === "balanced-accuracy") {
    if (positives === 0 || negatives === 0) {
      throw explainErrors.EXPLAIN_GROUPS_INVALID("the balanced accuracy of one class is undefined");
    }
    return { ofNothing: 0.5, truePositive: 0.5 / positives, falsePositive: -0.5 / negatives };
  }
  const { truePositive, falsePositive, falseNegative, trueNegative = 0 } = objective;
  return {
    ofNothing: (positives * falseNegative + negatives * trueNegative) / rows,
    truePositive: (truePositive - falseNegative) / rows,
    falsePositive: (falsePositive - trueNegative) / rows,
  };
}

/** One group's thresholds, highest first; the first acts on nobody, the last on all. All rates ascend. */
interface Candidates {
  readonly positives: number;
  readonly negatives: number;
  readonly threshold: Float64Array;
  readonly selectionRate: Float64Array;
  readonly truePositiveRate: Float64Array;
  readonly falsePositiveRate: Float64Array;
  /** What acting from the threshold on adds to the objective. */
  readonly gain: Float64Array;
}

function candidatesOf(
  rows: Uint32Array,
  labels: Uint8Array,
  scores: Float64Array,
  weights: Float64Array | undefined,
  worth: Worth,
  most: number,
): Candidates {
  const own = weights === undefined ? undefined : Float64Array.from(rows, (row) => weights[row]);
  const ranked = rankRows(
    Uint8Array.from(rows, (row) => labels[row]),
    Float64Array.from(rows, (row) => scores[row]),
    own,
  );
  const { threshold, truePositives, falsePositives, positives, negatives } = cumulate(ranked);
  const taken = Math.min(threshold.length, most);
  // -1 acts on nobody.
  const points = Array.from({ length: taken + 1 }, (_, i) => Math.round((i * threshold.length) / Math.max(1, taken)) - 1);
  const hits = Float64Array.from(points, (point) => (point < 0 ? 0 : truePositives[point]));
  const misses = Float64Array.from(points, (point) => (point < 0 ? 0 : falsePositives[point]));
  const share = (values: Float64Array, whole: number) => values.map((value) => (whole > 0 ? value / whole : 0));
  return {
    positives,
    negatives,
    threshold: Float64Array.from(points, (point) => (point < 0 ? thresholdAbove(threshold[0] ?? 1) : threshold[point])),
    selectionRate: share(
      hits.map((each, i) => each + misses[i]),
      positives + negatives,
    ),
    truePositiveRate: share(hits, positives),
    falsePositiveRate: share(misses, negatives),
    gain: hits.map((each, i) => each * worth.truePositive + misses[i] * worth.falsePositive),
  };
}

function bestGain({ truePositives, falsePositives }: ReturnType<typeof cumulate>, worth: Worth): number {
  let best = 0;
  truePositives.forEach((hits, point) => {
    best = Math.max(best, hits * worth.truePositive + falsePositives[point] * worth.falsePositive);
  });
  return best;
}

type Rate = "selectionRate" | "truePositiveRate" | "falsePositiveRate";

function ratesOf(constraint: FairnessConstraint): readonly Rate[] {
  switch (constraint) {
    case "demographic-parity":
      return ["selectionRate"];
    case "equal-opportunity":
      return ["truePositiveRate"];
    case "equalized-odds":
      return ["falsePositiveRate", "truePositiveRate"];
  }
}

/** By group the point that it takes: those with the greatest gain together of which all constrained rates share a window. */
function bestWindow(candidates: readonly Candidates[], constraint: FairnessConstraint, tolerance: number): number[] {
  const [first, second] = ratesOf(constraint);
  const leaders = candidates.map(({ gain }) => createRangeMaximum(gain));
  let best = { gain: Number.NEGATIVE_INFINITY, points: candidates.map(() => 0) };
  const consider = (ranges: readonly Range[]) => {
    if (ranges.some(({ start, end }) => start >= end)) return;
    const points = ranges.map(({ start, end }, group) => leaders[group](start, end));
    const gain = points.reduce((sum, point, group) => sum + candidates[group].gain[point], 0);
    if (gain > best.gain) best = { gain, points };
  };
  const secondWindows = second === undefined ? [] : [...windows(candidates, second, tolerance)];
  for (const ranges of windows(candidates, first, tolerance)) {
    if (second === undefined) consider(ranges);
    for (const others of secondWindows) consider(ranges.map((range, group) => both(range, others[group])));
  }
  return best.points;
}

/** Points start … end - 1. */
interface Range {
  readonly start: number;
  readonly end: number;
}

const both = (a: Range, b: Range): Range => ({ start: Math.max(a.start, b.start), end: Math.min(a.end, b.end) });

/** For each window of the rate, from every value that occurs to `tolerance` above it: each group's points inside. */
function* windows(candidates: readonly Candidates[], rate: Rate, tolerance: number): Generator<readonly Range[]> {
  const from = Float64Array.from(new Set(candidates.flatMap((each) => Array.from(each[rate])))).sort();
  const start = candidates.map(() => 0);
  const end = candidates.map(() => 0);
  for (const least of from) {
    const ranges = candidates.map((each, group) => {
      const rates = each[rate];
      while (start[group] < rates.length && rates[start[group]] < least - ROUNDING) start[group]++;
      while (end[group] < rates.length && rates[end[group]] <= least + tolerance + ROUNDING) end[group]++;
      return { start: start[group], end: end[group] };
    });
    yield ranges;
  }
}

/** Answers where the greatest of values[start … end - 1] stands, the first of equal ones, in constant time (a sparse table). */
function createRangeMaximum(values: Float64Array): (start: number, end: number) => number {
  const greater = (a: number, b: number) => (values[b] > values[a] ? b : a);
  const levels = [Int32Array.from(values.keys())];
  for (let width = 1; 2 * width <= values.length; width *= 2) {
    const below = levels[levels.length - 1];
    levels.push(Int32Array.from({ length: values.length - 2 * width + 1 }, (_, i) => greater(below[i], below[i + width])));
  }
  return (start, end) => {
    const level = 31 - Math.clz32(end - start);
    return greater(levels[level][start], levels[level][end - (1 << level)]);
  };
}

function checkInput({ group, values }: ProtectedGroups, labels: Uint8Array, scores: Float64Array, tolerance: number): void {
  if (labels.length !== group.length || scores.length !== group.length || values.length === 0) {
    throw explainErrors.EXPLAIN_GROUPS_INVALID(
      `${group.length} rows in groups, ${labels.length} labels, ${scores.length} scores`,
    );
  }
  if (!(tolerance >= 0 && tolerance <= 1)) {
    throw explainErrors.EXPLAIN_GROUPS_INVALID(`a tolerance of ${tolerance}`, { hint: "Give a tolerance between 0 and 1." });
  }
}

function checkGroup(
  values: readonly (string | null)[],
  constraint: FairnessConstraint,
  positives: number,
  negatives: number,
): void {
  const lacks =
    constraint === "demographic-parity"
      ? positives + negatives === 0 && "rows that count"
      : positives === 0
        ? "positives"
        : constraint === "equalized-odds" && negatives === 0 && "negatives";
  if (lacks !== false) {
    throw explainErrors.EXPLAIN_GROUPS_INVALID(
      `the group ${values.map((value) => value ?? "(missing)").join(", ")} has no ${lacks}`,
      {
        hint: "Merge small groups, or take more rows: rates of a group without them are undefined.",
      },
    );
  }
}
