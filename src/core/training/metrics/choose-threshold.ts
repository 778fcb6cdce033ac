import type { Payoff } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import { type Confusion, type DecisionMetrics, decisionMetrics, fBeta, ratio, totalPayoff } from "./confusion.ts";
import { type Cumulated, cumulate } from "./curves.ts";
import type { RankedRows } from "./rank-rows.ts";

/** What the threshold shall serve. */
export type ThresholdObjective =
  /** Greatest F-beta; beta 1 unless said. */
  | { readonly kind: "f-beta"; readonly beta?: number }
  /** Greatest payoff. */
  | { readonly kind: "payoff"; readonly payoff: Payoff }
  /** Greatest recall + specificity - 1 (Youden 1950). */
  | { readonly kind: "youden" }
  /** Greatest recall with at least this precision. */
  | { readonly kind: "recall-at-precision"; readonly precision: number }
  /** Greatest precision with at least this recall. */
  | { readonly kind: "precision-at-recall"; readonly recall: number }
  /** As many rows as possible, but at most this share of them. */
  | { readonly kind: "share"; readonly share: number };

export interface ChosenThreshold {
  /** Act from here on; above every score and every probability where acting on nothing is best. */
  readonly threshold: number;
  /** What the objective reaches: F-beta, payoff per decision, J, recall, precision or share. */
  readonly value: number;
  readonly confusion: Confusion;
  readonly metrics: DecisionMetrics;
}

/**
 * The threshold that serves an objective best on these rows: they must be rows of validation, because on the rows of the test the
 * figures would flatter. Thresholds are the distinct scores, and one above them all; rows of one score are acted on together.
 * Of thresholds that serve equally well the highest is taken, which acts on the fewest rows.
 * `null` where no threshold will do: a precision that is not reached, an objective undefined for want of a class, no rows.
 * @throws TRAIN_PARAMETER_INVALID
 */
export function chooseThreshold(ranked: RankedRows, objective: ThresholdObjective): ChosenThreshold | null {
  checkObjective(objective);
  const points = cumulate(ranked);
  let best: { readonly point: number; readonly value: number } | null = null;
  for (let point = -1; point < points.threshold.length; point++) {
    const value = reached(confusionFor(points, point), objective);
    if (value !== undefined && (best === null || value > best.value)) best = { point, value };
  }
  if (best === null || ranked.rows === 0) return null;
  const confusion = confusionFor(points, best.point);
  const threshold = best.point < 0 ? thresholdAbove(points.threshold[0]) : points.threshold[best.point];
  return { threshold, value: best.value, confusion, metrics: decisionMetrics(confusion) };
}

/** Point -1 acts on nothing. */
function confusionFor({ truePositives, falsePositives, positives, negatives }: Cumulated, point: number): Confusion {
  const hits = point < 0 ? 0 : truePositives[point];
  const misses = point < 0 ? 0 : falsePositives[point];
  return {
    truePositives: hits,
    falsePositives: misses,
    falseNegatives: positives - hits,
    trueNegatives: negatives - misses,
  };
}

function reached(confusion: Confusion, objective: ThresholdObjective): number | undefined {
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion;
  const acted = truePositives + falsePositives;
  const rows = acted + falseNegatives + trueNegatives;
  const positives = truePositives + falseNegatives;
  const negatives = trueNegatives + falsePositives;
  const precision = ratio(truePositives, acted);
  const recall = ratio(truePositives, positives);
  switch (objective.kind) {
    case "f-beta":
      return fBeta(confusion, objective.beta ?? 1);
    case "payoff":
      return ratio(1, rows) === undefined ? undefined : totalPayoff(confusion, objective.payoff) / rows;
    case "youden":
      // One quotient, so that rounding does not tell equal thresholds apart.
      return ratio(truePositives * negatives - falsePositives * positives, positives * negatives);
    case "recall-at-precision":
      return precision !== undefined && precision >= objective.precision ? recall : undefined;
    case "precision-at-recall":
      return recall !== undefined && recall >= objective.recall ? precision : undefined;
    case "share": {
      const share = ratio(acted, rows);
      return share !== undefined && share <= objective.share ? share : undefined;
    }
  }
}

function checkObjective(objective: ThresholdObjective): void {
  const numbers = Object.values(objective.kind === "payoff" ? objective.payoff : objective).filter(
    (each): each is number => typeof each === "number",
  );
  const isShare = objective.kind !== "payoff" && objective.kind !== "f-beta";
  const wrong = numbers.find((each) => !Number.isFinite(each) || (isShare && (each < 0 || each > 1)));
  if (wrong !== undefined) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`the objective ${objective.kind} with ${wrong}`, {
      hint: isShare ? "Give a share between 0 and 1." : "Give finite numbers.",
    });
  }
}

/** Acts on nothing: above the score and above every probability. */
export const thresholdAbove = (score: number): number => Math.max(1, score) * (1 + Number.EPSILON);
