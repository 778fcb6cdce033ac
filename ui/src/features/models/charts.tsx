import { axisY, barX, dot, type PlotOptions, ruleX, ruleY } from "@observablehq/plot";
import { useMemo } from "react";
import { PlotFigure } from "../../components/plot-figure.tsx";
import type { ImportanceBar, SwarmDot } from "./prepare.ts";

const LEFT = 208;
/** Names longer than the margin are cut; the whole name is in the mark's title. */
const cut = (name: string): string => (name.length > 34 ? `${name.slice(0, 33)}…` : name);

const drawBars = (bars: readonly ImportanceBar[]): PlotOptions => ({
  height: bars.length * 21 + 30,
  marginLeft: LEFT,
  marginTop: 2,
  x: { label: null, ticks: 4, nice: true },
  y: { label: null, domain: bars.map(({ feature }) => feature), tickSize: 0, tickFormat: cut },
  marks: [
    barX(bars, {
      x: "value",
      y: "feature",
      fill: "var(--o-chart-1)",
      fillOpacity: 0.75,
      insetTop: 3,
      insetBottom: 3,
      title: "feature",
    }),
    ruleY(
      bars.filter(({ low }) => low !== null),
      { y: "feature", x1: "low", x2: "high", stroke: "var(--o-ink)", strokeWidth: 1.2 },
    ),
    ruleX([0], { stroke: "var(--o-line-strong)" }),
  ],
});

export function ImportanceChart({ label, bars }: { label: string; bars: readonly ImportanceBar[] }) {
  return <PlotFigure label={label} data={bars} draw={drawBars} />;
}

const SWARM_ROW = 30;

const drawSwarm =
  (scale: string) =>
  (dots: readonly SwarmDot[]): PlotOptions => {
    const features = [...new Set(dots.map(({ feature }) => feature))];
    const middle = new Map(features.map((feature, index) => [feature, index]));
    const y = (each: SwarmDot) => (middle.get(each.feature) ?? 0) - each.offset * 0.42;
    const position = (each: SwarmDot) =>
      `color-mix(in oklab, var(--o-high) ${Math.round((each.value ?? 0) * 100)}%, var(--o-low))`;
    const colour = (each: SwarmDot) => (each.value === null ? "var(--o-none)" : position(each));
    return {
      height: features.length * SWARM_ROW + 40,
      marginLeft: LEFT,
      marginTop: 4,
      x: { label: `SHAP value (${scale}) →`, nice: true },
      y: { domain: [-0.5, features.length - 0.5], reverse: true, axis: null },
      color: { type: "identity" },
      marks: [
        ruleX([0], { stroke: "var(--o-line-strong)" }),
        axisY(
          features.map((_, index) => index),
          { tickSize: 0, label: null, tickFormat: (index: number) => cut(features[index] ?? "") },
        ),
        dot(dots, { x: "phi", y, fill: colour, r: 1.9, fillOpacity: 0.85 }),
      ],
    };
  };

export function SwarmChart({ dots, scale }: { dots: readonly SwarmDot[]; scale: string }) {
  const draw = useMemo(() => drawSwarm(scale), [scale]);
  return (
    <>
      <PlotFigure label="SHAP values of a sample of rows, one row a feature" data={dots} draw={draw} />
      <div className="legend">
        <span>
          <i style={{ background: "var(--o-low)" }} />
          low value of the feature
        </span>
        <span>
          <i style={{ background: "var(--o-high)" }} />
          high value
        </span>
        <span>
          <i style={{ background: "var(--o-none)" }} />
          missing or a category
        </span>
      </div>
    </>
  );
}
