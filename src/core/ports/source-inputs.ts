/** Where an increment of a query begins, in its column's own type: timestamps as microseconds, all as text. */
export interface QueryStart {
  readonly value: string;
  readonly type: "string" | "int32" | "int64" | "float64" | "bool" | "timestamp";
}

export interface SourceQuery {
  /** The database's address with what it needs to get in; never kept, shown or logged. */
  readonly url: string;
  /** One SELECT. */
  readonly query: string;
  /** Column by which increments follow one another, and where this one begins, inclusive. */
  readonly watermark?: { readonly column: string; readonly start: QueryStart | null };
  /** Columns that put rows in an order which is the same every time. */
  readonly order: readonly string[];
}

/** Rows in the order of `columns`, their values as the database writes them; null is none. */
export interface QueryRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** A database elsewhere: reads the rows of one query as of one moment, writes nothing, holds no more than a few megabytes. */
export interface QueryReader {
  /** The first batch has the columns and no rows, and comes before anything is ordered. */
  read(query: SourceQuery): AsyncIterable<QueryRows>;
}

/** What reads sources that are not on this machine. */
export interface SourceInputs {
  readonly postgres: QueryReader;
}
