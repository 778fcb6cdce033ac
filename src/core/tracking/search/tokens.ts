import { type Refuse, refuse as refuseFilter, type Span } from "./filter-error.ts";

/** A name with or without a key: `start_time`, `metrics.auc`, "params.`batch size`". */
export interface PathToken {
  readonly kind: "path";
  /** What stands before the first dot, or all of it where there is none. */
  readonly room: string;
  readonly key: string | null;
  /** Whether any of it was in quotes: then it is no keyword. */
  readonly quoted: boolean;
  readonly span: Span;
}

export interface TextToken {
  readonly kind: "text";
  readonly text: string;
  readonly quote: '"' | "'";
  readonly span: Span;
}

export interface NumberToken {
  readonly kind: "number";
  readonly value: number;
  /** Written without point and exponent. */
  readonly whole: boolean;
  readonly span: Span;
}

export interface SymbolToken {
  readonly kind: "symbol";
  readonly symbol: string;
  readonly span: Span;
}

export interface EndToken {
  readonly kind: "end";
  readonly span: Span;
}

export type Token = PathToken | TextToken | NumberToken | SymbolToken | EndToken;

export const MAX_FILTER_CHARACTERS = 100_000;

const SPACE = /\s+/y;
const NUMBER = /[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?|inf(?:inity)?|nan)(?![\p{L}\p{N}_.])/iuy;
const SYMBOL = /==|<>|[<>!]=|[<>=(),]/y;
const NAME = /[\p{L}_][\p{L}\p{M}\p{N}_]*/uy;
/** Without quotes a key may hold what metric and param keys often do; there is no arithmetic it could be mistaken for. */
const BARE_KEY = /[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.\-/:@#$]*/uy;

/** Quotes within quotes are doubled. @throws TRACKING_FILTER_INVALID, or what `refuse` makes */
export function tokensOf(source: string, refuse: Refuse = refuseFilter): readonly Token[] {
  const tooLong = { start: MAX_FILTER_CHARACTERS, end: source.length };
  if (source.length > MAX_FILTER_CHARACTERS)
    throw refuse(source, tooLong, "syntax", `at most ${MAX_FILTER_CHARACTERS} characters are read, these are ${source.length}`);
  const nul = source.indexOf("\0");
  if (nul >= 0) throw refuse(source, { start: nul, end: nul + 1 }, "syntax", "the character U+0000 cannot be asked for");

  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const [found] = pattern.exec(source) ?? [];
    if (found === undefined || found === "") return null;
    at += found.length;
    return found;
  };
  /** The text in quotes that begins here. */
  const takeQuoted = (quote: string): string => {
    const start = at;
    let text = "";
    for (let from = start + 1; ; ) {
      const close = source.indexOf(quote, from);
      if (close < 0) throw refuse(source, { start, end: source.length }, "syntax", `the quote ${quote} is never closed`);
      text += source.slice(from, close);
      if (source[close + 1] !== quote) {
        at = close + 1;
        return text;
      }
      text += quote;
      from = close + 2;
    }
  };
  const takeKey = (start: number): { key: string; quoted: boolean } => {
    const quote = source[at];
    const quoted = quote === "`" || quote === '"' || quote === "'";
    const key = quoted ? takeQuoted(quote) : take(BARE_KEY);
    if (key === null || key === "")
      throw refuse(source, { start: at, end: at }, "syntax", `expected a key after "${source.slice(start, at)}"`);
    return { key, quoted };
  };

  while (at < source.length) {
    if (take(SPACE) !== null) continue;
    const start = at;
    const span = (): Span => ({ start, end: at });
    const first = source[at];
    if (first === "'" || first === '"') {
      const text = takeQuoted(first);
      tokens.push({ kind: "text", text, quote: first, span: span() });
      continue;
    }
    const number = take(NUMBER);
    if (number !== null) {
      tokens.push({ kind: "number", value: numberOf(number), whole: /^[-+]?\d+$/.test(number), span: span() });
      continue;
    }
    const symbol = take(SYMBOL);
    if (symbol !== null) {
      tokens.push({ kind: "symbol", symbol, span: span() });
      continue;
    }
    const room = first === "`" ? takeQuoted(first) : take(NAME);
    if (room === null)
      throw refuse(source, { start, end: start + 1 }, "syntax", `"${characterAt(source, start)}" is no part of the language`);
    if (source[at] !== ".") {
      tokens.push({ kind: "path", room, key: null, quoted: first === "`", span: span() });
      continue;
    }
    at += 1;
    const { key, quoted } = takeKey(start);
    tokens.push({ kind: "path", room, key, quoted: quoted || first === "`", span: span() });
  }
  tokens.push({ kind: "end", span: { start: source.length, end: source.length } });
  return tokens;
}

function numberOf(text: string): number {
  if (!/[a-df-z]/i.test(text)) return Number(text);
  if (/nan/i.test(text)) return Number.NaN;
  return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

const characterAt = (source: string, at: number): string => String.fromCodePoint(source.codePointAt(at) ?? 0);
