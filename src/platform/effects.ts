import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CandidateDefinition, ProjectDefinition } from "../core/definitions/index.ts";
import type { ConsistencyReport } from "../core/monitoring/index.ts";
import type { Effect, EffectContext } from "../core/pipelines/index.ts";
import type { ArtifactStore, Clock, MetadataStore, OnlineStore } from "../core/ports/index.ts";
import type { Registry } from "../core/registry/index.ts";
import { type Actor, type Scope, systemActor } from "../core/scope.ts";
import { type Route, readCurrent, writeDeployment } from "../core/serving/index.ts";
import type { Micros } from "../core/time.ts";
import { type GitState, gitState, type Tracking } from "../core/tracking/index.ts";
import type { Evaluation } from "../core/training/index.ts";
import { platformErrors } from "./errors.ts";
import { loggableKey, loggableName, loggableParams } from "./loggable.ts";
import { aliasAfterGate } from "./plain-decisions.ts";
import { checkReadable } from "./readable-features.ts";
import { recordConsistency } from "./record-consistency.ts";
import { recordMonitoring } from "./record-monitoring.ts";
import { recordSnapshots } from "./record-snapshots.ts";
import { recordStepLog } from "./record-step-log.ts";
import { nameTrainingSet, saveTrainingSet } from "./save-training-set.ts";
import type { EvaluateOutput } from "./stages/evaluate.ts";
import type { ExplainOutput, MlflowParts } from "./stages/explain.ts";
import type { GateEvidence, RegisterOutput } from "./stages/gate-evidence.ts";
import type { IngestOutput } from "./stages/ingest.ts";
import { modelNamed } from "./stages/model-named.ts";
import type { MonitorOutput } from "./stages/monitor.ts";
import { packagedVersion } from "./stages/packaged-version.ts";
import type { ReviewOutput } from "./stages/review.ts";
import { type StepLog, startOf } from "./stages/step-run.ts";
import type { TrainedCandidate } from "./stages/train.ts";
import type { TrainingSetOutput } from "./stages/training-set.ts";
import type { StatePaths } from "./state-folder.ts";

export interface EffectSurroundings {
  readonly project: ProjectDefinition;
  readonly projectDirectory: string;
  readonly scope: Scope;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  readonly tracking: Tracking;
  readonly registry: Registry;
  /** Null where nothing has been materialized. */
  online(): OnlineStore | null;
}

export interface GateOutput {
  readonly gateId: string;
  readonly passed: boolean;
  /** Only people's approval is missing; approving promotes as the gate would have. */
  readonly waiting: boolean;
  readonly alias: "champion" | "challenger";
}

const pipelineActor = ({ pipeline }: EffectContext): Actor => systemActor(`pipeline ${pipeline}`);

/** What the owner of the state folder does for a run. Each can be called again with its key and then changes nothing more. */
export function createEffects(around: EffectSurroundings): Readonly<Record<string, Effect>> {
  return {
    "record-snapshots": async ({ needs }) => {
      const { snapshots } = needs.ingest as IngestOutput;
      // The training set keeps the times.
      await recordSnapshots(around.tracking, snapshots);
      return { snapshots: Object.values(snapshots).map(({ id }) => id) };
    },
    "record-monitoring": async ({ params, needs }, context) =>
      recordMonitoring(
        around.store,
        around.scope,
        String(params.endpoint),
        needs[`monitor:${params.endpoint}`] as MonitorOutput,
        context.now,
      ),
    "record-consistency": ({ needs }) => recordConsistency(around.store, around.scope, needs.consistency as ConsistencyReport),
    register: (input, context) =>
      register(around, String(input.params.model), input.needs as unknown as Parameters<typeof register>[2], context),
    gate: (input, context) =>
      gate(
        around,
        input.params as { model: string; reason: string },
        input.needs as unknown as Parameters<typeof gate>[2],
        context,
      ),
    deploy: async (input, context) => {
      const needs = input.needs as { register: RegisterOutput; evaluate: EvaluateOutput; gate: GateOutput };
      if (!needs.gate.passed) return { deployed: [] };
      return {
        deployed: await deployEverywhere(
          around,
          String(input.params.model),
          context.now,
          `version ${needs.register.version} passed its gate`,
        ),
      };
    },
  };
}

const MLFLOW_FOLDER = "model";

/** Param of a registered version's run: why it has no `model.onnx`. */
export const ONNX_PROBLEM = "onnx_problem";

interface RegisterNeeds {
  readonly ingest: IngestOutput;
  readonly "training-set": TrainingSetOutput;
  readonly evaluate: EvaluateOutput;
  readonly explain: ExplainOutput;
  readonly review: ReviewOutput;
}

