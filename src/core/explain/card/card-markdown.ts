import { formatTimestamp } from "../../time.ts";
import { type CardBar, type CardBlock, type CardCurve, type CardTable, figure } from "./card-blocks.ts";
import { cardSections } from "./card-sections.ts";
import type { ModelCard } from "./model-card.ts";

/** The card as Markdown (GitHub's tables); text that came in cannot open markup, HTML or a table cell. Charts become tables. */
export function cardMarkdown(card: ModelCard): string {
  const version = card.version === null ? "not registered" : `version ${card.version}`;
  const sections = cardSections(card).map(({ title, blocks }) => `## ${title}\n\n${blocks.flatMap(blockMarkdown).join("\n\n")}`);
  return [`# ${escaped(card.model)}, ${version}`, `Made ${formatTimestamp(card.createdAt)}.`, ...sections]
    .join("\n\n")
    .concat("\n");
}

function blockMarkdown(block: CardBlock): string[] {
  switch (block.kind) {
    case "text":
      return [escaped(block.text)];
    case "list":
      return block.items.length === 0 ? [] : [block.items.map((item) => `- ${escaped(item)}`).join("\n")];
    case "table":
      return [tableMarkdown(block.table)];
    case "bars":
      return [tableMarkdown({ head: ["Feature", block.unit], rows: block.bars.map((bar) => [bar.label, withInterval(bar)]) })];
    case "ranges": {
      const rows = block.points.map((point) => [point.label, withInterval(point), point.note]);
      const { reference } = block;
      const all = reference === null ? rows : [...rows, [reference.label, figure(reference.value), ""]];
      return all.length === 0 ? [] : [tableMarkdown({ head: ["Group", block.unit, "Rows"], rows: all })];
    }
    case "curves":
      return block.curves.map((curve) => curveMarkdown(curve, block.unit));
    case "calibration": {
      const rows = block.bins.map(({ low, high, rows: count, predicted, observed }) => [
        `${figure(low)} to ${figure(high)}`,
        String(count),
        figure(predicted),
        figure(observed),
      ]);
      return [tableMarkdown({ head: ["Predicted", "Rows", "Mean prediction", "Share positive"], rows })];
    }
    case "swarm": {
      const rows = block.features.map(({ label, dots }) => [label, spanOf(dots.map(({ at }) => at))]);
      return [tableMarkdown({ head: ["Feature", `Least to greatest, ${block.unit}`], rows })];
    }
  }
}

const withInterval = ({ value, low, high }: CardBar): string =>
  low === undefined || high === undefined ? figure(value) : `${figure(value)} (${figure(low)} to ${figure(high)})`;

const spanOf = (values: readonly number[]): string => `${figure(Math.min(...values))} to ${figure(Math.max(...values))}`;

/** Points of a curve in a table at most. */
const POINTS = 8;

function curveMarkdown({ title, points }: CardCurve, unit: string): string {
  const count = Math.min(POINTS, points.length);
  const shown = Array.from({ length: count }, (_, i) => points[Math.round((i * (points.length - 1)) / Math.max(1, count - 1))]);
  const rows = shown.map(({ x, y, low, high, rows: data }) => [
    typeof x === "number" ? figure(x) : x,
    withInterval({ label: "", value: y, low, high }),
    String(data),
  ]);
  return tableMarkdown({ head: [title, `Mean ${unit}`, "Rows"], rows });
}

function tableMarkdown({ head, rows }: CardTable): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** Underscores inside words and comparison signs with a space after them are no markup and stay readable. */
const escaped = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/[\\`*[\]|]/g, "\\$&")
    .replace(/&(?=[#\w]+;)/g, "&amp;")
    .replace(/<(?=\S)/g, "&lt;")
    .replace(/^([#>+-]|\d+[.)])(?=\s|$)/, "\\$1");
