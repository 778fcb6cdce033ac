import { describe, expect, it } from "vitest";
import { isModelUri, moves, parseModelUri } from "./model-uri.ts";

describe("a model's address", () => {
  it.each([
    ["models:/churn@champion", { kind: "alias", name: "churn", alias: "champion" }],
    ["models:/a name@x@y", { kind: "alias", name: "a name@x", alias: "y" }],
    ["models:/churn/12", { kind: "version", name: "churn", version: "12" }],
    ["models:/churn/Production", { kind: "stage", name: "churn", stage: "Production" }],
    ["models:/churn/latest", { kind: "stage", name: "churn", stage: "latest" }],
    ["models:/m-1k12h3sa6whw", { kind: "logged", id: "m-1k12h3sa6whw" }],
    ["runs:/abc/deep/model", { kind: "run", run: "abc", path: "deep/model" }],
    ["/srv/model", { kind: "folder", path: "/srv/model" }],
    ["file:///srv/model", { kind: "folder", path: "/srv/model" }],
  ])("is read: %s", (text, uri) => {
    expect(parseModelUri(text)).toEqual(uri);
    expect(isModelUri(text)).toBe(true);
  });

  it("is a path from here otherwise", () => {
    expect(parseModelUri("./model")).toEqual({ kind: "folder", path: `${process.cwd()}/model` });
    expect(isModelUri("./model")).toBe(true);
  });

  it("is no endpoint's name, nor the other way round", () => {
    for (const endpoint of ["churn", "late-arrivals", "a.b"]) expect(isModelUri(endpoint)).toBe(false);
  });

  it.each([
    "models:/",
    "models:/churn",
    "models:/@x",
    "models:/churn@",
    "models:/churn/",
    "models:/a/b/c",
    "runs:/abc",
    "runs:/abc/",
    "s3://bucket/model",
    "https://host/model",
  ])("is refused: %s", (text) => {
    expect(() => parseModelUri(text)).toThrow(expect.objectContaining({ code: "SERVING_MODEL_URI_INVALID" }));
  });

  it("may mean another model tomorrow where it is an alias or a stage", () => {
    expect(
      ["models:/a@b", "models:/a/latest", "models:/a/1", "runs:/a/b", "."].map((text) => moves(parseModelUri(text))),
    ).toEqual([true, true, false, false, false]);
  });
});
