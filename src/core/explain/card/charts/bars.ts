import { type BarsBlock, figure } from "../card-blocks.ts";
import { escaped } from "./escape.ts";
import { scaleOver } from "./scale.ts";

const WIDTH = 720;
const FIGURE = 80;
const ROW = 24;
/** Longer names are cut; the whole name is in the drawing's description. */
const CHARACTERS = 34;

const CHARACTER = 6.6;

/** Room for the longest name. */
export const labelWidth = (names: readonly string[]): number =>
  20 + Math.ceil(CHARACTER * names.reduce((most, name) => Math.max(most, shortened(name).length), 8));

export const shortened = (name: string): string => (name.length > CHARACTERS ? `${name.slice(0, CHARACTERS - 1)}…` : name);

export function barsSvg({ bars, unit }: BarsBlock): string {
  const ends = bars.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
  const left = labelWidth(bars.map(({ label }) => label));
  const scale = scaleOver([0, ...ends], left, WIDTH - FIGURE);
  const zero = scale.at(0);
  const height = bars.length * ROW + 4;
  const rows = bars.map(({ label, value, low, high }, i) => {
    const middle = i * ROW + ROW / 2;
    const end = scale.at(value);
    const whisker =
      low === undefined || high === undefined
        ? ""
        : `<line class="interval" x1="${scale.at(low)}" x2="${scale.at(high)}" y1="${middle}" y2="${middle}"/>`;
    return (
      `<text class="label" x="${left - 10}" y="${middle + 4}">${escaped(shortened(label))}</text>` +
      `<rect class="${value < 0 ? "bar below" : "bar"}" x="${Math.min(zero, end)}" y="${middle - 7}" width="${Math.abs(end - zero).toFixed(1)}" height="14" rx="2"/>${whisker}` +
      `<text class="figure" x="${WIDTH - FIGURE + 12}" y="${middle + 4}">${figure(value)}</text>`
    );
  });
  const name = escaped(`Bars of ${unit}: ${bars.map(({ label, value }) => `${label} ${figure(value)}`).join(", ")}`);
  return (
    `<svg role="img" aria-label="${name}" viewBox="0 0 ${WIDTH} ${height}">` +
    `<line class="axis" x1="${zero}" x2="${zero}" y1="0" y2="${height - 4}"/>${rows.join("")}</svg>`
  );
}
