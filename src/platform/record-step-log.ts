import type { LogEntry } from "../client/tracking/index.ts";
import type { Actor } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import type { Tracking } from "../core/tracking/index.ts";
import type { StepLog } from "./stages/step-run.ts";

interface Target {
  readonly tracking: Tracking;
  readonly experiment: string;
  readonly actor: Actor;
  readonly traceId: string;
  /** Added to every time: in a replay a step ran just before the replay's now. */
  readonly shift: Micros;
}

/** Tag of a run: params that its code logged though the platform had logged them with other values. */
export const REFUSED_PARAMS = "orrery.refused_params";
const AT_ONCE = 1_000;
const TEXTS_AT_ONCE = 100;

/** Everything that a step's code logged, and the runs below it. Again, it changes nothing: each has an id of its own place. */
export async function recordStepLog(to: Target, runId: string, log: StepLog): Promise<void> {
  const { tracking, shift } = to;
  const texts = (kind: Text["kind"]) => log.entries.filter((entry): entry is Text => entry.kind === kind);
  const metrics = log.entries.filter((entry) => entry.kind === "metric");
  for (const batch of inBatches(metrics, AT_ONCE))
    await tracking.logMetrics(
      runId,
      batch.map(({ kind: _, value, at, ...metric }) => ({ ...metric, value: Number(value), at: at + shift })),
    );
  await recordParams(tracking, runId, texts("param"));
  for (const batch of inBatches(texts("tag"), TEXTS_AT_ONCE)) await tracking.setTags(runId, pairs(batch));
  const datasets = log.entries.filter((entry) => entry.kind === "dataset");
  if (datasets.length > 0) await tracking.logInputs(runId, { datasets });
  // Of two files under one path the last counts.
  const files = new Map(log.files.map(({ path, ref }) => [path, ref]));
  for (const [path, ref] of files) await tracking.logArtifact(runId, path, ref);
  for (const [place, nested] of log.nested.entries()) {
    const id = `${runId}-nested-${place}`;
    await tracking.runs.create({
      id,
      experiment: to.experiment,
      parentRunId: runId,
      actor: to.actor,
      traceId: to.traceId,
      startedAt: nested.startedAt + shift,
      tags: nested.tags,
      ...(nested.name !== null && { name: nested.name }),
    });
    await recordStepLog(to, id, nested);
    await tracking.runs.finish(id, nested.status, nested.endedAt + shift);
  }
}

type Text = Extract<LogEntry, { kind: "param" | "tag" }>;

/** A training must not fail at its end because its code logged a name that the platform uses too: the first value stays, and a tag tells. */
async function recordParams(tracking: Tracking, runId: string, params: readonly Text[]): Promise<void> {
  if (params.length === 0) return;
  const known = new Map(Object.entries((await tracking.runs.record(runId)).params));
  const refused = new Set<string>();
  const fresh: Text[] = [];
  for (const param of params) {
    const before = known.get(param.key);
    if (before === undefined) fresh.push(param);
    else if (before !== param.value) refused.add(param.key);
    known.set(param.key, before ?? param.value);
  }
  for (const batch of inBatches(fresh, TEXTS_AT_ONCE)) await tracking.logParams(runId, pairs(batch));
  if (refused.size > 0) await tracking.setTags(runId, { [REFUSED_PARAMS]: [...refused].join(" ") });
}

const pairs = (texts: readonly Text[]) => Object.fromEntries(texts.map(({ key, value }) => [key, value]));

function inBatches<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
