import { describe, expect, it } from "vitest";
import { uploadLimit } from "./server-options.ts";

describe("the limit of an upload", () => {
  it("is none unless it is said", () => expect(uploadLimit({})).toEqual({}));

  it.each([
    ["1", 1],
    ["1500", 1_500],
    ["10KB", 10_000],
    ["500 mb", 500_000_000],
    ["20GB", 20_000_000_000],
    ["3TB", 3_000_000_000_000],
  ])("of %s is %i bytes", (maxUpload, maxUploadBytes) => expect(uploadLimit({ maxUpload })).toEqual({ maxUploadBytes }));

  it.each(["", "0", "0GB", "-1", "1.5GB", "GB", "5 apples", "1e9", "99999TB", "NaN"])("cannot be %j", (maxUpload) =>
    expect(() => uploadLimit({ maxUpload })).toThrow(expect.objectContaining({ code: "CLI_SIZE_INVALID" })),
  );
});
