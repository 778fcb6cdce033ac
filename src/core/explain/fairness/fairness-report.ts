import {
  type CategoricalColumn,
  type Decision,
  denseUnits,
  intervalOf,
  type MetricEstimate,
  type ResamplingOptions,
  type RowSelection,
  unitResamples,
  weightsOfRows,
} from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { COMPARED_RATES, DISPARITIES, type Disparity } from "./disparities.ts";
import { GROUP_METRICS, type GroupMetric, type MeasuredView, measureView, prepareView, type View } from "./measure-view.ts";
import { type ProtectedGroups, protectedGroups } from "./protected-groups.ts";

/** Rows with what was predicted and what became of them; of the arrays, element i belongs to rows[i]. */
export interface FairnessInput {
  readonly labels: Uint8Array;
  readonly probabilities: Float64Array;
  /** What is resampled as a whole: the day, or any other number of a group of rows. */
  readonly days: Int32Array;
  readonly weights?: Float64Array;
  readonly decision: Decision;
  /** Columns by which nobody shall be treated worse; of several, their combinations are looked at too. */
  readonly protectedColumns: readonly CategoricalColumn[];
  /** Which rows of the columns; absent: all. */
  readonly rows?: RowSelection;
}

export interface FairnessOptions extends ResamplingOptions {
  /** A group of fewer rows is not judged; 30 unless said. */
  readonly minRows?: number;
  /** Rates over positives (or negatives) are undefined for a group with fewer of them; 5 unless said. */
  readonly minOutcomes?: number;
}

export interface FairnessGroup {
  /** In the order of the view's columns; `null` stands for rows without a value. */
  readonly values: readonly (string | null)[];
  readonly rows: number;
  readonly positives: number;
  /** Absent where undefined. */
  readonly metrics: Readonly<Partial<Record<GroupMetric, MetricEstimate>>>;
}

export interface FairnessView {
  readonly columns: readonly string[];
  /** Groups that are judged, most rows first. */
  readonly groups: readonly FairnessGroup[];
  /** Groups that are too small to be judged: how many, their rows, and the largest of them. */
  readonly tooSmall: {
    readonly groups: number;
    readonly rows: number;
    readonly largest: readonly { readonly values: readonly (string | null)[]; readonly rows: number }[];
  };
  /** Between the groups that are judged; `null` where undefined. */
  readonly disparities: Readonly<Record<Disparity, MetricEstimate | null>>;
  /** Why, for each that is `null`. */
  readonly undefinedBecause: Readonly<Partial<Record<Disparity, string>>>;
  /** Of the judged groups the one that fares worst, by metric. */
  readonly worst: Readonly<
    Partial<Record<WorstBy, { readonly values: readonly (string | null)[]; readonly estimate: MetricEstimate }>>
  >;
}

/** Plain JSON, as it stands on the model card. */
export interface FairnessReport {
  readonly rows: number;
  readonly days: number;
  readonly threshold: number;
  readonly rules: { readonly minRows: number; readonly minOutcomes: number };
  readonly views: readonly FairnessView[];
}

const DEFAULTS = { minRows: 30, minOutcomes: 5 };
/** How many groups that are too small are named. */
const NAMED = 20;

/** Metrics by which a worst group is named, and whether the least or the greatest is worst. */
const WORST = [
  ["accuracy", "least"],
  ["true_positive_rate", "least"],
  ["precision", "least"],
  ["roc_auc", "least"],
  ["false_positive_rate", "greatest"],
  ["ece", "greatest"],
] as const satisfies readonly (readonly [GroupMetric, "least" | "greatest"])[];

export type WorstBy = (typeof WORST)[number][0];

const NO_DISPARITIES: Readonly<Record<Disparity, MetricEstimate | null>> = {
  demographic_parity_difference: null,
  demographic_parity_ratio: null,
  equal_opportunity_difference: null,
  equal_opportunity_ratio: null,
  equalized_odds_difference: null,
  equalized_odds_ratio: null,
};

/**
 * How a model treats the groups of each protected column, and those of their combination: rates at the decision, ranking and calibration
 * of each group, and the disparities between groups as fairlearn defines them, all with bootstrap intervals over days. Greatest
 * less least of many noisy rates is above 0 even where all groups are treated alike, and so are its resamples: read a disparity
 * beside the intervals of its groups.
 *
 * What is undefined is absent or `null`, never 0: a group below `minRows` rows is not judged and left out of the disparities (and counted in
 * `tooSmall`); a judged group below `minOutcomes` positives has no rate over positives (negatives alike), and a disparity that
 * would compare it is `null`, with the reason; so it is with fewer than two judged groups, and a ratio of rates that are all 0.
 *
 * @throws EXPLAIN_NO_ROWS, EXPLAIN_GROUPS_INVALID
 */
