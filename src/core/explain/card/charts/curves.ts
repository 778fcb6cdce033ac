import { type CardCurve, type CurvePoint, type CurvesBlock, figure } from "../card-blocks.ts";
import { escaped } from "./escape.ts";
import { type Scale, scaleOver, ticksOf } from "./scale.ts";

const WIDTH = 350;
const HEIGHT = 210;
const LEFT = 44;
const RIGHT = WIDTH - 8;
const TOP = 8;
/** Where the lines end, and the bars of how many rows there are begin. */
const BOTTOM = 150;
const ROWS_BOTTOM = 176;

/** Small drawings side by side, all on one vertical scale, so that a flat line is one that matters little. */
export function curvesHtml({ unit, curves }: CurvesBlock): string {
  const y = scaleOver(
    curves.flatMap(({ points, rows, second }) => [
      ...points.flatMap(({ y: value, low, high }) => [value, low, high]),
      ...rows.flat(),
      ...second.map(({ y: value }) => value),
    ]),
    BOTTOM,
    TOP,
  );
  const figures = curves.map(
    (curve) => `<figure><figcaption>${escaped(curve.title)}</figcaption>${curveSvg(curve, unit, y)}</figure>`,
  );
  return (
    `<div class="curves">${figures.join("")}</div>` +
    `<p class="legend"><span class="key mean"></span>mean <span class="key single"></span>single rows <span class="key second"></span>accumulated local effects</p>`
  );
}

function curveSvg(curve: CardCurve, unit: string, y: Scale): string {
  const numbers = curve.points.flatMap(({ x }) => (typeof x === "number" ? [x] : []));
  const drawn = numbers.length === curve.points.length ? numericCurve(curve, numbers, y) : categoryCurve(curve, y);
  const grid = ticksOf(y, 4).map(
    (tick) =>
      `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${y.at(tick)}" y2="${y.at(tick)}"/>` +
      `<text class="label" x="${LEFT - 6}" y="${y.at(tick) + 4}">${figure(tick)}</text>`,
  );
  const told = curve.points.map(({ x, y: value }) => `${typeof x === "number" ? figure(x) : x}: ${figure(value)}`).join(", ");
  const name = escaped(`Mean ${unit} by ${curve.title}: ${told}`);
  return `<svg role="img" aria-label="${name}" viewBox="0 0 ${WIDTH} ${HEIGHT}">${grid.join("")}${drawn}</svg>`;
}

function numericCurve({ points, rows, second }: CardCurve, xs: readonly number[], y: Scale): string {
  const x = scaleOver([...xs, ...second.map((point) => point.x)], LEFT + 4, RIGHT - 4);
  const line = (values: readonly number[], name: string, at: readonly number[] = xs) =>
    `<polyline class="${name}" points="${values.map((value, i) => `${x.at(at[i])},${y.at(value)}`).join(" ")}"/>`;
  const band = [
    ...points.map(({ high }, i) => `${x.at(xs[i])},${y.at(high)}`),
    ...points.map(({ low }, i) => `${x.at(xs[i])},${y.at(low)}`).reverse(),
  ];
  const ticks = ticksOf(x, 4).map((tick) => `<text class="tick" x="${x.at(tick)}" y="${HEIGHT - 12}">${figure(tick)}</text>`);
  return [
    ...rows.map((values) => line(values, "single")),
    `<polygon class="band" points="${band.join(" ")}"/>`,
    second.length === 0
      ? ""
      : line(
          second.map((point) => point.y),
          "second",
          second.map((point) => point.x),
        ),
    line(
      points.map((point) => point.y),
      "mean",
    ),
    ...(points.length === 1 ? [`<circle class="dot" cx="${x.at(xs[0])}" cy="${y.at(points[0].y)}" r="4"/>`] : []),
    ...support(
      points,
      xs.map((value) => x.at(value)),
      4,
    ),
    ...ticks,
  ].join("");
}

function categoryCurve({ points }: CardCurve, y: Scale): string {
  const width = (RIGHT - LEFT) / points.length;
  const centres = points.map((_, i) => Math.round(10 * (LEFT + (i + 0.5) * width)) / 10);
  const room = Math.max(3, Math.floor(width / 6.5));
  const marks = points.map(({ x, y: value, low, high }, i) => {
    const label = String(x).length > room ? `${String(x).slice(0, room - 1)}…` : String(x);
    return (
      `<line class="range" x1="${centres[i]}" x2="${centres[i]}" y1="${y.at(low)}" y2="${y.at(high)}"/>` +
      `<circle class="dot" cx="${centres[i]}" cy="${y.at(value)}" r="4"/>` +
      `<text class="tick" x="${centres[i]}" y="${HEIGHT - 12}">${escaped(label)}</text>`
    );
  });
  return [...support(points, centres, Math.min(18, width * 0.6)), ...marks].join("");
}

/** Bars of how many rows there are at each place. */
function support(points: readonly CurvePoint[], places: readonly number[], width: number): string[] {
  const most = points.reduce((greatest, { rows }) => Math.max(greatest, rows), 1);
  return points.map(({ rows }, i) => {
    const height = Math.round((10 * (ROWS_BOTTOM - BOTTOM - 8) * rows) / most) / 10;
    return `<rect class="support" x="${(places[i] - width / 2).toFixed(1)}" y="${(ROWS_BOTTOM - height).toFixed(1)}" width="${width.toFixed(1)}" height="${height}"/>`;
  });
}
