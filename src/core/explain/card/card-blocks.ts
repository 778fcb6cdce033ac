import type { MetricEstimate } from "../../training/index.ts";

/** A section's content without a rendering: Markdown and HTML are drawn from the same blocks. */
export type CardBlock =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "table"; readonly table: CardTable }
  | BarsBlock
  | RangesBlock
  | CurvesBlock
  | CalibrationBlock
  | SwarmBlock;

export interface CardTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Bars from 0 to one scale; `low` and `high` are an interval where there is one. */
export interface BarsBlock {
  readonly kind: "bars";
  readonly unit: string;
  readonly bars: readonly CardBar[];
}

export interface CardBar {
  readonly label: string;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

/** Points with intervals on one scale, beside a figure that they are compared with. */
export interface RangesBlock {
  readonly kind: "ranges";
  readonly unit: string;
  readonly reference: { readonly label: string; readonly value: number } | null;
  readonly points: readonly (CardBar & { readonly note: string })[];
}

/** How the prediction goes with each of some features; all on one vertical scale. */
export interface CurvesBlock {
  readonly kind: "curves";
  readonly unit: string;
  readonly curves: readonly CardCurve[];
}

export interface CardCurve {
  readonly title: string;
  readonly points: readonly CurvePoint[];
  /** Single rows, at the places of `points`. */
  readonly rows: readonly (readonly number[])[];
  /** A second line with places of its own; empty for none. */
  readonly second: readonly { readonly x: number; readonly y: number }[];
}

export interface CurvePoint {
  /** A number is a place, a text a category. */
  readonly x: number | string;
  readonly y: number;
  readonly low: number;
  readonly high: number;
  /** How much data lies there. */
  readonly rows: number;
}

/** Predicted against observed share of positives. */
export interface CalibrationBlock {
  readonly kind: "calibration";
  readonly bins: readonly {
    readonly low: number;
    readonly high: number;
    readonly rows: number;
    readonly predicted: number;
    readonly observed: number;
  }[];
}

/** One dot for each row and feature: where it lies is what the feature added, its colour the feature's value. */
export interface SwarmBlock {
  readonly kind: "swarm";
  readonly unit: string;
  readonly features: readonly {
    readonly label: string;
    readonly mean: number;
    /** `value` from 0 (low) to 1 (high); null: missing or a category. */
    readonly dots: readonly { readonly at: number; readonly value: number | null }[];
  }[];
}

export interface CardSection {
  /** Anchor in the page. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly CardBlock[];
}

export const text = (sentence: string): CardBlock => ({ kind: "text", text: sentence });
export const list = (items: readonly string[]): CardBlock => ({ kind: "list", items });
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): CardBlock => ({
  kind: "table",
  table: { head, rows },
});

/** Three decimals without trailing zeros; one digit and an exponent where that would be 0, six digits where the number is large. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.0005) return value.toExponential(0);
  return String(Number(size >= 1e6 ? value.toPrecision(6) : value.toFixed(3)));
}
export const interval = ({ value, low, high }: MetricEstimate): string => `${figure(value)} (${figure(low)} to ${figure(high)})`;
export const percent = (share: number): string => `${Number((100 * share).toFixed(1))}%`;