type NewRunBelow = (
  id: string,
  name: string,
  parentRunId: string | null,
  startedAt?: Micros,
  tags?: Readonly<Record<string, string>>,
) => Promise<{ readonly id: string }>;

/** Of the trials of a search, which would drown the other runs in a list. */
const TRIAL_TAG = "orrery.trial";

/** One run a candidate under a parent run, and the winner's package as a new version. */
async function register(
  around: EffectSurroundings,
  model: string,
  needs: RegisterNeeds,
  context: EffectContext,
): Promise<RegisterOutput> {
  const { tracking, registry } = around;
  const { candidates, failed, winner } = needs.evaluate;
  const git = await gitState(around.projectDirectory);
  // The training set names the snapshots it was made of; those must be on record, whatever is saved otherwise.
  for (const snapshot of Object.values(needs.ingest.snapshots)) await tracking.saveSnapshot(snapshot);
  const snapshots = Object.values(needs["training-set"].snapshots);
  const newRun: NewRunBelow = (id, name, parentRunId, startedAt = context.now, tags = {}) =>
    tracking.runs.create({
      id,
      name: loggableName(name),
      parentRunId,
      experiment: model,
      actor: pipelineActor(context),
      traceId: context.traceId,
      snapshots,
      git,
      startedAt,
      tags,
    });
  const parent = await newRun(
    `run-${context.idempotencyKey}`.replace(/[^\w.-]/g, "-"),
    `${context.pipeline}: ${context.trigger.reason}`,
    null,
  );
  await saveTrainingSet(tracking, parent.id, model, needs["training-set"]);
  let winnerRun = parent.id;
  for (const [i, candidate] of candidates.entries()) {
    const run = await newRun(`${parent.id}-${i}`, candidate.variant.name, parent.id);
    await nameTrainingSet(tracking, run.id, parent.id, model, needs["training-set"]);
    await logCandidate(around, run.id, candidate, git);
    await logTrials(around, newRun, run.id, model, candidate);
    await logSteps(around, run.id, model, candidate, context);
    if (candidate.variant.name === winner.variant.name) winnerRun = run.id;
  }
  for (const [i, { variant, failure }] of failed.entries()) {
    const run = await newRun(`${parent.id}-failed-${i}`, variant.name, parent.id);
    await tracking.logParams(
      run.id,
      loggableParams({ candidate: variant.candidate.kind, error: failure.code, message: failure.message }),
    );
    await tracking.runs.finish(run.id, "failed");
  }
  await tracking.logArtifact(winnerRun, "explanation.json", needs.explain.explanation);
  await tracking.logArtifact(winnerRun, "exploration.json", needs.explain.exploration);
  await tracking.logArtifact(winnerRun, "background.json", needs.explain.background);
  const { onnxProblem } = needs.explain;
  if (onnxProblem !== null) await tracking.logParams(winnerRun, loggableParams({ [ONNX_PROBLEM]: onnxProblem }));
  if (needs.explain.onnx !== null) await tracking.logArtifact(winnerRun, "model.onnx", needs.explain.onnx);
  if (needs.explain.mlflow) await logMlflowFolder(around, winnerRun, needs.explain.mlflow, context);
  const { review } = needs.review;
  if (review !== null) await tracking.logArtifact(winnerRun, "review.json", review);
  const { reference } = needs.explain;
  if (reference !== null) await tracking.logArtifact(winnerRun, "reference.json", reference);
  await tracking.logArtifact(
    winnerRun,
    "candidates.json",
    await around.artifacts.put(JSON.stringify(candidates.map((candidate) => summaryOf(candidate, winner))), "application/json"),
  );
  await tracking.runs.finish(parent.id, "finished");
  for (const [i] of candidates.entries()) await tracking.runs.finish(`${parent.id}-${i}`, "finished");
  const version = await registry.register(
    model,
    { runId: winnerRun, artifact: winner.package.sha256, description: winner.variant.name },
    pipelineActor(context),
  );
  return { runId: winnerRun, version };
}

/** The folder `model` of the run's artifacts, where the version's source points: what MLflow's clients load. */
async function logMlflowFolder(
  { tracking, artifacts }: EffectSurroundings,
  runId: string,
  { onnx, signature }: MlflowParts,
  context: EffectContext,
): Promise<void> {
  const { mlflowModelFiles, ONNX_FILE } = await import("../core/training/formats/mlflow-model/write-mlflow-model.ts");
  const files = mlflowModelFiles({ signature, runId, at: context.now, bytesOfOnnx: onnx.bytes });
  for (const [name, text] of files)
    await tracking.logArtifact(runId, `${MLFLOW_FOLDER}/${name}`, await artifacts.put(text, "text/plain"));
  await tracking.logArtifact(runId, `${MLFLOW_FOLDER}/${ONNX_FILE}`, onnx);
}

