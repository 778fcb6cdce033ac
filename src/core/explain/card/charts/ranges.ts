import { figure, type RangesBlock } from "../card-blocks.ts";
import { labelWidth, shortened } from "./bars.ts";
import { escaped } from "./escape.ts";
import { scaleOver, ticksOf } from "./scale.ts";

const WIDTH = 720;
const NOTE = 190;
const ROW = 26;
const AXIS = 24;
const MARGIN = 8;

export function rangesSvg({ unit, reference, points }: RangesBlock): string {
  const ends = points.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
  const left = labelWidth(points.map(({ label }) => label));
  const scale = scaleOver(reference === null ? ends : [...ends, reference.value], left + MARGIN, WIDTH - NOTE - MARGIN);
  const bottom = points.length * ROW + 4;
  const rows = points.map(({ label, value, low, high, note }, i) => {
    const middle = i * ROW + ROW / 2;
    return (
      `<text class="label" x="${left - 10}" y="${middle + 4}">${escaped(shortened(label))}</text>` +
      `<line class="range" x1="${scale.at(low ?? value)}" x2="${scale.at(high ?? value)}" y1="${middle}" y2="${middle}"/>` +
      `<circle class="dot" cx="${scale.at(value)}" cy="${middle}" r="4.5"/>` +
      `<text class="figure" x="${WIDTH - NOTE + 14}" y="${middle + 4}">${figure(value)}</text>` +
      `<text class="note" x="${WIDTH}" y="${middle + 4}">${escaped(note)}</text>`
    );
  });
  const ticks = ticksOf(scale, 5).map(
    (tick) =>
      `<line class="grid" x1="${scale.at(tick)}" x2="${scale.at(tick)}" y1="0" y2="${bottom}"/>` +
      `<text class="tick" x="${scale.at(tick)}" y="${bottom + 15}">${figure(tick)}</text>`,
  );
  const beside =
    reference === null
      ? ""
      : `<line class="reference" x1="${scale.at(reference.value)}" x2="${scale.at(reference.value)}" y1="0" y2="${bottom}"/>`;
  const legend = reference === null ? "" : `, ${reference.label} ${figure(reference.value)}`;
  const name = escaped(
    `${unit} by group: ${points.map(({ label, value, low, high }) => `${label} ${figure(value)} (${figure(low ?? value)} to ${figure(high ?? value)})`).join(", ")}${legend}`,
  );
  const caption =
    reference === null
      ? ""
      : `<p class="legend"><span class="key reference"></span>${escaped(reference.label)} ${figure(reference.value)}</p>`;
  return `<svg role="img" aria-label="${name}" viewBox="0 0 ${WIDTH} ${bottom + AXIS}">${ticks.join("")}${beside}${rows.join("")}</svg>${caption}`;
}
