import { dot, lineY, type PlotOptions, pointer, tip } from "@observablehq/plot";
import { formatNumber, formatSeconds } from "../../components/format.ts";
import { PlotFigure } from "../../components/plot-figure.tsx";
import type { Axis, CurveChartData, CurvePoint } from "./curves.ts";

const HEIGHT = 220;
const MOST_DOTS = 60;

const X_OPTIONS: Record<Axis, NonNullable<PlotOptions["x"]>> = {
  step: { label: "step", type: "linear" },
  elapsed: { label: "seconds since the start", type: "linear" },
  clock: { label: null, type: "utc" },
};

const xText: Record<Axis, (point: CurvePoint) => string> = {
  step: ({ step }) => `step ${step}`,
  elapsed: ({ x, step }) => `${formatSeconds(x)}, step ${step}`,
  clock: ({ x, step }) => `${new Date(x).toISOString().slice(0, 19).replace("T", " ")} UTC, step ${step}`,
};

const draw = ({ curves, axis, logarithmic }: CurveChartData): PlotOptions => ({
  height: HEIGHT,
  marginLeft: 56,
  marginRight: 16,
  x: X_OPTIONS[axis],
  y: { label: null, grid: true, nice: true, type: logarithmic ? "log" : "linear", tickFormat: formatNumber, ticks: 5 },
  marks: [
    ...curves.flatMap(({ colour, dash, points }) => [
      lineY(points, { x: "x", y: "y", stroke: colour, strokeWidth: 1.6, ...(dash !== null && { strokeDasharray: dash }) }),
      // A short curve shows where its values are; of a long one that would be a smear, and a thousand circles.
      ...(points.length > MOST_DOTS ? [] : [dot(points, { x: "x", y: "y", r: 2, fill: colour })]),
    ]),
    tip(
      curves.flatMap(({ label, points }) => points.map((point) => ({ ...point, label }))),
      pointer({
        x: "x",
        y: "y",
        title: (point: CurvePoint & { label: string }) => `${point.label}\n${formatNumber(point.y)} at ${xText[axis](point)}`,
      }),
    ),
  ],
});

export function CurveChart({ label, data, caption }: { label: string; data: CurveChartData; caption?: string | undefined }) {
  return <PlotFigure label={label} data={data} draw={draw} caption={caption} />;
}

/** Whose line is which, by colour and dash. */
export function CurveLegend({ data }: { data: CurveChartData }) {
  return (
    <div className="legend">
      {data.curves.map(({ label, colour, dash }) => (
        <span key={label}>
          <svg width="26" height="8" aria-hidden="true">
            <line x1="0" x2="26" y1="4" y2="4" stroke={colour} strokeWidth="2" strokeDasharray={dash ?? undefined} />
          </svg>{" "}
          {label}
        </span>
      ))}
    </div>
  );
}
