import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Block, type Inline, parseInline, parseMarkdown } from "./markdown-blocks.ts";

const textOf = (parts: readonly Inline[]): string => parts.map(({ text }) => text).join("");

function allInlines(block: Block): Inline[] {
  switch (block.kind) {
    case "heading":
    case "paragraph":
      return block.text;
    case "list":
      return block.items.flat();
    case "table":
      return [...block.head.flat(), ...block.rows.flat(2)];
    default:
      return [];
  }
}

describe("parseMarkdown", () => {
  it("reads headings, paragraphs over several lines, lists, tables, code and rules", () => {
    const blocks = parseMarkdown(
      "# A\n\none\ntwo\n\n- x\n- y\n  more\n\n1. z\n\n| h | i |\n|---|--:|\n| 1 | 2 |\n\n```\n# no heading\n```\n---\n",
    );
    expect(blocks.map(({ kind }) => kind)).toEqual(["heading", "paragraph", "list", "list", "table", "code", "rule"]);
    expect(blocks[1]).toEqual({ kind: "paragraph", text: [{ kind: "text", text: "one two" }] });
    expect(blocks[2]).toMatchObject({ ordered: false, items: [[{ text: "x" }], [{ text: "y more" }]] });
    expect(blocks[3]).toMatchObject({ ordered: true });
    expect(blocks[4]).toMatchObject({ head: [[{ text: "h" }], [{ text: "i" }]], rows: [[[{ text: "1" }], [{ text: "2" }]]] });
    expect(blocks[5]).toEqual({ kind: "code", text: "# no heading" });
  });

  it("keeps an escaped bar within its cell", () => {
    expect(parseMarkdown("| a |\n|---|\n| x \\| y |")[0]).toMatchObject({ rows: [[[{ text: "x | y" }]]] });
  });

  it("ends on an unclosed fence and on a table without rows", () => {
    expect(parseMarkdown("```\nopen")).toEqual([{ kind: "code", text: "open" }]);
    expect(parseMarkdown("| a |\n|---|")).toMatchObject([{ kind: "table", rows: [] }]);
  });

  it("gives nothing for nothing", () => {
    expect(parseMarkdown("")).toEqual([]);
    expect(parseMarkdown("\n \r\n")).toEqual([]);
  });

  it("ends on any text and never makes a link that leaves http", () => {
    const piece = fc.constantFrom(
      "#",
      "|",
      "-",
      "\n",
      "`",
      "```",
      "*",
      "**",
      "[a](",
      "javascript:x",
      ")",
      "http://b",
      " ",
      "\\",
      "1.",
      "word",
      "&lt;",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const links = parseMarkdown(pieces.join(""))
          .flatMap(allInlines)
          .filter((part) => part.kind === "link");
        for (const link of links) expect(link.href).toMatch(/^(https?:\/\/|\/(?!\/)|#)/);
      }),
    );
  });
});

describe("parseInline", () => {
  it("tells strong, emphasised, code and links apart from text", () => {
    expect(parseInline("a **b** *c* `d*e*` [f](/g)")).toEqual([
      { kind: "text", text: "a " },
      { kind: "strong", text: "b" },
      { kind: "text", text: " " },
      { kind: "emphasis", text: "c" },
      { kind: "text", text: " " },
      { kind: "code", text: "d*e*" },
      { kind: "text", text: " " },
      { kind: "link", text: "f", href: "/g" },
    ]);
  });

  it("leaves the underscores of feature names alone, escaped or not", () => {
    expect(textOf(parseInline("late_rate_7d and late\\_rate\\_24h"))).toBe("late_rate_7d and late_rate_24h");
  });

  it.each(["javascript:alert(1)", "JavaScript:x", "data:text/html,x", "//elsewhere.example", "vbscript:x"])(
    "shows a link to %s as words",
    (href) => {
      expect(parseInline(`see [this](${href}).`)).toEqual([
        { kind: "text", text: "see " },
        { kind: "text", text: "this" },
        { kind: "text", text: "." },
      ]);
    },
  );

  it("keeps HTML as the text it is, once unescaped", () => {
    expect(textOf(parseInline("<img onerror=x> &lt;b&gt; &amp;lt;"))).toBe("<img onerror=x> <b> &lt;");
  });
});
