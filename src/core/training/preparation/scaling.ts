import type { PreparationStep } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import { columnSample, deviationOf, medianOf, momentsOf, quantilesOf, rangeOf } from "./column-sample.ts";
import { mapped, type NumberDraft } from "./draft-column.ts";
import type { FitContext } from "./fit-context.ts";
import { POWER_FAMILIES } from "./number-maps.ts";
import { powerOf } from "./power.ts";

type Step<K extends PreparationStep["kind"]> = Extract<PreparationStep, { kind: K }>;

/** Numbers to mean 0 and variance 1; a column that does not vary only loses its mean. */
export function standardScale(draft: NumberDraft, { weights }: FitContext): NumberDraft {
  const sample = columnSample(draft.values, weights);
  if (sample.total === 0) return draft;
  return mapped(draft, { kind: "scale", center: momentsOf(sample).mean, scale: deviationOf(sample) || 1 });
}

/** The training rows' range to `low` … `high`; a column that does not vary becomes `low`. */
export function minMaxScale({ low, high }: Step<"min-max-scale">, draft: NumberDraft, { weights }: FitContext): NumberDraft {
  const range = rangeOf(columnSample(draft.values, weights));
  if (range.low > range.high) return draft;
  const scale = range.high / (high - low) - range.low / (high - low) || 1 / (high - low);
  return mapped(draft, { kind: "scale", center: range.low - low * scale, scale });
}

/** Less the median, over the distance of two quantiles (1 where they are equal). */
export function robustScale({ low, high }: Step<"robust-scale">, draft: NumberDraft, { weights }: FitContext): NumberDraft {
  const sample = columnSample(draft.values, weights);
  if (sample.total === 0) return draft;
  const [below, above] = quantilesOf(sample, [low, high]);
  return mapped(draft, { kind: "scale", center: medianOf(sample), scale: above - below || 1 });
}

/** By place among landmarks of the training rows' distribution. */
export function quantileScale(step: Step<"quantile-scale">, draft: NumberDraft, { weights }: FitContext): NumberDraft {
  const sample = columnSample(draft.values, weights);
  if (sample.total === 0) return draft;
  const count = Math.max(2, Math.min(step.quantiles, draft.values.length));
  const shares = Array.from({ length: count }, (_, index) => index / (count - 1));
  return mapped(draft, { kind: "quantile", landmarks: quantilesOf(sample, shares), output: step.output });
}

/** What lies beyond a bound, or a quantile of the training rows, becomes it. */
export function clip(step: Step<"clip">, draft: NumberDraft, { weights }: FitContext): NumberDraft {
  const { low = null, high = null } = step;
  if (step.by === "bounds") return mapped(draft, { kind: "clip", low, high });
  const sample = columnSample(draft.values, weights);
  if (sample.total === 0) return draft;
  const [below, above] = quantilesOf(sample, [low ?? 0, high ?? 1]);
  return mapped(draft, { kind: "clip", low: below, high: above });
}

/**
 * The power by maximum likelihood.
 * @throws TRAIN_PARAMETER_INVALID for Box-Cox where a training row is 0 or less
 */
export function powerTransform(step: Step<"power-transform">, draft: NumberDraft, context: FitContext): NumberDraft {
  const sample = columnSample(draft.values, context.weights);
  if (sample.total === 0) return draft;
  if (step.method === "box-cox" && sample.values.some((value) => value <= 0)) {
    const least = rangeOf(sample).low;
    throw trainErrors.TRAIN_PARAMETER_INVALID(`Box-Cox takes positive numbers only, and ${draft.name} has ${least}`, {
      hint: 'Use powerTransform({ method: "yeo-johnson" }), which takes any number, or leave the feature out by `on`.',
    });
  }
  const lambda = powerOf(sample, POWER_FAMILIES[step.method]);
  const powered = mapped(draft, { kind: "power", method: step.method, lambda });
  return step.standardize ? standardScale(powered, context) : powered;
}
