import type { ColumnType, Since, SourceDefinition } from "../definitions/index.ts";
import { dataErrors } from "./errors.ts";
import type { Snapshot, SnapshotPart } from "./snapshot.ts";
import { quoteIdentifier } from "./sql.ts";

/** Where an increment begins: a watermark as text (timestamps as microseconds) and the type of its column. */
export interface Start {
  readonly value: string;
  readonly type: ColumnType;
}

/** SQL of a watermark's value as text, from the typed column. */
export function watermarkText(source: SourceDefinition): string | null {
  if (source.watermark === undefined) return null;
  const column = quoteIdentifier(source.watermark.column);
  return watermarkType(source) === "timestamp" ? `epoch_us(${column})` : column;
}

/**
 * The type of the watermark's column.
 * @throws DATA_CONTRACT_INVALID where rows could lack it: they would never be asked for again
 */
export function watermarkType(source: SourceDefinition): ColumnType {
  const { column = "" } = source.watermark ?? {};
  const contract = Object.hasOwn(source.contracts, column) ? source.contracts[column] : undefined;
  const refuse = (why: string) => dataErrors.DATA_CONTRACT_INVALID(`The watermark "${column}" of ${source.name} ${why}`);
  if (contract === undefined) throw refuse("is not one of its columns");
  if (contract.type === "bool") throw refuse("is a bool and has no order");
  if (contract.nullable !== false || contract.severity === "warn")
    throw refuse("may be null; declare it without nullable() and warn");
  return contract.type;
}

/** Parts of an earlier snapshot that an increment adds to: all of them, or none where they were taken in under another contract. */
export function incrementParts(previous: Snapshot | undefined, contract: string): readonly SnapshotPart[] {
  const parts = previous?.parts ?? [];
  return parts.every(({ from }) => from?.kind === "increment" && from.contract === contract) ? parts : [];
}

/** The greatest watermark that stands in any of the parts, as text; null where none does. */
export function greatestWatermark(source: SourceDefinition, parts: readonly SnapshotPart[]): string | null {
  const type = watermarkType(source);
  const known = parts.flatMap(({ from }) => (from?.kind === "increment" && from.watermark !== null ? [from.watermark] : []));
  return known.reduce<string | null>((most, each) => (most === null || isLess(most, each, type) ? each : most), null);
}

/**
 * From where rows are asked for: the greatest watermark that stands, the overlap before it. A timestamp after `asOf`, which only a
 * mistake can be, does not hold up what comes before it.
 */
export function incrementStart(source: SourceDefinition, parts: readonly SnapshotPart[], asOf: number): Start | null {
  const type = watermarkType(source);
  const greatest = greatestWatermark(source, parts);
  if (greatest === null) return null;
  if (type !== "timestamp") return { value: greatest, type };
  return { value: String(Math.min(Number(greatest), asOf) - (source.watermark?.overlap ?? 0)), type };
}

function isLess(a: string, b: string, type: ColumnType): boolean {
  // Bytes, as the engine and a database under COLLATE "C" order them.
  if (type === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
  return type === "float64" ? Number(a) < Number(b) : BigInt(a) < BigInt(b);
}

/** As the function of a source takes it. A date is cut to milliseconds: what is asked for twice is taken once. */
export function sinceOf(start: Start | null): Since {
  if (start === null) return null;
  switch (start.type) {
    case "timestamp":
      return new Date(Math.floor(Number(start.value) / 1000));
    case "int64":
      return BigInt(start.value);
    case "int32":
    case "float64":
      return Number(start.value);
    default:
      return start.value;
  }
}
