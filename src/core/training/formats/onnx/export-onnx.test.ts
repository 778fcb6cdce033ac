import { describe, expect, it } from "vitest";
import { type ExportCase, exportCases } from "../../../../../test/conformance/onnx/export-cases.ts";
import { predict } from "../../predict.ts";
import { compileGraph } from "../onnx-graph/compile-graph.ts";
import { decodeOnnx } from "./decode-onnx.ts";
import { exportOnnx } from "./export-onnx.ts";
import type { OnnxModel, OnnxTensor } from "./onnx-model.ts";

// `npm run conformance -- onnx` runs the same cases in ONNX Runtime, with a thousand times the rows; here our own interpreter does.
const cases = exportCases(1 / 1_000);
const [trees] = cases;

function feedsOf({ dataset }: ExportCase, { metadata }: OnnxModel): Map<string, OnnxTensor> {
  const dims = [dataset.rows, 1];
  return new Map(
    dataset.features.map((feature): [string, OnnxTensor] => {
      if (feature.kind === "numeric") return [feature.id, { type: "double", dims, data: feature.values }];
      const data = Array.from(feature.codes, (code) => feature.categories[code] ?? metadata.missing_text);
      return [feature.id, { type: "string", dims, data }];
    }),
  );
}

const allRows = (rows: number) => Uint32Array.from({ length: rows }, (_, row) => row);

describe("an exported model", () => {
  it.each(cases.map((each) => [each.name, each] as const))("says what the model says, from raw features: %s", (_, each) => {
    const file = decodeOnnx(exportOnnx(each.model));
    const output = each.model.task === "regression" ? "prediction" : "probability";
    const { data } = compileGraph(file, output)(feedsOf(each, file));
    const { prediction } = predict(each.model, each.dataset, allRows(each.dataset.rows));
    expect(data.length).toBe(prediction.length);
    prediction.forEach((value, index) => {
      expect(Math.abs(Number(data[index]) - value)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(value)));
    });
  });

  it("says which label a probability makes by the model's threshold", () => {
    const file = decodeOnnx(exportOnnx(trees.model));
    const { data, type } = compileGraph(file, "label")(feedsOf(trees, file));
    const { prediction } = predict(trees.model, trees.dataset, allRows(trees.dataset.rows));
    expect(type).toBe("int64");
    expect([...data]).toEqual(Array.from(prediction, (p) => (p >= trees.model.decision.threshold ? 1 : 0)));
  });

  it("has an input for each feature of the plan, and tells what it is", () => {
    const file = decodeOnnx(exportOnnx(trees.model));
    expect(file.graph.inputs.map(({ name, type }) => [name, type])).toEqual(
      trees.dataset.features.map(({ id }) => [id, "double"]),
    );
    expect(file.metadata).toMatchObject({ model: "conformance", task: "binary", threshold: "0.5", missing_text: "" });
  });

  it("names a missing text otherwise where the empty text is a category", () => {
    const mixed = cases.find(({ name }) => name.startsWith("every way"));
    if (mixed === undefined) throw new Error("no case with texts");
    expect(decodeOnnx(exportOnnx(mixed.model)).metadata.missing_text).toBe("(missing)");
  });

  it("is the same bytes each time", () => {
    expect(exportOnnx(trees.model)).toEqual(exportOnnx(trees.model));
  });

  it("cannot be a rule, nor a model without features", () => {
    const rule = { ...trees.model, estimator: { kind: "rule" as const, condition: "x > 1" } };
    expect(() => exportOnnx(rule)).toThrow(expect.objectContaining({ code: "TRAIN_RULE_NOT_SERVABLE" }));
    const none = { ...trees.model, plan: { ...trees.model.plan, features: [] } };
    expect(() => exportOnnx(none)).toThrow(expect.objectContaining({ code: "TRAIN_ONNX_UNSUPPORTED" }));
  });
});
