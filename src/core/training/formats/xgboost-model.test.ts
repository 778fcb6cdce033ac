import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrreryError } from "../../errors.ts";
import { applyLink, predictRaw, type Row } from "./fixtures/predict-raw.ts";
import { readXgboostModel } from "./xgboost-model.ts";

interface Case {
  readonly name: string;
  readonly json: string;
  /** Base64. */
  readonly ubjson: string;
  readonly rows: readonly Row[];
  readonly raw: readonly number[][];
  readonly prediction: readonly number[][];
}

const golden: { xgboost: Case[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/formats.json", import.meta.url), "utf8"),
);
const [binary, categorical, multiclass] = golden.xgboost;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => readXgboostModel(bytesOf(text));

describe("an XGBoost model", () => {
  it.each(golden.xgboost.map((each) => [each.name, each] as const))("scores as XGBoost does: %s", (_, each) => {
    const { estimator } = read(each.json);
    each.rows.forEach((row, index) => {
      const raw = predictRaw(estimator, row);
      raw.forEach((score, output) => {
        const expected = each.raw[index][output];
        // XGBoost sums in float32.
        expect(Math.abs(score - expected), `row ${index}: ${score} for ${expected}`).toBeLessThanOrEqual(
          1e-6 * Math.max(1, Math.abs(expected)),
        );
      });
      applyLink(estimator.link, raw).forEach((prediction, output) => {
        const expected = each.prediction[index][output];
        expect(Math.abs(prediction - expected)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(expected)));
      });
    });
  });

  it.each(golden.xgboost.map((each) => [each.name, each] as const))("is the same from UBJSON: %s", (_, each) => {
    expect(readXgboostModel(Buffer.from(each.ubjson, "base64"))).toEqual(read(each.json));
  });

  it("tells names, codes and what its output means", () => {
    expect(read(binary.json)).toMatchObject({ features: ["f0", "f1", "f2", "f3"], categories: [0, 0, 0, 0] });
    expect(read(categorical.json).categories.map((codes) => codes > 0)).toEqual([false, false, false, true]);
    expect(read(multiclass.json).estimator).toMatchObject({ kind: "trees", link: "softmax" });
    expect(read(golden.xgboost[5].json).estimator).toMatchObject({ kind: "linear", link: "logit" });
  });

  it("is refused where it has something that cannot be said here", () => {
    const unsupported = expect.objectContaining({ code: "TRAIN_MODEL_FILE_UNSUPPORTED" });
    expect(() => read(binary.json.replace('"name":"binary:logistic"', '"name":"binary:hinge"'))).toThrow(unsupported);
    expect(() => read(binary.json.replace('"num_target":"1"', '"num_target":"2"'))).toThrow(unsupported);
    expect(() => read(binary.json.replace('"size_leaf_vector":"1"', '"size_leaf_vector":"3"'))).toThrow(unsupported);
  });

  it("is refused where it is damaged", () => {
    const invalid = expect.objectContaining({ code: "TRAIN_MODEL_FILE_INVALID" });
    const { json } = binary;
    for (const damaged of [
      "",
      "{}",
      "[]",
      json.slice(0, json.length / 2),
      json.replace(/"left_children":\[\d+/, '"left_children":[0'),
      json.replace(/"left_children":\[\d+/, '"left_children":[77'),
      json.replace(/"split_indices":\[\d+/, '"split_indices":[-1'),
      json.replace(/"base_score":"[^"]*"/, '"base_score":"[2]"'),
      json.replace(/"base_score":"[^"]*"/, '"base_score":"none"'),
      json.replace('"num_feature":"4","num_target"', '"num_feature":"many","num_target"'),
      json.replace(/"tree_info":\[0/, '"tree_info":[5'),
      json.replace('"name":"gbtree"', '"name":"gbforest"'),
    ]) {
      expect(() => read(damaged)).toThrow(invalid);
    }
  });

  it("never crashes or hangs on damaged bytes", () => {
    for (const file of [bytesOf(binary.json), Buffer.from(categorical.ubjson, "base64")]) {
      fc.assert(
        fc.property(fc.nat(file.length - 1), fc.nat(255), fc.option(fc.nat(file.length)), (at, byte, end) => {
          const damaged = Uint8Array.from(file.subarray(0, end ?? file.length));
          if (at < damaged.length) damaged[at] = byte;
          try {
            readXgboostModel(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(OrreryError);
          }
        }),
        { numRuns: 500 },
      );
    }
  });
});
