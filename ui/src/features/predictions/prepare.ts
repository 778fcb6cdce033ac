import type { Counterfactuals, Explanation } from "../../../../src/contract/index.ts";
import { formatShare, formatValue } from "../../components/format.ts";

export interface WaterfallBar {
  readonly label: string;
  readonly phi: number;
  readonly from: number;
  readonly to: number;
}
export interface Waterfall {
  /** What all figures are measured in. */
  readonly scale: Explanation["scale"];
  readonly base: number;
  readonly output: number;
  readonly bars: readonly WaterfallBar[];
}

/** From the base to the output, largest contribution first; what does not fit is one bar, so that the bars always add up. */
export function waterfall({ scale, base, output, contributions }: Explanation, most = 14): Waterfall {
  const ordered = [...contributions].sort((a, b) => Math.abs(b.phi) - Math.abs(a.phi));
  const shown = ordered.slice(0, most).map(({ feature, value, phi }) => ({ label: `${feature} = ${formatValue(value)}`, phi }));
  const rest = ordered.slice(most);
  if (rest.length > 0) shown.push({ label: `${rest.length} others`, phi: rest.reduce((sum, { phi }) => sum + phi, 0) });
  let at = base;
  const bars = shown.map(({ label, phi }) => {
    const from = at;
    at += phi;
    return { label, phi, from, to: at };
  });
  return { scale, base, output, bars };
}

export interface FeatureRow {
  readonly feature: string;
  readonly value: string;
  readonly missing: boolean;
}

/** Features by name; those of a view whose entity was unknown are null and marked. */
export const featureRows = (features: Readonly<Record<string, unknown>>): FeatureRow[] =>
  Object.entries(features)
    .map(([feature, value]) => ({ feature, value: formatValue(value), missing: value === null || value === undefined }))
    .sort((a, b) => a.feature.localeCompare(b.feature));

export interface ChangeRow {
  readonly key: string;
  /** The number of the way to the other decision, and where it leads; on the first of its changes only. */
  readonly way: string;
  readonly feature: string;
  readonly from: string;
  readonly to: string;
  readonly prediction: string;
}

/** One row a change; the changes of one way belong together. */
export const changeRows = ({ counterfactuals }: Counterfactuals): ChangeRow[] =>
  counterfactuals.flatMap(({ changes, prediction }, way) =>
    changes.map(({ feature, from, to }, index) => ({
      key: `${way} ${feature}`,
      way: index === 0 ? String(way + 1) : "",
      feature,
      from: formatValue(from),
      to: formatValue(to),
      prediction: index === 0 ? formatShare(prediction) : "and",
    })),
  );

export function goalText({ goal }: Counterfactuals): string {
  if (goal.kind === "class") return `${goal.name} as the likeliest class`;
  return `a probability of ${goal.kind === "below" ? "less than" : "at least"} ${formatShare(goal.value)}`;
}
