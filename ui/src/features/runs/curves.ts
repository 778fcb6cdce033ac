import type { MetricPoint } from "../../../../src/contract/index.ts";

/** What a curve's values stand over: the step, the time since its first value, or the clock. */
export const AXES = ["step", "elapsed", "clock"] as const;
export type Axis = (typeof AXES)[number];
export const AXIS_LABELS: Record<Axis, string> = { step: "Step", elapsed: "Time since the start", clock: "Clock (UTC)" };

/** A metric's values as the server keeps them, as many as were read. */
export interface History {
  readonly points: readonly MetricPoint[];
  /** False where there are more than are read. */
  readonly complete: boolean;
}

export interface CurvePoint {
  /** Step, seconds, or milliseconds since 1970, as the axis says. */
  readonly x: number;
  /** NaN where the value is no finite number: the line has a gap there. */
  readonly y: number;
  readonly step: number;
}

export interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly dash: string | null;
  readonly points: readonly CurvePoint[];
}

export interface CurveChartData {
  readonly curves: readonly Curve[];
  readonly axis: Axis;
  readonly logarithmic: boolean;
}

const COLOURS = 5;
const DASHES = [null, "6 3", "2 3", "9 3 2 3"] as const;

/** Twenty ways to draw a line that are told apart: colours first, then dashes. */
export const lineStyle = (index: number): { colour: string; dash: string | null } => ({
  colour: `var(--o-chart-${(index % COLOURS) + 1})`,
  dash: DASHES[Math.floor(index / COLOURS) % DASHES.length] ?? null,
});

/** As many points as a screen can show apart. */
export const MOST_DRAWN = 1_200;

export function curvePoints({ points }: History, axis: Axis): CurvePoint[] {
  const start = points.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const xOf: Record<Axis, (point: MetricPoint) => number> = {
    step: ({ step }) => step,
    elapsed: ({ at }) => (at - start) / 1e6,
    clock: ({ at }) => at / 1e3,
  };
  const placed = points.map((point) => ({
    x: xOf[axis](point),
    y: typeof point.value === "number" ? point.value : Number.NaN,
    step: point.step,
  }));
  // The server answers by step; a run that was resumed may have logged them out of the clock's order.
  return axis === "step" ? placed : placed.sort((a, b) => a.x - b.x);
}

/**
 * At most about `most` of many points: of each stretch the first, the last, the least and the greatest, so that a spike is never lost and the
 * line stays where it was. O(n).
 */
export function thin(points: readonly CurvePoint[], most = MOST_DRAWN): CurvePoint[] {
  if (points.length <= most) return [...points];
  const stretches = Math.max(1, Math.floor(most / 4));
  const kept: CurvePoint[] = [];
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = Math.floor((stretch * points.length) / stretches);
    const to = Math.floor(((stretch + 1) * points.length) / stretches);
    const places = new Set([from, to - 1]);
    let least = -1;
    let greatest = -1;
    for (let at = from; at < to; at++) {
      const y = points[at]?.y ?? Number.NaN;
      if (Number.isNaN(y)) continue;
      if (least < 0 || y < (points[least]?.y ?? y)) least = at;
      if (greatest < 0 || y > (points[greatest]?.y ?? y)) greatest = at;
    }
    if (least >= 0) places.add(least).add(greatest);
    for (const at of [...places].sort((a, b) => a - b)) {
      const point = points[at];
      if (point !== undefined) kept.push(point);
    }
  }
  return kept;
}

interface NamedHistory {
  readonly label: string;
  readonly history: History;
  /** Which of lineStyle's it is drawn in. */
  readonly style: number;
}

/** A logarithmic axis has no place for what is not above zero: such points are left out. */
export function curveChart(histories: readonly NamedHistory[], axis: Axis, logarithmic: boolean): CurveChartData {
  const curves = histories.map(({ label, history, style }) => {
    const points = thin(curvePoints(history, axis));
    return { label, ...lineStyle(style), points: logarithmic ? points.filter(({ y }) => !(y <= 0)) : points };
  });
  return { curves, axis, logarithmic };
}

/** Whether there is a line in it: dots above one another are none. */
export const hasCurve = ({ curves }: CurveChartData): boolean => curves.some(({ points }) => points.length > 1);

export interface SortedHistories {
  /** Names of metrics with more than one value. */
  readonly curves: readonly string[];
  /** Those that were logged once: a dot is no curve. */
  readonly once: readonly string[];
}

export function sortHistories(histories: readonly { readonly name: string; readonly history: History }[]): SortedHistories {
  const many = (history: History) => history.points.length > 1;
  return {
    curves: histories.filter(({ history }) => many(history)).map(({ name }) => name),
    once: histories.filter(({ history }) => !many(history)).map(({ name }) => name),
  };
}
