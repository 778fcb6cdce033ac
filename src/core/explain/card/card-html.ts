import { formatTimestamp } from "../../time.ts";
import { type CardBar, type CardBlock, type CardTable, cardSections, figure } from "./card-figures.ts";
import type { ModelCard } from "./model-card.ts";

/** The card as one self-contained page: no scripts, no outside references, light and dark by the reader's system. */
export function cardHtml(card: ModelCard): string {
  const version = card.version === null ? "not registered" : `version ${card.version}`;
  const title = escaped(`${card.model}, ${version}`);
  const sections = cardSections(card)
    .map(({ title: heading, blocks }) => `<section><h2>${escaped(heading)}</h2>${blocks.map(blockHtml).join("\n")}</section>`)
    .join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>Made ${formatTimestamp(card.createdAt)}.</p>
${sections}
</main>
</body>
</html>
`;
}

function blockHtml(block: CardBlock): string {
  switch (block.kind) {
    case "text":
      return `<p>${escaped(block.text)}</p>`;
    case "list":
      return `<ul>${block.items.map((item) => `<li>${escaped(item)}</li>`).join("")}</ul>`;
    case "table":
      return tableHtml(block.table);
    case "bars":
      return barsHtml(block.bars, block.unit);
  }
}

function tableHtml({ head, rows }: CardTable): string {
  const cells = (tag: "td" | "th", row: readonly string[]) => row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("");
  const body = rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("");
  return `<div class="wide"><table><thead><tr>${cells("th", head)}</tr></thead><tbody>${body}</tbody></table></div>`;
}

const WIDTH = 640;
const LABEL = 220;
const FIGURE = 70;
const ROW = 22;

function barsHtml(bars: readonly CardBar[], unit: string): string {
  const ends = bars.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
  const least = Math.min(0, ...ends);
  const greatest = Math.max(0, ...ends);
  const scale = (WIDTH - LABEL - FIGURE) / (greatest - least || 1);
  const x = (value: number) => (LABEL + (value - least) * scale).toFixed(1);
  const rows = bars.map(({ label, value, low, high }, i) => {
    const y = i * ROW;
    const width = (Math.abs(value) * scale).toFixed(1);
    const whisker =
      low === undefined || high === undefined
        ? ""
        : `<line class="interval" x1="${x(low)}" x2="${x(high)}" y1="${y + 11}" y2="${y + 11}"/>`;
    return (
      `<text class="label" x="${LABEL - 8}" y="${y + 15}">${escaped(label)}</text>` +
      `<rect x="${x(Math.min(0, value))}" y="${y + 4}" width="${width}" height="14"/>${whisker}` +
      `<text x="${WIDTH - FIGURE + 8}" y="${y + 15}">${figure(value)}</text>`
    );
  });
  const name = escaped(`Bars of ${unit}: ${bars.map(({ label, value }) => `${label} ${figure(value)}`).join(", ")}`);
  return `<svg role="img" aria-label="${name}" viewBox="0 0 ${WIDTH} ${bars.length * ROW}">${rows.join("")}</svg>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2330; --paper: #fdfdfb; --line: #d8dae0; --bar: #3f6fb5; --mark: #1d2330; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6eb; --paper: #14171d; --line: #353b47; --bar: #6f9be0; --mark: #e4e6eb; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 860px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; margin: 0; } h2 { font-size: 18px; margin: 36px 0 8px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; margin: 12px 0; }
th, td { text-align: left; padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
svg { display: block; width: 100%; max-width: 640px; margin: 8px 0 20px; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .label { text-anchor: end; } svg rect { fill: var(--bar); }
svg .interval { stroke: var(--mark); stroke-width: 1.5; }
`;
