import { type Criterion, higherIsBetter, type MetricName, type TargetType } from "../definitions/index.ts";
import type { Evaluation, MetricEstimate, MetricTable } from "../training/index.ts";
import { criterionText, metricText, segmentSizeText } from "./criterion-text.ts";

export interface GateVerdict {
  readonly criterion: Criterion;
  /** The criterion in words. */
  readonly text: string;
  /** null: undefined on this data, which counts as not passed; of an approval: people have not decided yet. */
  readonly passed: boolean | null;
  readonly observed: number | null;
  readonly required: number | null;
  /** What was compared with what, with intervals and rows; or why it is undefined. */
  readonly detail: string;
}

/** Everything on the same test rows. */
export interface GateFacts {
  readonly target: TargetType;
  readonly evaluation: Evaluation;
  /** The trivial baseline. */
  readonly baseline: Evaluation;
  /** What one would do without a model; null unless the target is binary. */
  readonly alternative: Evaluation | null;
  readonly champion: {
    readonly evaluation: Evaluation;
    /** This version's metric minus the champion's, with the interval of the difference. */
    readonly pairedDifferences: Readonly<Partial<Record<MetricName, MetricEstimate>>>;
  } | null;
  /** Why a champion that there is cannot be compared with. */
  readonly notCompared?: string;
  readonly segments: readonly {
    readonly segment: string;
    readonly value: string;
    readonly rows: number;
    readonly positives: number;
    readonly metrics: MetricTable;
  }[];
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
}

/** Differences of decimal fractions ("better by 0.05") are off by a few units in the last place. */
const ROUNDING = 1e-9;

/** One verdict for each criterion, in their order. */
export function evaluateGates(criteria: readonly Criterion[], facts: GateFacts): GateVerdict[] {
  return criteria.map((criterion) => ({ criterion, text: criterionText(criterion), ...judge(criterion, facts) }));
}

/** A gate passes when every criterion does; an undefined one does not, and neither does a gate without criteria. */
export const gatePassed = (verdicts: readonly GateVerdict[]): boolean =>
  verdicts.length > 0 && verdicts.every(({ passed }) => passed === true);

/** Every criterion that is measured passes; people may still have to approve. */
export const measuredPassed = (verdicts: readonly GateVerdict[]): boolean =>
  verdicts.length > 0 && verdicts.every(({ criterion, passed }) => criterion.kind === "approval" || passed === true);

export type GateState = "passed" | "failed" | "waiting";

/** A gate waits when nothing is missing but people's approval. */
export function gateState(verdicts: readonly GateVerdict[]): GateState {
  if (gatePassed(verdicts)) return "passed";
  const declined = verdicts.some(({ criterion, passed }) => criterion.kind === "approval" && passed === false);
  return measuredPassed(verdicts) && !declined ? "waiting" : "failed";
}

type Judgement = Omit<GateVerdict, "criterion" | "text">;

function judge(criterion: Criterion, facts: GateFacts): Judgement {
  switch (criterion.kind) {
    case "at-least":
    case "at-most":
      return limit(criterion, facts);
    case "better-than":
      return betterThan(criterion, facts);
    case "not-worse-than-champion":
      return notWorseThanChampion(criterion, facts);
    case "worst-segment":
      return worstSegment(criterion, facts.segments);
    case "latency": {
      const observed = facts.latencyMs?.[criterion.quantile];
      if (observed === undefined || Number.isNaN(observed))
        return undefinedBecause("latency was not measured", criterion.atMostMs);
      return { passed: observed <= criterion.atMostMs, observed, required: criterion.atMostMs, detail: `${digits(observed)} ms` };
    }
    case "approval":
      // Judging measures; people are asked once it has.
      return { passed: null, observed: 0, required: criterion.count, detail: "waits for approval" };
  }
}

const undefinedBecause = (reason: string, required: number | null): Judgement => ({
  passed: null,
  observed: null,
  required,
  detail: `undefined, which counts as not passed: ${reason}`,
});

const digits = (value: number) => String(Number(value.toPrecision(4)));
const estimateText = ({ value, low, high }: MetricEstimate) => `${digits(value)} (95% ${digits(low)} to ${digits(high)})`;
const rowsText = ({ rows, positives, days }: Evaluation, target: TargetType) =>
  `${rows} rows, ${target === "binary" ? `${positives} positive, ` : ""}${days} days`;

