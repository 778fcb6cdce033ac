import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FilesystemArtifactStore } from "../adapters/artifacts/filesystem.ts";
import { openSourceInputs } from "../adapters/sources/open-inputs.ts";
import { openDuckDb } from "../adapters/tables/duckdb.ts";
import type { Snapshot } from "../contract/index.ts";
import { ingest, inReferenceOrder, nearestName, type OtherColumns, type Snapshot as Taken } from "../core/data/index.ts";
import type { SourceDefinition } from "../core/definitions/index.ts";
import { OrreryError } from "../core/errors.ts";
import { joinedRows } from "../core/features/index.ts";
import { systemClock } from "../core/ports/index.ts";
import { platformErrors } from "../platform/errors.ts";
import { loadProject } from "../platform/load-project.ts";

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
 * What the project's sources (or one of them, with those that it is made of) deliver now, judged by their contracts; nothing is kept.
 * What is pushed has nothing to look at. @throws PROJECT_SOURCE_UNKNOWN
 */
export async function validateSources(directory: string, name: string | undefined): Promise<Validation[]> {
  const project = await loadProject(directory);
  const names = project.sources.map((source) => source.name);
  if (name !== undefined && !names.includes(name)) {
    const nearest = nearestName(name, names);
    throw platformErrors.PROJECT_SOURCE_UNKNOWN(
      `There is no source "${name}"${nearest === null ? "" : `; did you mean "${nearest}"?`}`,
    );
  }
  const scratch = await mkdtemp(join(tmpdir(), "orrery-validate-"));
  const engine = await openDuckDb({ tempDirectory: join(scratch, "duckdb") });
  const engines = { engine, artifacts: new FilesystemArtifactStore(scratch), tmpDirectory: scratch, inputs: openSourceInputs() };
  const now = systemClock.now();
  const taken = new Map<string, { snapshot: Taken; source: SourceDefinition }>();
  const results: Validation[] = [];
  try {
    for (const source of inReferenceOrder(project.sources)) {
      if (source.origin.kind === "push") continue;
      try {
        const snapshot = await ingest(engines, source, {
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
    await rm(scratch, { recursive: true, force: true });
  }
  return name === undefined ? results : results.filter(({ source }) => source === name);
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
