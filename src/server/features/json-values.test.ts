import { expect, test } from "vitest";
import { writeFeastColumn, writeFeastValueOf, writeValueOf } from "./json-values.ts";

test("floats have a point or an exponent, and read back to the same bits", () => {
  const write = writeValueOf("float64");
  expect([1, -0, 1e21, 123456789012345680000, 0.1, 5e-324, null].map(write)).toEqual([
    "1.0",
    "-0.0",
    "1e+21",
    "123456789012345680000.0",
    "0.1",
    "5e-324",
    "null",
  ]);
  expect(Object.is(JSON.parse(write(-0)), -0)).toBe(true);
  expect([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN].map(write)).toEqual([
    '"Infinity"',
    '"-Infinity"',
    "null",
  ]);
});

test("integers have all of their digits, texts are escaped, and null is null of every type", () => {
  expect(writeValueOf("int64")(-9_223_372_036_854_775_808n)).toBe("-9223372036854775808");
  expect(writeValueOf("string")('"\n\u2028')).toBe('"\\"\\n\u2028"');
  for (const type of ["string", "int32", "int64", "float64", "bool", "timestamp"] as const) {
    expect(writeValueOf(type)(null)).toBe("null");
    expect(writeFeastValueOf(type)(null)).toBe("null");
  }
});

test("timestamps are ISO 8601 to the microsecond, to Feast whole seconds, rounded down before 1970 too", () => {
  expect(writeValueOf("timestamp")(1_580_702_706_789_001)).toBe('"2020-02-03T04:05:06.789001Z"');
  expect(writeFeastValueOf("timestamp")(1_580_702_706_789_001)).toBe("1580702706");
  expect(writeFeastValueOf("timestamp")(-500_000)).toBe("-1");
});

test("a column of values is written as each of them would be", () => {
  const write = writeValueOf("float64");
  const values = [0.1, 1e300 / 3, -2.5e-7, null, 5e-324];
  for (const column of [values, [...values, 1], [...values, Number.POSITIVE_INFINITY], [Number.NaN, -0.5], []])
    expect(writeFeastColumn("float64", column)).toBe(column.map(write).join(","));
  expect(writeFeastColumn("int64", [1, 9_007_199_254_740_993n, null])).toBe("1,9007199254740993,null");
  expect(writeFeastColumn("string", ["ü", null])).toBe('"ü",null');
});