/** Artifact `candidates.json` of a registered version's run: everything that was compared, on the same selection rows. */
export interface CandidateSummary {
  readonly name: string;
  readonly kind: string;
  readonly selected: boolean;
  readonly selection: Evaluation;
}

const summaryOf = ({ variant, selection }: TrainedCandidate, winner: TrainedCandidate): CandidateSummary => ({
  name: variant.name,
  kind: variant.candidate.kind,
  selected: variant.name === winner.variant.name,
  selection,
});

async function logCandidate(
  { tracking, project }: EffectSurroundings,
  runId: string,
  candidate: TrainedCandidate,
  git: GitState,
): Promise<void> {
  const { variant, selection, history } = candidate;
  // Of numbers it is the loss that the candidate minimises.
  const lossByTree = project.charter.target.type === "regression" ? "selection_loss_by_tree" : "selection_log_loss_by_tree";
  await tracking.logParams(
    runId,
    loggableParams({
      candidate: variant.candidate.kind,
      ...paramsOf(variant.candidate),
      excluded: variant.exclude.length === 0 ? null : variant.exclude.join(" "),
      units: Object.keys(variant.units).length === 0 ? null : JSON.stringify(variant.units),
      training_rows: candidate.trainingRows,
      purged_rows: candidate.purged,
      label_cutoff: candidate.labelCutoff,
      dirty: git.dirty,
    }),
  );
  await tracking.logMetrics(runId, [
    ...Object.entries(selection.metrics).map(([key, { value, low, high }]) => ({ key, value, low, high })),
    { key: "train_seconds", value: candidate.seconds },
    ...history.map((value, step) => ({ key: lossByTree, value, step })),
  ]);
  await tracking.logArtifact(runId, "model.orrery", candidate.package);
  const { trainer } = candidate;
  if (trainer === null) return;
  const { python, packages } = trainer.environment;
  await tracking.logParams(runId, loggableParams({ python, packages: JSON.stringify(packages) }));
  await tracking.logMetrics(
    runId,
    Object.entries(trainer.metrics).map(([key, value]) => ({ key: loggableKey(`trainer_${key}`), value })),
  );
  await tracking.logArtifact(runId, "trainer.log", trainer.log);
}

/** Scalars as they are, lists and constraints as JSON, and nothing that says nothing. */
function paramsOf(candidate: CandidateDefinition): Record<string, string | number | boolean | null> {
  const params: [string, unknown][] = Object.entries("params" in candidate ? candidate.params : {});
  return Object.fromEntries(
    params.flatMap(([name, value]) => {
      if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
        return [[name, value]];
      }
      const json = JSON.stringify(value);
      return json === "{}" || json === "[]" ? [] : [[name, json]];
    }),
  );
}

/**
 * Every trial of a candidate's search is a run below the candidate's, with its own times (in a replay: as if it had run just before the
 * replay's now) and its score under the name of the metric that it was judged by.
 */
async function logTrials(
  { tracking, project, clock }: EffectSurroundings,
  newRun: NewRunBelow,
  parent: string,
  model: string,
  { trials }: TrainedCandidate,
): Promise<void> {
  const { select } = modelNamed(project, model);
  const replayed = clock.kind === "system" ? 0 : clock.now() - Math.max(...trials.map(({ endedAt }) => endedAt));
  const digits = String(trials.length).length;
  for (const [i, trial] of trials.entries()) {
    // Padded, so that ids sort as numbers do.
    const id = `${parent}-trial-${String(i).padStart(digits, "0")}`;
    const run = await newRun(id, `${trial.candidate} ${trial.number}`, parent, trial.startedAt + replayed, {
      [TRIAL_TAG]: trial.candidate,
    });
    await tracking.logParams(
      run.id,
      loggableParams({ candidate: trial.candidate, ...trial.params, ...(trial.error && { error: trial.error }) }),
    );
    await tracking.logMetrics(run.id, [
      { key: "train_seconds", value: (trial.endedAt - trial.startedAt) / 1e6 },
      ...(trial.score === undefined ? [] : [{ key: select, value: trial.score }]),
    ]);
    await tracking.runs.finish(run.id, trial.state === "failed" ? "failed" : "finished", trial.endedAt + replayed);
  }
}

/** What the project's own code logged while the candidate was trained. */
async function logSteps(
  { tracking, artifacts, clock }: EffectSurroundings,
  runId: string,
  model: string,
  { logged }: TrainedCandidate,
  context: EffectContext,
): Promise<void> {
  if (logged === undefined) return;
  // A stage wrote it.
  const log = JSON.parse(Buffer.from(await artifacts.read(logged.sha256)).toString("utf8")) as StepLog;
  const first = startOf(log);
  const shift = clock.kind === "system" || first === Number.POSITIVE_INFINITY ? 0 : context.now - first;
  await recordStepLog(
    { tracking, experiment: model, actor: pipelineActor(context), traceId: context.traceId, shift },
    runId,
    log,
  );
}

