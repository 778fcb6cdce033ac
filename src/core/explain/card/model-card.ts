import { type CandidateDefinition, type CharterDefinition, higherIsBetter, type MetricName } from "../../definitions/index.ts";
import { DAY, formatTimestamp, type Micros } from "../../time.ts";
import type { Evaluation, MetricEstimate, MetricTable, ReliabilityBin } from "../../training/index.ts";
import type { AccumulatedEffects } from "../dependence/accumulated-effects.ts";
import type { PartialDependence } from "../dependence/partial-dependence.ts";
import type { FairnessReport } from "../fairness/fairness-report.ts";
import type { PermutationImportance } from "../permutation-importance.ts";
import type { DataReview } from "../review/data-review.ts";
import { type SegmentResult, worstSegments } from "../review/segments.ts";
import type { ShapSummary } from "../shap/summarize-shap.ts";
import type { SurrogateTree } from "../surrogate/surrogate-tree.ts";
import { interval, percent } from "./card-blocks.ts";
import { cardHtml } from "./card-html.ts";
import { cardMarkdown } from "./card-markdown.ts";

export interface CardCandidate {
  readonly name: string;
  readonly kind: CandidateDefinition["kind"];
  readonly selected: boolean;
  readonly metrics: MetricTable;
  /** Against the selected one, on the same rows; null for the selected one, absent where it was not made. */
  readonly comparison?: {
    /** Whether this candidate is better or worse than the selected one by more than chance. */
    readonly verdict: "better" | "worse" | "not-distinguishable" | "undefined";
    /** Its metric minus the selected one's. */
    readonly difference: MetricEstimate | null;
    readonly pValue: number | null;
  } | null;
}

export interface CardVerdict {
  readonly text: string;
  /** null: undefined on this data, which counts as not passed. */
  readonly passed: boolean | null;
  readonly observed: number | null;
  readonly required: number | null;
  readonly detail: string;
}

export interface CardDependence {
  /** What the curves are of: "probability of late", "minutes of delay". */
  readonly predicts: string;
  /** In the order in which they are shown. */
  readonly partial: readonly PartialDependence[];
  /** Of those features that have them: numbers. */
  readonly effects: readonly AccumulatedEffects[];
}

/** What making the model cost; what is not known is left out. */
export interface TrainingCost {
  readonly seconds?: number;
  readonly peakMemoryBytes?: number;
  readonly trials?: number;
  readonly notes?: readonly string[];
}

export interface ModelCardInput {
  readonly model: string;
  /** Registered version; null before it is registered. */
  readonly version: number | null;
  readonly createdAt: Micros;
  readonly charter: CharterDefinition;
  readonly data: {
    /** Snapshot id by source. */
    readonly snapshots: Readonly<Record<string, string>>;
    /** Rows of the training set; those with a label; positives among these. */
    readonly rows: number;
    readonly labelled: number;
    readonly positives: number;
    readonly pending: number;
    readonly censored: number;
    readonly trainingRows: number;
    readonly from: Micros;
    readonly to: Micros;
    readonly labelCutoff: Micros;
    /** Share of missing values by feature id. */
    readonly missingShare: Readonly<Record<string, number>>;
  };
  readonly selectionMetric: MetricName;
  /** All on the same selection rows; baseline and rule among them. */
  readonly candidates: readonly CardCandidate[];
  /** On test rows, opened once for the gate; null before. */
  readonly test: Evaluation | null;
  readonly gates: readonly CardVerdict[];
  readonly segments: readonly SegmentResult[];
  readonly permutation: PermutationImportance | null;
  readonly shap: ShapSummary | null;
  readonly calibration: readonly ReliabilityBin[];
  readonly review: DataReview | null;
  readonly fairness?: FairnessReport | null;
  readonly dependence?: CardDependence | null;
  readonly surrogate?: SurrogateTree | null;
  readonly training?: TrainingCost | null;
  /** Versions by part: "Node", "Orrery", "processor". */
  readonly environment?: Readonly<Record<string, string>> | null;
  /** Limits that only people know, as sentences. */
  readonly limits?: readonly string[];
}

export interface Comparison {
  readonly metric: MetricName;
  readonly model: MetricEstimate;
  /** null where the metric is undefined for it. */
  readonly baseline: MetricEstimate | null;
  readonly rule: MetricEstimate | null;
}

/** Everything on the card, derived once, so that the three renderings cannot disagree. */
export interface ModelCard extends ModelCardInput {
  readonly formatVersion: 1;
  readonly machineLearning: {
    /** "yes": better than baseline and rule with intervals apart; "likely": better, intervals overlap; "no": not better. */
    readonly verdict: "yes" | "likely" | "no" | "undefined";
    readonly sentence: string;
    readonly comparisons: readonly Comparison[];
  };
  readonly weakSegments: readonly SegmentResult[];
  readonly undefinedSegments: number;
  /** Derived limits, then those given. */
  readonly allLimits: readonly string[];
}

/**
 * A model card (Mitchell et al., "Model cards for model reporting", 2019): what the model is for, what it was made of, how good it
 * is beside doing without, where it is weak. Nothing is measured here; every figure comes in. The HTML is one page
 * without scripts or outside references, with everything escaped.
 */
export function modelCard(input: ModelCardInput): { markdown: string; html: string; json: ModelCard } {
  const comparisons = compare(input);
  const weakSegments = worstSegments(input.segments, input.selectionMetric);
  const undefinedSegments = input.segments.filter(({ metrics }) => metrics[input.selectionMetric] === undefined).length;
  const json: ModelCard = {
    ...input,
    formatVersion: 1,
    machineLearning: isItRight(comparisons),
    weakSegments,
    undefinedSegments,
    allLimits: [...derivedLimits(input, undefinedSegments), ...(input.limits ?? [])],
  };
  return { markdown: cardMarkdown(json), html: cardHtml(json), json };
}

