import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrreryError } from "../../errors.ts";
import { applyLink, predictRaw, type Row } from "./fixtures/predict-raw.ts";
import { readLightgbmModel } from "./lightgbm-model.ts";

interface Case {
  readonly name: string;
  readonly text: string;
  readonly rows: readonly Row[];
  readonly raw: readonly number[][];
  readonly prediction: readonly number[][];
}

const golden: { lightgbm: Case[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/formats.json", import.meta.url), "utf8"),
);
const [binary] = golden.lightgbm;

/**
 * Ours is scaled so that the link alone makes the prediction: by the sigmoid parameter; and by the number of trees of a random
 * forest, whose `raw_score` LightGBM does not average.
 */
const scaleOf = ({ name }: Case) => (name.includes("sigmoid 2") ? 2 : name.includes("forest") ? 1 / 4 : 1);

describe("a LightGBM model", () => {
  it.each(golden.lightgbm.map((each) => [each.name, each] as const))("scores as LightGBM does: %s", (_, each) => {
    const { estimator } = readLightgbmModel(each.text);
    each.rows.forEach((row, index) => {
      const raw = predictRaw(estimator, row);
      applyLink(estimator.link, raw).forEach((prediction, output) => {
        expect(prediction).toBeCloseTo(each.prediction[index][output], 12);
      });
      raw.forEach((score, output) => {
        const expected = each.raw[index][output] * scaleOf(each);
        expect(Math.abs(score - expected), `row ${index}: ${score} for ${expected}`).toBeLessThanOrEqual(
          1e-12 * Math.max(1, Math.abs(expected)),
        );
      });
    });
  });

  it("tells names, codes and what its output means", () => {
    const model = readLightgbmModel(binary.text);
    expect(model.features).toEqual(["Column_0", "Column_1", "Column_2", "Column_3"]);
    expect(model.categories).toEqual([0, 0, 0, 40]);
    expect(model.objective).toBe("binary sigmoid:1");
    const links = golden.lightgbm.map(({ text }) => readLightgbmModel(text).estimator.link);
    expect(links).toEqual(["logit", "logit", "logit", "softmax", "identity", "identity", "log", "logit"]);
  });

  it("keeps every row's cover, where nodes that treat zero as missing were split up too", () => {
    for (const { text } of golden.lightgbm) {
      for (const tree of readLightgbmModel(text).estimator.trees) {
        tree.feature.forEach((feature, node) => {
          if (feature < 0) return;
          expect(tree.cover[tree.left[node]] + tree.cover[tree.right[node]]).toBeCloseTo(tree.cover[node], 9);
        });
      }
    }
  });

  it("splits up nodes that send zero another way than their threshold would", () => {
    const zeroAsMissing = golden.lightgbm.find(({ name }) => name.includes("zero as missing"));
    const { trees } = readLightgbmModel(zeroAsMissing?.text ?? "").estimator;
    const nodesOfEightLeaves = 15;
    expect(trees.some(({ feature }) => feature.length > nodesOfEightLeaves)).toBe(true);
  });

  it("is refused where it has something that cannot be said here", () => {
    const code = (text: string) => () => readLightgbmModel(text);
    const unsupported = expect.objectContaining({ code: "TRAIN_MODEL_FILE_UNSUPPORTED" });
    expect(code(binary.text.replace("is_linear=0", "is_linear=1"))).toThrow(unsupported);
    expect(code(binary.text.replace("objective=binary", "objective=multiclassova"))).toThrow(unsupported);
    expect(code(binary.text.replace("objective=binary sigmoid:1", "objective=regression sqrt"))).toThrow(unsupported);
  });

  it("is refused where it is damaged, and never loops", () => {
    const invalid = expect.objectContaining({ code: "TRAIN_MODEL_FILE_INVALID" });
    const { text } = binary;
    for (const damaged of [
      "",
      "{}",
      text.slice(0, text.length / 2),
      text.replace(/left_child=\d+/, "left_child=0"),
      text.replace(/left_child=\d+/, "left_child=99"),
      text.replace(/split_feature=\d+/, "split_feature=7"),
      text.replace(/leaf_value=[^ ]+/, "leaf_value=nan"),
      text.replace(/num_leaves=\d+/, "num_leaves=4000000000"),
      text.replace(/cat_boundaries=0/, "cat_boundaries=-5"),
      text.replace(/feature_names=Column_0 /, "feature_names="),
    ]) {
      expect(() => readLightgbmModel(damaged)).toThrow(invalid);
    }
    fc.assert(
      fc.property(fc.nat(text.length), fc.string({ maxLength: 3 }), fc.nat(4), (at, inserted, removed) => {
        try {
          readLightgbmModel(text.slice(0, at) + inserted + text.slice(at + removed));
        } catch (error) {
          expect(error).toBeInstanceOf(OrreryError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
