import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FilesystemArtifactStore } from "../adapters/artifacts/filesystem.ts";
import { readingThrough } from "../adapters/artifacts/reading-through.ts";
import { openSourceInputs } from "../adapters/sources/open-inputs.ts";
import { openDuckDb } from "../adapters/tables/duckdb.ts";
import type { Snapshot } from "../contract/index.ts";
import { ingest, inReferenceOrder, nearestName, type OtherColumns, type Snapshot as Taken } from "../core/data/index.ts";
import type { SourceDefinition } from "../core/definitions/index.ts";
import { OrreryError } from "../core/errors.ts";
import { joinedRows } from "../core/features/index.ts";
import { type ArtifactStore, systemClock } from "../core/ports/index.ts";
import type { Scope } from "../core/scope.ts";
import { createTracking, type Tracking } from "../core/tracking/index.ts";
import { platformErrors } from "../platform/errors.ts";
import { loadProject } from "../platform/load-project.ts";
import { statePaths } from "../platform/state-folder.ts";
import { openStores, storeSettings } from "../platform/stores.ts";

export interface Validation {
  readonly source: string;
  /** Nothing was set apart, and nothing is otherwise than expected. */
  readonly isSound: boolean;
  /** Why the source could not be taken in; null where it was. */
  readonly error: { readonly message: string; readonly code: string; readonly hint: string } | null;
  readonly report: Pick<Snapshot, "rows" | "quarantined" | "violations" | "expectations" | "schema">;
}

const EMPTY: Validation["report"] = { rows: 0, quarantined: 0, violations: [], expectations: [] };

/**
 * What the project's sources (or one of them, with those that it is made of) deliver now, judged by their contracts as the next
 * ingestion would: beside the last snapshot, where the state has one. Nothing is kept, and the state is only read. What is pushed has nothing
 * to look at.
 * @throws PROJECT_SOURCE_UNKNOWN, and what opening the state throws
 */
export async function validateSources(
  directory: string,
  name: string | undefined,
  stateDirectory: string,
): Promise<Validation[]> {
  const project = await loadProject(directory);
  const names = project.sources.map((source) => source.name);
  if (name !== undefined && !names.includes(name)) {
    const nearest = nearestName(name, names);
    throw platformErrors.PROJECT_SOURCE_UNKNOWN(
      `There is no source "${name}"${nearest === null ? "" : `; did you mean "${nearest}"?`}`,
    );
  }
  const state = await openState(stateDirectory, { workspace: "default", project: project.name });
  const scratch = await mkdtemp(join(tmpdir(), "orrery-validate-"));
  const engine = await openDuckDb({ tempDirectory: join(scratch, "duckdb") });
  const own = new FilesystemArtifactStore(scratch);
  const artifacts = state === null ? own : readingThrough(own, state.artifacts);
  const engines = { engine, artifacts, tmpDirectory: scratch, inputs: openSourceInputs() };
  const now = systemClock.now();
  const taken = new Map<string, { snapshot: Taken; source: SourceDefinition }>();
  const results: Validation[] = [];
  try {
    for (const source of inReferenceOrder(project.sources)) {
      if (source.origin.kind === "push") continue;
      try {
        const previous = (await state?.tracking.latestSnapshot(source.name)) ?? undefined;
        const snapshot = await ingest(engines, source, {
          ...(previous === undefined ? {} : { previous }),
          projectDirectory: directory,
          asOf: now,
          createdAt: now,
          references: taken,
          joined: (joined, origin) => joinedRows(engines, joined, origin, taken, now),
        });
        taken.set(source.name, { snapshot, source });
        results.push(soundness(source.name, snapshot));
      } catch (error) {
        if (!(error instanceof OrreryError)) throw error;
        const { message, code, hint } = error;
        results.push({ source: source.name, isSound: false, error: { message, code, hint }, report: EMPTY });
      }
      if (source.name === name) break;
    }
  } finally {
    engine.close();
    await state?.close();
    await rm(scratch, { recursive: true, force: true });
  }
  return name === undefined ? results : results.filter(({ source }) => source === name);
}

interface OpenState {
  readonly tracking: Pick<Tracking, "latestSnapshot">;
  readonly artifacts: ArtifactStore;
  close(): Promise<void>;
}

/** null where nothing has been taken in yet. */
async function openState(directory: string, scope: Scope): Promise<OpenState | null> {
  const [settings, paths] = [storeSettings(), statePaths(directory, scope)];
  if (settings.database === null && !existsSync(paths.metadata)) return null;
  const { store, artifacts, close } = await openStores(settings, paths, systemClock, { readOnly: true });
  return { tracking: createTracking({ store, artifacts, clock: systemClock, scope }), artifacts, close };
}

function soundness(source: string, { report }: Taken): Validation {
  const expectations = [...(report.expectations ?? [])];
  const violations = report.violations.map((each) => ({ ...each, samples: [...each.samples] }));
  const isSound = report.quarantined === 0 && expectations.every(({ kept }) => kept !== false);
  return {
    source,
    isSound,
    error: null,
    report: {
      rows: report.rows,
      quarantined: report.quarantined,
      violations,
      expectations,
      ...(report.schema === undefined ? {} : { schema: copyOf(report.schema) }),
    },
  };
}

const copyOf = ({ undeclared, retyped }: OtherColumns) => ({ undeclared: [...undeclared], retyped: [...retyped] });
