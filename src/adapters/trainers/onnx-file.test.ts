import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isOnnx } from "./onnx-file.ts";

const model = readFileSync(new URL("./fixtures/linear.onnx", import.meta.url));

describe("what is taken for an ONNX file", () => {
  test("is a real one, and none that was cut short", () => {
    expect(isOnnx(model)).toBe(true);
    for (let length = 0; length < model.length; length++)
      expect(isOnnx(model.subarray(0, length)), `${length} bytes`).toBe(false);
  });

  test.each([
    ["nothing", ""],
    ["text", "no model"],
    ["JSON", '{"model": [1, 2, 3]}'],
    ["a pickle", "\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94K\x01u."],
    ["a Parquet file", "PAR1\x15\x04\x15\x10\x15\x14L\x15\x02\x15\x00\x12PAR1"],
    ["a zip archive", "PK\x03\x04\x14\x00\x00\x00\x08\x00"],
  ])("is not %s", (_, content) => {
    expect(isOnnx(Buffer.from(content, "latin1"))).toBe(false);
  });

  test("is decided for any bytes, whole or damaged, without an error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(isOnnx(bytes)).toBe(false);
      }),
      { seed: 1, numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.nat(model.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Uint8Array.from(model);
        damaged[at] ^= flip;
        expect(typeof isOnnx(damaged)).toBe("boolean");
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
