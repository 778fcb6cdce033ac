import { cpus } from "node:os";
import { type CandidateDefinition, type Criterion, isBinaryCharter, type MetricName } from "../../core/definitions/index.ts";
import { type CardCandidate, modelCard, segmentResults } from "../../core/explain/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import { VirtualClock } from "../../core/ports/index.ts";
import { createRegistry, evaluateGates, type GateVerdict } from "../../core/registry/index.ts";
import {
  type Dataset,
  type DatasetSplit,
  type Evaluation,
  evaluatePredictions,
  type ModelPackage,
  pairedPredictions,
  predict,
  selectCandidate,
  unpackModel,
} from "../../core/training/index.ts";
import { championDataset } from "./champion-dataset.ts";
import type { EvaluateOutput } from "./evaluate.ts";
import type { ExplainOutput } from "./explain.ts";
import { inClassesOf } from "./in-classes-of.ts";
import { measureLatency, sampleRequests } from "./measure-latency.ts";
import type { StoredExplanation } from "./model-explanations.ts";
import { modelNamed } from "./model-named.ts";
import { packagedVersion } from "./packaged-version.ts";
import type { ReviewOutput } from "./review.ts";
import { type Stage, stage } from "./stage.ts";
import { openTrainingSet, type RetrainScope, type TrainedCandidate } from "./train.ts";

export interface RegisterOutput {
  readonly runId: string;
  readonly version: number;
}

export interface GateEvidence {
  readonly verdicts: readonly GateVerdict[];
  /** What the test rows are: the training set's hash and the split's bounds. */
  readonly testSet: string;
  readonly championVersion: number | null;
  readonly test: Evaluation;
  readonly card: { readonly markdown: ArtifactRef; readonly html: ArtifactRef; readonly json: ArtifactRef };
}

interface GateInput {
  readonly params: RetrainScope;
  readonly needs: {
    readonly "training-set": TrainingSet;
    readonly evaluate: EvaluateOutput;
    readonly explain: ExplainOutput;
    readonly review: ReviewOutput;
    readonly register: RegisterOutput;
  };
}

/** Opens the test rows: scores challenger, champion, baseline and (where there is one) rule on the same of them, and writes the card. */
export default stage<GateInput, GateEvidence>(async (opened, { params, needs }) => {
  const { winner, candidates } = needs.evaluate;
  const set = needs["training-set"];
  const { charter } = opened.project;
  const challenger = await openPackage(opened, winner.package.sha256);
  const { dataset, split } = await openTrainingSet(opened, set, params);
  const champion = await openChampion(opened, params.model, challenger, { set, dataset });
  // Neither model may have seen a label of these rows: they lie after both trainings' cut-offs.
  const cutoff = Math.max(challenger.labelCutoff, champion?.compared?.model.labelCutoff ?? 0);
  const rows = split.test.filter((row) => dataset.at[row] > cutoff);
  const { decision } = challenger;
  const score = (model: ModelPackage) => predict(model, dataset, rows).prediction;
  const measure = (prediction: Float64Array) => evaluatePredictions(dataset, rows, prediction, decision);
  // Of several baselines the one that did best on the selection rows: what has to be beaten is the best of doing without a model.
  const measureBest = async (kind: CandidateDefinition["kind"]) => {
    const ofKind = candidates.filter(({ variant }) => variant.candidate.kind === kind);
    const { select } = modelNamed(opened.project, params.model);
    // A baseline that never acts has no precision, say: then there is nothing to choose by.
    const isMeasured = ofKind.some(({ selection }) => selection.metrics[select] !== undefined);
    const best = isMeasured ? selectCandidate(ofKind, select) : ofKind[0];
    return measure(score(await openPackage(opened, best.package.sha256)));
  };
  const prediction = score(challenger);
  const test = measure(prediction);
  const rival = champion?.compared ?? null;
  const championPrediction =
    rival === null ? null : inClassesOf(challenger, rival.model, predict(rival.model, rival.dataset, rows).prediction);
  const verdicts = evaluateGates(charter.accept, {
    target: charter.target.type,
    evaluation: test,
    baseline: await measureBest("baseline"),
    alternative: isBinaryCharter(charter) ? await measureBest("rule") : null,
    champion:
      championPrediction === null
        ? null
        : {
            evaluation: measure(championPrediction),
            pairedDifferences: pairedPredictions(
              dataset,
              rows,
              prediction,
              championPrediction,
              comparedBy(charter.accept),
              decision,
            ),
          },
    ...(champion?.reason === undefined ? {} : { notCompared: champion.reason }),
    segments: segmentResults(challenger, dataset, rows, { minPositives: 1, minRows: 1, resamples: 0 }),
    latencyMs: await measureLatency(opened, challenger, sampleRequests(challenger.plan, dataset, rows)),
  });
  return {
    verdicts,
    testSet: `${set.file.sha256}:${cutoff}:${rows.length}:${rows[0] ?? 0}`,
    championVersion: champion?.version ?? null,
    test,
    card: await writeCard(opened, { params, needs }, { dataset, split, verdicts, test }),
  };
});

