import { createHash } from "node:crypto";
import type { FilesOrigin, SourceDefinition, SourceOrigin } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { referenceHash } from "./reference-values.ts";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Raised when the same bytes are read otherwise than before: parts that were made by an earlier rule are made anew. */
const READING = 2;

/** A hash of everything but its bytes that decides what becomes of a delivery. */
export async function contractHash(
  engine: TableEngine,
  source: SourceDefinition,
  references: ReadonlyMap<string, string>,
): Promise<string> {
  const values = await referenceHash(engine, references);
  const { name, origin, key, eventTime = null, availability, contracts, deleted, watermark, expect } = source;
  const kind = origin.kind === "files" ? origin.format : origin.kind;
  return sha256(
    JSON.stringify([
      ...[READING, name, kind, key, eventTime, availability, contracts, values],
      ...(deleted === undefined ? [] : [{ deleted }]),
      // Of the expectations only this one decides about rows; the others are judged each time.
      ...(expect === undefined || expect.unique.length === 0 ? [] : [{ unique: expect.unique }]),
      ...(origin.kind === "files" ? [] : [readerText(origin), watermark?.column ?? null]),
    ]),
  );
}

/** What of an origin decides which rows there are: with another query or function, they are others. */
function readerText(origin: Exclude<SourceOrigin, FilesOrigin>): string | null {
  if (origin.kind === "postgres") return origin.query;
  return origin.kind === "rows" ? origin.rows.toString() : null;
}
