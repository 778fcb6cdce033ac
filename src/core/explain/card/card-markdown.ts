import { formatTimestamp } from "../../time.ts";
import { type CardBlock, type CardTable, cardSections, figure } from "./card-figures.ts";
import type { ModelCard } from "./model-card.ts";

/** The card as Markdown (GitHub's tables); text that came in cannot open markup, HTML or a table cell. */
export function cardMarkdown(card: ModelCard): string {
  const version = card.version === null ? "not registered" : `version ${card.version}`;
  const sections = cardSections(card).map(({ title, blocks }) => `## ${title}\n\n${blocks.map(blockMarkdown).join("\n\n")}`);
  return [`# ${escaped(card.model)}, ${version}`, `Made ${formatTimestamp(card.createdAt)}.`, ...sections]
    .join("\n\n")
    .concat("\n");
}

function blockMarkdown(block: CardBlock): string {
  switch (block.kind) {
    case "text":
      return escaped(block.text);
    case "list":
      return block.items.map((item) => `- ${escaped(item)}`).join("\n");
    case "table":
      return tableMarkdown(block.table);
    case "bars": {
      const rows = block.bars.map(({ label, value, low, high }) => [
        label,
        low === undefined || high === undefined ? figure(value) : `${figure(value)} (${figure(low)} to ${figure(high)})`,
      ]);
      return tableMarkdown({ head: ["Feature", block.unit], rows });
    }
  }
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
