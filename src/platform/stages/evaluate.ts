import { selectCandidate } from "../../core/training/index.ts";
import { modelNamed } from "./model-named.ts";
import { stage } from "./stage.ts";
import type { RetrainScope, TrainedCandidate } from "./train.ts";

export interface EvaluateInput {
  readonly params: RetrainScope;
  /** Every `train:<variant>` step's output. */
  readonly needs: Readonly<Record<string, TrainedCandidate>>;
}

export interface EvaluateOutput {
  readonly candidates: readonly TrainedCandidate[];
  /** Name of the variant that goes on to the gate. */
  readonly winner: TrainedCandidate;
}

export default stage<EvaluateInput, EvaluateOutput>(async ({ project }, { params, needs }) => {
  const candidates = Object.entries(needs)
    .filter(([step]) => step.startsWith("train:"))
    .map(([, trained]) => trained);
  // Baseline and rule are what a model has to beat; neither is ever the model.
  const models = candidates.filter(({ variant }) => variant.candidate.kind !== "baseline" && variant.candidate.kind !== "rule");
  return { candidates, winner: selectCandidate(models, modelNamed(project, params.model).select) };
});
