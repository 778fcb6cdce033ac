import type { ColumnContract, Columns, ColumnType, TypesOf } from "./columns.ts";

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

/** Where rows come from and what is promised about them. Plain data. */
export interface SourceDefinition<C extends Types = Types> {
  readonly kind: "source";
  readonly name: string;
  readonly format: "parquet" | "csv";
  /** File or glob, relative to the folder of orrery.config.ts. */
  readonly path: string;
  /** Columns that name a row; rows with the same key are one row, the last delivered wins. */
  readonly key: readonly string[];
  /** Timestamp column that says when a row happened; absent for tables without time, which are known always. */
  readonly eventTime?: string;
  readonly availability: Availability;
  /** Bool column that marks a row as the deletion of its key. */
  readonly deleted?: string;
  readonly contracts: Readonly<Record<string, ColumnContract>>;
  /** Only in types: the columns' types. */
  readonly "~columns"?: C;
}

export interface SourceOptions<C extends Columns, E extends string> {
  path: string;
  key?: readonly ((keyof C & string) | E)[];
  eventTime?: E;
  /** A column name, or one for the row and one for each group of columns. */
  availableTime?:
    | string
    | ({ default: string } & Record<string, string | { columns: readonly (keyof C & string)[]; at: string }>);
  columns: C;
}

/** Columns named by eventTime or availableTime are timestamps without being declared. */
type SourceColumns<C extends Columns, E extends string> = Flat<TypesOf<C> & { readonly [K in Exclude<E, keyof C>]: "timestamp" }>;

function defineSource(format: "parquet" | "csv") {
  return <const C extends Columns, const E extends string = never>(
    name: string,
    options: SourceOptions<C, E>,
  ): SourceDefinition<SourceColumns<C, E>> => {
    const { availableTime } = options;
    const groups: Record<string, AvailabilityGroup> = {};
    if (typeof availableTime === "object") {
      for (const [group, rule] of Object.entries(availableTime)) {
        if (typeof rule === "object") groups[group] = { columns: [...rule.columns], at: rule.at };
      }
    }
    const rowAvailable = typeof availableTime === "object" ? availableTime.default : availableTime;
    const contracts = Object.fromEntries(Object.entries(options.columns).map(([column, builder]) => [column, builder.contract]));
    const timestamps = [options.eventTime, rowAvailable, ...Object.values(groups).map((group) => group.at)];
    for (const column of timestamps) {
      if (column !== undefined && !(column in contracts)) {
        contracts[column] = { type: "timestamp", nullable: false, severity: "quarantine" };
      }
    }
    return {
      kind: "source",
      name,
      format,
      path: options.path,
      key: options.key ?? [],
      ...(options.eventTime === undefined ? {} : { eventTime: options.eventTime }),
      availability: { ...(rowAvailable === undefined ? {} : { default: rowAvailable }), groups },
      contracts,
    };
  };
}

export const source = { parquet: defineSource("parquet"), csv: defineSource("csv") };
