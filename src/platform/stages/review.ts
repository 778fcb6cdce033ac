import { type CandidateDefinition, gradientBoosting } from "../../core/definitions/index.ts";
import { type DataReview, reviewData } from "../../core/explain/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import type { EvaluateOutput } from "./evaluate.ts";
import { MIN_POSITIVES } from "./model-explanations.ts";
import { modelNamed } from "./model-named.ts";
import { stage } from "./stage.ts";
import { openTrainingSet, type RetrainScope, trainingOptions } from "./train.ts";
import { whereSupported } from "./where-supported.ts";

export interface ReviewOutput {
  /** DataReview (core/explain); null where it is not made for the task. */
  readonly review: ArtifactRef | null;
  /** What is missing, as sentences for the card. */
  readonly limits: readonly string[];
}

/** A model a view is trained: small ones on a sample, since only their differences count. */
const TREES = 25;
const ROWS = { maxTrainingRows: 20_000, maxSelectionRows: 6_000 };

export default stage<{ params: RetrainScope; needs: { "training-set": TrainingSet; evaluate: EvaluateOutput } }, ReviewOutput>(
  async (opened, { params, needs }, progress) => {
    const set = needs["training-set"];
    const { variant } = needs.evaluate.winner;
    const { dataset, split } = await openTrainingSet(opened, set, params);
    const { candidate } = variant;
    const small = smaller(candidate);
    const limits: string[] = [];
    const review: DataReview | null = whereSupported("a data review", limits, () =>
      reviewData(
        dataset,
        split,
        {
          training: { ...trainingOptions(opened, set, params.model, variant), candidate: small },
          metric: modelNamed(opened.project, params.model).select,
          minPositives: MIN_POSITIVES,
          ...ROWS,
        },
        (done) => progress({ done }),
      ),
    );
    return { review: review === null ? null : await opened.putJson(review), limits };
  },
);

/** Differences between data are much the same for any model that can use them, so that a small one of our own stands for what trains elsewhere. */
function smaller(candidate: CandidateDefinition): CandidateDefinition {
  switch (candidate.kind) {
    case "gradient-boosting":
      return { ...candidate, params: { ...candidate.params, trees: TREES, earlyStopping: TREES } };
    case "random-forest":
    case "extra-trees":
      return { ...candidate, params: { ...candidate.params, trees: TREES } };
    case "python":
    case "model-file":
    case "auto-ml":
      return gradientBoosting({ trees: TREES, earlyStopping: TREES });
    default:
      return candidate;
  }
}
