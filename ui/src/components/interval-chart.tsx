import { axisX, dot, type PlotOptions, ruleX, ruleY } from "@observablehq/plot";
import { PlotFigure } from "./plot-figure.tsx";

export interface IntervalRow {
  readonly row: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const ROW_HEIGHT = 24;

/** Zero is drawn only where the intervals reach it: it would otherwise take the room that tells the rows apart. */
const zeroWithin = (rows: readonly IntervalRow[]): number[] =>
  rows.some(({ low }) => low <= 0) && rows.some(({ high }) => high >= 0) ? [0] : [];

function draw(rows: readonly IntervalRow[]): PlotOptions {
  return {
    height: rows.length * ROW_HEIGHT + 34,
    marginLeft: 150,
    marginRight: 24,
    marginTop: 4,
    x: { label: null, nice: true },
    y: { label: null, domain: rows.map(({ row }) => row) },
    marks: [
      axisX({ ticks: 5, label: null }),
      ruleX(zeroWithin(rows), { stroke: "var(--o-line-strong)" }),
      ruleY(rows, { y: "row", x1: "low", x2: "high", stroke: "var(--o-chart-1)", strokeWidth: 2, strokeOpacity: 0.55 }),
      dot(rows, {
        y: "row",
        x: "value",
        fill: "var(--o-chart-1)",
        r: 4,
        title: ({ row, value }: IntervalRow) => `${row}: ${value}`,
      }),
    ],
  };
}

/** One row a subject: a dot at the estimate on the line of its 95% interval. */
export function IntervalChart({ label, rows }: { label: string; rows: readonly IntervalRow[] }) {
  return <PlotFigure label={label} data={rows} draw={draw} />;
}
