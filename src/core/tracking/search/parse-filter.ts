import { refuse, type Span } from "./filter-error.ts";
import { type NumberToken, type PathToken, type TextToken, type Token, tokensOf } from "./tokens.ts";

export const COMPARISONS = ["=", "!=", ">", ">=", "<", "<="] as const;
export type Operator =
  | (typeof COMPARISONS)[number]
  | `${"" | "NOT "}${"LIKE" | "ILIKE" | "IN" | "BETWEEN"}`
  | `IS ${"" | "NOT "}NULL`;

/** A name alone is an attribute: `room` is null. */
export interface Path {
  readonly room: string | null;
  readonly key: string;
  readonly span: Span;
}

export type Literal = TextToken | NumberToken;

export interface Comparison {
  readonly kind: "comparison";
  readonly path: Path;
  readonly operator: Operator;
  readonly operatorSpan: Span;
  readonly values: readonly Literal[];
}

/** The filter as it is written; what the names mean is not known yet. */
export type FilterTree =
  | { readonly kind: "and" | "or"; readonly parts: readonly FilterTree[] }
  | { readonly kind: "not"; readonly part: FilterTree }
  | Comparison;

/** What one statement of either database can surely hold. */
export const FILTER_LIMITS = { depth: 64, comparisons: 256, values: 10_000 } as const;

/**
 * Null for an empty filter. The grammar is in docs/reference/search.md.
 * @throws TRACKING_FILTER_INVALID with details {column, length, objection}
 */
export function parseFilter(source: string): FilterTree | null {
  const tokens = tokensOf(source);
  if (tokens.length === 1) return null;
  return new Parser(source, tokens).filter();
}

