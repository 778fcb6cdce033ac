import type { SourceExploration } from "../contract/index.ts";

type Column = SourceExploration["profile"]["columns"][number];

const STYLE = `body{font:14px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c1e21;background:#fff}
table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ddd;vertical-align:middle}
td.n{text-align:right;font-variant-numeric:tabular-nums}small{color:#666}.map{width:auto}.map th,.map td{border:0;padding:.2rem .4rem}.map thead th{writing-mode:vertical-rl}
svg rect{fill:#3b6ea5}@media(prefers-color-scheme:dark){body{background:#16181b;color:#e4e6e8}th,td{border-color:#333}small{color:#999}}`;

/** A source's exploration as one page that needs no network: histograms, missing values, correlations and the target's relations. */
export function profilePage({ profile, missingness, correlations, target, sampledRows }: SourceExploration): string {
  const { source, snapshot, rows, columns } = profile;
  const of = sampledRows < rows ? `, of ${sampledRows} evenly spaced rows` : "";
  const sections = [
    `<h1>${text(source)}</h1><p>${rows} rows, ${columns.length} columns. Snapshot <code>${text(snapshot)}</code></p>`,
    `<table><thead><tr><th>Column<th>Type<th>Null<th>Distinct, about<th>Least<th>Mean<th>Greatest<th>Distribution</tr></thead><tbody>${columns
      .map((column) => columnRow(column, rows))
      .join("")}</tbody></table>`,
    ...(missingness.patterns.length === 0
      ? []
      : [
          `<h2>Missing together</h2><table><thead><tr><th>Columns<th>Rows</tr></thead><tbody>${missingness.patterns
            .map((each) => `<tr><td>${text(each.columns.join(", "))}<td class="n">${each.rows}</tr>`)
            .join("")}</tbody></table>`,
        ]),
    ...(target === null
      ? []
      : [
          `<h2>What goes with ${text(target.column)}</h2><p>As ${target.task}${of}; known in ${target.rows} of them.</p>
<table><thead><tr><th>Column<th>Explains<th>Pearson<th>Spearman<th>AUC alone</tr></thead><tbody>${target.relations
            .map(
              (each) =>
                `<tr><th>${text(each.feature)}<td>${bar(each.explained)} ${figure(each.explained)}<td class="n">${figure(each.pearson)}<td class="n">${figure(each.spearman)}<td class="n">${figure(each.auc)}</tr>`,
            )
            .join("")}</tbody></table>`,
        ]),
    ...correlations.filter(({ features }) => features.length > 1).map((each) => correlationMap(each, of)),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text(source)}</title><style>${STYLE}</style></head>
<body>${sections.join("\n")}</body></html>
`;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const text = (value: string): string => value.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
const figure = (value: number | string | null): string =>
  value === null ? "–" : typeof value === "number" ? String(Number(value.toPrecision(5))) : text(value.slice(0, 40));

const bar = (share: number): string =>
  `<svg width="80" height="10" role="img" aria-label="${figure(share)}"><rect width="${(80 * share).toFixed(1)}" height="10"/></svg>`;

function columnRow(column: Column, rows: number): string {
  const { name, type, nulls, distinct, min, mean, max } = column;
  const share = rows === 0 ? 0 : (nulls / rows) * 100;
  return `<tr><th>${text(name)}<td>${type}<td class="n">${share.toFixed(1)}%<td class="n">${distinct}<td class="n">${figure(min)}<td class="n">${figure(mean)}<td class="n">${figure(max)}<td>${distribution(column)}</tr>`;
}

function distribution({ name, histogram, top }: Column): string {
  const counts = histogram?.counts ?? [];
  const highest = Math.max(0, ...counts);
  if (highest === 0)
    return `<small>${top
      .slice(0, 4)
      .map(({ value, count }) => `${text(value)} (${count})`)
      .join(", ")}</small>`;
  const width = 200 / counts.length;
  const bars = counts.map((count, bin) => {
    const height = (32 * count) / highest;
    return `<rect x="${(bin * width).toFixed(1)}" y="${(32 - height).toFixed(1)}" width="${(width - 1).toFixed(1)}" height="${height.toFixed(1)}"/>`;
  });
  return `<svg width="200" height="32" role="img" aria-label="Histogram of ${text(name)}">${bars.join("")}</svg>`;
}

/** Blue for together, red for against; the figure stands in each cell too. */
function correlationMap({ method, features, values }: SourceExploration["correlations"][number], of: string): string {
  const head = features.map((feature) => `<th>${text(feature)}`).join("");
  const body = values.map((row, i) => {
    const cells = row.map((value) => {
      const colour =
        value === null ? "transparent" : `rgb(${value < 0 ? "200 80 60" : "59 110 165"} / ${Math.abs(value).toFixed(2)})`;
      return `<td class="n" style="background:${colour}">${value === null ? "–" : value.toFixed(2)}`;
    });
    return `<tr><th>${text(features[i])}${cells.join("")}</tr>`;
  });
  return `<h2>Correlations (${method})</h2><p>Over the rows that have both values${of}.</p><table class="map"><thead><tr><th>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}
