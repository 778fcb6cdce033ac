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

/** A file elsewhere. */
export interface RemoteFile {
  /** Where it is, fit to be shown and kept: without parameters that could let somebody in. */
  readonly address: string;
  /** Its path's names; the last is the file's own. */
  readonly path: readonly string[];
  /** What changes whenever it does, where that is known before it is asked for. */
  readonly version: string | null;
}

export interface RemoteOptions {
  /** Sent with every request to the address's own host, and to no other. */
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
}

export interface CopyOptions extends RemoteOptions {
  /** Local file that is written. */
  readonly to: string;
  /** The version that is here already. */
  readonly known: string | null;
}

/** What a copy brought: a version only where equal versions are surely equal bytes; `packed` says how the bytes are compressed. */
export interface Copied {
  readonly version: string | null;
  readonly packed: "gz" | null;
}

/** Files elsewhere, by address. */
export interface RemoteFiles {
  /** The files that an address names, in the order of their names; `isWanted` chooses among those of a folder. */
  list(address: string, isWanted: (path: string) => boolean, options: RemoteOptions): Promise<RemoteFile[]>;
  /** Copies a file whole, or not at all; null where it is still the known version. */
  copy(address: string, file: RemoteFile, options: CopyOptions): Promise<Copied | null>;
}

/** What reads sources that are not on this machine. */
export interface SourceInputs {
  readonly postgres: QueryReader;
  /** By the address's scheme. */
  readonly files: Readonly<Record<"s3" | "http" | "https", RemoteFiles>>;
}
