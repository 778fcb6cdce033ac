import { openSqlitePushLog } from "../../adapters/push/sqlite.ts";
import { openSourceInputs } from "../../adapters/sources/open-inputs.ts";
import { type IngestEngines, ingest, inReferenceOrder, type Snapshot, snapshotPaths } from "../../core/data/index.ts";
import type { SourceDefinition } from "../../core/definitions/index.ts";
import { joinedRows, type SnapshotMap } from "../../core/features/index.ts";
import { checkRequirements, type RequirementVerdict } from "../../core/project/index.ts";
import { blockedRows } from "../erase/blocked-rows.ts";
import { takesPushes } from "../push/takes-pushes.ts";
import { type Stage, stage } from "./stage.ts";

export interface IngestInput {
  /** The snapshots that stand, so that unchanged files are not taken in again. */
  readonly params: { readonly previous: Readonly<Record<string, Snapshot>> };
}

export interface IngestOutput {
  readonly snapshots: Readonly<Record<string, Snapshot>>;
  /** The charter's requirements on the data, checked as of now. */
  readonly requirements: readonly RequirementVerdict[];
}

async function withEngines<T>(
  { project, paths, artifacts, environment, engine, metadata }: Stage,
  work: (engines: IngestEngines) => Promise<T>,
): Promise<T> {
  const pushed = takesPushes(project) ? openSqlitePushLog(paths.push, { readOnly: true }) : undefined;
  try {
    const blocked = await blockedRows(await metadata(), environment.scope, project);
    const inputs = { inputs: openSourceInputs(), blocked, ...(pushed === undefined ? {} : { pushed }) };
    return await work({ engine: await engine(), artifacts, tmpDirectory: paths.tmp, ...inputs });
  } finally {
    pushed?.close();
  }
}

export async function ingestAll(
  opened: Stage,
  previous: IngestInput["params"]["previous"],
  options: { countRows?: boolean } = {},
) {
  const { project, environment } = opened;
  const taken = new Map<string, { snapshot: Snapshot; source: SourceDefinition }>();
  await withEngines(opened, async (engines) => {
    for (const source of inReferenceOrder(project.sources)) {
      const before = previous[source.name];
      const snapshot = await ingest(engines, source, {
        projectDirectory: environment.projectDirectory,
        asOf: environment.now,
        createdAt: environment.now,
        references: taken,
        joined: (joined, origin) => joinedRows(engines, joined, origin, taken, environment.now),
        ...options,
        ...(before === undefined ? {} : { previous: before }),
      });
      taken.set(source.name, { snapshot, source });
    }
  });
  return taken;
}

/** A pushed source as its log was up to a place, whatever came since; for a look, since it is no successor of any snapshot. */
export function ingestUpTo(opened: Stage, name: string, place: number, snapshots: SnapshotMap): Promise<Snapshot> {
  return withEngines(opened, async ({ pushed, ...engines }) => {
    const found = snapshots.get(name);
    if (pushed === undefined || found === undefined) throw new RangeError(`Nothing is pushed to "${name}"`);
    const { snapshot, source } = found;
    const parts = snapshot.parts.filter(({ from }) => from?.kind === "pushed" && from.upTo <= place);
    const log = { end: () => place, lastPlace: () => place, rows: pushed.rows.bind(pushed) };
    return ingest({ ...engines, pushed: log }, source, {
      projectDirectory: opened.environment.projectDirectory,
      asOf: opened.environment.now,
      createdAt: opened.environment.now,
      references: snapshots,
      previous: { ...snapshot, parts },
      countRows: false,
    });
  });
}

export default stage<IngestInput, IngestOutput>(async (opened, { params }) => {
  const taken = await ingestAll(opened, params.previous);
  const located = new Map<string, { snapshot: Snapshot; source: SourceDefinition; paths: ReadonlyMap<string, string> }>();
  for (const [name, { snapshot, source }] of taken) {
    located.set(name, { snapshot, source, paths: await snapshotPaths(opened.artifacts, snapshot) });
  }
  const requirements = await checkRequirements(await opened.engine(), opened.project.charter, located, opened.environment.now);
  return { snapshots: Object.fromEntries([...taken].map(([name, { snapshot }]) => [name, snapshot])), requirements };
});
