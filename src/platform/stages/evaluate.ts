import { OrreryError } from "../../core/errors.ts";
import { selectCandidate } from "../../core/training/index.ts";
import { modelNamed } from "./model-named.ts";
import { stage } from "./stage.ts";
import type { FailedCandidate, RetrainScope, TrainedCandidate, TrainOutcome } from "./train.ts";

export interface EvaluateInput {
  readonly params: RetrainScope;
  /** Every `train:<variant>` step's output. */
  readonly needs: Readonly<Record<string, TrainOutcome>>;
}

export interface EvaluateOutput {
  readonly candidates: readonly TrainedCandidate[];
  readonly failed: readonly FailedCandidate[];
  /** Name of the variant that goes on to the gate. */
  readonly winner: TrainedCandidate;
}

export default stage<EvaluateInput, EvaluateOutput>(async ({ project }, { params, needs }) => {
  const outcomes = Object.entries(needs).flatMap(([step, outcome]) => (step.startsWith("train:") ? [outcome] : []));
  const candidates = outcomes.flatMap((outcome) => ("failure" in outcome ? [] : [outcome]));
  const failed = outcomes.flatMap((outcome) => ("failure" in outcome ? [outcome] : []));
  // Baseline and rule are what a model has to beat; neither is ever the model.
  const models = candidates.filter(({ variant }) => variant.candidate.kind !== "baseline" && variant.candidate.kind !== "rule");
  const [first] = failed;
  if (models.length === 0 && first !== undefined) throw OrreryError.fromJSON(first.failure);
  return { candidates, failed, winner: selectCandidate(models, modelNamed(project, params.model).select) };
});
