import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeOnnx } from "../onnx/decode-onnx.ts";
import { encodeOnnx } from "../onnx/encode-onnx.ts";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../onnx/onnx-model.ts";
import { compileGraph } from "./compile-graph.ts";

/** As test/golden/make-onnx.py writes it: numbers that JSON lacks are texts. */
interface SavedTensor {
  readonly type: OnnxTensor["type"];
  readonly dims: readonly number[];
  readonly data: readonly (number | string)[];
}

interface Case {
  readonly name: string;
  readonly model: string;
  readonly inputs: Readonly<Record<string, SavedTensor>>;
  readonly output: SavedTensor;
}

const golden: { operators: Case[] } = JSON.parse(
  readFileSync(new URL("../../../../../test/golden/onnx.json", import.meta.url), "utf8"),
);

const numberOf = (value: number | string): number =>
  value === "inf" ? Number.POSITIVE_INFINITY : value === "-inf" ? Number.NEGATIVE_INFINITY : Number(value);

function tensorOf({ type, dims, data }: SavedTensor): OnnxTensor {
  return type === "string" ? { type, dims, data: data.map(String) } : { type, dims, data: Float64Array.from(data, numberOf) };
}

const nodeOf = (operator: string, inputs: readonly string[], outputs: readonly string[], domain = ""): OnnxNode => ({
  operator,
  domain,
  inputs,
  outputs,
  attributes: new Map(),
});

const modelOf = (nodes: readonly OnnxNode[]): OnnxModel => ({
  irVersion: 10,
  producerName: "test",
  producerVersion: "",
  opsets: new Map([["", 21]]),
  metadata: {},
  graph: {
    name: "test",
    nodes,
    initializers: [],
    inputs: [{ name: "x", type: "float", dims: [-1, 1] }],
    outputs: [{ name: "y", type: "float" }],
  },
});

const feed = (...values: number[]) =>
  new Map<string, OnnxTensor>([["x", { type: "float", dims: [values.length, 1], data: Float64Array.from(values) }]]);

describe("a graph", () => {
  it.each(golden.operators.map((each) => [each.name, each] as const))("runs as ONNX Runtime runs it: %s", (_, each) => {
    const run = compileGraph(decodeOnnx(Buffer.from(each.model, "base64")), "y");
    const actual = run(new Map(Object.entries(each.inputs).map(([name, value]) => [name, tensorOf(value)])));
    const expected = tensorOf(each.output);
    expect(actual.dims).toEqual(expected.dims);
    expect(actual.type).toBe(expected.type);
    // Functions like Exp are computed otherwise: the last bit or two of a float32 may differ.
    const tolerance = expected.type === "double" ? 1e-14 : 1e-6;
    expected.data.forEach((value, index) => {
      const own = actual.data[index];
      if (typeof value === "string" || !Number.isFinite(value)) expect(own).toEqual(value);
      else
        expect(Math.abs(Number(own) - value), `${own} for ${value}`).toBeLessThanOrEqual(
          tolerance * Math.max(1, Math.abs(value)),
        );
    });
  });

  it("refuses operators that it does not know, by name and opset", () => {
    expect(() => compileGraph(modelOf([nodeOf("Scan", ["x"], ["y"])]), "y")).toThrow(
      expect.objectContaining({
        code: "TRAIN_ONNX_OPERATOR_UNKNOWN",
        message: expect.stringContaining("ai.onnx Scan (opset 21)"),
      }),
    );
    expect(() => compileGraph(modelOf([nodeOf("constructor", ["x"], ["y"])]), "y")).toThrow(
      expect.objectContaining({ code: "TRAIN_ONNX_OPERATOR_UNKNOWN" }),
    );
  });

  it("runs what the wanted value needs, whatever stands beside it", () => {
    const model = modelOf([nodeOf("Scan", ["x"], ["z"]), nodeOf("Neg", ["x"], ["y"])]);
    expect([...compileGraph(model, "y")(feed(1, 2)).data]).toEqual([-1, -2]);
  });

  it("refuses circles, values that nothing makes, and shapes that do not fit", () => {
    const invalid = expect.objectContaining({ code: "TRAIN_ONNX_INVALID" });
    const circle = [nodeOf("Add", ["x", "b"], ["a"]), nodeOf("Neg", ["a"], ["b"]), nodeOf("Neg", ["b"], ["y"])];
    expect(() => compileGraph(modelOf(circle), "y")).toThrow(invalid);
    expect(() => compileGraph(modelOf([]), "y")).toThrow(invalid);
    expect(() => compileGraph(modelOf([nodeOf("MatMul", ["x", "x"], ["y"])]), "y")(feed(1, 2))).toThrow(invalid);
  });

  it("refuses to make what would take all memory or hours", () => {
    const invalid = expect.objectContaining({ code: "TRAIN_ONNX_INVALID" });
    const grow = [nodeOf("Concat", ["x", "x"], ["a0"])].map((node) => ({
      ...node,
      attributes: new Map([["axis", { type: "int" as const, value: 0 }]]),
    }));
    const doubling = Array.from({ length: 40 }, (_, i) => ({ ...grow[0], inputs: [`a${i}`, `a${i}`], outputs: [`a${i + 1}`] }));
    const model = modelOf([...grow, ...doubling, nodeOf("Neg", ["a40"], ["y"])]);
    expect(() => compileGraph(model, "y")(feed(1))).toThrow(invalid);
  });

  it("means the same after it was written and read", () => {
    const model = modelOf([nodeOf("Neg", ["x"], ["y"])]);
    expect(decodeOnnx(encodeOnnx(model))).toEqual(model);
  });
});
