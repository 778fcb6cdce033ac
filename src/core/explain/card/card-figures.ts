import { isBinaryCharter, type MetricName } from "../../definitions/index.ts";
import { formatTimestamp } from "../../time.ts";
import type { MetricEstimate } from "../../training/index.ts";
import type { ModelCard } from "./model-card.ts";

/** Three decimals, without trailing zeros. */
export const figure = (value: number): string => String(Number(value.toFixed(3)));
export const interval = ({ value, low, high }: MetricEstimate): string => `${figure(value)} (${figure(low)} to ${figure(high)})`;

const COLUMNS: readonly MetricName[] = ["roc_auc", "pr_auc", "log_loss", "ece", "recall", "payoff_per_decision"];

export interface CardTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export type CardBlock =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "table"; readonly table: CardTable }
  /** Bars to one scale; `low` and `high` are an interval where there is one. */
  | { readonly kind: "bars"; readonly unit: string; readonly bars: readonly CardBar[] };

export interface CardBar {
  readonly label: string;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

export interface CardSection {
  readonly title: string;
  readonly blocks: readonly CardBlock[];
}

/** The card's sections in plain text, from which Markdown and HTML are drawn. */
export function cardSections(card: ModelCard): CardSection[] {
  const sections: CardSection[] = [
    { title: "Problem and decision", blocks: problem(card) },
    { title: "Is machine learning right for this at all?", blocks: [{ kind: "text", text: card.machineLearning.sentence }] },
    { title: "Candidates", blocks: candidates(card) },
    { title: "Gates", blocks: gates(card) },
    { title: "Data", blocks: data(card) },
    { title: "Where it is weak", blocks: segments(card) },
    { title: "What it looks at", blocks: importance(card) },
    { title: "Calibration", blocks: calibration(card) },
    { title: "Limits", blocks: [{ kind: "list", items: card.allLimits }] },
    { title: "Data review", blocks: review(card) },
  ];
  return sections;
}

const text = (sentence: string): CardBlock => ({ kind: "text", text: sentence });

function problem({ charter }: ModelCard): CardBlock[] {
  const { target } = charter;
  return [
    text(charter.problem),
    {
      kind: "list",
      items: [
        ...decision(charter),
        `Ground truth is due after ${target.groundTruthAfter}.`,
        `Owner: ${charter.owner}. Used by: ${charter.users.join(", ")}.`,
      ],
    },
  ];
}

/** What is done with a prediction, and what that is worth. */
function decision(charter: ModelCard["charter"]): string[] {
  const { name, type } = charter.target;
  if (!isBinaryCharter(charter)) {
    const predicted = `Predicted: ${name}, ${type === "regression" ? "a number" : "one of several classes"}.`;
    return charter.decision === undefined ? [predicted] : [predicted, `Decision: ${charter.decision.act}.`];
  }
  const { act, when, payoff } = charter.decision;
  return [
    `Decision: ${act} when the probability of ${name} is at least ${when.at}.`,
    `Payoff: true positive ${payoff.truePositive}, false positive ${payoff.falsePositive}, false negative ${payoff.falseNegative}, true negative ${payoff.trueNegative ?? 0}.`,
    `Without a model: ${charter.alternative.condition}.`,
  ];
}

function candidates({ candidates: all, test, selectionMetric }: ModelCard): CardBlock[] {
  const shown = COLUMNS.filter((metric) => all.some(({ metrics }) => metrics[metric] !== undefined));
  const cells = (metrics: ModelCard["candidates"][number]["metrics"]) =>
    shown.map((metric) => {
      const estimate = metrics[metric];
      return estimate === undefined ? "undefined" : interval(estimate);
    });
  const rows = all.map(({ name, selected, metrics }) => [selected ? `${name} (selected)` : name, ...cells(metrics)]);
  const tested = test === null ? [] : [["selected, on test rows", ...cells(test.metrics)]];
  return [
    text(`Measured on the same selection rows, selected by ${selectionMetric}; 95% intervals by resampling days.`),
    { kind: "table", table: { head: ["Candidate", ...shown], rows: [...rows, ...tested] } },
    ...(test === null
      ? []
      : [text(`Test: ${test.rows} rows of ${test.days} days, ${test.positives} positive; opened once, for the gate.`)]),
  ];
}

function gates({ gates: verdicts }: ModelCard): CardBlock[] {
  if (verdicts.length === 0) return [text("No gate has been opened for this version yet.")];
  const word = { true: "passed", false: "not passed", null: "undefined" };
  const number = (value: number | null) => (value === null ? "" : figure(value));
  return [
    {
      kind: "table",
      table: {
        head: ["Criterion", "Verdict", "Observed", "Required", "Detail"],
        rows: verdicts.map(({ text: criterion, passed, observed, required, detail }) => [
          criterion,
          word[`${passed}`],
          number(observed),
          number(required),
          detail,
        ]),
      },
    },
  ];
}

function data({ data: set }: ModelCard): CardBlock[] {
  return [
    {
      kind: "list",
      items: [
        `Predictions made from ${formatTimestamp(set.from)} to ${formatTimestamp(set.to)}.`,
        `${set.rows} rows: ${set.labelled} with a label (${set.positives} positive), ${set.pending} pending, ${set.censored} censored; ${set.trainingRows} were trained on.`,
        `No label known after ${formatTimestamp(set.labelCutoff)} was used.`,
      ],
    },
    { kind: "table", table: { head: ["Source", "Snapshot"], rows: Object.entries(set.snapshots) } },
  ];
}

function segments({ weakSegments, undefinedSegments, segments: all, selectionMetric }: ModelCard): CardBlock[] {
  if (all.length === 0) return [text("No segments were asked for.")];
  const rows = weakSegments.map(({ segment, value, rows: count, positives, metrics }) => {
    const estimate = metrics[selectionMetric];
    return [segment, value, String(count), String(positives), estimate === undefined ? "undefined" : interval(estimate)];
  });
  return [
    { kind: "table", table: { head: ["Segment", "Value", "Rows", "Positives", selectionMetric], rows } },
    ...(undefinedSegments > 0 ? [text(`Undefined for ${undefinedSegments} more values: too few positive labels.`)] : []),
  ];
}

const TOP = 12;

function importance({ permutation, shap }: ModelCard): CardBlock[] {
  const blocks: CardBlock[] = [];
  if (permutation !== null) {
    blocks.push(
      text(`Drop of ${permutation.metric} when a feature is shuffled (${permutation.repeats} times, ${permutation.rows} rows).`),
      {
        kind: "bars",
        unit: permutation.metric,
        bars: permutation.features.slice(0, TOP).map(({ feature, drop }) => ({ label: feature, ...drop })),
      },
    );
  }
  if (shap !== null && shap.method !== "none") {
    blocks.push(text(`Mean |SHAP value| in log-odds (${shap.method}, ${shap.rows} rows).`), {
      kind: "bars",
      unit: "log-odds",
      bars: shap.shap.slice(0, TOP).map(({ feature, meanAbs }) => ({ label: feature, value: meanAbs })),
    });
  }
  return blocks.length > 0 ? blocks : [text("It looks at no feature, or importance was not measured.")];
}

function calibration({ calibration: bins }: ModelCard): CardBlock[] {
  if (bins.length === 0) return [text("Not measured.")];
  const rows = bins.map(({ low, high, rows: count, meanProbability, shareOfPositives }) => [
    `${figure(low)} to ${figure(high)}`,
    String(count),
    figure(meanProbability),
    figure(shareOfPositives),
  ]);
  return [{ kind: "table", table: { head: ["Predicted", "Rows", "Mean prediction", "Share positive"], rows } }];
}

function review({ review: found }: ModelCard): CardBlock[] {
  if (found === null) return [text("Not made for this version.")];
  return [
    { kind: "list", items: found.proposals },
    {
      kind: "table",
      table: {
        head: ["Feature view", `Loss of ${found.metric} without it`, "Loss when it is missing"],
        rows: found.views.map(({ view, withoutView, whenMissing }) => [view, interval(withoutView), interval(whenMissing)]),
      },
    },
    {
      kind: "table",
      table: {
        head: ["Most recent rows", found.metric],
        rows: found.learningCurve.map(({ share, rows, value }) => [`${100 * share}% (${rows})`, figure(value)]),
      },
    },
    { kind: "list", items: found.notes },
  ];
}
