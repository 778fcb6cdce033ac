import { baseline, type CandidateDefinition, gradientBoosting, logisticRegression } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import type { Calibration, FittedEstimator, ModelPackage, Tree } from "../model.ts";
import { migratePreparation, type PreparationOfFormat1 } from "../preparation/format-1-preparation.ts";
import { logit } from "../score-estimator.ts";

type PackedArray = Float64Array | Int32Array | Uint32Array | Uint8Array;

type CandidateOfFormat1 = { readonly name: string } & (
  | { readonly kind: "baseline" | "rule" }
  | { readonly kind: "logistic-regression"; readonly params: { readonly c: number } }
  | {
      readonly kind: "gradient-boosting";
      readonly params: Readonly<Record<"trees" | "leaves" | "rate" | "l2" | "minLeafRows" | "earlyStopping", number>>;
    }
);

/** The header of a package of format 1 (binary models only). Never written again. */
export interface PackageOfFormat1 {
  readonly package: Omit<
    ModelPackage,
    "formatVersion" | "task" | "classes" | "background" | "estimator" | "calibration" | "candidate" | "preparation"
  > & {
    readonly candidate: CandidateOfFormat1;
    readonly preparation: PreparationOfFormat1;
  };
  readonly estimator:
    | { readonly kind: "baseline"; readonly probability: number }
    | { readonly kind: "rule"; readonly condition: string }
    | { readonly kind: "logistic-regression"; readonly intercept: number }
    | { readonly kind: "gradient-boosting"; readonly baseScore: number };
  readonly calibration: "isotonic" | null;
  readonly arrays: readonly { readonly name: string; readonly type: "float64" | "int32" | "uint8"; readonly length: number }[];
}

/** A package of format 1 as one of today. */
export function fromFormat1(
  { package: rest, estimator, calibration }: Omit<PackageOfFormat1, "arrays">,
  arrays: ReadonlyMap<string, PackedArray>,
): ModelPackage {
  return {
    ...rest,
    candidate: candidateOf(rest.candidate),
    preparation: migratePreparation(rest.preparation),
    formatVersion: 2,
    task: "binary",
    classes: [],
    background: [],
    estimator: estimatorOf(estimator, arrays),
    calibration: calibrationOf(calibration, arrays),
  };
}

function candidateOf(candidate: CandidateOfFormat1): CandidateDefinition {
  const { name } = candidate;
  switch (candidate.kind) {
    case "baseline":
      return baseline("prior", { name });
    case "rule":
      return { kind: "rule", name };
    case "logistic-regression":
      return logisticRegression(candidate.params, { name });
    case "gradient-boosting":
      return gradientBoosting(candidate.params, { name });
  }
}

function calibrationOf(kind: PackageOfFormat1["calibration"], arrays: ReadonlyMap<string, PackedArray>): Calibration | null {
  if (kind === null) return null;
  return { kind, x: doubles(arrays, "calibrationX"), y: doubles(arrays, "calibrationY") };
}

function estimatorOf(estimator: PackageOfFormat1["estimator"], arrays: ReadonlyMap<string, PackedArray>): FittedEstimator {
  switch (estimator.kind) {
    case "baseline":
      return { kind: "baseline", link: "logit", output: Float64Array.of(logit(estimator.probability)) };
    case "rule":
      return estimator;
    case "logistic-regression":
      return {
        kind: "linear",
        link: "logit",
        intercepts: Float64Array.of(estimator.intercept),
        coefficients: doubles(arrays, "coefficients"),
      };
    case "gradient-boosting":
      return { kind: "trees", link: "logit", base: Float64Array.of(estimator.baseScore), trees: treesOf(arrays) };
  }
}

/** All trees' arrays stood end to end. */
function treesOf(arrays: ReadonlyMap<string, PackedArray>): Tree[] {
  const feature = integers(arrays, "feature");
  const threshold = doubles(arrays, "threshold");
  const left = integers(arrays, "left");
  const right = integers(arrays, "right");
  const missingLeft = bytes(arrays, "missingLeft");
  const value = doubles(arrays, "value");
  const cover = doubles(arrays, "cover");
  let start = 0;
  return Array.from(integers(arrays, "treeSizes"), (size): Tree => {
    const [from, to] = [start, start + size];
    start = to;
    return {
      feature: feature.slice(from, to),
      threshold: threshold.slice(from, to),
      left: left.slice(from, to),
      right: right.slice(from, to),
      missingLeft: missingLeft.slice(from, to),
      value: value.slice(from, to),
      cover: cover.slice(from, to),
    };
  });
}

const lacking = (name: string) => trainErrors.TRAIN_MODEL_CORRUPT(`the packaged model lacks its array ${name}`);

function doubles(arrays: ReadonlyMap<string, PackedArray>, name: string): Float64Array {
  const found = arrays.get(name);
  if (!(found instanceof Float64Array)) throw lacking(name);
  return found;
}

function integers(arrays: ReadonlyMap<string, PackedArray>, name: string): Int32Array {
  const found = arrays.get(name);
  if (!(found instanceof Int32Array)) throw lacking(name);
  return found;
}

function bytes(arrays: ReadonlyMap<string, PackedArray>, name: string): Uint8Array {
  const found = arrays.get(name);
  if (!(found instanceof Uint8Array)) throw lacking(name);
  return found;
}