const openPackage = async ({ artifacts }: Stage, sha256: string) => unpackModel(await artifacts.read(sha256));

interface OpenChampion {
  readonly version: number;
  /** With the rows that have the features that it was trained on; null where it cannot be compared. */
  readonly compared: { readonly model: ModelPackage; readonly dataset: Dataset } | null;
  /** Why it cannot be compared. */
  readonly reason?: string;
}

/** null before the first. */
async function openChampion(
  opened: Stage,
  name: string,
  challenger: ModelPackage,
  { set, dataset }: { readonly set: TrainingSet; readonly dataset: Dataset },
): Promise<OpenChampion | null> {
  const store = await opened.metadata();
  const registry = createRegistry({ store, clock: new VirtualClock(opened.environment.now), scope: opened.environment.scope });
  const pointed = await registry.byAlias(name, "champion");
  if (pointed === null) return null;
  const champion = packagedVersion(pointed);
  const model = await openPackage(opened, champion.artifact);
  const { version, runId } = champion;
  if (model.task !== challenger.task) return { version, compared: null, reason: "it predicts something else" };
  const own = await championDataset(opened, {
    champion: { runId, model },
    model: modelNamed(opened.project, name),
    set,
    dataset,
  });
  return { version, ...("reason" in own ? { compared: null, ...own } : { compared: { model, ...own } }) };
}

/** Metrics that a champion is compared by. */
const comparedBy = (criteria: readonly Criterion[]): MetricName[] =>
  criteria.flatMap((criterion) => (criterion.kind === "not-worse-than-champion" ? [criterion.metric] : []));

interface Measured {
  readonly dataset: Dataset;
  readonly split: DatasetSplit;
  readonly verdicts: readonly GateVerdict[];
  readonly test: Evaluation;
}

async function writeCard(
  opened: Stage,
  { params, needs }: GateInput,
  { dataset, split, verdicts, test }: Measured,
): Promise<GateEvidence["card"]> {
  const set = needs["training-set"];
  const { candidates, winner } = needs.evaluate;
  const explanation = await opened.readJson<StoredExplanation>(needs.explain.explanation);
  const { review, limits } = needs.review;
  const { type } = opened.project.charter.target;
  const card = modelCard({
    model: params.model,
    version: needs.register.version,
    createdAt: opened.environment.now,
    charter: opened.project.charter,
    data: {
      snapshots: set.snapshots,
      rows: set.rows,
      labelled: set.labelled,
      positives: set.positives,
      pending: set.pending,
      censored: set.censored,
      trainingRows: split.train.length,
      from: split.train.reduce((least, row) => Math.min(least, dataset.at[row]), Number.POSITIVE_INFINITY),
      to: split.train.reduce((most, row) => Math.max(most, dataset.at[row]), 0),
      labelCutoff: split.labelCutoff,
      missingShare: set.missingShare,
    },
    selectionMetric: modelNamed(opened.project, params.model).select,
    candidates: candidates.map(
      ({ variant, selection }): CardCandidate => ({
        name: variant.name,
        kind: variant.candidate.kind,
        selected: variant.name === winner.variant.name,
        metrics: selection.metrics,
        comparison: needs.explain.comparisons.find(({ candidate }) => candidate === variant.name) ?? null,
      }),
    ),
    test,
    // The card is of what was measured; what people say of the version comes after it.
    gates: verdicts.filter(({ criterion }) => criterion.kind !== "approval"),
    segments: explanation.segments,
    permutation: explanation.permutation,
    shap: explanation.shap,
    calibration: winner.calibrationCurve,
    review: review === null ? null : await opened.readJson(review),
    fairness: explanation.fairness ?? null,
    dependence: explanation.dependence ?? null,
    surrogate: explanation.surrogate ?? null,
    training: {
      seconds: winner.seconds,
      trials: winner.trials.length,
      ...(winner.trainer !== null && { peakMemoryBytes: winner.trainer.peakBytes }),
      notes: needs.evaluate.failed.map(({ variant, failure }) => `${variant.name} could not be trained: ${failure.message}.`),
    },
    environment: environmentOf(winner),
    limits: [
      ...needs.explain.suspicions,
      ...(needs.explain.onnxProblem === null ? [] : [`It is not available as ONNX: ${needs.explain.onnxProblem}.`]),
      ...(explanation.limits ?? []),
      ...limits,
      ...(type === "binary" ? [] : [`It cannot be served or monitored yet: its target is ${type}.`]),
    ],
  });
  return {
    markdown: await opened.artifacts.put(card.markdown, "text/markdown"),
    html: await opened.artifacts.put(card.html, "text/html"),
    json: await opened.putJson(card.json),
  };
}

const environmentOf = ({ trainer }: TrainedCandidate): Record<string, string> => ({
  Node: process.versions.node,
  processor: cpus()[0]?.model ?? "unknown",
  ...(trainer !== null && { Python: trainer.environment.python, ...trainer.environment.packages }),
});
