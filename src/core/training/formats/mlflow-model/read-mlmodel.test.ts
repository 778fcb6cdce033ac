import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { pathBelow, readMlmodel } from "./read-mlmodel.ts";

const onnx = { data: "model.onnx", onnx_version: "1.17.0", providers: ["CPUExecutionProvider"] };
const python = { loader_module: "mlflow.onnx", data: "model.onnx", python_version: "3.11.0" };
const written = (flavors: object, more: object = {}) => stringify({ flavors, run_id: "r", model_id: "m-1", ...more });
const refusal = (text: string) => {
  try {
    readMlmodel(text);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("nothing was refused");
};

describe("an MLmodel file", () => {
  it("names the graph, the run and the model", () => {
    const inputs = JSON.stringify([{ type: "double", name: "a", required: true }]);
    expect(readMlmodel(written({ onnx, python_function: python }, { signature: { inputs } }))).toEqual({
      data: "model.onnx",
      signature: { inputs: [{ kind: "column", name: "a", type: "double", required: true }], outputs: null, params: null },
      runId: "r",
      modelId: "m-1",
    });
  });

  it("is read as PyYAML writes it: block text, quoted JSON, a list that two keys share", () => {
    const text = [
      "flavors:",
      "  onnx:",
      "    data: model.onnx",
      "    providers: &id001",
      "    - CUDAExecutionProvider",
      "    more: *id001",
      "  python_function:",
      "    loader_module: mlflow.onnx",
      "signature:",
      `  inputs: '[{"type": "double", "name": "a", "required": true}, {"type": "double",`,
      `    "name": "it''s", "required": true}]'`,
      "  outputs: null",
      "utc_time_created: '2026-11-23 15:24:16.730316'",
    ].join("\n");
    expect(readMlmodel(text).signature.inputs?.map(({ name }) => name)).toEqual(["a", "it's"]);
  });

  it("takes the graph for model.onnx where the flavor does not say, and may be without a Python flavor", () => {
    expect(readMlmodel(written({ onnx: {} }))).toMatchObject({ data: "model.onnx", signature: { inputs: null } });
  });

  it.each([
    [
      "another flavor, and says which",
      written({ sklearn: { pickled_model: "model.pkl" }, python_function: python }),
      "sklearn, python_function",
    ],
    ["a loader that is a module of the machine", written({ onnx, python_function: { ...python, loader_module: "os" } }), "os"],
    [
      "a loader that a person wrote",
      written({ onnx, python_function: { ...python, loader_module: "mlflow.onnx.evil" } }),
      "mlflow.onnx.evil",
    ],
    ["no flavor", written({}), "none"],
  ])("is refused with %s", (_, text, named) => {
    expect(refusal(text)).toMatchObject({ code: "TRAIN_MLMODEL_UNSUPPORTED", message: expect.stringContaining(named) });
  });

  it.each(["../../etc/passwd", "/etc/passwd", "a/../../b", "..", "a\\b", "C:/x", "%2e%2e/x", "a%2fb", "x\0y", "", ".", "file:x"])(
    "is refused with a graph outside of its folder: %j",
    (data) => {
      expect(refusal(written({ onnx: { data } })).code).toBe("TRAIN_MLMODEL_INVALID");
    },
  );

  it.each([
    ["a tag that Python would run", "flavors: !!python/object/apply:os.system ['id']"],
    ["a tag within", `flavors:\n  onnx:\n    data: !!python/name:os.system model.onnx`],
    ["a tag of nobody's", "flavors: !own {onnx: {data: model.onnx}}"],
    ["one key twice", "flavors: {onnx: {data: a.onnx}}\nflavors: {onnx: {data: b.onnx}}"],
    ["no YAML", "flavors: {onnx: ["],
    ["two documents", "flavors: {onnx: {data: a.onnx}}\n---\nflavors: {}"],
    ["a list", "- flavors"],
    ["nothing", ""],
    ["a pickle", "\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94."],
    ["a graph that is a list", "flavors: {onnx: {data: [a, b]}}"],
    ["a Python flavor without its loader", "flavors: {onnx: {data: a.onnx}, python_function: {}}"],
  ])("is refused with %s", (_, text) => {
    expect(refusal(text).code).toBe("TRAIN_MLMODEL_INVALID");
  });

  it("is refused where names make it grow without end, and soon", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 12; i++) lines.push(`a${i}: &a${i} [${new Array(10).fill(`*a${i - 1}`).join(", ")}]`);
    const began = performance.now();
    expect(refusal([...lines, "flavors: {onnx: {data: a.onnx}}"].join("\n")).code).toBe("TRAIN_MLMODEL_INVALID");
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it("is refused where it is large", () => {
    expect(refusal(`flavors: {onnx: {}}\nx: ${"y".repeat(9 * 1024 * 1024)}`).message).toContain("larger");
  });

  it("has no say in what an object is", () => {
    readMlmodel(
      "__proto__: {polluted: 1}\nflavors: {onnx: {data: a.onnx}, __proto__: {polluted: 1}}\nconstructor: {prototype: {polluted: 1}}",
    );
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    expect(refusal("flavors: {__proto__: {onnx: {data: a.onnx}}}").code).toBe("TRAIN_MLMODEL_UNSUPPORTED");
  });
});

describe("a path below a folder", () => {
  it("is written one way", () => {
    expect(pathBelow("a/./b//c.onnx")).toBe("a/b/c.onnx");
  });
});
