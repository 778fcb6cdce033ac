import { describe, expect, it } from "vitest";
import { exampleOf, type Field, formFields, parseInstance } from "./prepare.ts";

const field = (name: string, type: string): Field => ({ name, type, role: "request" });

describe("formFields", () => {
  it("asks once for what is a key and a request field", () => {
    expect(formFields({ keys: { carrier: "string" }, request: { carrier: "string", hour: "int32" } })).toEqual([
      { name: "carrier", type: "string", role: "key" },
      { name: "hour", type: "int32", role: "request" },
    ]);
  });
});

describe("parseInstance", () => {
  it.each([
    ["int32", " 5 ", 5],
    ["int64", "-7", -7],
    ["float64", "1e3", 1_000],
    ["bool", "false", false],
    ["timestamp", "2013-11-05T14:30:00+01:00", "2013-11-05T13:30:00.000Z"],
    ["string", "0012", "0012"],
    ["string", "", null],
    ["int32", "", null],
  ])("reads %s from %j", (type, text, value) => {
    expect(parseInstance([field("x", type)], { x: text })).toEqual({ ok: true, instance: { x: value } });
  });

  it.each([
    ["int32", "half past five"],
    ["int32", "5.5"],
    ["int64", "9007199254740993"],
    ["float64", "1,5"],
    ["float64", "Infinity"],
    ["bool", "yes"],
    ["timestamp", "tomorrow"],
  ])("refuses %s written as %j, naming the field", (type, text) => {
    const parsed = parseInstance([field("good", "string"), field("bad", type)], { good: "x", bad: text });
    expect(parsed).toMatchObject({ ok: false, problems: { bad: expect.any(String) } });
    if (!parsed.ok) expect(Object.keys(parsed.problems)).toEqual(["bad"]);
  });
});

describe("exampleOf", () => {
  it("fills the form from a logged prediction, and reads back as the same instance", () => {
    const typed = exampleOf({ keys: { carrier: "UA", tailnum: null }, request: { hour: 5, snow: true } });
    expect(typed).toEqual({ carrier: "UA", tailnum: "", hour: "5", snow: "true" });
    const fields = [field("carrier", "string"), field("tailnum", "string"), field("hour", "int32"), field("snow", "bool")];
    expect(parseInstance(fields, typed)).toEqual({ ok: true, instance: { carrier: "UA", tailnum: null, hour: 5, snow: true } });
  });
});
