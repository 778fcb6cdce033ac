import type { Explanation } from "../../../../src/contract/index.ts";
import { formatValue } from "../../components/format.ts";

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