/** Recursive descent, one method a rule. */
class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;
  #comparisons = 0;
  #values = 0;

  constructor(source: string, tokens: readonly Token[]) {
    this.#source = source;
    this.#tokens = tokens;
  }

  filter(): FilterTree {
    const tree = this.#or();
    const rest = this.#peek();
    if (rest.kind !== "end") throw this.#refuse(rest.span, `expected AND, OR or the end, found ${this.#quote(rest)}`);
    return tree;
  }

  #or(): FilterTree {
    const parts = [this.#and()];
    while (this.#takeKeyword("OR")) parts.push(this.#and());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "or", parts };
  }

  #and(): FilterTree {
    const parts = [this.#not()];
    while (this.#takeKeyword("AND")) parts.push(this.#not());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "and", parts };
  }

  #not(): FilterTree {
    if (!this.#isKeyword("NOT")) return this.#primary();
    return this.#deeper(() => {
      this.#next += 1;
      return { kind: "not", part: this.#not() };
    });
  }

  #primary(): FilterTree {
    const open = this.#peek();
    if (!this.#takeSymbol("(")) return this.#comparison();
    return this.#deeper(() => {
      const inside = this.#or();
      if (!this.#takeSymbol(")")) {
        const found = this.#peek();
        const { column } = refuse(this.#source, open.span, "syntax", "").details;
        throw this.#refuse(found.span, `expected ")" for the "(" of column ${String(column)}, found ${this.#quote(found)}`);
      }
      return inside;
    });
  }

  #deeper<T>(parse: () => T): T {
    this.#depth += 1;
    if (this.#depth > FILTER_LIMITS.depth)
      throw this.#refuse(this.#peek().span, `parentheses and NOTs go at most ${FILTER_LIMITS.depth} deep`);
    const parsed = parse();
    this.#depth -= 1;
    return parsed;
  }

  #comparison(): Comparison {
    const path = this.#path();
    this.#comparisons += 1;
    if (this.#comparisons > FILTER_LIMITS.comparisons)
      throw this.#refuse(path.span, `a filter has at most ${FILTER_LIMITS.comparisons} comparisons`);
    const first = this.#peek();
    const operator = this.#operator();
    const last = this.#tokens[this.#next - 1] ?? first;
    const operatorSpan = { start: first.span.start, end: last.span.end };
    return { kind: "comparison", path, operator, operatorSpan, values: this.#operands(operator) };
  }

  #path(): Path {
    const token = this.#peek();
    if (token.kind === "path" && !this.#keywords(token)) {
      this.#next += 1;
      return pathOf(token);
    }
    // The name of an attribute may stand in double quotes alone: "Run name" = '…'.
    if (token.kind === "text" && token.quote === '"') {
      this.#next += 1;
      return { room: null, key: token.text, span: token.span };
    }
    throw this.#refuse(token.span, `expected an identifier such as metrics.auc, found ${this.#quote(token)}`);
  }

  #operator(): Operator {
    const token = this.#peek();
    if (token.kind === "symbol") {
      const comparison = COMPARISONS.find((each) => each === token.symbol);
      if (comparison !== undefined) {
        this.#next += 1;
        return comparison;
      }
      const meant = { "==": "=", "<>": "!=" }[token.symbol];
      if (meant !== undefined)
        throw refuse(this.#source, token.span, "operator", `"${token.symbol}" is no operator; write "${meant}"`);
    }
    if (this.#takeKeyword("IS")) {
      const not = this.#takeKeyword("NOT");
      if (this.#takeKeyword("NULL")) return not ? "IS NOT NULL" : "IS NULL";
      throw this.#refuse(this.#peek().span, `expected ${not ? "NULL" : "NULL or NOT NULL"} after "IS${not ? " NOT" : ""}"`);
    }
    const not = this.#takeKeyword("NOT");
    for (const word of ["LIKE", "ILIKE", "IN", "BETWEEN"] as const)
      if (this.#takeKeyword(word)) return not ? `NOT ${word}` : word;
    const found = this.#peek();
    if (not) throw this.#refuse(found.span, `expected LIKE, ILIKE, IN or BETWEEN after "NOT", found ${this.#quote(found)}`);
    throw this.#refuse(found.span, `expected an operator, found ${this.#quote(found)}`);
  }

  #operands(operator: Operator): readonly Literal[] {
    switch (operator) {
      case "IS NULL":
      case "IS NOT NULL":
        return [];
      case "IN":
      case "NOT IN":
        return this.#list(operator);
      case "BETWEEN":
      case "NOT BETWEEN": {
        const low = this.#literal(operator);
        if (!this.#takeKeyword("AND")) throw this.#refuse(this.#peek().span, `expected AND and the upper bound of "${operator}"`);
        return [low, this.#literal(`${operator} … AND`)];
      }
      default:
        return [this.#literal(operator)];
    }
  }

  #list(operator: string): readonly Literal[] {
    if (!this.#takeSymbol("(")) throw this.#refuse(this.#peek().span, `expected a list such as ('a', 'b') after "${operator}"`);
    const values = [this.#literal(`${operator} (`, "list")];
    while (this.#takeSymbol(",")) {
      // A list may end with a comma.
      const token = this.#peek();
      if (token.kind === "symbol" && token.symbol === ")") break;
      values.push(this.#literal(",", "list"));
    }
    if (!this.#takeSymbol(")"))
      throw this.#refuse(this.#peek().span, `expected "," or ")" in the list, found ${this.#quote(this.#peek())}`);
    return values;
  }

  #literal(after: string, where: "list" | "syntax" = "syntax"): Literal {
    const token = this.#peek();
    if (token.kind === "path") {
      const what = `expected a number or a quoted text after "${after}", found ${this.#quote(token)}; texts stand in single or double quotes`;
      throw refuse(this.#source, token.span, where === "list" ? where : "unquoted", what);
    }
    if (token.kind !== "text" && token.kind !== "number") {
      const what = `expected a value after "${after}", found ${this.#quote(token)}`;
      throw refuse(this.#source, token.span, token.kind === "end" ? "syntax" : where, what);
    }
    this.#values += 1;
    if (this.#values > FILTER_LIMITS.values)
      throw this.#refuse(token.span, `a filter has at most ${FILTER_LIMITS.values} values`);
    this.#next += 1;
    return token;
  }

  #peek(): Token {
    const token = this.#tokens[this.#next] ?? this.#tokens.at(-1);
    return token ?? { kind: "end", span: { start: this.#source.length, end: this.#source.length } };
  }

  #takeSymbol(symbol: string): boolean {
    const token = this.#peek();
    const taken = token.kind === "symbol" && token.symbol === symbol;
    if (taken) this.#next += 1;
    return taken;
  }

  #isKeyword(keyword: string): boolean {
    const token = this.#peek();
    return token.kind === "path" && token.key === null && !token.quoted && token.room.toUpperCase() === keyword;
  }

  #takeKeyword(keyword: string): boolean {
    const taken = this.#isKeyword(keyword);
    if (taken) this.#next += 1;
    return taken;
  }

  #keywords(token: PathToken): boolean {
    return token.key === null && !token.quoted && KEYWORDS.has(token.room.toUpperCase());
  }

  #quote(token: Token): string {
    if (token.kind === "end") return "the end";
    const text = this.#source.slice(token.span.start, token.span.end);
    return text.length > 40 ? `${text.slice(0, 40)}…` : text;
  }

  #refuse(span: Span, what: string) {
    return refuse(this.#source, span, "syntax", what);
  }
}

const KEYWORDS: ReadonlySet<string> = new Set(["AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "IS", "NULL", "BETWEEN"]);

export const pathOf = ({ room, key, span }: PathToken): Path =>
  key === null ? { room: null, key: room, span } : { room, key, span };
