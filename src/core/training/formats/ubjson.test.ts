import { describe, expect, it } from "vitest";
import { readUbjson } from "./ubjson.ts";

const bytes = (...parts: (string | number)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : Array.from(part, (char) => char.charCodeAt(0)))));

describe("Universal Binary JSON", () => {
  it("has objects and arrays that end with a bracket, and constants", () => {
    const file = bytes("{", "i", 1, "a", "[", "T", "F", "Z", "]", "i", 1, "b", "S", "U", 2, "hi", "}");
    expect(readUbjson(file)).toEqual({ a: [true, false, null], b: "hi" });
  });

  it("has containers with a type and a count, big-endian", () => {
    expect(readUbjson(bytes("[", "$", "I", "#", "i", 2, 1, 0, 0xff, 0xff))).toEqual([256, -1]);
    expect(readUbjson(bytes("{", "#", "i", 1, "i", 1, "x", "l", 0, 1, 0, 0))).toEqual({ x: 65_536 });
    expect(readUbjson(bytes("[", "$", "d", "#", "i", 1, 0x3f, 0x80, 0, 0))).toEqual([1]);
  });

  it("is refused where it ends early, announces too much, nests too deep or goes on", () => {
    const invalid = expect.objectContaining({ code: "TRAIN_MODEL_FILE_INVALID" });
    for (const file of [
      bytes(),
      bytes("["),
      bytes("[", "$", "d", "#", "l", 0x7f, 0xff, 0xff, 0xff),
      bytes("[", "$", "d"),
      bytes("S", "i", 0xff),
      bytes("[".repeat(5_000)),
      bytes("T", "T"),
      bytes("?"),
    ]) {
      expect(() => readUbjson(file)).toThrow(invalid);
    }
  });
});
