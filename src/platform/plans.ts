import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Snapshot } from "../core/data/index.ts";
import {
  baseline,
  type CandidateDefinition,
  type ModelDefinition,
  type PipelineDefinition,
  type ProjectDefinition,
  pythonFiles,
  type TargetType,
} from "../core/definitions/index.ts";
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
  /** Name of the champion's candidate: only that one is trained again. */
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
  if (wants("consistency")) {
    compute("consistency", "consistency", ["ingest", "materialize"], {});
    effect("record-consistency", ["consistency"], {});
  }
  if (wants("monitor")) {
    for (const { name, model } of project.endpoints) {
      if (model.name !== pipeline.model.name) continue;
      compute(`monitor:${name}`, "monitor", ["ingest"], { endpoint: name });
      effect(`record-monitoring:${name}`, [`monitor:${name}`], { endpoint: name });
    }
  }
  if (wants("train")) addTraining(pipeline.model, project.charter.target.type, context, compute);
  if (wants("register"))
    effect("register", ["ingest", "training-set", "evaluate", "explain", "review"], { model: pipeline.model.name });
  if (wants("gate")) {
    const scope = { model: pipeline.model.name, since: context.suspicion?.since ?? null };
    compute("gate-evidence", "gate-evidence", ["training-set", "evaluate", "explain", "review", "register"], scope);
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
  target: TargetType,
  { suspicion, config }: PlanContext,
  compute: (name: string, stage: string, needs: readonly string[], params: object, more?: Partial<PlanStep>) => void,
) {
  const scope = { model: model.name, since: suspicion?.since ?? null };
  const variants = candidateVariants(model, target, suspicion);
  compute("training-set", "training-set", ["ingest"], { model: model.name }, { cache: true });
  for (const variant of variants) {
    const files = [config, ...filesOf(variant.candidate, dirname(fileURLToPath(config)))];
    compute(`train:${variant.name}`, "train", ["training-set"], { ...scope, variant }, { cache: true, files });
  }
  compute(
    "evaluate",
    "evaluate",
    variants.map(({ name }) => `train:${name}`),
    scope,
  );
  compute("explain", "explain", ["training-set", "evaluate"], scope, { cache: true });
  compute("review", "review", ["training-set", "evaluate"], scope, { cache: true });
}

/** File URLs of what a candidate is made of besides the project file, where they are there: a change of them trains again. */
function filesOf(candidate: CandidateDefinition, directory: string): string[] {
  const files = candidate.kind === "python" ? pythonFiles(candidate) : candidate.kind === "model-file" ? [candidate.path] : [];
  const paths = files.map((file) => resolve(directory, file));
  return paths.filter((path) => existsSync(path)).map((path) => pathToFileURL(path).href);
}

/**
 * Every candidate on all features, with a baseline among them and, where the target is binary, the charter's rule. Under suspicion only
 * the champion's candidate learns again, as it is, without the suspect source and, where monitoring recognised a change of units, with the
 * source's units converted: a choice among few is made on the few days of labels since the onset.
 */
export function candidateVariants(model: ModelDefinition, target: TargetType, suspicion: Suspicion | null): CandidateVariant[] {
  const plain = (candidate: CandidateDefinition): CandidateVariant => ({
    name: candidate.name,
    candidate,
    exclude: [],
    units: {},
  });
  const always: readonly CandidateDefinition[] = [
    target === "regression" ? baseline("mean", { name: "baseline" }) : baseline(),
    ...(target === "binary" ? [{ kind: "rule", name: "rule" } as const] : []),
  ];
  const learning = model.candidates.filter(({ kind }) => kind !== "baseline" && kind !== "rule");
  if (suspicion === null) return [...always, ...otherBaselines(model, always), ...learning].map(plain);
  const { source, units, champion } = suspicion;
  const suspected = model.features
    .filter(({ from }) => from.kind === "feature-view" && from.source.name === source)
    .map(({ id }) => id);
  const recognised = Object.fromEntries(Object.entries(units).filter(([id]) => suspected.includes(id)));
  const varied = learning.filter(({ name }) => champion === null || name === champion);
  return [
    ...always.map(plain),
    ...varied.flatMap((candidate): CandidateVariant[] => [
      plain(candidate),
      ...(suspected.length === 0
        ? []
        : [{ name: `${candidate.name} without ${source}`, candidate, exclude: suspected, units: {} }]),
      ...(Object.keys(recognised).length === 0
        ? []
        : [{ name: `${candidate.name} with ${source} converted`, candidate, exclude: [], units: recognised }]),
    ]),
  ];
}

/** Those that the model names beyond the one that is always there. */
const otherBaselines = ({ candidates }: ModelDefinition, always: readonly CandidateDefinition[]) =>
  candidates.filter(
    (candidate) =>
      candidate.kind === "baseline" &&
      !always.some(
        (each) =>
          each.name === candidate.name || (each.kind === "baseline" && each.params.strategy === candidate.params.strategy),
      ),
  );

const reasonOf = (suspicion: Suspicion | null) =>
  suspicion === null ? "trained on request" : `drift${suspicion.source === null ? "" : ` of ${suspicion.source}`}`;
