/** The types a column, a feature or a request field can have. */
export type ColumnType = "string" | "int32" | "int64" | "float64" | "bool" | "timestamp";

/** The TypeScript value of each type where project code (an on-demand feature) meets it. */
export interface ValueOf {
  string: string;
  int32: number;
  int64: number;
  float64: number;
  bool: boolean;
  timestamp: Date;
}

/** The JSON value of each type on the wire: timestamps are ISO 8601 strings. */
export type WireOf<T extends ColumnType> = T extends "timestamp" ? string : ValueOf[T];

/** What happens to a row that breaks the column's contract: counted only, kept apart, or the whole ingestion refused. */
export type Severity = "warn" | "quarantine" | "stop";

/** A column's type and contract, as data. */
export interface ColumnContract<T extends ColumnType = ColumnType> {
  readonly type: T;
  /** `false`: null breaks the contract. `{ atMost }`: allowed up to that share of rows (0…1). */
  readonly nullable: false | { readonly atMost: number };
  readonly min?: number;
  readonly max?: number;
  readonly values?: readonly (string | number)[];
  /** "source.column" whose values are the only ones allowed. */
  readonly reference?: string;
  readonly pattern?: string;
  readonly unique?: true;
  readonly personal?: true;
  readonly severity: Severity;
}

/** Builder of a column contract; every method returns a new one. */
export interface ColumnBuilder<T extends ColumnType> {
  readonly contract: ColumnContract<T>;
  /** Null is allowed, up to a share of rows when given. */
  nullable(limit?: { atMost: number }): ColumnBuilder<T>;
  /** Inclusive range. */
  between(min: number, max: number): ColumnBuilder<T>;
  in(values: readonly (T extends "string" ? string : number)[]): ColumnBuilder<T>;
  /** Every value exists in "source.column". */
  oneOf(reference: `${string}.${string}`): ColumnBuilder<T>;
  /** Regular expression (RE2, as DuckDB reads it) that the whole value matches. */
  matches(pattern: string): ColumnBuilder<T>;
  unique(): ColumnBuilder<T>;
  /** Holds personal data: reached by erasure. */
  personal(): ColumnBuilder<T>;
  onViolation(severity: Severity): ColumnBuilder<T>;
}

export type Columns = Readonly<Record<string, ColumnBuilder<ColumnType>>>;
export type TypesOf<C extends Columns> = { readonly [K in keyof C]: C[K]["contract"]["type"] };

function column<T extends ColumnType>(contract: ColumnContract<T>): ColumnBuilder<T> {
  const withRule = (rule: Partial<ColumnContract<T>>) => column<T>({ ...contract, ...rule });
  return {
    contract,
    nullable: (limit = { atMost: 1 }) => withRule({ nullable: limit }),
    between: (min, max) => withRule({ min, max }),
    in: (values) => withRule({ values }),
    oneOf: (reference) => withRule({ reference }),
    matches: (pattern) => withRule({ pattern }),
    unique: () => withRule({ unique: true }),
    personal: () => withRule({ personal: true }),
    onViolation: (severity) => withRule({ severity }),
  };
}

const required = <T extends ColumnType>(type: T) => column<T>({ type, nullable: false, severity: "quarantine" });

export const string = () => required("string");
export const int32 = () => required("int32");
export const int64 = () => required("int64");
export const float64 = () => required("float64");
export const bool = () => required("bool");
export const timestamp = () => required("timestamp");
