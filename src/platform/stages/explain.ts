import {
  type PermutationImportance,
  permutationImportance,
  type SegmentResult,
  type ShapSummary,
  segmentResults,
  summarizeShap,
} from "../../core/explain/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import { buildReference } from "../../core/monitoring/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import { convertDataset, predict, unpackModel } from "../../core/training/index.ts";
import type { EvaluateOutput } from "./evaluate.ts";
import { modelNamed } from "./model-named.ts";
import { stage } from "./stage.ts";
import { openTrainingSet, type RetrainScope } from "./train.ts";
import { whereSupported } from "./where-supported.ts";

/** Artifact `explanation.json` of a model's run; everything on the selection part of validation. */
export interface StoredExplanation {
  readonly formatVersion: 1;
  readonly shap: ShapSummary;
  readonly permutation: PermutationImportance;
  readonly segments: readonly SegmentResult[];
  /** What the explanation cannot say, as sentences for the card; absent in those stored before there were other tasks than binary. */
  readonly limits?: readonly string[];
}

export interface ExplainOutput {
  readonly explanation: ArtifactRef;
  /** ReferenceProfile of the training rows (core/monitoring); null for a model that cannot be monitored. */
  readonly reference: ArtifactRef | null;
}

/** Positive labels below which a segment is not judged. */
export const MIN_POSITIVES = 100;
/** Models that are explained by sampling cost thousands of predictions a row. */
const KERNEL = { maxRows: 60, evaluations: 512 };
const PERMUTATIONS = { repeats: 2, maxRows: 3_000, resamples: 60 };

export default stage<{ params: RetrainScope; needs: { "training-set": TrainingSet; evaluate: EvaluateOutput } }, ExplainOutput>(
  async (opened, { params, needs }, progress) => {
    const set = needs["training-set"];
    const { winner } = needs.evaluate;
    const model = modelNamed(opened.project, params.model);
    const packaged = unpackModel(await opened.artifacts.read(winner.package.sha256));
    const { dataset, split } = await openTrainingSet(opened, set, params);
    const isSampled = packaged.background.length > 0;
    const limits: string[] = [];
    const explanation: StoredExplanation = {
      formatVersion: 1,
      shap: summarizeShap(packaged, dataset, split.select, isSampled ? KERNEL : {}),
      permutation: permutationImportance(packaged, dataset, split.select, { metric: model.select, ...PERMUTATIONS }),
      segments:
        whereSupported("results by segment", limits, () =>
          segmentResults(packaged, dataset, split.select, { minPositives: MIN_POSITIVES }),
        ) ?? [],
      limits,
    };
    if (packaged.task === "multiclass") limits.push(`SHAP values are those of the score of class ${packaged.classes[0]}.`);
    progress({ done: 0.5 });
    if (packaged.task !== "binary") return { explanation: await opened.putJson(explanation), reference: null };
    // What is normal from now on: the training rows as they would be delivered today.
    const delivered = convertDataset(dataset, winner.variant.units);
    const reference = buildReference(delivered, split.train, predict(packaged, delivered, split.train).prediction, set.plan);
    return { explanation: await opened.putJson(explanation), reference: await opened.putJson(reference) };
  },
);
