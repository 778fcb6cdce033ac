import type { FairnessView } from "../fairness/fairness-report.ts";
import type { DataReview } from "../review/data-review.ts";
import { type CardBlock, figure, interval, list, percent, table, text } from "./card-blocks.ts";
import type { ModelCard } from "./model-card.ts";

export function segments({
  weakSegments,
  undefinedSegments,
  segments: all,
  selectionMetric,
  candidates,
  review: found,
}: ModelCard): CardBlock[] {
  const slices = found?.weakSlices === undefined ? [] : sliceBlocks(found.weakSlices);
  if (all.length === 0) return [text("No segments were asked for."), ...slices];
  const overall = candidates.find(({ selected }) => selected)?.metrics[selectionMetric];
  const points = weakSegments.flatMap(({ segment, value, rows, positives, metrics }) => {
    const estimate = metrics[selectionMetric];
    const note = positives > 0 ? `${rows} rows, ${positives} positive` : `${rows} rows`;
    return estimate === undefined ? [] : [{ label: `${segment} ${value}`, ...estimate, note }];
  });
  return [
    ...(points.length === 0
      ? []
      : [
          text(`The segments with the worst ${selectionMetric}, with 95% intervals by resampling days.`),
          {
            kind: "ranges",
            unit: selectionMetric,
            reference: overall === undefined ? null : { label: "all rows", value: overall.value },
            points,
          } as const,
        ]),
    ...(undefinedSegments > 0 ? [text(`Undefined for ${undefinedSegments} more values: too few rows or positive labels.`)] : []),
    ...slices,
  ];
}

function sliceBlocks({ loss, slices, note }: NonNullable<DataReview["weakSlices"]>): CardBlock[] {
  if (slices.length === 0) return [text(`No slice of features was found in which ${loss} is higher than elsewhere. ${note}`)];
  return [
    table(
      ["Slice", "Share of rows", loss, "Elsewhere", "Excess", "p"],
      slices.map(({ conditions, share, loss: inside, lossElsewhere, excess, pValue }) => [
        conditions.join(" and "),
        percent(share),
        figure(inside),
        figure(lossElsewhere),
        interval(excess),
        figure(pValue),
      ]),
    ),
    text(note),
  ];
}

/** Groups of one view that are named. */
const MOST_GROUPS = 12;

export function fairness({ fairness: report }: ModelCard): CardBlock[] {
  if (report === undefined || report === null) return [];
  return [
    text(
      `How groups are treated at the decision's threshold of ${figure(report.threshold)}, on ${report.rows} rows of ${report.days} days. ` +
        `Groups of fewer than ${report.rules.minRows} rows are not judged; rates need ${report.rules.minOutcomes} outcomes.`,
    ),
    ...report.views.flatMap(viewBlocks),
  ];
}

function viewBlocks({ columns, groups, tooSmall, disparities, undefinedBecause }: FairnessView): CardBlock[] {
  const name = columns.join(" and ");
  const points = groups.slice(0, MOST_GROUPS).flatMap(({ values, rows, positives, metrics }) => {
    const rate = metrics.selection_rate;
    const note = `${rows} rows, ${positives} positive`;
    return rate === undefined ? [] : [{ label: groupName(values), ...rate, note }];
  });
  const rows = Object.entries(disparities).map(([disparity, estimate]) => [
    disparity.replaceAll("_", " "),
    estimate === null ? `undefined: ${undefinedReason(disparity, undefinedBecause)}` : interval(estimate),
  ]);
  const left = groups.length - points.length;
  return [
    text(`By ${name}: share of each group that is acted on.`),
    { kind: "ranges", unit: "selection rate", reference: null, points },
    ...(left > 0 ? [text(`${left} more groups are in the JSON.`)] : []),
    ...(tooSmall.groups > 0
      ? [text(`${tooSmall.groups} groups with ${tooSmall.rows} rows together are too small to be judged.`)]
      : []),
    table([`Between groups of ${name}`, "Estimate"], rows),
  ];
}

const groupName = (values: readonly (string | null)[]): string => values.map((value) => value ?? "(missing)").join(", ");

const undefinedReason = (disparity: string, because: Readonly<Record<string, string | undefined>>): string =>
  because[disparity] ?? "no reason was given";

/** Features whose absence is told. */
const MOST_NULLS = 8;

export function review({ review: found }: ModelCard): CardBlock[] {
  if (found === null) return [text("Not made for this version.")];
  const nulls = (found.nulls ?? []).slice(0, MOST_NULLS);
  const isStaleMeasured = found.views.some(({ whenStale }) => whenStale !== undefined);
  const head = ["Feature view", `Loss of ${found.metric} without it`, "Loss when it is missing"];
  return [
    list(found.proposals),
    table(
      isStaleMeasured ? [...head, "Loss when it is stale"] : head,
      found.views.map(({ view, withoutView, whenMissing, whenStale }) => [
        view,
        interval(withoutView),
        interval(whenMissing),
        ...(isStaleMeasured ? [whenStale === undefined ? "not measured" : interval(whenStale.loss)] : []),
      ]),
    ),
    ...(nulls.length === 0
      ? []
      : [
          text(`Loss of ${found.metric} when a single feature is missing at prediction time.`),
          {
            kind: "bars",
            unit: found.metric,
            bars: nulls.map(({ feature, whenMissing }) => ({ label: feature, ...whenMissing })),
          } as const,
        ]),
    table(
      ["Most recent rows", found.metric],
      found.learningCurve.map(({ share, rows, value }) => [`${100 * share}% (${rows})`, figure(value)]),
    ),
    list(found.notes),
  ];
}
