import { describe, expect, it } from "vitest";
import type { ArtifactFile } from "../../../../src/contract/index.ts";
import { framedDocument, openPath, prettyJson, previewOf } from "./artifacts.ts";

const file = (path: string, bytes = 10, mediaType = "application/octet-stream"): ArtifactFile => ({
  path,
  bytes,
  mediaType,
  sha256: "ab",
});
const ARTIFACTS = [
  file("model/MLmodel"),
  file("model/data/weights.bin", 90),
  file("plots/roc.png"),
  file("notes.txt"),
  file("models.txt"),
];

describe("openPath", () => {
  it("lists folders with what is below them, then files, by name", () => {
    const { folders, files, trail, file: opened } = openPath(ARTIFACTS, "");
    expect(folders).toEqual([
      { name: "model", path: "model", files: 2, bytes: 100 },
      { name: "plots", path: "plots", files: 1, bytes: 10 },
    ]);
    expect([files.map(({ name }) => name), trail, opened]).toEqual([
      ["models.txt", "notes.txt"],
      [{ name: "artifacts", path: "" }],
      null,
    ]);
  });
  it("opens a file within its folder, and says the way back", () => {
    const opened = openPath(ARTIFACTS, "model/data/weights.bin");
    expect(opened.file).toMatchObject({ name: "weights.bin", bytes: 90 });
    expect(opened.trail.map(({ path }) => path)).toEqual(["", "model", "model/data"]);
    expect(opened.files.map(({ name }) => name)).toEqual(["weights.bin"]);
  });
  it("falls back to the run's own folder where a path leads nowhere, and takes no name for a folder that only begins like it", () => {
    expect(openPath(ARTIFACTS, "mod").trail).toHaveLength(1);
    expect(openPath(ARTIFACTS, "../etc").folders).toHaveLength(2);
    expect(openPath([], "")).toMatchObject({ folders: [], files: [], file: null });
  });
});

describe("previewOf", () => {
  it.each([
    ["a/b.PNG", 5, "image"],
    ["plot.svg", 5, "image"],
    ["page.html", 5, "html"],
    ["metrics.json", 5, "json"],
    ["huge.json", 5_000_000, "text"],
    ["train.log", 5_000_000, "text"],
    ["model/MLmodel", 5, "text"],
    ["model.onnx", 5, "none"],
    ["huge.png", 50_000_000, "none"],
    ["huge.html", 50_000_000, "none"],
  ])("shows %s of %i bytes as %s", (path, bytes, kind) => {
    expect(previewOf(file(path, bytes)).kind).toBe(kind);
  });
  it("does not believe what was claimed at the upload where it could do harm", () => {
    expect(previewOf(file("a.bin", 5, "text/html")).kind).toBe("text");
    expect(previewOf(file("a.bin", 5, "image/svg+xml")).kind).toBe("none");
  });
});

describe("what is shown", () => {
  it("is JSON with indents, or the text that it is", () => {
    expect(prettyJson('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(prettyJson("{a}")).toBe("{a}");
  });
  it("is a page behind a policy that nothing of it comes before", () => {
    const framed = framedDocument("<script>alert(1)</script>");
    expect(framed.indexOf("default-src 'none'")).toBeLessThan(framed.indexOf("<script>"));
    expect(framed).toMatch(/^<!doctype html><meta http-equiv="Content-Security-Policy"/);
  });
});
