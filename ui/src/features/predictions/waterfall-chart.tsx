import { barX, type PlotOptions, ruleX, text } from "@observablehq/plot";
import { PlotFigure } from "../../components/plot-figure.tsx";
import type { Waterfall, WaterfallBar } from "./prepare.ts";

const cut = (label: string): string => (label.length > 40 ? `${label.slice(0, 39)}…` : label);
const signed = (phi: number): string => `${phi < 0 ? "−" : "+"}${Math.abs(phi).toFixed(2)}`;

const draw = ({ scale, base, output, bars }: Waterfall): PlotOptions => ({
  height: bars.length * 23 + 46,
  marginLeft: 250,
  marginRight: 46,
  marginTop: 18,
  x: { label: `${scale} →`, nice: true },
  y: { label: null, domain: bars.map(({ label }) => label), tickSize: 0, tickFormat: cut },
  color: { type: "identity" },
  marks: [
    ruleX([base], { stroke: "var(--o-line-strong)", strokeDasharray: "3 3" }),
    ruleX([output], { stroke: "var(--o-brass-fill)", strokeWidth: 1.5 }),
    barX(bars, {
      x1: "from",
      x2: "to",
      y: "label",
      fill: ({ phi }: WaterfallBar) => (phi < 0 ? "var(--o-low)" : "var(--o-high)"),
      insetTop: 3,
      insetBottom: 3,
      title: ({ label, phi }: WaterfallBar) => `${label}: ${signed(phi)}`,
    }),
    text(bars, {
      x: ({ from, to }: WaterfallBar) => Math.max(from, to),
      y: "label",
      text: ({ phi }: WaterfallBar) => signed(phi),
      textAnchor: "start",
      dx: 5,
      fill: "var(--o-muted)",
      stroke: "var(--o-surface)",
      strokeWidth: 3,
    }),
    text([`base ${base.toFixed(2)}`], { x: base, frameAnchor: "top", dy: -12, fill: "var(--o-muted)" }),
  ],
});

export function WaterfallChart({ data }: { data: Waterfall }) {
  return (
    <PlotFigure
      label={`SHAP values from the base ${data.base.toFixed(2)} to the output ${data.output.toFixed(2)}`}
      data={data}
      draw={draw}
      caption={`Dashed: the base. Solid: the output, ${data.output.toFixed(2)}. Red pushes it up, blue down.`}
    />
  );
}
