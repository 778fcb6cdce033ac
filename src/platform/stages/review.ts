import { type DataReview, reviewData } from "../../core/explain/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import type { EvaluateOutput } from "./evaluate.ts";
import { MIN_POSITIVES } from "./explain.ts";
import { modelNamed } from "./model-named.ts";
import { stage } from "./stage.ts";
import { openTrainingSet, type RetrainScope, trainingOptions } from "./train.ts";

export interface ReviewOutput {
  /** DataReview (core/explain). */
  readonly review: ArtifactRef;
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
    const small =
      candidate.kind === "gradient-boosting"
        ? { ...candidate, params: { ...candidate.params, trees: TREES, earlyStopping: TREES } }
        : candidate;
    const review: DataReview = reviewData(
      dataset,
      split,
      {
        training: { ...trainingOptions(opened, set, params.model, variant), candidate: small },
        metric: modelNamed(opened.project, params.model).select,
        minPositives: MIN_POSITIVES,
        ...ROWS,
      },
      (done) => progress({ done }),
    );
    return { review: await opened.putJson(review) };
  },
);
