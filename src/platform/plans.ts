import type { Snapshot } from "../core/data/index.ts";
import type { CandidateDefinition, ModelDefinition, PipelineDefinition, ProjectDefinition } from "../core/definitions/index.ts";
import type { PlanIR, PlanStep } from "../core/pipelines/index.ts";
import type { Micros } from "../core/time.ts";
import type { UnitChanges } from "../core/training/index.ts";
import type { CandidateVariant } from "./stages/train.ts";

/** What an alert tells the pipeline it starts. */
export interface Suspicion {
  /** When the trouble began. */
  readonly since: Micros;
  /** Source that the first-ranked cause points at; models are also trained without its features. */
  readonly source: string | null;
  /** Changes of units that monitoring recognised in it; models are also adapted to them. */
  readonly units: UnitChanges;
  /** Name of the champion's candidate: only that one is varied, the others are trained as they are. */
  readonly champion: string | null;
}

export interface PlanContext {
  /** File URL of orrery.config.ts: steps load it, so a change of it makes their cached outputs stale. */
  readonly config: string;
  /** Snapshots that stand, by source. */
  readonly previous: Readonly<Record<string, Snapshot>>;
  readonly suspicion: Suspicion | null;
}

const moduleOf = (stage: string) => new URL(`./stages/${stage}.ts`, import.meta.url).href;
const MINUTE_MS = 60_000;

/** The pipeline as plain data: what runs, after what, where. */
export function buildPlan(project: ProjectDefinition, pipeline: PipelineDefinition, context: PlanContext): PlanIR {
  const steps: PlanStep[] = [];
  const wants = (stage: PipelineDefinition["stages"][number]) => pipeline.stages.includes(stage);
  const compute = (name: string, stage: string, needs: readonly string[], params: object, more: Partial<PlanStep> = {}) =>
    steps.push({
      name,
      module: moduleOf(stage),
      needs,
      params: { ...params },
      cache: false,
      effect: false,
      retries: pipeline.retries,
      timeoutMs: 30 * MINUTE_MS,
      files: [context.config],
      ...more,
    });
  const effect = (name: string, needs: readonly string[], params: object) =>
    steps.push({
      name,
      module: "",
      needs,
      params: { ...params },
      cache: false,
      effect: true,
      retries: pipeline.retries,
      timeoutMs: MINUTE_MS,
    });

  if (wants("ingest")) {
    compute("ingest", "ingest", [], { previous: context.previous });
    effect("record-snapshots", ["ingest"], {});
  }
  if (wants("materialize")) compute("materialize", "materialize", ["ingest"], {});
  if (wants("monitor")) {
    for (const { name, model } of project.endpoints) {
      if (model.name !== pipeline.model.name) continue;
      compute(`monitor:${name}`, "monitor", ["ingest"], { endpoint: name });
      effect(`record-monitoring:${name}`, [`monitor:${name}`], { endpoint: name });
    }
  }
  if (wants("train")) addTraining(pipeline.model, context.suspicion, compute);
  if (wants("register")) effect("register", ["ingest", "training-set", "evaluate", "explain"], { model: pipeline.model.name });
  if (wants("gate")) {
    const scope = { model: pipeline.model.name, since: context.suspicion?.since ?? null };
    compute("gate-evidence", "gate-evidence", ["training-set", "evaluate", "explain", "register"], scope);
    effect("gate", ["register", "evaluate", "gate-evidence"], {
      model: pipeline.model.name,
      reason: reasonOf(context.suspicion),
    });
  }
  if (wants("deploy")) effect("deploy", ["register", "evaluate", "gate"], { model: pipeline.model.name });
  return { formatVersion: 1, pipeline: pipeline.name, steps };
}

function addTraining(
  model: ModelDefinition,
  suspicion: Suspicion | null,
  compute: (name: string, stage: string, needs: readonly string[], params: object, more?: Partial<PlanStep>) => void,
) {
  const scope = { model: model.name, since: suspicion?.since ?? null };
  const variants = candidateVariants(model, suspicion);
  compute("training-set", "training-set", ["ingest"], { model: model.name }, { cache: true });
  for (const variant of variants)
    compute(`train:${variant.name}`, "train", ["training-set"], { ...scope, variant }, { cache: true });
  compute(
    "evaluate",
    "evaluate",
    variants.map(({ name }) => `train:${name}`),
    scope,
  );
  compute("explain", "explain", ["training-set", "evaluate"], scope, { cache: true });
}

/**
 * Every candidate on all features, baseline and rule among them. Under suspicion the champion's candidate comes in two more variants:
 * without the suspect source, and, where monitoring recognised a change of units, with the source's units converted.
 */
export function candidateVariants(model: ModelDefinition, suspicion: Suspicion | null): CandidateVariant[] {
  const always: CandidateDefinition[] = [
    { kind: "baseline", name: "baseline" },
    { kind: "rule", name: "rule" },
  ];
  const learning = model.candidates.filter(({ kind }) => kind !== "baseline" && kind !== "rule");
  const full = [...always, ...learning].map(
    (candidate): CandidateVariant => ({ name: candidate.name, candidate, exclude: [], units: {} }),
  );
  const suspect = suspicion?.source ?? null;
  if (suspicion === null || suspect === null) return full;
  const suspected = model.features
    .filter(({ from }) => from.kind === "feature-view" && from.source.name === suspect)
    .map(({ id }) => id);
  const units = Object.fromEntries(Object.entries(suspicion.units).filter(([id]) => suspected.includes(id)));
  const varied = learning.filter(({ name }) => suspicion.champion === null || name === suspicion.champion);
  return [
    ...full,
    ...(suspected.length === 0
      ? []
      : varied.map((candidate) => ({ name: `${candidate.name} without ${suspect}`, candidate, exclude: suspected, units: {} }))),
    ...(Object.keys(units).length === 0
      ? []
      : varied.map((candidate) => ({ name: `${candidate.name} with ${suspect} converted`, candidate, exclude: [], units }))),
  ];
}

const reasonOf = (suspicion: Suspicion | null) =>
  suspicion === null ? "trained on request" : `drift${suspicion.source === null ? "" : ` of ${suspicion.source}`}`;
