import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isNestedDeeper, withoutPythonNumbers } from "./python-json.ts";

describe("JSON as Python writes it", () => {
  it("loses the numbers that JSON has not, but not within strings", () => {
    const text = String.raw`{"NaN": [NaN, -Infinity, Infinity, -1, "NaN \" Infinity \\", "-Infinity"], "n": null}`;
    expect(JSON.parse(withoutPythonNumbers(text))).toEqual({
      NaN: [null, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, -1, 'NaN " Infinity \\', "-Infinity"],
      n: null,
    });
  });

  it("is the same where there are none", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(withoutPythonNumbers(text)).toBe(text);
      }),
    );
  });

  it("is not changed by what is no JSON", () => {
    for (const text of ["", '"', '"\\', "-", "Na", "Infinit", "{]"]) expect(withoutPythonNumbers(text)).toBe(text);
  });
});

describe("nesting", () => {
  it("is counted outside of strings", () => {
    expect(isNestedDeeper("[[[]]]", 2)).toBe(true);
    expect(isNestedDeeper("[[],[{}]]", 3)).toBe(false);
    expect(isNestedDeeper('["[[[[\\"[["]', 1)).toBe(false);
    expect(isNestedDeeper('["', 1)).toBe(false);
    expect(isNestedDeeper("[".repeat(5_000_000), 16)).toBe(true);
  });
});
