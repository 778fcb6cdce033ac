import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type ExportCase, exportCases } from "../../../../../test/conformance/onnx/export-cases.ts";
import { predict } from "../../predict.ts";
import { outputsOf } from "../../score-estimator.ts";
import { decodeOnnx } from "../onnx/decode-onnx.ts";
import { frameOutputs } from "../onnx/export-onnx.ts";
import type { OnnxTensor } from "../onnx/onnx-model.ts";
import { compileGraph } from "../onnx-graph/compile-graph.ts";
import { frameModel } from "./frame-model.ts";
import { readSignature } from "./signature.ts";
import { mlflowModelFiles } from "./write-mlflow-model.ts";

// `npm run conformance -- mlflow-models` loads such folders with mlflow.pyfunc itself.
const cases = exportCases(1 / 1_000);
const named = (start: string): ExportCase => {
  const found = cases.find(({ name }) => name.includes(start));
  if (found === undefined) throw new Error(`no case ${start}`);
  return found;
};
const numbersOnly = named("boosted trees");
const withTexts = named("multiclass trees");
const NOTHING = new Set<string>();
const THE_FIRST_TWO = new Set(["view.n0", "view.n1"]);

/** Columns as a data frame has them: texts that are missing as `missing`, everything else a number. */
function feedsOf(
  { dataset }: ExportCase,
  missing: string,
  types: ReadonlyMap<string, OnnxTensor["type"]>,
): Map<string, OnnxTensor> {
  const dims = [dataset.rows];
  return new Map(
    dataset.features.map((feature): [string, OnnxTensor] => {
      const type = types.get(feature.id) ?? "double";
      if (feature.kind === "numeric")
        return [feature.id, { type: type === "string" ? "double" : type, dims, data: feature.values }];
      return [
        feature.id,
        { type: "string", dims, data: Array.from(feature.codes, (code) => feature.categories[code] ?? missing) },
      ];
    }),
  );
}

const typesOf = (onnx: Uint8Array) => new Map(decodeOnnx(onnx).graph.inputs.map(({ name, type = "double" }) => [name, type]));

describe("a model over the columns of a data frame", () => {
  it.each(cases.map((each) => [each.name, each] as const))("predicts what the model predicts: %s", (_, each) => {
    const { onnx } = frameModel(each.model, NOTHING);
    const file = decodeOnnx(onnx);
    const { prediction } = predict(
      each.model,
      each.dataset,
      Uint32Array.from({ length: each.dataset.rows }, (_, row) => row),
    );
    const outputs = outputsOf(each.model.estimator);
    frameOutputs(each.model).forEach((name, output) => {
      const { data, dims } = compileGraph(file, name)(feedsOf(each, file.metadata.missing_text, typesOf(onnx)));
      expect(dims).toEqual([each.dataset.rows]);
      data.forEach((value, row) => {
        const expected = prediction[row * outputs + output];
        expect(Math.abs(Number(value) - expected)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(expected)));
      });
    });
  });

  it.each(["nan", "None", "<NA>"])("takes a text that pandas writes as %s for a missing one", (missing) => {
    const { onnx } = frameModel(withTexts.model, NOTHING);
    const file = decodeOnnx(onnx);
    const score = (text: string) => compileGraph(file, "probability_1")(feedsOf(withTexts, text, typesOf(onnx))).data;
    expect(score(missing)).toEqual(score(file.metadata.missing_text));
  });

  it("takes whole numbers and booleans as they are where none was missing, and doubles elsewhere", () => {
    const { model } = numbersOnly;
    const kinds = ["int64", "bool", "timestamp", "int32", "float64"] as const;
    const plan = {
      ...model.plan,
      features: model.plan.features.map((feature, i) => ({ ...feature, type: kinds[i] ?? "float64" })),
    };
    const complete = new Set(["view.n0", "view.n1", "view.n2", "view.n4"]);
    const { onnx, signature } = frameModel({ ...model, plan }, complete);
    expect([...typesOf(onnx).values()]).toEqual(["int64", "bool", "int64", "double", "double"]);
    expect(signature.inputs?.map((input) => input.kind === "column" && input.type)).toEqual([
      "long",
      "boolean",
      "long",
      "double",
      "double",
    ]);
    const values = Float64Array.of(1, 0, 1);
    const features = numbersOnly.dataset.features.map(({ id }) => ({ kind: "numeric" as const, id, values }));
    const dataset = { ...numbersOnly.dataset, rows: 3, features };
    const found = compileGraph(decodeOnnx(onnx), "probability")(feedsOf({ ...numbersOnly, dataset }, "", typesOf(onnx))).data;
    const { prediction } = predict(model, dataset, Uint32Array.of(0, 1, 2));
    prediction.forEach((value, row) => {
      expect(Math.abs(Number(found[row]) - value)).toBeLessThanOrEqual(1e-12);
    });
  });

  it("says columns for numbers, and arrays as soon as there are texts, which pandas does not hand over as arrays", () => {
    expect(frameModel(numbersOnly.model, THE_FIRST_TWO).signature.inputs?.[0]).toEqual({
      kind: "column",
      name: "view.n0",
      type: "double",
      required: true,
    });
    const { signature } = frameModel(withTexts.model, THE_FIRST_TWO);
    expect(signature.inputs).toContainEqual({ kind: "tensor", name: "view.few", dtype: "object", shape: [-1] });
    expect(signature.inputs).toContainEqual({ kind: "tensor", name: "view.n0", dtype: "float64", shape: [-1] });
    expect(signature.outputs?.map(({ name }) => name)).toEqual(["label", "probability_0", "probability_1", "probability_2"]);
  });
});

