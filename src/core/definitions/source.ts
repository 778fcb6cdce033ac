import { type Duration, durationToMicros } from "../time.ts";
import type { ColumnContract, Columns, ColumnType, TypesOf } from "./columns.ts";
import { type ExpectOptions, expectationsOf, type SourceExpectations } from "./expectations.ts";
import { joinedSource } from "./joined-source.ts";
import type { SecretReference } from "./secret.ts";
import type { DeliveredAs, FileFormat, RowsOrigin, SourceOrigin, Watermark, WatermarkOf } from "./source-origin.ts";

type Types = Readonly<Record<string, ColumnType>>;
type Flat<T> = { [K in keyof T]: T[K] } & {};

/** A group of columns that becomes known later than the row: a flight's outcome is known when it has landed. */
export interface AvailabilityGroup {
  readonly columns: readonly string[];
  /** Timestamp column that says when these columns of a row could be known. */
  readonly at: string;
}

/** When rows and groups of their columns could be known. */
export interface Availability {
  /** Timestamp column for every column that is in no group; absent: known when it happened (`eventTime`). */
  readonly default?: string;
  readonly groups: Readonly<Record<string, AvailabilityGroup>>;
}

/** Where rows come from and what is promised about them. Plain data, but for the function that makes rows. */
export interface SourceDefinition<C extends Types = Types> {
  readonly kind: "source";
  readonly name: string;
  readonly origin: SourceOrigin;
  /**
   * Columns that name a row. Rows with the same key and another availability are versions of one row, each until the next; of those
   * with the same availability the last delivered wins.
   */
  readonly key: readonly string[];
  /** Timestamp column that says when a row happened; absent for tables without time, which are known always. */
  readonly eventTime?: string;
  readonly availability: Availability;
  /** Bool column that marks a row as the deletion of its key: such a row needs nothing but its key and its times. */
  readonly deleted?: string;
  /** Only what is new is read again. Absent: everything, every time; files need none. */
  readonly watermark?: Watermark;
  readonly contracts: Readonly<Record<string, ColumnContract>>;
  /** What is expected of the rows together. */
  readonly expect?: SourceExpectations;
  /** Only in types: the columns' types. */
  readonly "~columns"?: C;
}

/** The columns of type bool. */
type BoolColumn<C extends Columns> = { [K in keyof C & string]: TypesOf<C>[K] extends "bool" ? K : never }[keyof C & string];

export interface SourceOptions<C extends Columns, E extends string> {
  key?: readonly ((keyof C & string) | E)[];
  eventTime?: E;
  /** A column name, or one for the row and one for each group of columns. */
  availableTime?:
    | string
    | ({ default: string } & Record<string, string | { columns: readonly (keyof C & string)[]; at: string }>);
  deleted?: BoolColumn<NoInfer<C>>;
  columns: C;
  expect?: ExpectOptions<(keyof NoInfer<C> & string) | NoInfer<E>>;
}

export interface FileOptions {
  /** A file, a pattern, a folder (`column=value` folders in it are columns), "s3://bucket/…" or "https://…". */
  path: string;
  /** Sent with every request to an https:// address. */
  headers?: Readonly<Record<string, SecretReference>>;
  /** A remote file larger than this is refused. Default: 10 GiB. */
  maxBytes?: number;
}

export interface WatermarkOptions<W extends string> {
  /** The column by which rows become newer, usually the availability: only rows from its greatest value on are read again. */
  watermark?: W | { column: W; overlap: Duration };
}

/** Columns named by eventTime or availableTime are timestamps without being declared. */
type SourceColumns<C extends Columns, E extends string> = Flat<TypesOf<C> & { readonly [K in Exclude<E, keyof C>]: "timestamp" }>;

type RowOf<T extends Types> = { readonly [K in keyof T]?: DeliveredAs[T[K]] | null };
type SinceOf<T extends Types, W extends string> = [W] extends [never]
  ? null
  : WatermarkOf[W extends keyof T ? T[W] : "timestamp"] | null;
type RowReader<T extends Types, W extends string> = (since: SinceOf<T, W>) => Iterable<RowOf<T>> | AsyncIterable<RowOf<T>>;