/** What the decision pays, and how well it ranks; calibration alone would not tell a model from the baseline. */
function compare({ candidates, selectionMetric }: ModelCardInput): Comparison[] {
  const selected = candidates.find((candidate) => candidate.selected);
  // Of several baselines the one that is hardest to beat by this metric.
  const of = (kind: CardCandidate["kind"], metric: MetricName) =>
    candidates
      .flatMap((candidate) => (candidate.kind === kind ? (candidate.metrics[metric] ?? []) : []))
      .reduce<MetricEstimate | null>((best, each) => (best === null || sides(metric, each, best).better ? each : best), null);
  const metrics = [...new Set<MetricName>(["payoff_per_decision", selectionMetric])];
  return metrics.flatMap((metric): Comparison[] => {
    const model = selected?.metrics[metric];
    return model === undefined ? [] : [{ metric, model, baseline: of("baseline", metric), rule: of("rule", metric) }];
  });
}

function isItRight(comparisons: readonly Comparison[]): ModelCard["machineLearning"] {
  const pairs = comparisons.flatMap(({ metric, model, baseline, rule }) =>
    [baseline, rule].flatMap((other) => (other === null ? [] : [{ metric, ...sides(metric, model, other) }])),
  );
  if (pairs.length === 0) {
    return { verdict: "undefined", sentence: "Not answered: nothing to compare with was measured.", comparisons };
  }
  const hasRule = comparisons.some(({ rule }) => rule !== null);
  const others = hasRule ? "baseline and rule" : "the baseline";
  const told = comparisons.map(({ metric, model, baseline, rule }) => {
    const figureOf = (estimate: MetricEstimate | null) => (estimate === null ? "undefined" : interval(estimate));
    return `${metric} ${interval(model)}, baseline ${figureOf(baseline)}${hasRule ? `, rule ${figureOf(rule)}` : ""}`;
  });
  const figures = `${told.join("; ")}.`;
  if (pairs.some(({ better }) => !better)) {
    const where = [...new Set(pairs.filter(({ better }) => !better).map(({ metric }) => metric))].join(" and ");
    return { verdict: "no", sentence: `No: it does not beat doing without it in ${where}. ${figures}`, comparisons };
  }
  return pairs.every(({ apart }) => apart)
    ? { verdict: "yes", sentence: `Yes, it beats ${others} with intervals apart. ${figures}`, comparisons }
    : { verdict: "likely", sentence: `Likely: it beats ${others}, but intervals overlap. ${figures}`, comparisons };
}

function sides(metric: MetricName, model: MetricEstimate, other: MetricEstimate): { better: boolean; apart: boolean } {
  return higherIsBetter(metric)
    ? { better: model.value > other.value, apart: model.low > other.high }
    : { better: model.value < other.value, apart: model.high < other.low };
}

function derivedLimits(input: ModelCardInput, undefinedSegments: number): string[] {
  const { data, charter, gates } = input;
  const limits = [
    `Learned from ${data.trainingRows} rows; no label known after ${formatTimestamp(data.labelCutoff)} was used. What changed since is not in it.`,
  ];
  if (data.to - data.from < 365 * DAY) {
    limits.push("The data covers less than a year, so seasons that it does not hold are unknown to the model.");
  }
  if (data.censored > 0) {
    const share = ((100 * data.censored) / data.rows).toFixed(1);
    limits.push(
      `${data.censored} rows (${share}%) can never have a label${charter.target.censored === undefined ? "" : ` (${charter.target.censored})`}; figures say nothing about them.`,
    );
  }
  if (data.pending > 0) limits.push(`${data.pending} rows had no label yet and were left out.`);
  const sparse = Object.entries(data.missingShare).filter(([, share]) => share > 0.2);
  if (sparse.length > 0) {
    limits.push(`Often missing: ${sparse.map(([id, share]) => `${id} (${(100 * share).toFixed(0)}%)`).join(", ")}.`);
  }
  if (undefinedSegments > 0)
    limits.push(`${undefinedSegments} segment values have too few rows or positive labels to be judged.`);
  limits.push(...fairnessLimits(input), ...sliceLimits(input));
  const failed = gates.filter(({ passed }) => passed !== true);
  if (failed.length > 0) limits.push(`Gates not passed: ${failed.map(({ text }) => text).join("; ")}.`);
  if (input.test === null) limits.push("Not yet measured on test rows.");
  limits.push("Feature contributions describe the model, not causes in the world.");
  return limits;
}

function fairnessLimits({ fairness }: ModelCardInput): string[] {
  return (fairness?.views ?? []).flatMap(({ columns, tooSmall, disparities }) => {
    const name = columns.join(" and ");
    const isUndefined = Object.values(disparities).some((estimate) => estimate === null);
    return [
      ...(tooSmall.groups > 0 ? [`${tooSmall.groups} groups of ${name} are too small to tell how they are treated.`] : []),
      ...(isUndefined ? [`Some disparities between groups of ${name} are undefined: see Fairness.`] : []),
    ];
  });
}

function sliceLimits({ review }: ModelCardInput): string[] {
  return (review?.weakSlices?.slices ?? []).map(
    ({ conditions, share }) => `Weaker than elsewhere where ${conditions.join(" and ")} (${percent(share)} of rows).`,
  );
}
