/** Light and dark by the reader's system; always light on paper. */
export const CARD_STYLE = `
:root {
  color-scheme: light dark;
  --bg: #f5f2ea; --surface: #fffdf8; --line: #ddd6c6; --grid: #ece6d8; --ink: #1a2036; --muted: #5b6178; --accent: #2f4486;
  --band: #34509c26; --brass: #8a5f12; --good: #22714e; --bad: #ac2f28; --warn: #96590a; --low: #3b62c4; --high: #cc4b37; --none: #9a9a9a;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --bg: #0c1120; --surface: #141b30; --line: #28314f; --grid: #1f2844; --ink: #ebe8de; --muted: #9fa8c6; --accent: #a3b6ff;
    --band: #8fa8ff30; --brass: #e3b758; --good: #63c99b; --bad: #f4877b; --warn: #f0b95c; --low: #6f9bff; --high: #ff7a62; --none: #7b8196;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.55 system-ui, "Liberation Sans", sans-serif; }
main { max-width: 880px; margin: 0 auto; padding: 40px 24px 72px; }
h1, h2 { font-family: "Iowan Old Style", Palatino, Georgia, "Liberation Serif", serif; line-height: 1.2; overflow-wrap: anywhere; }
h1 { font-size: 32px; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 0 0 10px; }
.made { color: var(--muted); margin: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0 16px; padding: 0; }
.tiles div { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.tiles dt { color: var(--muted); font-size: 12px; overflow-wrap: anywhere; }
.tiles dd { margin: 2px 0 0; font-size: 20px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tiles small { display: block; color: var(--muted); font-size: 12px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 0 0 20px; font-size: 13px; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 0.18em; }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 20px 24px 14px; margin: 0 0 16px; }
p, ul { margin: 0 0 12px; max-width: 72ch; overflow-wrap: anywhere; }
ul { padding-left: 20px; }
li { margin: 0 0 4px; }
.wide { overflow-x: auto; margin: 0 0 12px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--muted); font-weight: 600; }
tr:last-child td { border-bottom: 0; }
.passed { color: var(--good); } .failed { color: var(--bad); } .undefined { color: var(--warn); }
svg { display: block; width: 100%; max-width: 720px; margin: 4px 0 12px; font: 12px system-ui, "Liberation Sans", sans-serif; }
.wide > svg { min-width: 560px; margin: 0; }
svg.square { max-width: 340px; }
svg text { fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .label { text-anchor: end; } svg .tick { text-anchor: middle; fill: var(--muted); font-size: 11px; }
svg .note { text-anchor: end; fill: var(--muted); font-size: 11px; }
.bar { fill: var(--accent); opacity: 0.85; } .below { fill: var(--brass); }
.interval { stroke: var(--ink); stroke-width: 1.5; } .axis { stroke: var(--muted); } .grid { stroke: var(--grid); }
.range { stroke: var(--accent); stroke-width: 2; } .dot { fill: var(--accent); } .soft { opacity: 0.6; }
.reference { stroke: var(--brass); stroke-dasharray: 4 4; }
.mean, .single, .second { fill: none; } .mean { stroke: var(--accent); stroke-width: 2; } .single { stroke: var(--muted); opacity: 0.3; }
.second { stroke: var(--brass); stroke-width: 1.6; stroke-dasharray: 5 4; }
.band { fill: var(--band); } .support { fill: var(--muted); opacity: 0.45; }
.v0 { --v: 0%; } .v1 { --v: 25%; } .v2 { --v: 50%; } .v3 { --v: 75%; } .v4 { --v: 100%; }
circle.v0, circle.v1, circle.v2, circle.v3, circle.v4 { fill: color-mix(in oklab, var(--high) var(--v), var(--low)); opacity: 0.8; }
circle.vm { fill: var(--none); opacity: 0.8; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 8px 20px; }
figure { margin: 0; } figcaption { font-size: 13px; font-weight: 600; overflow-wrap: anywhere; }
.legend { color: var(--muted); font-size: 12px; }
.key { display: inline-block; width: 16px; height: 0; border-top: 2px solid var(--accent); vertical-align: middle; margin: 0 4px 0 8px; }
.key.single { border-color: var(--muted); opacity: 0.5; } .key.second, .key.reference { border-top-color: var(--brass); border-top-style: dashed; }
.key.v0, .key.v1, .key.v2, .key.v3, .key.v4, .key.vm { width: 10px; height: 10px; border: 0; border-radius: 5px; margin: 0 1px; background: color-mix(in oklab, var(--high) var(--v), var(--low)); }
.key.vm { background: var(--none); margin: 0 4px 0 12px; }
@media print {
  @page { margin: 16mm; }
  :root { color-scheme: light; }
  body { background: #fff; font-size: 12px; } main { max-width: none; padding: 0; } nav { display: none; }
  section { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 12px 0 0; background: none; }
  svg, figure, tr, .tiles div { break-inside: avoid; } h2 { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
