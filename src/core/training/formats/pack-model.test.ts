import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flightsLike, planOf, START, trainingOptions } from "../../../../test/fixtures/training-data.ts";
import { baseline as baselineCandidate } from "../../definitions/index.ts";
import type { Calibration, FittedEstimator, Link, ModelPackage, Tree } from "../model.ts";
import { createPredictor } from "../predict.ts";
import { packModel, unpackModel } from "./pack-model.ts";

const dataset = flightsLike(10);
const options = trainingOptions(dataset, baselineCandidate());
const modelOf = (
  estimator: FittedEstimator,
  calibration: Calibration | null,
  ranks: Record<string, number> = {},
): ModelPackage => ({
  formatVersion: 2,
  model: "late-arrival",
  task: "binary",
  classes: [],
  background: [],
  candidate: options.candidate,
  plan: planOf(dataset),
  preparation: {
    columns: [{ name: "carrier", categories: 0, source: { kind: "encoded", feature: 1, encoding: 0 }, maps: [] }],
    encodings: [{ categories: Object.keys(ranks), values: Object.values(ranks), unseen: -0.5, missing: null }],
  },
  estimator,
  calibration,
  decision: options.decision,
  trainedAt: START,
  labelCutoff: START - 1,
  trainingRows: 10,
  snapshots: { flights: "snap-1" },
  seed: 1,
});
const baseline: FittedEstimator = { kind: "baseline", link: "logit", output: Float64Array.of(0.25) };

const doubles = fc.float64Array({ minLength: 1, maxLength: 9 });
const numericTree: fc.Arbitrary<Tree> = fc.integer({ min: 1, max: 9 }).chain((size) => {
  const exactly = { minLength: size, maxLength: size };
  return fc.record({
    feature: fc.int32Array(exactly),
    threshold: fc.float64Array(exactly),
    left: fc.int32Array(exactly),
    right: fc.int32Array(exactly),
    missingLeft: fc.uint8Array(exactly),
    value: fc.float64Array(exactly),
    cover: fc.float64Array(exactly),
  });
});
const splits = fc.record({ start: fc.int32Array(), length: fc.int32Array(), words: fc.uint32Array() });
const tree = fc.oneof(
  numericTree,
  fc.tuple(numericTree, splits).map(([base, categorical]): Tree => ({ ...base, categorical })),
);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => !Object.is(x, -0));
const link = fc.constantFrom<Link[]>("identity", "logit", "softmax", "log");
const estimator: fc.Arbitrary<FittedEstimator> = fc.oneof(
  fc.record({ kind: fc.constant("baseline" as const), link, output: doubles }),
  fc.record({ kind: fc.constant("rule" as const), condition: fc.string({ unit: "binary" }) }),
  fc.record({ kind: fc.constant("linear" as const), link, intercepts: doubles, coefficients: doubles }),
  fc.record({ kind: fc.constant("trees" as const), link, base: doubles, trees: fc.array(tree, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant("onnx" as const), link, outputs: fc.nat(9), graph: fc.uint8Array() }),
);
const calibration = fc.option(fc.record({ kind: fc.constant("isotonic" as const), x: doubles, y: doubles }));

const errorCode = (code: string) => expect.objectContaining({ code });

describe("packModel", () => {
  it("gives back what went in, whatever the estimator, and the same bytes for it again", () => {
    const ranks = fc.dictionary(fc.string(), finite);
    fc.assert(
      fc.property(estimator, calibration, ranks, (fittedEstimator, curve, categories) => {
        const model = modelOf(fittedEstimator, curve, { ...categories });
        const bytes = packModel(model);
        expect(unpackModel(bytes)).toEqual(model);
        expect(packModel(unpackModel(bytes))).toEqual(bytes);
      }),
    );
  });

  it("reads bytes that do not start at a multiple of eight", () => {
    const model = modelOf(
      { kind: "linear", link: "logit", intercepts: Float64Array.of(1), coefficients: Float64Array.of(1, 2) },
      null,
    );
    const bytes = packModel(model);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(unpackModel(shifted.subarray(3))).toEqual(model);
  });

  it("notices every changed byte and every cut", () => {
    const bytes = packModel(modelOf(baseline, { kind: "isotonic", x: Float64Array.of(0, 1), y: Float64Array.of(0, 1) }));
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] ^= 1 << (at % 8);
      expect(() => unpackModel(damaged), `byte ${at}`).toThrow(errorCode("TRAIN_MODEL_CORRUPT"));
      expect(() => unpackModel(bytes.subarray(0, at)), `cut at ${at}`).toThrow(errorCode("TRAIN_MODEL_CORRUPT"));
    }
  });

  it("refuses other files, and what a later version wrote", () => {
    expect(() => unpackModel(Buffer.from("PAR1 and so on, long enough to hold a header of forty-eight bytes"))).toThrow(
      errorCode("TRAIN_MODEL_CORRUPT"),
    );
    expect(() => unpackModel(new Uint8Array(0))).toThrow(errorCode("TRAIN_MODEL_CORRUPT"));
    const later = readFileSync(new URL("../../../../test/fixtures/model-format-later.orrery-model", import.meta.url));
    expect(() => unpackModel(later)).toThrow(errorCode("TRAIN_MODEL_NEWER"));
  });

  it("opens a file of format 1, and it predicts what it predicted when it was written", () => {
    const file = (name: string) => readFileSync(new URL(`../../../../test/fixtures/${name}`, import.meta.url));
    const model = unpackModel(file("model-format-1.orrery-model"));
    expect(model).toMatchObject({ formatVersion: 2, task: "binary", model: "late-arrival", estimator: { kind: "trees" } });
    const written: { values: (string | number | null)[]; score: number; probability: number }[] = JSON.parse(
      file("model-format-1.json").toString(),
    );
    const predictor = createPredictor(model);
    for (const { values, score, probability } of written) {
      expect(predictor(values).score).toBeCloseTo(score, 12);
      expect(predictor(values).probability).toBeCloseTo(probability, 12);
    }
  });
});
