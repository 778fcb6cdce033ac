import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exportCases } from "../../../../../test/conformance/onnx/export-cases.ts";
import { OrreryError } from "../../../errors.ts";
import type { Matrix } from "../../matrix.ts";
import { applyLink, outputsOf, scoreMatrix } from "../../score-estimator.ts";
import { fillCovers } from "../fill-covers.ts";
import { createOnnxScorer } from "../onnx-graph/create-onnx-scorer.ts";
import { decodeOnnx } from "./decode-onnx.ts";
import { encodeOnnx } from "./encode-onnx.ts";
import { exportOnnx } from "./export-onnx.ts";
import { importOnnx } from "./import-onnx.ts";

interface Case {
  readonly name: string;
  readonly task: string;
  readonly kind: string;
  readonly model: string;
  /** As test/golden/make-onnx.py writes it: numbers that JSON lacks are texts. */
  readonly rows: readonly (readonly (number | string)[])[];
  readonly prediction: readonly (readonly number[])[];
}

const golden: { models: Case[] } = JSON.parse(
  readFileSync(new URL("../../../../../test/golden/onnx.json", import.meta.url), "utf8"),
);
const bytesOf = ({ model }: Case) => Uint8Array.from(Buffer.from(model, "base64"));
const named = (name: string): Case => {
  const found = golden.models.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no ${name} among the golden models`);
  return found;
};

const matrixOf = (rows: Case["rows"]): Matrix => ({
  rows: rows.length,
  columns: rows[0].map((_, column) => Float64Array.from(rows, (row) => Number(row[column]))),
});

const bitsOf = (word: number): number => word.toString(2).replaceAll("0", "").length;

/** Nodes of the file that ask for one category. */
function equalitiesOf(each: Case): number {
  return decodeOnnx(bytesOf(each)).graph.nodes.reduce((sum, { attributes }) => {
    const modes = attributes.get("nodes_modes");
    return modes?.type === "strings" ? sum + modes.value.filter((mode) => mode === "BRANCH_EQ").length : sum;
  }, 0);
}

function expectNear(actual: Float64Array, expected: readonly (readonly number[])[]): void {
  const flat = expected.flat();
  expect(actual.length).toBe(flat.length);
  flat.forEach((value, index) => {
    // ONNX Runtime sums in float32.
    expect(Math.abs(actual[index] - value), `${actual[index]} for ${value}`).toBeLessThanOrEqual(
      2e-6 * Math.max(1, Math.abs(value)),
    );
  });
}

describe("a model of another trainer", () => {
  it.each(golden.models.map((each) => [each.name, each] as const))("predicts as ONNX Runtime does: %s", (_, each) => {
    const { estimator, task, columns } = importOnnx(bytesOf(each));
    expect([estimator.kind, task, columns]).toEqual([each.kind, each.task, each.rows[0].length]);
    const matrix = matrixOf(each.rows);
    const outputs = outputsOf(estimator);
    const raw = estimator.kind === "onnx" ? createOnnxScorer(estimator)(matrix) : scoreMatrix(estimator, matrix);
    expectNear(applyLink(estimator.link, raw, outputs), each.prediction);
    expectNear(createOnnxScorer({ graph: bytesOf(each), outputs })(matrix), each.prediction);
  });

  it("says the classes' names", () => {
    expect(importOnnx(bytesOf(named("random forest"))).classes).toEqual(["0", "1", "2"]);
    expect(importOnnx(bytesOf(named("neural network"))).classes).toEqual(["0", "1", "2"]);
    expect(importOnnx(bytesOf(named("support vectors"))).classes).toEqual(["0", "1", "2"]);
    expect(importOnnx(bytesOf(named("XGBoost"))).classes).toEqual([]);
  });

  it("has covers once rows were counted", () => {
    const each = named("LightGBM");
    const { estimator } = importOnnx(bytesOf(each));
    if (estimator.kind !== "trees") throw new Error("LightGBM's trees were not recognized");
    expect(estimator.trees.every(({ cover }) => cover.every((count) => count === 0))).toBe(true);
    const counted = fillCovers(estimator, matrixOf(each.rows));
    for (const { cover, feature, left, right } of counted.trees) {
      expect(cover[0]).toBe(each.rows.length);
      feature.forEach((column, node) => {
        if (column >= 0) expect(cover[left[node]] + cover[right[node]]).toBe(cover[node]);
      });
    }
  });

  it("has one split for a set of categories, however many nodes wrote it", () => {
    const each = named("LightGBM with categories");
    const { estimator } = importOnnx(bytesOf(each));
    if (estimator.kind !== "trees") throw new Error("LightGBM's trees were not recognized");
    // It was trained with at most 6 leaves a tree.
    expect(estimator.trees.map(({ feature }) => feature.length)).toEqual([11, 11, 11, 11]);
    const sizes = estimator.trees.flatMap(({ categorical }) => Array.from(categorical?.words ?? [], bitsOf));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(equalitiesOf(each));
  });

  it("counts rows by their weights", () => {
    const each = named("LightGBM");
    const { estimator } = importOnnx(bytesOf(each));
    if (estimator.kind !== "trees") throw new Error("LightGBM's trees were not recognized");
    const weights = Float64Array.from(each.rows, (_, row) => row);
    expect(fillCovers(estimator, matrixOf(each.rows), weights).trees[0].cover[0]).toBe(
      weights.reduce((sum, weight) => sum + weight, 0),
    );
  });

  it("is refused where its inputs are no numbers of known columns", () => {
    const model = decodeOnnx(bytesOf(named("neural network")));
    const unsupported = expect.objectContaining({ code: "TRAIN_ONNX_UNSUPPORTED" });
    for (const input of [
      { name: "X", type: "string" as const, dims: [-1, 4] },
      { name: "X", type: "float" as const },
    ]) {
      const changed = encodeOnnx({ ...model, graph: { ...model.graph, inputs: [input] } });
      expect(() => importOnnx(changed)).toThrow(unsupported);
    }
    const labels = model.graph.outputs.filter(({ type }) => type === "int64");
    expect(() => importOnnx(encodeOnnx({ ...model, graph: { ...model.graph, outputs: labels } }))).toThrow(unsupported);
  });

  it("is refused as invalid where the file is no ONNX", () => {
    const invalid = expect.objectContaining({ code: "TRAIN_ONNX_INVALID" });
    for (const text of ["", "tree\nversion=v4", "{}", "\u0008"]) {
      expect(() => importOnnx(new TextEncoder().encode(text))).toThrow(invalid);
    }
  });

  it("is refused where trees share nodes, which could be walked for ever", () => {
    const model = decodeOnnx(bytesOf(named("XGBoost")));
    const nodes = model.graph.nodes.map((node) => {
      const ids = node.attributes.get("nodes_truenodeids");
      if (ids?.type !== "ints") return node;
      // Every inner node leads to node 1, and node 1 to itself.
      const circle = { type: "ints" as const, value: ids.value.map((id) => (id === 0 ? 0 : 1)) };
      return { ...node, attributes: new Map([...node.attributes, ["nodes_truenodeids", circle]]) };
    });
    expect(() => importOnnx(encodeOnnx({ ...model, graph: { ...model.graph, nodes } }))).toThrow(
      expect.objectContaining({ code: "TRAIN_ONNX_INVALID" }),
    );
  });

  it("runs in the interpreter where inputs are columns of their own", () => {
    const [case0] = exportCases(1 / 10_000);
    const { estimator, columns, task } = importOnnx(exportOnnx({ ...case0.model, task: "regression" }));
    expect([estimator.kind, columns, task]).toEqual(["onnx", 5, "regression"]);
  });

  it("never crashes or hangs, however its bytes are damaged", () => {
    for (const each of golden.models) {
      const bytes = bytesOf(each);
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
          fc.option(fc.nat(bytes.length), { freq: 5 }),
          (changes, end) => {
            const damaged = bytes.slice(0, end ?? bytes.length);
            for (const [at, byte] of changes) if (at < damaged.length) damaged[at] = byte;
            try {
              const { estimator, columns } = importOnnx(damaged);
              const matrix = matrixOf([new Array<number>(columns).fill(0.5)]);
              if (estimator.kind === "onnx") createOnnxScorer(estimator)(matrix);
            } catch (error) {
              expect(error).toBeInstanceOf(OrreryError);
            }
          },
        ),
        { numRuns: 250 },
      );
    }
  });
});
