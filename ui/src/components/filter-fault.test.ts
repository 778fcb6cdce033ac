import { describe, expect, it } from "vitest";
import { ApiError } from "../../../src/client/index.ts";
import { filterFault } from "./filter-fault.ts";

const refusal = (details: Record<string, unknown>, code = "TRACKING_FILTER_INVALID") =>
  new ApiError(400, { code, kind: "invalid", message: "column 15: expected a number", hint: "See the reference.", details });

describe("filterFault", () => {
  it("cuts the filter at the place that the server names, and puts a caret under each of its characters", () => {
    expect(filterFault(refusal({ column: 15, length: 3 }), "metrics.auc > 'x' AND a = 1")).toMatchObject({
      before: "metrics.auc > ",
      at: "'x'",
      after: " AND a = 1",
      carets: "^^^",
    });
  });
  it("counts characters as the server does, not their halves", () => {
    expect(filterFault(refusal({ column: 9, length: 2 }), "tags.😀 = 12")).toMatchObject({ before: "tags.😀 =", at: " 1" });
  });
  it("points behind the end where something is missing", () => {
    expect(filterFault(refusal({ column: 14, length: 1 }), "metrics.auc >")).toMatchObject({
      before: "metrics.auc >",
      at: "",
      after: "",
      carets: "^",
    });
  });
  it("shows the surroundings alone of a filter that is long", () => {
    const fault = filterFault(refusal({ column: 201, length: 1 }), `${"a".repeat(200)}!${"b".repeat(200)}`);
    expect([fault?.before.length, fault?.at, fault?.after.length]).toEqual([61, "!", 61]);
  });
  it("has nothing to say of other errors", () => {
    expect(filterFault(refusal({ column: 1, length: 1 }, "TRACKING_CURSOR_INVALID"), "a")).toBeNull();
    expect(filterFault(refusal({}), "a")).toBeNull();
    expect(filterFault(new TypeError("fetch failed"), "a")).toBeNull();
  });
});
