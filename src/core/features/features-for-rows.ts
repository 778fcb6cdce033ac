import { join } from "node:path";
import { fileList, quoteIdentifier, quoteLiteral } from "../data/index.ts";
import type { ColumnType, FeatureReference } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { featureErrors } from "./errors.ts";
import { type FeatureDeps, historicalFeatures, type SnapshotMap } from "./historical-features.ts";
import { writeParquet } from "./parquet-columns.ts";

export interface RowsInput {
  readonly features: readonly FeatureReference[];
  readonly snapshots: SnapshotMap;
  /** Parquet files with the entity rows, one after the other. */
  readonly files: readonly string[];
  /** The column that says when a row is asked about. */
  readonly at: string;
  readonly asOf: Micros;
  /** Where files may be made; they stay until the folder is removed. */
  readonly directory: string;
  /** Rows that are in memory at a time. */
  readonly rowsAtOnce?: number;
}

export interface FeaturesForRows {
  readonly rows: number;
  /** Parquet files, one after the other: each row with all of its own columns and the features behind them, in the rows' order. */
  readonly files: readonly string[];
}

/** So many values are held in memory at once. */
const VALUES_AT_ONCE = 8_000_000;

/**
 * Features of any number of entity rows, in memory for some of them at a time: exactly one row for each, with its own columns as they are.
 * @throws FEATURE_ROWS_INVALID where a column is missing or of another type, or a row has no time; FEATURE_DUPLICATE where a column is named like
 * a feature; and what historicalFeatures throws
 */
export async function featuresForRows(
  deps: FeatureDeps,
  { features, snapshots, files, at, asOf, directory, ...limits }: RowsInput,
): Promise<FeaturesForRows> {
  const plan = compileFeaturePlan({ name: "these rows", features });
  const fields: Record<string, ColumnType> = { ...plan.keys, ...plan.request };
  const columns = await columnsOf(deps.engine, files);
  const taken = plan.features.find(({ id }) => columns.has(id.toLowerCase()));
  if (taken !== undefined) throw featureErrors.FEATURE_DUPLICATE(`The rows have a column "${taken.id}" already`);
  await refuseTimeless(deps.engine, files, columns, at);
  const selected = [
    `${await asType(deps.engine, files, columns, at, "timestamp")} AS __at`,
    ...(await Promise.all(
      Object.entries(fields).map(
        async ([name, type]) => `${await asType(deps.engine, files, columns, name, type)} AS ${quoteIdentifier(name)}`,
      ),
    )),
  ].join(", ");
  const fitting = Math.max(10_000, Math.floor(VALUES_AT_ONCE / (plan.features.length + columns.size)));
  const { rowsAtOnce = fitting } = limits;
  const made: string[] = [];
  let rows = 0;
  for (const file of files) {
    const [counted] = await deps.engine.rows(`SELECT count(*) AS n FROM read_parquet(${quoteLiteral(file)})`);
    const count = Number(counted?.n);
    // A file without rows still says which columns there are.
    for (let start = 0; start === 0 || start < count; start += rowsAtOnce) {
      const some = `SELECT * FROM read_parquet(${quoteLiteral(file)}, file_row_number = true)
        WHERE file_row_number >= ${start} AND file_row_number < ${start + rowsAtOnce}`;
      const entityRows = `SELECT ${selected} FROM (${some})`;
      const found = await historicalFeatures(deps, { features, snapshots, entityRows, at: "__at", asOf });
      const part = join(directory, `features-${made.length}.parquet`);
      writeParquet(part, found.rows, found.columns);
      const target = join(directory, `rows-${made.length}.parquet`);
      await deps.engine.run(
        `COPY (SELECT e.* EXCLUDE (file_row_number), f.* EXCLUDE (file_row_number) FROM (${some}) AS e
         JOIN read_parquet(${quoteLiteral(part)}, file_row_number = true) AS f ON f.file_row_number = e.file_row_number - ${start}
         ORDER BY e.file_row_number) TO ${quoteLiteral(target)} (FORMAT parquet, COMPRESSION zstd)`,
      );
      made.push(target);
      rows += found.rows;
    }
  }
  return { rows, files: made };
}

/** @throws FEATURE_ROWS_INVALID where a row has no time; a column that is missing is for its reader to tell */
async function refuseTimeless(engine: TableEngine, files: readonly string[], columns: ReadonlyMap<string, string>, at: string) {
  if (!columns.has(at.toLowerCase())) return;
  const [found] = await engine.rows(
    `SELECT count(*) AS n FROM read_parquet(${fileList(files)}) WHERE ${quoteIdentifier(at)} IS NULL`,
  );
  if (Number(found?.n) === 0) return;
  throw featureErrors.FEATURE_ROWS_INVALID(`${found?.n} of the rows have no time in column "${at}"`, {
    hint: `Every entity row says in "${at}" when it is asked about, such as 2025-06-01T12:00:00Z.`,
    details: { column: at },
  });
}

/** SQL types by lower-cased column name: the engine knows no letter case. */
async function columnsOf(engine: TableEngine, files: readonly string[]): Promise<Map<string, string>> {
  const described = await engine.rows(`DESCRIBE SELECT * FROM read_parquet(${fileList(files)})`);
  return new Map(described.map(({ column_name: name, column_type: type }) => [String(name).toLowerCase(), String(type)]));
}

const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  string: "VARCHAR",
  int32: "INTEGER",
  int64: "BIGINT",
  float64: "DOUBLE",
  bool: "BOOLEAN",
  timestamp: "TIMESTAMP",
};

/** SQL of a column as the type it is asked by, after a look at all of its values: casts round, and would join other rows. */
async function asType(
  engine: TableEngine,
  files: readonly string[],
  columns: ReadonlyMap<string, string>,
  name: string,
  type: ColumnType,
): Promise<string> {
  const given = columns.get(name.toLowerCase());
  const invalid = (why: string) =>
    featureErrors.FEATURE_ROWS_INVALID(`Column "${name}" of the rows ${why}`, { details: { column: name } });
  if (given === undefined) throw invalid("is missing");
  const column = quoteIdentifier(name);
  // A time without a zone is UTC.
  const source = type === "timestamp" && given === "VARCHAR" ? `TRY_CAST(${column} AS TIMESTAMPTZ)` : column;
  const cast = `TRY_CAST(${source} AS ${SQL_TYPES[type]})`;
  const isRounded = /^(DOUBLE|FLOAT|DECIMAL)/.test(given) && (type === "int32" || type === "int64");
  const wrong = `${column} IS NOT NULL AND (${cast} IS NULL${isRounded ? ` OR ${cast} <> ${column}` : ""})`;
  // A missing number of a data frame is NaN.
  const isMissing = /^(DOUBLE|FLOAT)/.test(given) ? `NOT isnan(${column}) AND ` : "";
  const [found] = await engine.rows(
    `SELECT count(*) AS n, CAST(any_value(${column}) AS VARCHAR) AS example FROM read_parquet(${fileList(files)}) WHERE ${isMissing}${wrong}`,
  );
  if (Number(found?.n) > 0) throw invalid(`is ${given}, and ${found?.n} of its values are no ${type}, such as ${found?.example}`);
  return isMissing === "" ? cast : `CASE WHEN NOT isnan(${column}) THEN ${cast} END`;
}
