import type { MetricName } from "../../core/definitions/index.ts";
import { type CardCandidate, modelCard } from "../../core/explain/index.ts";
import type { TrainingSet } from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import { VirtualClock } from "../../core/ports/index.ts";
import { createRegistry, evaluateGates, type GateVerdict } from "../../core/registry/index.ts";
import {
  binaryLabels,
  type Dataset,
  type DatasetSplit,
  type Evaluation,
  evaluate,
  type ModelPackage,
  pairedDifference,
  predict,
  segmentEvaluations,
  unpackModel,
} from "../../core/training/index.ts";
import type { EvaluateOutput } from "./evaluate.ts";
import type { ExplainOutput, StoredExplanation } from "./explain.ts";
import { measureLatency, sampleRequests } from "./measure-latency.ts";
import { modelNamed } from "./model-named.ts";
import type { ReviewOutput } from "./review.ts";
import { type Stage, stage } from "./stage.ts";
import { openTrainingSet, type RetrainScope } from "./train.ts";

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

const COMPARED: readonly MetricName[] = ["roc_auc", "pr_auc", "log_loss", "brier", "ece", "payoff_per_decision"];

/** Opens the test rows: scores challenger, champion, baseline and rule on the same of them, and writes the card. */
export default stage<GateInput, GateEvidence>(async (opened, { params, needs }) => {
  const { winner, candidates } = needs.evaluate;
  const set = needs["training-set"];
  const { charter } = opened.project;
  const challenger = await openPackage(opened, winner.package.sha256);
  const champion = await openChampion(opened, params.model);
  const { dataset, split } = await openTrainingSet(opened, set, params);
  // Neither model may have seen a label of these rows: they lie after both trainings' cut-offs.
  const cutoff = Math.max(challenger.labelCutoff, champion?.model.labelCutoff ?? 0);
  const rows = split.test.filter((row) => dataset.at[row] > cutoff);
  const { decision } = challenger;
  const labels = binaryLabels(dataset, rows);
  const days = Int32Array.from(rows, (row) => dataset.day[row]);
  const score = (model: ModelPackage) => predict(model, dataset, rows).prediction;
  const named = async (kind: string) =>
    openPackage(opened, candidates.find(({ variant }) => variant.candidate.kind === kind)?.package.sha256 ?? "");
  const probability = score(challenger);
  const test = evaluate(labels, probability, days, decision);
  const championProbability = champion === null ? null : score(champion.model);
  const segments = dataset.segments.flatMap((segment) =>
    segmentEvaluations(segment, rows, labels, probability, days, decision, { minPositives: 1, resamples: 0 }).map(
      ({ value, positives, metrics }) => ({
        segment: segment.id,
        value: value ?? "(missing)",
        positives,
        metrics: metrics ?? {},
      }),
    ),
  );
  const verdicts = evaluateGates(charter.accept, {
    evaluation: test,
    baseline: evaluate(labels, score(await named("baseline")), days, decision),
    alternative: evaluate(labels, score(await named("rule")), days, decision),
    champion:
      championProbability === null
        ? null
        : {
            evaluation: evaluate(labels, championProbability, days, decision),
            pairedDifferences: Object.fromEntries(
              COMPARED.flatMap((metric) => {
                const difference = pairedDifference(labels, days, probability, championProbability, metric, decision);
                return difference === null ? [] : [[metric, difference]];
              }),
            ),
          },
    segments,
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

async function openChampion(opened: Stage, name: string): Promise<{ version: number; model: ModelPackage } | null> {
  const store = await opened.metadata();
  const registry = createRegistry({ store, clock: new VirtualClock(opened.environment.now), scope: opened.environment.scope });
  const champion = await registry.byAlias(name, "champion");
  return champion === null ? null : { version: champion.version, model: await openPackage(opened, champion.artifact) };
}

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
      }),
    ),
    test,
    gates: verdicts,
    segments: explanation.segments,
    permutation: explanation.permutation,
    shap: explanation.shap,
    calibration: winner.calibrationCurve,
    review: await opened.readJson(needs.review.review),
  });
  return {
    markdown: await opened.artifacts.put(card.markdown, "text/markdown"),
    html: await opened.artifacts.put(card.html, "text/html"),
    json: await opened.putJson(card.json),
  };
}