function estimateOf({ metrics }: { readonly metrics: MetricTable }, metric: MetricName): MetricEstimate | null {
  const estimate = metrics[metric];
  return estimate === undefined || Number.isNaN(estimate.value) ? null : estimate;
}

function limit(
  { kind, metric, value }: Extract<Criterion, { kind: "at-least" | "at-most" }>,
  { evaluation, target }: GateFacts,
): Judgement {
  const estimate = estimateOf(evaluation, metric);
  if (estimate === null) return undefinedBecause(`${metricText(metric)} has no value on ${rowsText(evaluation, target)}`, value);
  return {
    passed: kind === "at-least" ? estimate.value >= value : estimate.value <= value,
    observed: estimate.value,
    required: value,
    detail: `${estimateText(estimate)} on ${rowsText(evaluation, target)}`,
  };
}

function betterThan({ metric, than, by }: Extract<Criterion, { kind: "better-than" }>, facts: GateFacts): Judgement {
  const other = facts[than];
  if (other === null) return undefinedBecause(`a ${facts.target} target has no ${than}`, null);
  const ours = estimateOf(facts.evaluation, metric);
  const theirs = estimateOf(other, metric);
  const sign = higherIsBetter(metric) ? 1 : -1;
  const required = theirs === null ? null : theirs.value + sign * by;
  if (theirs === null) return undefinedBecause(`${metricText(metric)} has no value for the ${than}`, required);
  if (ours === null)
    return undefinedBecause(`${metricText(metric)} has no value on ${rowsText(facts.evaluation, facts.target)}`, required);
  const gain = sign * (ours.value - theirs.value);
  return {
    // Equal is not better.
    passed: by === 0 ? gain > 0 : gain >= by - ROUNDING,
    observed: ours.value,
    required,
    detail: `${estimateText(ours)} against ${estimateText(theirs)} on ${rowsText(facts.evaluation, facts.target)}`,
  };
}

/** By the paired point estimate; docs/decisions/gate-comparisons.md says why, and the detail carries the interval. */
function notWorseThanChampion(
  { metric, tolerance }: Extract<Criterion, { kind: "not-worse-than-champion" }>,
  { champion, notCompared, target }: GateFacts,
): Judgement {
  if (champion === null) {
    const detail =
      notCompared === undefined ? "there is no champion yet" : `the champion cannot be compared with: ${notCompared}`;
    return { passed: true, observed: null, required: -tolerance, detail };
  }
  const difference = champion.pairedDifferences[metric];
  if (difference === undefined || Number.isNaN(difference.value) || Number.isNaN(difference.low) || Number.isNaN(difference.high))
    return undefinedBecause(
      `${metricText(metric)} has no paired difference on ${rowsText(champion.evaluation, target)}`,
      -tolerance,
    );
  const gain = higherIsBetter(metric) ? difference.value : -difference.value;
  return {
    passed: gain >= -tolerance - ROUNDING,
    observed: gain,
    required: -tolerance,
    detail: `difference ${estimateText(difference)} on ${rowsText(champion.evaluation, target)}`,
  };
}

function worstSegment(criterion: Extract<Criterion, { kind: "worst-segment" }>, segments: GateFacts["segments"]): Judgement {
  const { segment, metric, minPositives, minRows, limit: side, value: required } = criterion;
  const large = segments.filter((each) => each.segment === segment && each.positives >= minPositives && each.rows >= minRows);
  if (large.length === 0) return undefinedBecause(`no value of ${segment} has ${segmentSizeText(criterion)}`, required);
  const sign = higherIsBetter(metric) ? 1 : -1;
  let worst: { readonly name: string; readonly estimate: MetricEstimate } | null = null;
  for (const each of large) {
    const estimate = estimateOf(each, metric);
    if (estimate === null) return undefinedBecause(`${metricText(metric)} has no value for ${segment} ${each.value}`, required);
    if (worst === null || sign * estimate.value < sign * worst.estimate.value) worst = { name: each.value, estimate };
  }
  if (worst === null) return undefinedBecause(`no value of ${segment} could be judged`, required);
  const { value } = worst.estimate;
  return {
    passed: side === "at-least" ? value >= required : value <= required,
    observed: value,
    required,
    detail: `${worst.name}: ${estimateText(worst.estimate)}; the worst of ${large.length}`,
  };
}
