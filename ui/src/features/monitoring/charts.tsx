import "./heat-map.css";
import { areaY, axisX, dot, lineY, type PlotOptions, rectY, ruleY } from "@observablehq/plot";
import { metricLabel } from "../../components/format.ts";
import { ScrollX } from "../../components/page.tsx";
import { PlotFigure } from "../../components/plot-figure.tsx";
import type { HeatMap, HeatRow, PerformanceChartData } from "./prepare.ts";

const LEFT = 46;

const drawPerformance = ({ realised, estimated, coverage }: PerformanceChartData): PlotOptions => ({
  height: 230,
  marginLeft: LEFT,
  x: timeScale(coverage, realised, estimated),
  y: { label: null, nice: true, grid: true },
  marks: [
    areaY(realised, { x: "at", y1: "low", y2: "high", fill: "var(--o-band)", curve: "monotone-x" }),
    lineY(estimated, {
      x: "at",
      y: "value",
      stroke: "var(--o-chart-2)",
      strokeWidth: 1.8,
      strokeDasharray: "5 4",
      curve: "monotone-x",
    }),
    lineY(realised, { x: "at", y: "value", stroke: "var(--o-chart-1)", strokeWidth: 2, curve: "monotone-x" }),
    dot(realised, { x: "at", y: "value", fill: "var(--o-chart-1)", r: 2.4, tip: true, title: tipOf }),
  ],
});

const tipOf = ({ at, value, low, high }: PerformanceChartData["realised"][number]): string =>
  `${at.toISOString().slice(0, 10)}\n${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;

/** Both charts share one axis of time, so that a window stands above its coverage. */
function timeScale(...marks: readonly (readonly { at?: Date; from?: Date; to?: Date }[])[]) {
  const times = marks
    .flat()
    .flatMap((mark) => [mark.at, mark.from, mark.to].flatMap((at) => (at === undefined ? [] : [at.getTime()])));
  const scale = { type: "utc", label: null } as const;
  return times.length === 0 ? scale : { ...scale, domain: [new Date(Math.min(...times)), new Date(Math.max(...times))] };
}

const drawCoverage = ({ realised, estimated, coverage }: PerformanceChartData): PlotOptions => ({
  height: 84,
  marginLeft: LEFT,
  x: timeScale(coverage, realised, estimated),
  y: { label: null, domain: [0, 1], ticks: 2, percent: false, tickFormat: "%" },
  marks: [
    rectY(coverage, {
      x1: "from",
      x2: "to",
      y: "share",
      fill: "var(--o-chart-3)",
      fillOpacity: 0.6,
      insetLeft: 0.5,
      insetRight: 0.5,
    }),
    ruleY([0], { stroke: "var(--o-line-strong)" }),
    axisX({ label: null }),
  ],
});

export function PerformanceChart({ data }: { data: PerformanceChartData }) {
  return (
    <div className="stack">
      <div className="legend">
        <span>
          <i className="line" style={{ borderColor: "var(--o-chart-1)" }} />
          realised, with its 95% interval
        </span>
        {data.estimated.length === 0 ? null : (
          <span>
            <i className="line dashed" style={{ borderColor: "var(--o-chart-2)" }} />
            estimated without labels, as if features still meant what they did
          </span>
        )}
        <span>
          <i style={{ background: "var(--o-chart-3)" }} />
          share of due labels that have come
        </span>
      </div>
      <PlotFigure label={`${metricLabel(data.metric)} over time`} data={data} draw={drawPerformance} />
      <PlotFigure label="Label coverage over time" data={data} draw={drawCoverage} />
    </div>
  );
}

/** A table that reads as one: every cell says its score to a screen reader, and cells over the limit carry a sign as well as a colour. */
export function DriftHeatMap({ map }: { map: HeatMap }) {
  return (
    <div className="stack">
      <div className="legend">
        {LEVELS.map(({ level, text }) => (
          <span key={level}>
            <i style={{ background: `var(--o-heat-${level})` }} />
            {text}
          </span>
        ))}
        <span>hatched: too few rows</span>
      </div>
      <ScrollX label="Drift by feature and window">
        <table className="heat">
          <thead>
            <tr>
              <th />
              {map.labels.map(({ id, text }) => (
                <th key={id} scope="col" aria-label={id.slice(0, 10)}>
                  <span className="small nowrap">{text}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <HeatRows rows={map.features} />
          </tbody>
          {map.seasonal.length === 0 ? null : (
            <tbody>
              <tr>
                <th colSpan={map.labels.length + 1} scope="rowgroup" className="muted" style={{ paddingTop: "0.6rem" }}>
                  Seasonal: they move with the calendar, and alone raise no alert
                </th>
              </tr>
              <HeatRows rows={map.seasonal} />
            </tbody>
          )}
        </table>
      </ScrollX>
    </div>
  );
}

const LEVELS = [
  { level: 0, text: "calm" },
  { level: 1, text: "near the limit" },
  { level: 2, text: "over it" },
  { level: 3, text: "over twice" },
  { level: 4, text: "over four times" },
] as const;
const SIGNS = { 0: "", 1: "", 2: "·", 3: "•", 4: "◆" } as const;

function HeatRows({ rows }: { rows: readonly HeatRow[] }) {
  return rows.map(({ feature, cells, over }) => (
    <tr key={feature}>
      <th scope="row" title={over === 0 ? "never over the limit" : `over the limit in ${over} windows`}>
        {feature}
      </th>
      {cells.map(({ id, level, title }) => (
        <td key={id} data-level={level ?? "none"} title={title}>
          <span aria-hidden="true">{level === null ? "" : SIGNS[level]}</span>
          <span className="visually-hidden">{title}</span>
        </td>
      ))}
    </tr>
  ));
}
