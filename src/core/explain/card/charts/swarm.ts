import { figure, type SwarmBlock } from "../card-blocks.ts";
import { labelWidth, shortened } from "./bars.ts";
import { escaped } from "./escape.ts";
import { type Scale, scaleOver, ticksOf } from "./scale.ts";

const WIDTH = 720;
const ROW = 34;
const RADIUS = 2.6;
const AXIS = 26;
/** Steps of the colour from a low to a high value. */
const COLOURS = 5;

export function swarmSvg({ features, unit }: SwarmBlock): string {
  const left = labelWidth(features.map(({ label }) => label));
  const x = scaleOver([0, ...features.flatMap(({ dots }) => dots.map(({ at }) => at))], left + 4, WIDTH - 12);
  const bottom = features.length * ROW;
  const rows = features.map(({ label, dots }, i) => {
    const middle = i * ROW + ROW / 2;
    return `<text class="label" x="${left - 10}" y="${middle + 4}">${escaped(shortened(label))}</text>${beeswarm(dots, x, middle)}`;
  });
  const ticks = ticksOf(x, 6).map(
    (tick) =>
      `<line class="grid" x1="${x.at(tick)}" x2="${x.at(tick)}" y1="0" y2="${bottom}"/>` +
      `<text class="tick" x="${x.at(tick)}" y="${bottom + 16}">${figure(tick)}</text>`,
  );
  const name = escaped(
    `SHAP values in ${unit}; mean size: ${features.map(({ label, mean }) => `${label} ${figure(mean)}`).join(", ")}`,
  );
  const keys = Array.from({ length: COLOURS }, (_, step) => `<span class="key v${step}"></span>`).join("");
  return (
    `<svg role="img" aria-label="${name}" viewBox="0 0 ${WIDTH} ${bottom + AXIS}">${ticks.join("")}` +
    `<line class="axis" x1="${x.at(0)}" x2="${x.at(0)}" y1="0" y2="${bottom}"/>${rows.join("")}</svg>` +
    `<p class="legend">low ${keys} high value <span class="key vm"></span>missing, or a category</p>`
  );
}

/** Dots that would lie on each other are stacked, alternately above and below the line. */
function beeswarm(dots: SwarmBlock["features"][number]["dots"], x: Scale, middle: number): string {
  const stacked = new Map<number, number>();
  return dots
    .map(({ at, value }) => {
      const place = x.at(at);
      const column = Math.round(place / (2 * RADIUS));
      const before = stacked.get(column) ?? 0;
      stacked.set(column, before + 1);
      const step = Math.ceil(before / 2) * (before % 2 === 0 ? 1 : -1) * RADIUS * 1.3;
      const offset = Math.max(-ROW / 2 + RADIUS, Math.min(ROW / 2 - RADIUS, step));
      return `<circle class="${colourOf(value)}" cx="${place}" cy="${(middle + offset).toFixed(1)}" r="${RADIUS}"/>`;
    })
    .join("");
}

const colourOf = (value: number | null): string =>
  value === null ? "vm" : `v${Math.min(COLOURS - 1, Math.floor(value * COLOURS))}`;
