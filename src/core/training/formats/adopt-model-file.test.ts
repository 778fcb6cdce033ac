import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { modelFile } from "../../definitions/index.ts";
import type { FeaturePlan, PlannedFeature } from "../../features/index.ts";
import type { CategoricalColumn, Dataset, NumericColumn } from "../dataset.ts";
import { rawOutputs } from "../predict.ts";
import { applyLink, outputsOf } from "../score-estimator.ts";
import type { TrainingOptions } from "../training-options.ts";
import { adoptModelFile } from "./adopt-model-file.ts";

interface File {
  readonly name: string;
  readonly content: string;
  readonly rows: readonly (readonly (number | null)[])[];
  readonly prediction: readonly number[];
}

const golden: { readonly columns: readonly string[]; readonly files: readonly File[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/model-files.json", import.meta.url), "utf8"),
);
const formats: { readonly lightgbm: readonly { readonly text: string }[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/formats.json", import.meta.url), "utf8"),
);
const fileNamed = (name: string): File => {
  const found = golden.files.find((file) => file.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const bytesOf = ({ content }: File) => new Uint8Array(Buffer.from(content, "base64"));

/** In another order than the files' columns, with categories between them. */
const IDS = ["request.amount", "customer_info.plan", "usage_recent.minutes_7d", "usage_recent.plays_30d"];
const feature = (id: string): PlannedFeature => ({
  id,
  type: id.endsWith("plan") ? "string" : "float64",
  seasonal: false,
  origin: { kind: "view", view: id.split(".")[0], feature: id.split(".")[1] },
  source: null,
});
const plan: FeaturePlan = { formatVersion: 1, features: IDS.map(feature), views: [], onDemand: [], keys: {}, request: {} };

function datasetOf({ rows, name }: File): Dataset {
  const count = rows.length;
  const numbers = (id: string, column: number): NumericColumn => ({
    kind: "numeric",
    id,
    values: Float64Array.from(rows, (row) => row[column] ?? Number.NaN),
  });
  const plans: CategoricalColumn = { kind: "categorical", id: IDS[1], codes: new Int32Array(count), categories: ["family"] };
  const isMulticlass = name.includes("three classes");
  return {
    rows: count,
    task: isMulticlass ? "multiclass" : "binary",
    classes: isMulticlass ? ["cheap", "dear", "middling"] : [],
    features: [numbers(IDS[0], 2), plans, numbers(IDS[2], 0), numbers(IDS[3], 1)],
    label: new Uint8Array(count),
    at: new Float64Array(count),
    labelAt: new Float64Array(count),
    day: new Int32Array(count),
    rule: new Uint8Array(count),
    segments: [],
  };
}

const optionsFor = (more: Partial<TrainingOptions> = {}): TrainingOptions => ({
  candidate: modelFile("churn"),
  prepare: [],
  plan,
  decision: { threshold: 0.5, payoff: { truePositive: 1, falsePositive: -1, falseNegative: 0 } },
  model: "churn",
  seed: 1,
  select: "roc_auc",
  trainedAt: 0,
  snapshots: {},
  ...more,
});

const rowsOf = (dataset: Dataset) => Uint32Array.from({ length: dataset.rows }, (_, row) => row);
const adopt = (
  file: File,
  more: {
    readonly bytes?: Uint8Array;
    readonly columns?: readonly string[];
    readonly dataset?: Partial<Dataset>;
    readonly options?: Partial<TrainingOptions>;
  } = {},
) => {
  const dataset = { ...datasetOf(file), ...more.dataset };
  const candidate = modelFile("models/churn.txt", more.columns && { columns: more.columns });
  return adoptModelFile(more.bytes ?? bytesOf(file), candidate, dataset, rowsOf(dataset), optionsFor(more.options));
};

describe("a model file as a candidate", () => {
  it.each(golden.files.map((file) => [file.name, file] as const))("predicts what the library does: %s", (name, file) => {
    const columns = name === "onnx" ? { columns: golden.columns } : {};
    const { preparation, estimator } = adopt(file, columns);
    if (estimator.kind === "rule") throw new Error("a rule");
    const dataset = datasetOf(file);
    const raw = rawOutputs(preparation, estimator, dataset, rowsOf(dataset));
    const predictions = applyLink(estimator.link, raw, outputsOf(estimator));
    // LightGBM sums in double as we do; XGBoost and ONNX predict in float32.
    const digits = name.startsWith("lightgbm") ? 12 : 6;
    expect(predictions).toHaveLength(file.prediction.length);
    file.prediction.forEach((prediction, i) => {
      expect(predictions[i]).toBeCloseTo(prediction, digits);
    });
  });

  it("is called after its file unless it is named", () => {
    expect(modelFile("models/churn.v2.txt")).toMatchObject({ name: "churn.v2", path: "models/churn.v2.txt", columns: null });
    expect(modelFile("churn", { name: "old" })).toMatchObject({ name: "old" });
    expect(() => modelFile("models/")).toThrow(TypeError);
  });
});

describe("a model file is refused", () => {
  const lightgbm = fileNamed("lightgbm");
  const unsuited = (message: RegExp) =>
    expect.objectContaining({ code: "TRAIN_MODEL_FILE_UNSUITED", message: expect.stringMatching(message) });

  it("where a column is no feature, has no name, or is named by too few", () => {
    expect(() => adopt(lightgbm, { columns: ["minutes_7d", "plays_30d", "price"] })).toThrow(
      expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID", message: "models/churn.txt names price, which is no feature" }),
    );
    expect(() => adopt(fileNamed("onnx"))).toThrow(unsuited(/does not name its 3 columns/));
    expect(() => adopt(lightgbm, { columns: ["minutes_7d"] })).toThrow(unsuited(/3 columns, and 1 are named/));
  });

  it("where a column holds categories, here or in the file, whose codes would be another's", () => {
    expect(() => adopt(lightgbm, { columns: ["minutes_7d", "plays_30d", "plan"] })).toThrow(
      unsuited(/reads categories in customer_info.plan/),
    );
    const bytes = new TextEncoder().encode(formats.lightgbm[0].text);
    const columns = ["minutes_7d", "plays_30d", "amount", "amount"];
    expect(() => adopt(lightgbm, { bytes, columns })).toThrow(unsuited(/reads categories in request.amount/));
  });

  it("where it reads what is left out", () => {
    expect(() => adopt(lightgbm, { options: { exclude: ["request.amount"] } })).toThrow(
      unsuited(/request.amount, which is left out/),
    );
  });

  it("where it is for another task or other classes", () => {
    expect(() => adopt(lightgbm, { dataset: { task: "regression" } })).toThrow(
      unsuited(/for binary, and the task is regression/),
    );
    const classes = fileNamed("lightgbm, three classes");
    expect(() => adopt(classes, { dataset: { classes: ["a", "b"] } })).toThrow(unsuited(/3 classes apart, and the target has 2/));
  });

  it("where it is damaged or something else", () => {
    const codeOf = (bytes: Uint8Array) => {
      try {
        adopt(lightgbm, { bytes });
      } catch (error) {
        return error instanceof Error && "code" in error ? error.code : error;
      }
      return null;
    };
    expect(codeOf(bytesOf(lightgbm).subarray(0, 400))).toBe("TRAIN_MODEL_FILE_INVALID");
    expect(codeOf(new TextEncoder().encode('{"a": 1}'))).toBe("TRAIN_MODEL_FILE_INVALID");
    for (const bytes of [new Uint8Array(0), new TextEncoder().encode("x,y\n1,2\n")])
      expect(codeOf(bytes)).toBe("TRAIN_ONNX_INVALID");
  });
});
