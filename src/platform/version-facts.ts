import { OrreryError } from "../core/errors.ts";
import type { FeaturePlan } from "../core/features/index.ts";
import type { ArtifactStore } from "../core/ports/index.ts";
import type { ModelVersion, Registry, VersionFacts } from "../core/registry/index.ts";
import type { RunRecord, Tracking } from "../core/tracking/index.ts";
import { type ModelPackage, unpackModel } from "../core/training/index.ts";

interface Rooms {
  readonly registry: Registry;
  readonly tracking: Tracking;
  readonly artifacts: ArtifactStore;
}

const HASH_SHOWN = 12;

/**
 * Everything about a version that a comparison of two can show; what a version of another tool does not have is empty.
 * @throws REGISTRY_VERSION_UNKNOWN
 */
export async function versionFacts(rooms: Rooms, model: string, number: number): Promise<VersionFacts> {
  const { registry, artifacts } = rooms;
  const version = await registry.version(model, number);
  const run = version.runId === null ? null : await unlessMissing(rooms.tracking.runs.record(version.runId));
  const [{ data }, [gate = null]] = await Promise.all([registry.lineage(model, number), registry.gates(model, number)]);
  const packed = version.artifact === null ? null : unpackModel(await artifacts.read(version.artifact));
  return {
    version: number,
    tags: version.tags,
    params: run?.params ?? {},
    metrics: Object.fromEntries(Object.entries(run?.metrics ?? {}).map(([key, { value }]) => [key, value])),
    data: Object.fromEntries(data.map(({ source, id }) => [source === "" ? id : source, id])),
    trainingSet: run === null ? null : await trainingSet(rooms, run),
    features: packed === null ? null : featureTexts(packed.plan),
    algorithm: await algorithm(rooms, version, packed),
    commit: run?.gitCommit ?? null,
    uncommitted: run?.gitDiff == null ? null : Buffer.from(await artifacts.read(run.gitDiff)).toString("utf8"),
    trainedAt: packed?.trainedAt ?? run?.startedAt ?? null,
    gate,
  };
}

/** A version may outlive its run, and a client may name a run of elsewhere. */
async function unlessMissing<Found>(found: Promise<Found>): Promise<Found | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof OrreryError && error.kind === "not-found") return null;
    throw error;
  }
}

/** A pipeline keeps the training set with the run that is above its candidates'. */
async function trainingSet({ tracking }: Rooms, run: RunRecord): Promise<string | null> {
  for (const id of [run.id, run.parentRunId]) {
    if (id === null) continue;
    const files = (await unlessMissing(tracking.artifacts(id))) ?? [];
    const found = files.find(({ path }) => path === "training-set.parquet");
    if (found !== undefined) return found.sha256;
  }
  return null;
}

async function algorithm(
  { tracking }: Rooms,
  { modelId }: ModelVersion,
  packed: ModelPackage | null,
): Promise<Record<string, string>> {
  const logged = modelId === null ? null : await unlessMissing(tracking.loggedModels.get(modelId));
  const modelType = logged?.modelType ?? null;
  return {
    ...(packed !== null && { candidate: packed.candidate.kind, estimator: packed.estimator.kind }),
    ...(modelType !== null && { "model type": modelType }),
  };
}

/** Type and definition, as far as the plan knows it: two features with one text are the same feature. */
function featureTexts(plan: FeaturePlan): Record<string, string> {
  return Object.fromEntries(
    plan.features.map(({ id, type, origin }) => {
      const definition =
        origin.kind === "view"
          ? plan.views.find(({ name }) => name === origin.view)?.definitions?.[origin.feature]
          : plan.onDemand.find(({ name }) => name === origin.name)?.sha256;
      return [id, definition === undefined ? type : `${type}, defined as ${definition.slice(0, HASH_SHOWN)}`];
    }),
  );
}
