import { ingest, inReferenceOrder, type References, type Snapshot, splitReference } from "../data/index.ts";
import type { SourceDefinition } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { Micros } from "../time.ts";
import type { ProjectFinding } from "./finding.ts";

/** Rows of a database, a function or a file from elsewhere that are looked at: enough to see that they can be read. */
const FIRST_ROWS = 1000;

/**
 * Takes every source in, in a throw-away store, and tells what would stop it: files on this machine whole, of what is elsewhere the
 * first rows. What is pushed has nothing to look at, and what is defined wrongly says nothing about its files.
 * @param found what is wrong with the definitions
 */
export async function checkSources(
  sources: readonly SourceDefinition[],
  engines: Parameters<typeof ingest>[0],
  { projectDirectory, now, found = [] }: { projectDirectory: string; now: Micros; found?: readonly ProjectFinding[] },
): Promise<ProjectFinding[]> {
  const findings: ProjectFinding[] = [];
  const references = new Map<string, { snapshot: Snapshot; source: SourceDefinition }>() satisfies References;
  // What is made of others has nothing of its own to check.
  const wrong = new Set(found.map(({ where }) => where));
  const own = sources.filter(
    ({ name, origin }) => origin.kind !== "joined" && origin.kind !== "push" && !wrong.has(`source ${name}`),
  );
  const others = sources.filter((source) => !own.includes(source)).map(({ name }) => `source ${name}`);
  const partly = new Set(own.filter((source) => !isHere(source)).map(({ name }) => name));
  for (const source of inReferenceOrder(own)) {
    try {
      const look = { projectDirectory, asOf: now, createdAt: now, references, firstRows: FIRST_ROWS };
      const snapshot = await ingest(engines, withoutReferencesTo(partly, source), look);
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

const isHere = ({ origin }: SourceDefinition) => origin.kind === "files" && !/^(s3|https?):\/\//.test(origin.path);

/** A source whose values are known in part only says nothing about what others refer to in it. */
function withoutReferencesTo(partly: ReadonlySet<string>, source: SourceDefinition): SourceDefinition {
  const contracts = Object.entries(source.contracts).map(([column, { reference, ...contract }]) => [
    column,
    reference === undefined || partly.has(splitReference(reference)[0]) ? contract : { ...contract, reference },
  ]);
  return { ...source, contracts: Object.fromEntries(contracts) };
}

const refersTo = (source: SourceDefinition, failed: ReadonlySet<string>) =>
  Object.values(source.contracts).some(
    ({ reference }) => reference !== undefined && failed.has(`source ${splitReference(reference)[0]}`),
  );
