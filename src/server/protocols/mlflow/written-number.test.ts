import { describe, expect, it } from "vitest";
import { rememberText, writtenNumber } from "./written-number.ts";

function read(text: string): object {
  const body: object = JSON.parse(text.replace(/^\uFEFF/, ""));
  rememberText(body, text);
  return body;
}

describe("a number as it was written", () => {
  it.each(["9", "9.0", "-0", "1e2", "1.50", "12345678901234567890"])("%s", (number) => {
    expect(writtenNumber(read(`{"a": ${number}}`), "a")).toBe(number);
  });

  it("is the body's own, not that of an inner object with the same field", () => {
    const inner = '{"a": 1.0, "": {"a": 2.0}}';
    expect(writtenNumber(read(`{"before": [${inner}], "a": 9.0, "after": ${inner}, "": ${inner}}`), "a")).toBe("9.0");
    expect(writtenNumber(read(`{"before": ${inner}}`), "a")).toBeUndefined();
  });

  it("is the last of a field that comes twice, as its value is", () => {
    expect(writtenNumber(read('{"a": 1.0, "a": 2.0}'), "a")).toBe("2.0");
  });

  it("is found behind a byte order mark", () => {
    expect(writtenNumber(read('\uFEFF{"a": 9.0}'), "a")).toBe("9.0");
  });

  it("is not known of a text, of a field that is absent, or of a body without its text", () => {
    expect(writtenNumber(read('{"a": "9.0"}'), "a")).toBeUndefined();
    expect(writtenNumber(read("{}"), "a")).toBeUndefined();
    expect(writtenNumber({ a: 9 }, "a")).toBeUndefined();
  });
});
