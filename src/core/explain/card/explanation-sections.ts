import type { PartialDependence } from "../dependence/partial-dependence.ts";
import type { ShapSummary } from "../shap/summarize-shap.ts";
import { type CardBlock, type CardCurve, figure, list, percent, type SwarmBlock, table, text } from "./card-blocks.ts";
import type { CardDependence, ModelCard } from "./model-card.ts";

/** Features in a chart at most. */
const TOP = 12;
/** Dots for a feature, evenly taken: a page has to stay small. */
const DOTS = 80;
const ROW_CURVES = 12;

export function importance({ permutation, shap }: ModelCard): CardBlock[] {
  const blocks: CardBlock[] = [];
  if (permutation !== null) {
    const { metric, repeats, rows, features, groups = [] } = permutation;
    blocks.push(text(`Drop of ${metric} when a feature is shuffled (${repeats} times, ${rows} rows).`), {
      kind: "bars",
      unit: metric,
      bars: features.slice(0, TOP).map(({ feature, drop }) => ({ label: feature, ...drop })),
    });
    if (groups.length > 0) {
      blocks.push(text("The same when features are shuffled together, so that none can stand in for another."), {
        kind: "bars",
        unit: metric,
        bars: groups.slice(0, TOP).map(({ name, drop }) => ({ label: name, ...drop })),
      });
    }
  }
  if (shap !== null && shap.method !== "none") blocks.push(...shapBlocks(shap));
  return blocks.length > 0 ? blocks : [text("It looks at no feature, or importance was not measured.")];
}

function shapBlocks({ method, scale = "log-odds", rows, shap, sample }: ShapSummary): CardBlock[] {
  const unit = scale === "value" ? "units of the target" : scale;
  const dots = swarm(sample, shap, unit);
  const means: CardBlock = {
    kind: "bars",
    unit,
    bars: shap.slice(0, TOP).map(({ feature, meanAbs }) => ({ label: feature, value: meanAbs })),
  };
  return [
    text(`Mean |SHAP value| in ${unit} (${method}, ${rows} rows).`),
    means,
    ...(dots.features.length === 0 ? [] : [text("Each row's SHAP values, coloured by the feature's value."), dots]),
  ];
}

function swarm(sample: ShapSummary["sample"], shap: ShapSummary["shap"], unit: string): SwarmBlock {
  const means = new Map(shap.map(({ feature, meanAbs }) => [feature, meanAbs]));
  const features = sample.slice(0, TOP).map(({ feature, points }) => {
    const step = Math.max(1, points.length / DOTS);
    const taken = Array.from({ length: Math.min(DOTS, points.length) }, (_, i) => points[Math.floor(i * step)]);
    return {
      label: feature,
      mean: means.get(feature) ?? 0,
      dots: taken.map(({ phi, value }) => ({ at: phi, value })),
    };
  });
  return { kind: "swarm", unit, features: features.filter(({ dots }) => dots.length > 0) };
}

export function dependence({ dependence: found }: ModelCard): CardBlock[] {
  if (found === undefined || found === null || found.partial.length === 0) return [];
  return [
    text(
      `Mean ${found.predicts} when all rows have one value of a feature (line, with its 95% interval), for single rows (thin lines), and accumulated ` +
        "local effects moved to the same mean (dashed), which ask only about rows like those that exist. Bars below: where the rows are.",
    ),
    { kind: "curves", unit: found.predicts, curves: found.partial.map((each) => curveOf(each, found)) },
  ];
}

function curveOf({ feature, points, curves }: PartialDependence, { effects }: CardDependence): CardCurve {
  const rows = points.reduce((sum, point) => sum + point.rows, 0);
  const mean = rows === 0 ? 0 : points.reduce((sum, point) => sum + (point.rows * point.mean) / rows, 0);
  const local = effects.find((effect) => effect.feature === feature)?.points ?? [];
  return {
    title: feature,
    points: points.map(({ value, mean: y, low, high, rows: count }) => ({ x: value, y, low, high, rows: count })),
    rows: curves.slice(0, ROW_CURVES),
    second: local.map(({ value, effect }) => ({ x: value, y: effect + mean })),
  };
}

export function surrogate({ surrogate: tree, charter }: ModelCard): CardBlock[] {
  if (tree === undefined || tree === null) return [];
  const predicts = charter.target.type === "multiclass" ? "It mostly says" : "It says on average";
  return [
    text("The model's predictions, summarised by a small decision tree."),
    table(
      ["When", predicts, "Share of rows"],
      tree.rules.map(({ when, predicts: answer, share }) => [
        when,
        typeof answer === "number" ? figure(answer) : answer,
        percent(share),
      ]),
    ),
    list(tree.limits),
  ];
}

export function calibration({ calibration: bins, charter }: ModelCard): CardBlock[] {
  if (charter.target.type === "regression") return [];
  if (bins.length === 0) return [text("Not measured.")];
  return [
    {
      kind: "calibration",
      bins: bins.map(({ low, high, rows, meanProbability, shareOfPositives }) => ({
        low,
        high,
        rows,
        predicted: meanProbability,
        observed: shareOfPositives,
      })),
    },
  ];
}
