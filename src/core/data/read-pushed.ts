import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SourceDefinition } from "../definitions/index.ts";
import type { PushLog } from "../ports/index.ts";
import { sha256 } from "./contract-hash.ts";
import type { Rule } from "./contract-rules.ts";
import type { Delivery } from "./delivery.ts";
import { dataErrors } from "./errors.ts";
import { type IngestEngines, ingestPart } from "./ingest-part.ts";
import type { SnapshotPart } from "./snapshot.ts";
import { spool, type TextRow } from "./spool.ts";

/** A smaller part is taken in again with the rows that came after it, so that many small increments leave few parts. */
const FINISHED_AT = 100_000;
const READ_AT_ONCE = 10_000;

export interface PushedParts {
  /** Hash under which parts stay as they are. */
  readonly contract: string;
  readonly rules: readonly Rule[];
  readonly previous: readonly SnapshotPart[];
  readonly isStored: (sha256: string) => Promise<boolean>;
}

/**
 * The log of a source's pushed rows as parts: those of the previous snapshot, and one or more of what came since; at least one.
 * @throws DATA_LOG_LOST
 */
export async function pushedParts(
  engines: IngestEngines,
  log: PushLogReader,
  source: SourceDefinition,
  { contract, rules, previous, isStored }: PushedParts,
): Promise<SnapshotPart[]> {
  const known = upToOf(previous);
  if (known > log.lastPlace())
    throw dataErrors.DATA_LOG_LOST(
      `The last snapshot of ${source.name} knows rows up to place ${known} of a log that has only ever had ${log.lastPlace()}`,
    );
  const end = log.end(source.name);
  const stands = await standing(previous, contract, isStored);
  if (stands.length > 0 && upToOf(stands) === end) return stands;
  const parts = stands.slice(0, stands.findLastIndex(({ rows, quarantined }) => rows + quarantined >= FINISHED_AT) + 1);
  let upTo = upToOf(parts);
  async function* rows(): AsyncGenerator<TextRow> {
    for (;;) {
      const some = log.rows(source.name, { after: upTo, upTo: end }, READ_AT_ONCE);
      for (const { seq, row } of some) {
        upTo = seq;
        // It was written from such an object.
        yield JSON.parse(row) as TextRow;
      }
      if (some.length < READ_AT_ONCE) return;
    }
  }
  const take = async (delivery: Delivery) => {
    const from = { kind: "pushed", contract, upTo } as const;
    const inputHash = sha256(contract + delivery.hash);
    parts.push(await delivery.use((path) => ingestPart(engines, source, { ...delivery, from, path, inputHash }, rules)));
  };
  for await (const delivery of spool(source.name, rows(), engines.tmpDirectory)) await take(delivery);
  if (parts.length === 0) await take(nothing(engines.tmpDirectory));
  return parts;
}

/** What ingestion needs of the log. */
export type PushLogReader = Pick<PushLog, "end" | "lastPlace" | "rows">;

/** The parts that still say what the log says, from its beginning on. */
async function standing(
  parts: readonly SnapshotPart[],
  contract: string,
  isStored: (sha256: string) => Promise<boolean>,
): Promise<SnapshotPart[]> {
  const same = parts.filter(({ from }) => from?.kind === "pushed" && from.contract === contract);
  const there = await Promise.all(same.map(({ sha256 }) => isStored(sha256)));
  return same.length === parts.length && there.every(Boolean) ? same : [];
}

function upToOf(parts: readonly SnapshotPart[]): number {
  const from = parts.at(-1)?.from;
  return from?.kind === "pushed" ? from.upTo : 0;
}

/** Before anything was pushed there is a table all the same, so that whatever reads it can begin. */
function nothing(tmpDirectory: string): Delivery {
  return {
    name: "no rows yet",
    format: "json-lines",
    partition: {},
    hash: "",
    async use(read) {
      await mkdir(tmpDirectory, { recursive: true });
      const path = join(tmpDirectory, `rows-${randomUUID()}`);
      await writeFile(path, "");
      try {
        return await read(path);
      } finally {
        await rm(path, { force: true });
      }
    },
  };
}
