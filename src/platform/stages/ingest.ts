import { openSqlitePushLog } from "../../adapters/push/sqlite.ts";
import { openSourceInputs } from "../../adapters/sources/open-inputs.ts";
import { ingest, inReferenceOrder, type Snapshot, snapshotPaths } from "../../core/data/index.ts";
import type { SourceDefinition } from "../../core/definitions/index.ts";
import { joinedRows } from "../../core/features/index.ts";
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

export async function ingestAll(
  { project, paths, artifacts, environment, engine, metadata }: Stage,
  previous: IngestInput["params"]["previous"],
  options: { countRows?: boolean } = {},
) {
  const taken = new Map<string, { snapshot: Snapshot; source: SourceDefinition }>();
  const pushed = takesPushes(project) ? openSqlitePushLog(paths.push, { readOnly: true }) : undefined;
  const blocked = await blockedRows(await metadata(), environment.scope, project);
  const inputs = { inputs: openSourceInputs(), blocked, ...(pushed === undefined ? {} : { pushed }) };
  const engines = { engine: await engine(), artifacts, tmpDirectory: paths.tmp, ...inputs };
  try {
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
  } finally {
    pushed?.close();
  }
  return taken;
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
