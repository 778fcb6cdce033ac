import type { Micros } from "../time.ts";
import type { ColumnType } from "./columns.ts";
import type { FeatureReference } from "./features.ts";
import type { SecretReference } from "./secret.ts";
import type { SourceDefinition } from "./source.ts";

export type FileFormat = "parquet" | "csv" | "json-lines";

/** A value of a delivered row. Timestamps are dates, or ISO 8601 texts where microseconds matter; undefined is null. */
export type DeliveredValue = string | number | bigint | boolean | Date | null | undefined;
export type DeliveredRow = Readonly<Record<string, DeliveredValue>>;

/** What a row may hold for each column type. */
export interface DeliveredAs {
  string: string;
  int32: number;
  int64: number | bigint;
  float64: number;
  bool: boolean;
  timestamp: Date | string;
}

/** The type in which a reader is told up to where its rows are known. */
export interface WatermarkOf {
  string: string;
  int32: number;
  int64: bigint;
  float64: number;
  bool: boolean;
  timestamp: Date;
}

/** Up to where rows are known: the greatest watermark that was taken in, minus the overlap; null at first. */
export type Since = WatermarkOf[ColumnType] | null;

export interface FilesOrigin {
  readonly kind: "files";
  readonly format: FileFormat;
  /**
   * A file, a pattern of names or a folder, relative to the folder of orrery.config.ts; or "s3://bucket/…" or "https://…".
   * Folders named `column=value` below it are columns.
   */
  readonly path: string;
  /** Sent with every request to an https:// address. */
  readonly headers?: Readonly<Record<string, SecretReference>>;
  /** A remote file larger than this is refused. Default: 10 GiB. */
  readonly maxBytes?: number;
}

export interface PostgresOrigin {
  readonly kind: "postgres";
  /** Where the database's address (postgres://user:password@host/name) is kept. */
  readonly url: SecretReference;
  /** One SELECT; with a watermark it becomes a subquery. */
  readonly query: string;
}

export interface RowsOrigin {
  readonly kind: "rows";
  /** Rows in a fixed order. Without a watermark: all of them, every time. */
  readonly rows: (since: Since) => Iterable<DeliveredRow> | AsyncIterable<DeliveredRow>;
}

/** Rows come when they are pushed. */
export interface PushOrigin {
  readonly kind: "push";
}

/** Rows of another source, with features as of each row's event. */
export interface JoinedOrigin {
  readonly kind: "joined";
  readonly base: SourceDefinition;
  readonly features: readonly FeatureReference[];
}

/** Where a source's rows come from. */
export type SourceOrigin = FilesOrigin | PostgresOrigin | RowsOrigin | PushOrigin | JoinedOrigin;

/** The column by which increments of a source follow one another; never null. */
export interface Watermark {
  readonly column: string;
  /**
   * Rows this far behind the greatest timestamp are asked for again, for those that are written late; of what comes twice,
   * one is kept. 0 for columns of other types.
   */
  readonly overlap: Micros;
}
