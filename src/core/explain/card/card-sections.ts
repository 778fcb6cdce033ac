import { isBinaryCharter, type MetricName, policyInWords } from "../../definitions/index.ts";
import { formatTimestamp } from "../../time.ts";
import { type CardBlock, type CardSection, figure, interval, list, table, text } from "./card-blocks.ts";
import { calibration, dependence, importance, surrogate } from "./explanation-sections.ts";
import type { ModelCard } from "./model-card.ts";
import { fairness, review, segments } from "./weakness-sections.ts";

/** The card's sections in plain text and figures, from which Markdown and HTML are drawn; optional ones only where there is something. */
export function cardSections(card: ModelCard): CardSection[] {
  const sections: [id: string, title: string, blocks: CardBlock[]][] = [
    ["problem", "Problem and decision", problem(card)],
    ["right", "Is machine learning right for this at all?", [text(card.machineLearning.sentence)]],
    ["candidates", "Candidates", candidates(card)],
    ["gates", "Gates", gates(card)],
    ["data", "Data", data(card)],
    ["weak", "Where it is weak", segments(card)],
    ["fairness", "Fairness", fairness(card)],
    ["importance", "What it looks at", importance(card)],
    ["dependence", "How it responds", dependence(card)],
    ["rules", "In a few rules", surrogate(card)],
    ["calibration", "Calibration", calibration(card)],
    ["limits", "Limits", [list(card.allLimits)]],
    ["review", "Data review", review(card)],
    ["training", "Training and environment", training(card)],
  ];
  return sections.flatMap(([id, title, blocks]) => (blocks.length === 0 ? [] : [{ id, title, blocks }]));
}

function problem({ charter }: ModelCard): CardBlock[] {
  const { target } = charter;
  return [
    text(charter.problem),
    list([
      ...decision(charter),
      `Ground truth is due after ${target.groundTruthAfter}.`,
      `Owner: ${charter.owner}. Used by: ${charter.users.join(", ")}.`,
    ]),
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
    `Decision: ${act} when the probability of ${name} is ${policyInWords(when)}.`,
    `Payoff: true positive ${payoff.truePositive}, false positive ${payoff.falsePositive}, false negative ${payoff.falseNegative}, true negative ${payoff.trueNegative ?? 0}.`,
    `Without a model: ${charter.alternative.condition}.`,
  ];
}

/** Metrics in the candidates' table: the first of these that are there, after the one that was selected by. */
const COLUMNS: readonly MetricName[] = [
  "roc_auc",
  "pr_auc",
  "payoff_per_decision",
  "roc_auc_ovr",
  "f1_macro",
  "log_loss",
  "ece",
  "recall",
  "balanced_accuracy",
  "rmse",
  "mae",
  "r2",
  "mape",
];
const MOST_COLUMNS = 6;

function candidates({ candidates: all, test, selectionMetric }: ModelCard): CardBlock[] {
  const present = [...new Set<MetricName>([selectionMetric, ...COLUMNS])].filter((metric) =>
    all.some(({ metrics }) => metrics[metric] !== undefined),
  );
  const shown = present.slice(0, MOST_COLUMNS);
  const cells = (metrics: ModelCard["candidates"][number]["metrics"]) =>
    shown.map((metric) => {
      const estimate = metrics[metric];
      return estimate === undefined ? "undefined" : interval(estimate);
    });
  const compared = all.some(({ comparison }) => comparison);
  const rows = all.map(({ name, selected, metrics, comparison }) => [
    selected ? `${name} (selected)` : name,
    ...cells(metrics),
    ...(compared ? [comparisonInWords(comparison)] : []),
  ]);
  const tested = test === null ? [] : [["selected, on test rows", ...cells(test.metrics), ...(compared ? [""] : [])]];
  return [
    text(`Measured on the same selection rows, selected by ${selectionMetric}; 95% intervals by resampling days.`),
    table(["Candidate", ...shown, ...(compared ? ["Against the selected one"] : [])], [...rows, ...tested]),
    ...(test === null
      ? []
      : [text(`Test: ${test.rows} rows of ${test.days} days${positivesInWords(test.positives)}; opened once, for the gate.`)]),
  ];
}

function comparisonInWords(comparison: ModelCard["candidates"][number]["comparison"]): string {
  if (!comparison) return "";
  const { verdict, difference, pValue } = comparison;
  if (difference === null || pValue === null) return "undefined";
  const words = verdict === "not-distinguishable" ? "not distinguishable" : verdict;
  return `${words}: ${interval(difference)}, p ${pValue < 0.001 ? "< 0.001" : figure(pValue)}`;
}

const positivesInWords = (positives: number): string => (positives > 0 ? `, ${positives} positive` : "");

function gates({ gates: verdicts }: ModelCard): CardBlock[] {
  if (verdicts.length === 0) return [text("No gate has been opened for this version yet.")];
  const word = { true: "passed", false: "not passed", null: "undefined" };
  const number = (value: number | null) => (value === null ? "" : figure(value));
  return [
    table(
      ["Criterion", "Verdict", "Observed", "Required", "Detail"],
      verdicts.map(({ text: criterion, passed, observed, required, detail }) => [
        criterion,
        word[`${passed}`],
        number(observed),
        number(required),
        detail,
      ]),
    ),
  ];
}

function data({ data: set }: ModelCard): CardBlock[] {
  const positives = set.positives > 0 ? ` (${set.positives} positive)` : "";
  return [
    list([
      `Predictions made from ${formatTimestamp(set.from)} to ${formatTimestamp(set.to)}.`,
      `${set.rows} rows: ${set.labelled} with a label${positives}, ${set.pending} pending, ${set.censored} censored; ${set.trainingRows} were trained on.`,
      `No label known after ${formatTimestamp(set.labelCutoff)} was used.`,
    ]),
    table(["Source", "Snapshot"], Object.entries(set.snapshots)),
  ];
}

function training({ training: cost, environment }: ModelCard): CardBlock[] {
  const figures =
    cost === undefined || cost === null
      ? []
      : [
          ...(cost.seconds === undefined ? [] : [`Training took ${figure(cost.seconds)} s.`]),
          ...(cost.peakMemoryBytes === undefined
            ? []
            : [`It took ${Math.round(cost.peakMemoryBytes / 2 ** 20)} MiB of memory at most.`]),
          ...(cost.trials === undefined ? [] : [`${cost.trials} trials were run to choose the parameters.`]),
          ...(cost.notes ?? []),
        ];
  const known = Object.entries(environment ?? {});
  return [...(figures.length > 0 ? [list(figures)] : []), ...(known.length > 0 ? [table(["Part", "Version"], known)] : [])];
}