export function fairnessReport(input: FairnessInput, options: FairnessOptions = {}): FairnessReport {
  const { minRows, minOutcomes } = { ...DEFAULTS, ...options };
  checkInput(input);
  const { labels, days, weights = null, protectedColumns, rows, decision } = input;
  const columnsOfViews = [
    ...protectedColumns.map((column) => [column]),
    ...(protectedColumns.length > 1 ? [protectedColumns] : []),
  ];
  const views = columnsOfViews.map((columns) =>
    prepareView(checkedGroups(protectedGroups(columns, rows), labels), input, { minRows, minOutcomes }),
  );
  const { count, index } = denseUnits(days);
  const points = views.map((view) => measureView(view, input, weights));
  const resampled: MeasuredView[][] = views.map(() => []);
  for (const unitWeights of unitResamples(count, options)) {
    const rowWeights = weightsOfRows(index, unitWeights, weights);
    views.forEach((view, v) => {
      resampled[v].push(measureView(view, input, rowWeights));
    });
  }
  return {
    rows: labels.length,
    days: count,
    threshold: decision.threshold,
    rules: { minRows, minOutcomes },
    views: views.map((view, v) => describeView(view, points[v], resampled[v], options)),
  };
}

function describeView(
  view: View,
  point: MeasuredView,
  resampled: readonly MeasuredView[],
  options: FairnessOptions,
): FairnessView {
  const groups = view.judged.map((member, g): FairnessGroup => {
    const metrics: Partial<Record<GroupMetric, MetricEstimate>> = {};
    for (const metric of GROUP_METRICS) {
      const value = point.groups[g][metric];
      const samples = resampled.flatMap(({ groups: measured }) => measured[g][metric] ?? []);
      if (value !== undefined) metrics[metric] = intervalOf(value, samples, [], percentile(options));
    }
    return { values: member.values, rows: member.rows.length, positives: member.positives, metrics };
  });
  const undefinedBecause: Partial<Record<Disparity, string>> = {};
  const disparities = { ...NO_DISPARITIES };
  for (const disparity of DISPARITIES) {
    const value = point.disparities[disparity];
    const samples = resampled.flatMap(({ disparities: measured }) => measured[disparity] ?? []);
    if (value === undefined) undefinedBecause[disparity] = reasonFor(disparity, view, point);
    else disparities[disparity] = intervalOf(value, samples, [], percentile(options));
  }
  return {
    columns: view.groups.columns,
    groups,
    tooSmall: {
      groups: view.tooSmall.length,
      rows: view.tooSmall.reduce((sum, { rows }) => sum + rows, 0),
      largest: view.tooSmall.slice(0, NAMED),
    },
    disparities,
    undefinedBecause,
    worst: worstGroups(groups),
  };
}

/** The bias of differences of extremes is no skew that bca could learn from a jackknife. */
const percentile = ({ interval: _, ...options }: FairnessOptions): ResamplingOptions => options;

function reasonFor(disparity: Disparity, { judged, rules }: View, { groups }: MeasuredView): string {
  if (judged.length < 2) return `fewer than two groups have ${rules.minRows} rows`;
  const lacking = judged.flatMap(({ values }, g) =>
    COMPARED_RATES[disparity].some((rate) => groups[g][rate] === undefined) ? [nameOf(values)] : [],
  );
  if (lacking.length === 0) return "the greatest rate is 0";
  const outcomes = COMPARED_RATES[disparity].length > 1 ? "positives or negatives" : "positives";
  return `fewer than ${rules.minOutcomes} ${outcomes} in ${lacking.join("; ")}`;
}

const nameOf = (values: readonly (string | null)[]): string => values.map((value) => value ?? "(missing)").join(", ");

function worstGroups(groups: readonly FairnessGroup[]): FairnessView["worst"] {
  const worst: Partial<Record<WorstBy, { values: readonly (string | null)[]; estimate: MetricEstimate }>> = {};
  for (const [metric, which] of WORST) {
    for (const { values, metrics } of groups) {
      const estimate = metrics[metric];
      if (estimate === undefined) continue;
      const known = worst[metric]?.estimate.value;
      const isWorse = known === undefined || (which === "least" ? estimate.value < known : estimate.value > known);
      if (isWorse) worst[metric] = { values, estimate };
    }
  }
  return worst;
}

function checkInput({ labels, probabilities, days, weights, protectedColumns }: FairnessInput): void {
  if (labels.length === 0) throw explainErrors.EXPLAIN_NO_ROWS("there are no rows to compare groups on");
  if (protectedColumns.length === 0) throw explainErrors.EXPLAIN_GROUPS_INVALID("no protected column is given");
  for (const given of [probabilities, days, ...(weights === undefined ? [] : [weights])]) {
    if (given.length !== labels.length) {
      throw explainErrors.EXPLAIN_GROUPS_INVALID(`${labels.length} labels, but ${given.length} probabilities, days or weights`);
    }
  }
  for (let row = 0; row < labels.length; row++) {
    const [p, weight] = [probabilities[row], weights?.[row] ?? 1];
    if (labels[row] <= 1 && p >= 0 && p <= 1 && weight >= 0 && weight < Number.POSITIVE_INFINITY) continue;
    throw explainErrors.EXPLAIN_GROUPS_INVALID(
      `row ${row} has the label ${labels[row]}, the probability ${p}, the weight ${weight}`,
    );
  }
}

function checkedGroups(groups: ProtectedGroups, labels: Uint8Array): ProtectedGroups {
  if (groups.group.length === labels.length) return groups;
  throw explainErrors.EXPLAIN_GROUPS_INVALID(
    `${labels.length} labels, but ${groups.group.length} rows of ${groups.columns.join(", ")}`,
  );
}
