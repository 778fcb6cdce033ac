import { checkContract, nearestName, splitReference, watermarkType } from "../data/index.ts";
import type { ProjectDefinition, SourceDefinition } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { TableEngine } from "../ports/index.ts";
import type { Findings } from "./finding.ts";

/** A source's own columns, contracts, times and references. */
export async function checkSource(
  engine: TableEngine,
  project: ProjectDefinition,
  source: SourceDefinition,
  findings: Findings,
): Promise<void> {
  const where = `source ${source.name}`;
  const { groups, default: available } = source.availability;
  for (const column of [...source.key, ...Object.values(groups).flatMap(({ columns }) => columns)])
    if (!(column in source.contracts)) findings.add(where, "PROJECT_COLUMN_UNKNOWN", unknownColumn(source, column));
  for (const column of [source.eventTime, available, ...Object.values(groups).map(({ at }) => at)]) {
    const type = column === undefined ? undefined : source.contracts[column]?.type;
    if (type !== undefined && type !== "timestamp")
      findings.add(where, "PROJECT_COLUMN_TYPE", `${column} says when, but is declared as ${type}`, "Declare it as timestamp().");
  }
  if (source.deleted !== undefined) checkDeletions(source, source.deleted, findings);
  if (source.origin.kind === "postgres" && source.origin.query.trim() === "")
    findings.add(where, "PROJECT_VALUE_INVALID", "The query is empty", "Write one SELECT.");
  try {
    if (source.watermark !== undefined && watermarkType(source) !== "timestamp" && source.watermark.overlap > 0)
      findings.add(where, "PROJECT_VALUE_INVALID", `Only a timestamp can overlap, and ${source.watermark.column} is none`);
    await checkContract(engine, source);
  } catch (error) {
    if (!(error instanceof OrreryError)) throw error;
    findings.add(where, "PROJECT_CONTRACT_INVALID", error.message, error.hint);
  }
  for (const [column, { reference }] of Object.entries(source.contracts)) {
    if (reference === undefined) continue;
    const [name, otherColumn] = splitReference(reference);
    const other = project.sources.find((each) => each.name === name);
    if (other === undefined || !(otherColumn in other.contracts))
      findings.add(where, "PROJECT_REFERENCE_UNKNOWN", `${column} refers to ${reference}, which is not in the project`);
    else if (leadsBackTo(project, other, source.name, new Set()))
      findings.add(where, "PROJECT_REFERENCE_CYCLE", `${column} refers to ${name}, which refers back to ${source.name}`);
  }
}

function checkDeletions(source: SourceDefinition, deleted: string, findings: Findings): void {
  const where = `source ${source.name}`;
  const type = source.contracts[deleted]?.type;
  if (type === undefined) findings.add(where, "PROJECT_COLUMN_UNKNOWN", unknownColumn(source, deleted));
  else if (type !== "bool")
    findings.add(
      where,
      "PROJECT_COLUMN_TYPE",
      `${deleted} says what is deleted, but is declared as ${type}`,
      "Declare it as bool().",
    );
  if (source.key.length === 0)
    findings.add(
      where,
      "PROJECT_VALUE_INVALID",
      `${deleted} marks deletions, but without a key no row is deleted`,
      "Give the source a key.",
    );
}

export function unknownColumn(source: SourceDefinition, column: string): string {
  const nearest = nearestName(column, Object.keys(source.contracts));
  return `${source.name} does not declare ${column}${nearest === null ? "" : `; did you mean "${nearest}"?`}`;
}

function leadsBackTo(project: ProjectDefinition, from: SourceDefinition, target: string, seen: Set<string>): boolean {
  if (from.name === target) return true;
  if (seen.has(from.name)) return false;
  seen.add(from.name);
  return Object.values(from.contracts).some(({ reference }) => {
    const next = reference === undefined ? undefined : project.sources.find(({ name }) => name === splitReference(reference)[0]);
    return next !== undefined && leadsBackTo(project, next, target, seen);
  });
}
