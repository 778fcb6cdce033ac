import { describe, expect, it } from "vitest";
import { parseCsv } from "./parse-csv.ts";

const read = (text: string, texts: readonly string[] = []) => Object.fromEntries(parseCsv(text, 1_000, new Set(texts)).columns);
const refusal = (text: string, most = 1_000) => {
  try {
    parseCsv(text, most);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("nothing was refused");
};

describe("CSV as pandas writes it", () => {
  it("has numbers, conditions and texts by column, and what pandas reads as missing", () => {
    expect(read("a,b,c,d\n1,True,x,\n-2.5e3,false,7,NaN\n,,NA,null\n")).toEqual({
      a: [1, -2_500, null],
      b: [true, false, null],
      c: ["x", "7", null],
      d: [null, null, null],
    });
  });

  it("keeps texts of digits where a text is wanted", () => {
    expect(read("zip,n\n01234,01\n", ["zip"])).toEqual({ zip: ["01234"], n: [1] });
  });

  it("has quoted cells with commas, quotes and line ends", () => {
    expect(read('"a,1","b"\r\n"x ""y""\nz",2\r\n')).toEqual({ "a,1": ['x "y"\nz'], b: [2] });
  });

  it("passes over empty lines and a byte order mark, and names a column without one by its place", () => {
    expect(read("\ufeff,a\n\n0,5\n\n1,6")).toEqual({ "Unnamed: 0": [0, 1], a: [5, 6] });
  });

  it("may have names only, and infinite numbers", () => {
    expect(parseCsv("a,b\n", 10)).toMatchObject({ rows: 0 });
    expect(read("a\ninf\n-Infinity\n")).toEqual({ a: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] });
  });

  it("takes a name such as __proto__ for a name", () => {
    expect([...parseCsv("__proto__,constructor\n1,2\n", 10).columns.keys()]).toEqual(["__proto__", "constructor"]);
  });

  it.each([
    ["", "no line of names"],
    ["\n\n", "no line of names"],
    ["a,b\n1,2,3\n", "3 fields, and the first has 2"],
    ["a,b\n1\n", "1 fields, and the first has 2"],
    ["a,a\n1,2\n", "twice"],
    ['a\n"x', "not closed"],
    ['a\n"x"y\n', "behind a closing quote"],
  ])("is refused where it is none: %j", (text, message) => {
    expect(refusal(text)).toMatchObject({ code: "SERVING_INPUT_INVALID", message: expect.stringContaining(message) });
  });

  it("is refused with more rows than are taken", () => {
    expect(refusal("a\n1\n2\n3\n", 2).message).toContain("more than 2 rows");
  });
});