describe("the files of a model's folder", () => {
  const { signature, onnx } = frameModel(withTexts.model, NOTHING);
  const files = mlflowModelFiles({ signature, runId: "run-1", at: 1_764_000_000_123_456, bytesOfOnnx: onnx.length });
  const read = (name: string) => parse(files.get(name) ?? "", { version: "1.1" });

  it("say that MLflow's own loader reads the graph, and nothing else does", () => {
    expect([...files.keys()]).toEqual(["MLmodel", "requirements.txt", "python_env.yaml", "conda.yaml"]);
    expect(read("MLmodel")).toMatchObject({
      flavors: {
        onnx: { data: "model.onnx", providers: ["CPUExecutionProvider"] },
        python_function: { data: "model.onnx", loader_module: "mlflow.onnx", python_version: "3.11.0" },
      },
      run_id: "run-1",
      utc_time_created: "2025-11-24 16:00:00.123456",
    });
    expect(read("python_env.yaml")).toMatchObject({ python: "3.11", dependencies: ["-r requirements.txt"] });
    expect(read("conda.yaml").dependencies.at(-1).pip).toContain("onnxruntime>=1.20");
  });

  it("hold the signature as it is read back", () => {
    expect(readSignature(read("MLmodel").signature)).toEqual(signature);
    const plain = frameModel(numbersOnly.model, NOTHING).signature;
    const text = mlflowModelFiles({ signature: plain, runId: "run-1", at: 0, bytesOfOnnx: 1 }).get("MLmodel") ?? "";
    expect(readSignature(parse(text).signature)).toEqual(plain);
  });

  it("are the same for the same model", () => {
    expect(mlflowModelFiles({ signature, runId: "run-1", at: 1_764_000_000_123_456, bytesOfOnnx: onnx.length })).toEqual(files);
  });
});

describe("a signature", () => {
  it("is none where the file says none", () => {
    for (const value of [undefined, null, {}])
      expect(readSignature(value)).toEqual({ inputs: null, outputs: null, params: null });
  });

  it("may leave out names, and say what is not required in either way", () => {
    const inputs = JSON.stringify([{ type: "double" }, { type: "long", optional: true }, { type: "string", required: false }]);
    expect(readSignature({ inputs }).inputs).toEqual([
      { kind: "column", name: null, type: "double", required: true },
      { kind: "column", name: null, type: "long", required: false },
      { kind: "column", name: null, type: "string", required: false },
    ]);
  });

  it.each([
    ["no texts", [1], "TRAIN_MLMODEL_INVALID"],
    ["what is no JSON", { inputs: "[{" }, "TRAIN_MLMODEL_INVALID"],
    ["binary columns", { inputs: '[{"type":"binary","name":"a"}]' }, "TRAIN_MLMODEL_UNSUPPORTED"],
    ["objects", { inputs: '[{"type":"object","name":"a","properties":{}}]' }, "TRAIN_MLMODEL_UNSUPPORTED"],
    [
      "columns beside arrays",
      { inputs: '[{"type":"long"},{"type":"tensor","tensor-spec":{"dtype":"int64","shape":[-1]}}]' },
      "TRAIN_MLMODEL_UNSUPPORTED",
    ],
    [
      "a shape of letters",
      { inputs: '[{"type":"tensor","tensor-spec":{"dtype":"int64","shape":["a"]}}]' },
      "TRAIN_MLMODEL_UNSUPPORTED",
    ],
    ["null among inputs", { inputs: "[null]" }, "TRAIN_MLMODEL_UNSUPPORTED"],
  ])("is refused when it is %s", (_, value, code) => {
    expect(() => readSignature(value)).toThrow(expect.objectContaining({ code }));
  });
});