interface GateNeeds {
  readonly register: RegisterOutput;
  readonly evaluate: EvaluateOutput;
  readonly "gate-evidence": GateEvidence;
}

/** Keeps the verdicts, writes the card where people find it, and moves the alias or records why not. */
async function gate(
  around: EffectSurroundings,
  params: { model: string; reason: string },
  needs: GateNeeds,
  context: EffectContext,
): Promise<GateOutput> {
  const { registry, tracking, artifacts } = around;
  const { version, runId } = needs.register;
  const evidence = needs["gate-evidence"];
  const kept = await registry.saveGate({
    model: params.model,
    version,
    championVersion: evidence.championVersion,
    testSet: evidence.testSet,
    verdicts: evidence.verdicts,
  });
  await tracking.logArtifact(runId, "card.md", evidence.card.markdown);
  await tracking.logArtifact(runId, "card.html", evidence.card.html);
  await tracking.logArtifact(runId, "card.json", evidence.card.json);
  await tracking.logArtifact(runId, "test.json", await artifacts.put(JSON.stringify(evidence.test), "application/json"));
  const folder = join(around.paths.root, "reports", params.model, `version-${version}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "card.html"), await artifacts.read(evidence.card.html.sha256));
  writeFileSync(join(folder, "card.md"), await artifacts.read(evidence.card.markdown.sha256));

  const alias = aliasAfterGate(evidence.championVersion);
  const decision = {
    model: params.model,
    alias,
    version,
    actor: pipelineActor(context),
    gateId: kept.id,
    idempotencyKey: context.idempotencyKey,
  } as const;
  const { state } = kept;
  if (state === "passed") await registry.promote({ ...decision, reason: `${params.reason}: passed its gate` });
  if (state === "failed") {
    const failed = kept.verdicts
      .filter(({ criterion, passed }) => passed === false || (passed === null && criterion.kind !== "approval"))
      .map(({ text }) => text);
    await registry.reject({ ...decision, reason: `${params.reason}: failed ${failed.join("; ")}` });
  }
  return { gateId: kept.id, passed: state === "passed", waiting: state === "waiting", alias };
}

/**
 * Brings every endpoint of the model in line with the aliases: champion, and challenger with the canary's share.
 * @throws PROJECT_TASK_NOT_SERVED, PROJECT_FEATURES_GONE: what is deployed stays
 */
export async function deployEverywhere(
  around: Omit<EffectSurroundings, "tracking" | "projectDirectory" | "store">,
  model: string,
  now: number,
  reason: string,
): Promise<string[]> {
  const deployed: string[] = [];
  const { type } = around.project.charter.target;
  for (const endpoint of around.project.endpoints.filter((each) => each.model.name === model)) {
    if (type !== "binary")
      throw platformErrors.PROJECT_TASK_NOT_SERVED(`The endpoint ${endpoint.name} would serve ${model}, whose target is ${type}`);
    const pointed = await around.registry.byAlias(model, endpoint.alias);
    if (pointed === null) continue;
    const champion = packagedVersion(pointed);
    const second = await around.registry.byAlias(model, "challenger");
    // What another tool has made challenger cannot get a share of the traffic.
    const challenger = second === null || second.runId === null || second.artifact === null ? null : packagedVersion(second);
    const share =
      challenger === null || challenger.version === champion.version || endpoint.canary === undefined ? 0 : endpoint.canary.share;
    const routes: Route[] = [{ alias: endpoint.alias, version: champion.version, artifact: champion.artifact, share: 1 - share }];
    if (challenger !== null && share > 0)
      routes.push({ alias: "challenger", version: challenger.version, artifact: challenger.artifact, share });
    const directory = around.paths.deployment(endpoint.name);
    const current = readCurrent(directory);
    if (current !== null && JSON.stringify(current.routes) === JSON.stringify(routes)) continue;
    for (const route of routes) await checkReadable(around, model, route);
    const models = new Map<string, Uint8Array>();
    for (const { artifact } of routes) models.set(artifact, await around.artifacts.read(artifact));
    const spec = {
      formatVersion: 1,
      endpoint: endpoint.name,
      revision: (current?.revision ?? 0) + 1,
      scope: around.scope,
      routes,
      at: now,
      reason,
    } as const;
    writeDeployment(directory, spec, models);
    deployed.push(endpoint.name);
  }
  return deployed;
}
