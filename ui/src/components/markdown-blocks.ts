/** The subset of Markdown (CommonMark and GitHub's tables) that model cards use, as data. HTML in it stays text. */
export type Block =
  | { readonly kind: "heading"; readonly level: number; readonly text: Inline[] }
  | { readonly kind: "paragraph"; readonly text: Inline[] }
  | { readonly kind: "list"; readonly ordered: boolean; readonly items: Inline[][] }
  | { readonly kind: "table"; readonly head: Inline[][]; readonly rows: Inline[][][] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "rule" };

export type Inline =
  | { readonly kind: "text" | "strong" | "emphasis" | "code"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string };

const FENCE = /^```/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^(?:-{3,}|\*{3,}|_{3,})\s*$/;
const ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const TABLE_LINE = /^\s*\|.*\|\s*$/;
const TABLE_BREAK = /^\s*\|?(?:\s*:?-+:?\s*\|)+\s*:?-*:?\s*$/;

const startsBlock = (line: string): boolean =>
  [FENCE, HEADING, RULE, ITEM, TABLE_LINE].some((pattern) => pattern.test(line)) || line.trim() === "";

export function parseMarkdown(source: string): Block[] {
  const lines = source.replaceAll("\r\n", "\n").split("\n");
  const blocks: Block[] = [];
  let at = 0;
  const takeWhile = (wanted: (line: string) => boolean): string[] => {
    const from = at;
    while (at < lines.length && wanted(lines[at] ?? "")) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const heading = HEADING.exec(line);
    const item = ITEM.exec(line);
    if (line.trim() === "") {
      at += 1;
    } else if (FENCE.test(line)) {
      at += 1;
      blocks.push({ kind: "code", text: takeWhile((each) => !FENCE.test(each)).join("\n") });
      at += 1;
    } else if (heading !== null) {
      at += 1;
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, text: parseInline(heading[2] ?? "") });
    } else if (RULE.test(line)) {
      at += 1;
      blocks.push({ kind: "rule" });
    } else if (TABLE_LINE.test(line) && TABLE_BREAK.test(lines[at + 1] ?? "")) {
      const [head = "", , ...rows] = takeWhile((each) => TABLE_LINE.test(each));
      blocks.push({ kind: "table", head: cells(head), rows: rows.map(cells) });
    } else if (item !== null) {
      blocks.push({ kind: "list", ordered: item[1] !== undefined, items: listItems(takeWhile((each) => each.trim() !== "")) });
    } else {
      const first = lines[at] ?? "";
      at += 1;
      blocks.push({ kind: "paragraph", text: parseInline([first, ...takeWhile((each) => !startsBlock(each))].join(" ")) });
    }
  }
  return blocks;
}

/** Lines without a bullet of their own go on with the item before. */
function listItems(lines: readonly string[]): Inline[][] {
  const items: string[] = [];
  for (const line of lines) {
    const text = ITEM.exec(line)?.[2];
    if (text !== undefined) items.push(text);
    else items.push(`${items.pop() ?? ""} ${line.trim()}`);
  }
  return items.map(parseInline);
}

const cells = (line: string): Inline[][] =>
  line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => parseInline(cell.trim()));

const INLINE =
  /`(?<code>[^`]+)`|\*\*(?<strong>[^*]+)\*\*|(?<![*\\])\*(?<emphasis>[^*\s][^*]*)\*|(?<!\\)\[(?<label>[^\]]+)\]\((?<href>(?:[^()\s]|\([^()\s]*\))+)\)/g;
const SAFE_LINK = /^(?:https?:\/\/|\/(?!\/)|#)/i;
const ENTITIES: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };

const plain = (text: string): string =>
  text.replace(/\\([!-/:-@[-`{-~])/g, "$1").replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity);

export function parseInline(source: string): Inline[] {
  const found: Inline[] = [];
  let from = 0;
  for (const match of source.matchAll(INLINE)) {
    if (match.index > from) found.push({ kind: "text", text: plain(source.slice(from, match.index)) });
    found.push(inlineOf(match.groups ?? {}));
    from = match.index + match[0].length;
  }
  if (from < source.length) found.push({ kind: "text", text: plain(source.slice(from)) });
  return found;
}

function inlineOf({ code, strong, emphasis, label, href }: Record<string, string | undefined>): Inline {
  if (code !== undefined) return { kind: "code", text: code };
  if (strong !== undefined) return { kind: "strong", text: plain(strong) };
  if (emphasis !== undefined) return { kind: "emphasis", text: plain(emphasis) };
  // Anything but the web and this server (javascript:, data:) is shown as words.
  if (href !== undefined && SAFE_LINK.test(href)) return { kind: "link", text: plain(label ?? href), href };
  return { kind: "text", text: plain(label ?? "") };
}
