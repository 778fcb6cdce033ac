import type { ColumnType, SourceDefinition } from "../definitions/index.ts";
import type { Micros } from "../time.ts";
import type { DeliveredSchema } from "./delivered-schema.ts";
import type { ErasureMark } from "./erase-rows.ts";

/** What tells whether there is anything new where a part came from. */
export type PartOrigin =
  | {
      /** A file from elsewhere, and what its owner said that changes with it. */
      readonly kind: "remote";
      readonly address: string;
      readonly version: string;
      /** sha256 of its bytes. */
      readonly fileHash: string;
    }
  | {
      /** What was new since the parts before it. */
      readonly kind: "increment";
      /** Hash of the contract under which it was taken in. */
      readonly contract: string;
      /** The greatest watermark of its rows as text, timestamps as microseconds; null where none stands. */
      readonly watermark: string | null;
    }
  | {
      /** What was pushed up to a place in the log. */
      readonly kind: "pushed";
      /** Hash of the contract under which it was taken in. */
      readonly contract: string;
      readonly upTo: number;
    };

/** One delivery as it was taken in: immutable Parquet in the artifact store, quarantined rows beside it. */
export interface SnapshotPart {
  /** sha256 of the input file's bytes and of the source's contract: the same input is not taken in twice. */
  readonly inputHash: string;
  /** The file's name, for people. */
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly rows: number;
  /** sha256 of the Parquet with rows that broke a quarantine contract, with a column `__reason`; null where none did. */
  readonly quarantine: string | null;
  readonly quarantined: number;
  /** Nulls among the rows, for columns whose share of nulls is limited. */
  readonly nulls: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  /** There is no row because each that was delivered is of somebody who was erased. */
  readonly leftOut?: true;
  /** What is other than declared; absent where nothing is, and in parts of before it was kept. */
  readonly schema?: OtherColumns;
  readonly from?: PartOrigin;
}

/** Columns of a delivery that are not as declared. */
export type OtherColumns = Pick<DeliveredSchema, "undeclared" | "retyped">;

export interface Violation {
  readonly column: string;
  /** "null", "type", "range", "set", "reference", "pattern", "unique", "key". */
  readonly rule: string;
  readonly severity: "warn" | "quarantine" | "stop";
  readonly rows: number;
  /** Up to 5 offending values as text; empty for columns marked personal. */
  readonly samples: readonly string[];
}

export interface ContractReport {
  readonly rows: number;
  readonly quarantined: number;
  readonly violations: readonly Violation[];
  /** Columns whose share of nulls is over their limit. */
  readonly nullShares: readonly { readonly column: string; readonly share: number; readonly atMost: number }[];
  /** Columns that were delivered and are not declared, or are of another type; absent where there are none. */
  readonly schema?: OtherColumns;
  /** What was expected of the rows together, kept or not; absent in snapshots of before it was judged. */
  readonly expectations?: readonly ExpectationVerdict[];
}

/** How one expectation of a source's rows together came out. */
export interface ExpectationVerdict {
  readonly rule: "rows" | "freshness" | "unique" | "psi" | "mean" | "null-share";
  /** The column, several joined by ", "; null where it is about rows. */
  readonly column: string | null;
  readonly severity: "warn" | "stop";
  /** null where there was nothing to judge by, as before the first snapshot. */
  readonly kept: boolean | null;
  /** What was found: rows, microseconds of age, repeated rows, or a distance; null where there is no such number. */
  readonly observed: number | null;
  /** For people: "12 rows, at least 100". */
  readonly says: string;
}

/** What a source said when it was taken in of how its rows are read; it may say something else today. */
export type SnapshotDefinition = Pick<SourceDefinition, "key" | "eventTime" | "availability" | "deleted">;

/** A source as it could be known at `asOf`: immutable parts, read through a mask of what was not yet available. */
export interface Snapshot {
  readonly formatVersion: 1;
  readonly id: string;
  readonly source: string;
  /** sha256 over the parts' hashes and the column types: equal content, equal hash. */
  readonly contentHash: string;
  readonly asOf: Micros;
  readonly parent: string | null;
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** The share of null that each column's contract allowed, 0 for none; absent in snapshots of before it was kept. */
  readonly nullable?: Readonly<Record<string, number>>;
  /** Absent in snapshots of before it was kept. */
  readonly definition?: SnapshotDefinition;
  readonly parts: readonly SnapshotPart[];
  /** No key stands twice, so reading need not look for other versions of a row. */
  readonly disjoint: boolean;
  readonly rows: number;
  readonly bytes: number;
  readonly report: ContractReport;
  readonly createdAt: Micros;
  /** Erasures that took rows out of it, the last one last; absent where none did. */
  readonly erased?: readonly ErasureMark[];
}
