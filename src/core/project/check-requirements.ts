import { quoteIdentifier, type Snapshot, snapshotRelation } from "../data/index.ts";
import type { CharterDefinition, DataRequirement, SourceDefinition } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { durationToMicros, formatTimestamp, type Micros } from "../time.ts";
import { projectErrors } from "./errors.ts";

export interface RequirementVerdict {
  readonly text: string;
  readonly passed: boolean;
  readonly observed: number | string | null;
}

export interface LocatedSnapshot {
  readonly snapshot: Snapshot;
  readonly source: SourceDefinition;
  readonly paths: ReadonlyMap<string, string>;
}

/**
 * The charter's demands on the data, checked on what is visible in the snapshots.
 * @throws PROJECT_REQUIREMENT_UNKNOWN for a source or column that is not there
 */
export async function checkRequirements(
  engine: TableEngine,
  charter: CharterDefinition,
  snapshots: ReadonlyMap<string, LocatedSnapshot>,
  now: Micros,
): Promise<RequirementVerdict[]> {
  const verdicts: RequirementVerdict[] = [];
  for (const requirement of charter.data) {
    const located = snapshots.get(requirement.source);
    if (located === undefined)
      throw projectErrors.PROJECT_REQUIREMENT_UNKNOWN(
        `The charter demands something of ${requirement.source}, which was not taken in`,
      );
    verdicts.push(await judge(engine, requirement, located, now));
  }
  return verdicts;
}

async function judge(
  engine: TableEngine,
  requirement: DataRequirement,
  located: LocatedSnapshot,
  now: Micros,
): Promise<RequirementVerdict> {
  switch (requirement.kind) {
    case "rows": {
      const { rows } = located.snapshot;
      return {
        text: `${requirement.source} has at least ${requirement.min} rows`,
        passed: rows >= requirement.min,
        observed: rows,
      };
    }
    case "fresh":
      return freshness(engine, requirement, located, now);
    case "coverage":
      return coverage(engine, requirement, located, now);
  }
}

async function freshness(
  engine: TableEngine,
  requirement: DataRequirement & { kind: "fresh" },
  { snapshot, source, paths }: LocatedSnapshot,
  now: Micros,
): Promise<RequirementVerdict> {
  const text = `${source.name} has events of the last ${requirement.within}`;
  const { eventTime } = source;
  if (eventTime === undefined)
    throw projectErrors.PROJECT_REQUIREMENT_UNKNOWN(`${source.name} has no event time, so it cannot be fresh`);
  // Schedules may reach into the future: only what has happened tells how fresh a source is.
  const relation = snapshotRelation(snapshot, source, paths, { asOf: now, columns: [eventTime] });
  const [row] = await engine.rows(
    `SELECT max(e) AS newest FROM (SELECT ${quoteIdentifier(eventTime)} AS e FROM ${relation}) WHERE e <= make_timestamp(${now}::BIGINT)`,
  );
  const newest = typeof row?.newest === "number" ? row.newest : null;
  return {
    text,
    passed: newest !== null && now - newest <= durationToMicros(requirement.within),
    observed: newest === null ? null : formatTimestamp(newest),
  };
}

async function coverage(
  engine: TableEngine,
  requirement: DataRequirement & { kind: "coverage" },
  { snapshot, source, paths }: LocatedSnapshot,
  now: Micros,
): Promise<RequirementVerdict> {
  for (const column of [requirement.key, requirement.hour]) {
    if (!(column in source.contracts)) throw projectErrors.PROJECT_REQUIREMENT_UNKNOWN(`${source.name} has no column ${column}`);
  }
  const relation = snapshotRelation(snapshot, source, paths, {
    asOf: now,
    columns: [...new Set([requirement.key, requirement.hour])],
  });
  const hour = `date_trunc('hour', ${quoteIdentifier(requirement.hour)})`;
  const [row] = await engine.rows(
    `SELECT count(DISTINCT (k, h)) AS present, count(DISTINCT k) * (1 + date_diff('hour', min(h), max(h))) AS expected
     FROM (SELECT ${quoteIdentifier(requirement.key)} AS k, ${hour} AS h FROM ${relation}) WHERE k IS NOT NULL AND h IS NOT NULL`,
  );
  const share = Number(row?.present) / Number(row?.expected);
  const text = `${source.name} covers at least ${requirement.atLeast} of the hours of each ${requirement.key}`;
  return { text, passed: share >= requirement.atLeast, observed: Number.isNaN(share) ? null : share };
}
