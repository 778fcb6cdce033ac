import { formatTimestamp } from "../../time.ts";
import { type CardBlock, type CardTable, figure } from "./card-blocks.ts";
import { cardSections } from "./card-sections.ts";
import { CARD_STYLE } from "./card-style.ts";
import { barsSvg } from "./charts/bars.ts";
import { calibrationSvg } from "./charts/calibration.ts";
import { curvesHtml } from "./charts/curves.ts";
import { escaped } from "./charts/escape.ts";
import { rangesSvg } from "./charts/ranges.ts";
import { swarmSvg } from "./charts/swarm.ts";
import type { ModelCard } from "./model-card.ts";

/** The card as one self-contained page: no scripts, no outside references, light and dark by the reader's system, fit to be printed. */
export function cardHtml(card: ModelCard): string {
  const version = card.version === null ? "not registered" : `version ${card.version}`;
  const title = escaped(`${card.model}, ${version}`);
  const sections = cardSections(card);
  const links = sections.map(({ id, title: heading }) => `<a href="#${id}">${escaped(heading)}</a>`);
  const bodies = sections.map(
    ({ id, title: heading, blocks }) =>
      `<section id="${id}"><h2>${escaped(heading)}</h2>${blocks.map(blockHtml).join("\n")}</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${CARD_STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="made">Made ${formatTimestamp(card.createdAt)}.</p>
${tilesHtml(card)}
<nav>${links.join("")}</nav>
${bodies.join("\n")}
</main>
</body>
</html>
`;
}

/** The figures that one looks for first. */
function tilesHtml({ candidates, selectionMetric, test, gates, data, machineLearning }: ModelCard): string {
  const selected = candidates.find((candidate) => candidate.selected);
  const measured = (test ?? selected)?.metrics[selectionMetric];
  const passed = gates.filter(({ passed: isPassed }) => isPassed === true).length;
  const tiles: [term: string, value: string, note: string][] = [
    ["Selected", selected?.name ?? "nothing yet", `of ${candidates.length} candidates`],
    [
      `${selectionMetric} on ${test === null ? "selection" : "test"} rows`,
      measured === undefined ? "undefined" : figure(measured.value),
      measured === undefined ? "" : `95% interval ${figure(measured.low)} to ${figure(measured.high)}`,
    ],
    ["Gates passed", gates.length === 0 ? "not opened" : `${passed} of ${gates.length}`, ""],
    ["Better than without?", machineLearning.verdict, "beside baseline and rule"],
    ["Rows trained on", data.trainingRows.toLocaleString("en"), ""],
  ];
  const drawn = tiles.map(
    ([term, value, note]) => `<div><dt>${escaped(term)}</dt><dd>${escaped(value)}<small>${escaped(note)}</small></dd></div>`,
  );
  return `<dl class="tiles">${drawn.join("")}</dl>`;
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
      return wide(barsSvg(block));
    case "ranges":
      return block.points.length === 0 ? "" : wide(rangesSvg(block));
    case "curves":
      return curvesHtml(block);
    case "calibration":
      return calibrationSvg(block);
    case "swarm":
      return wide(swarmSvg(block));
  }
}

/** On a small screen it scrolls rather than shrinks. */
const wide = (content: string): string => `<div class="wide">${content}</div>`;

/** Cells that say how a gate went are coloured. */
const VERDICTS: Readonly<Record<string, string>> = { passed: "passed", "not passed": "failed", undefined: "undefined" };

function tableHtml({ head, rows }: CardTable): string {
  const headings = head.map((cell) => `<th>${escaped(cell)}</th>`).join("");
  const body = rows.map((row) => {
    const cells = row.map((cell) => {
      const verdict = Object.hasOwn(VERDICTS, cell) ? ` class="${VERDICTS[cell]}"` : "";
      return `<td${verdict}>${escaped(cell)}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return wide(`<table><thead><tr>${headings}</tr></thead><tbody>${body.join("")}</tbody></table>`);
}
