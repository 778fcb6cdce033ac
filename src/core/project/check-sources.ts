import { ingest, inReferenceOrder, type References, type Snapshot, splitReference } from "../data/index.ts";
import type { SourceDefinition } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { Micros } from "../time.ts";
import type { ProjectFinding } from "./finding.ts";

/** Takes every source in, in a throw-away store, and tells what would stop it. */
export async function checkSources(
  sources: readonly SourceDefinition[],
  engines: Parameters<typeof ingest>[0],
  { projectDirectory, now }: { projectDirectory: string; now: Micros },
): Promise<ProjectFinding[]> {
  const findings: ProjectFinding[] = [];
  const references = new Map<string, { snapshot: Snapshot; source: SourceDefinition }>() satisfies References;
  // What is made of others has nothing of its own to check.
  const own = sources.filter(({ origin }) => origin.kind !== "joined");
  const others = sources.filter((source) => !own.includes(source)).map(({ name }) => `source ${name}`);
  for (const source of inReferenceOrder(own)) {
    try {
      const snapshot = await ingest(engines, source, { projectDirectory, asOf: now, createdAt: now, references });
      references.set(source.name, { snapshot, source });
    } catch (error) {
      if (!(error instanceof OrreryError)) throw error;
      // A source that refers to one which already failed says nothing new.
      const missing =
        error.code === "DATA_REFERENCE_UNKNOWN" && refersTo(source, new Set([...others, ...findings.map(({ where }) => where)]));
      if (missing) continue;
      const message = `${error.message} [${error.code}]`;
      findings.push({ where: `source ${source.name}`, code: "PROJECT_DATA", message, hint: error.hint });
    }
  }
  return findings;
}

const refersTo = (source: SourceDefinition, failed: ReadonlySet<string>) =>
  Object.values(source.contracts).some(
    ({ reference }) => reference !== undefined && failed.has(`source ${splitReference(reference)[0]}`),
  );