function define<C extends Columns, E extends string>(
  name: string,
  origin: SourceOrigin,
  options: SourceOptions<C, E> & WatermarkOptions<string>,
): SourceDefinition<SourceColumns<C, E>> {
  const { availableTime, watermark } = options;
  const groups: Record<string, AvailabilityGroup> = {};
  if (typeof availableTime === "object") {
    for (const [group, rule] of Object.entries(availableTime)) {
      if (typeof rule === "object") groups[group] = { columns: [...rule.columns], at: rule.at };
    }
  }
  const rowAvailable = typeof availableTime === "object" ? availableTime.default : availableTime;
  const contracts = Object.fromEntries(Object.entries(options.columns).map(([column, builder]) => [column, builder.contract]));
  const undeclared = (column: string | undefined): column is string => column !== undefined && !(column in contracts);
  const since = watermark === undefined ? undefined : watermarkOf(watermark).column;
  for (const column of [options.eventTime, rowAvailable].filter(undeclared))
    contracts[column] = { type: "timestamp", nullable: false, severity: "quarantine" };
  // What is not known yet has no time yet; a watermark has one always.
  for (const column of Object.values(groups).map(({ at }) => at))
    if (undeclared(column))
      contracts[column] = { type: "timestamp", nullable: column === since ? false : { atMost: 1 }, severity: "quarantine" };
  return {
    kind: "source",
    name,
    origin,
    key: options.key ?? [],
    ...(options.eventTime === undefined ? {} : { eventTime: options.eventTime }),
    availability: { ...(rowAvailable === undefined ? {} : { default: rowAvailable }), groups },
    ...(options.deleted === undefined ? {} : { deleted: options.deleted }),
    ...(watermark === undefined ? {} : { watermark: watermarkOf(watermark) }),
    contracts,
    ...(options.expect === undefined ? {} : { expect: expectationsOf(options.expect) }),
  };
}

const watermarkOf = (watermark: string | { column: string; overlap: Duration }): Watermark =>
  typeof watermark === "string"
    ? { column: watermark, overlap: 0 }
    : { column: watermark.column, overlap: durationToMicros(watermark.overlap) };

function filesOf(format: FileFormat) {
  return <const C extends Columns, const E extends string = never>(
    name: string,
    { path, headers, maxBytes, ...options }: SourceOptions<C, E> & FileOptions,
  ): SourceDefinition<SourceColumns<C, E>> =>
    define(
      name,
      {
        kind: "files",
        format,
        path,
        ...(headers === undefined ? {} : { headers }),
        ...(maxBytes === undefined ? {} : { maxBytes }),
      },
      options,
    );
}

/** Sources by where their rows come from. @throws TIME_DURATION_INVALID for an overlap that is no duration */
export const source = {
  parquet: filesOf("parquet"),
  csv: filesOf("csv"),
  /** One JSON object a line. */
  jsonLines: filesOf("json-lines"),

  /** The rows of a query, read in one read-only transaction. */
  postgres: <const C extends Columns, const E extends string = never, const W extends string = never>(
    name: string,
    { url, query, ...options }: SourceOptions<C, E> & WatermarkOptions<W> & { url: SecretReference; query: string },
  ): SourceDefinition<SourceColumns<C, E>> => define(name, { kind: "postgres", url, query }, options),

  /** Rows that a function makes, sync or async: `rows: async function* (since) { yield { … } }`. */
  rows: <const C extends Columns, const E extends string = never, const W extends string = never>(
    name: string,
    {
      rows,
      ...options
    }: SourceOptions<C, E> & WatermarkOptions<W> & { rows: RowReader<SourceColumns<NoInfer<C>, NoInfer<E>>, NoInfer<W>> },
  ): SourceDefinition<SourceColumns<C, E>> =>
    // Ingestion gives a watermark in the type of its column, as the reader says it.
    define(name, { kind: "rows", rows: rows as RowsOrigin["rows"] }, options),

  /** Rows that are pushed, over HTTP or from the library. */
  push: <const C extends Columns, const E extends string = never>(
    name: string,
    options: SourceOptions<C, E>,
  ): SourceDefinition<SourceColumns<C, E>> => define(name, { kind: "push" }, options),

  joined: joinedSource,
};
