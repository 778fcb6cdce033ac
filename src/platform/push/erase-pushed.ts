import { deletionOf, loggedText, loggedWhere } from "../../core/data/index.ts";
import type { SourceDefinition } from "../../core/definitions/index.ts";
import type { PushLog, TableEngine } from "../../core/ports/index.ts";

const READ_AT_ONCE = 10_000;

/** Takes the rows that are true to a condition out of the log, and what deletes them. @returns how many */
export async function erasePushed(
  { log, engine }: { readonly log: PushLog; readonly engine: TableEngine },
  source: SourceDefinition,
  condition: string,
  dryRun: boolean,
): Promise<number> {
  const own = await placesOf(log, engine, source, condition);
  const deletion = deletionOf(
    source,
    [...own.values()].filter((key) => key !== null),
  );
  const deletions = deletion === null ? new Map<number, string | null>() : await placesOf(log, engine, source, deletion);
  const places = [...new Set([...own.keys(), ...deletions.keys()])];
  // Where there are none, the files may still hold what an erasure that was cut off took out.
  if (!dryRun) log.erase(source.name, places);
  return places.length;
}

/** Places in the log with the rows' keys. */
async function placesOf(
  log: PushLog,
  engine: TableEngine,
  source: SourceDefinition,
  condition: string,
): Promise<Map<number, string | null>> {
  const query = loggedWhere(source, condition);
  const places = new Map<number, string | null>();
  const upTo = log.end(source.name);
  for (let after = 0; after < upTo; ) {
    const rows = log.rows(source.name, { after, upTo }, READ_AT_ONCE);
    for (const { seq, key } of await engine.rows(query, [loggedText(rows)]))
      places.set(Number(seq), key === null ? null : String(key));
    after = rows.at(-1)?.seq ?? upTo;
  }
  return places;
}
