import { quoteIdentifier, quoteLiteral } from "../data/index.ts";
import type { FeaturePlan } from "../features/index.ts";
import type { Column, ColumnTable, TableEngine } from "../ports/index.ts";
import { DAY } from "../time.ts";
import type { CategoricalColumn, Dataset, FeatureColumn } from "./dataset.ts";
import { trainErrors } from "./errors.ts";
import type { Task } from "./model.ts";

/** Every prediction holds a probability for each, and every tree of a boosted model comes once a class. */
const MAX_CLASSES = 1_000;

/**
 * Reads the rows with a known label from a training set's Parquet file: string features become categories, all others
 * numbers (booleans 0 and 1, timestamps Micros).
 *
 * @param task binary labels are conditions, multiclass labels any values that name a class, regression labels numbers
 * @param segments names of the training set's `__segment_<name>` columns
 * @throws TRAIN_COLUMN_MISSING, TRAIN_TOO_FEW_ROWS when no row has a label, TRAIN_TARGET_INVALID for more than 1,000 classes
 */
export async function loadDataset(
  engine: TableEngine,
  path: string,
  plan: FeaturePlan,
  segments: readonly string[],
  task: Task = "binary",
): Promise<Dataset> {
  const relation = `read_parquet(${quoteLiteral(path)})`;
  const features = plan.features.map(({ id }) => id);
  const segmentColumns = segments.map((name) => `__segment_${name}`);
  const described = await engine.rows(`DESCRIBE SELECT * FROM ${relation}`);
  const present = new Set(described.map((row) => row.column_name));
  const wanted = [...features, ...segmentColumns, "__row", "__at", "__event_at", "__label", "__label_at", "__rule"];
  const absent = wanted.filter((name) => !present.has(name));
  if (absent.length > 0) throw trainErrors.TRAIN_COLUMN_MISSING(`the training set has no column ${absent.join(", ")}`);

  // Positions instead of names in the result: a feature's id could be the name of another column in other letter case.
  const selected = [...features, ...segmentColumns].map((name, index) => `${quoteIdentifier(name)} AS c${index}`);
  const table = await engine.query(
    `SELECT ${[...selected, "__at", "__event_at", "__label", "coalesce(__label_at, __event_at) AS __label_at", "coalesce(__rule, false) AS __rule"].join(", ")}
     FROM ${relation} WHERE __label IS NOT NULL ORDER BY __at, __row`,
  );
  if (table.rows === 0) throw trainErrors.TRAIN_TOO_FEW_ROWS("the training set has no row with a known label");
  return {
    rows: table.rows,
    features: plan.features.map(({ id, type }, index): FeatureColumn => {
      const column = columnOf(table, `c${index}`);
      return type === "string" ? categorical(id, column) : { kind: "numeric", id, values: numeric(column) };
    }),
    segments: segments.map((name, index) => categorical(name, columnOf(table, `c${features.length + index}`))),
    ...labelOf(columnOf(table, "__label"), task),
    at: numeric(columnOf(table, "__at")),
    labelAt: numeric(columnOf(table, "__label_at")),
    day: Int32Array.from(numeric(columnOf(table, "__event_at")), (at) => Math.floor(at / DAY)),
    rule: Uint8Array.from(numeric(columnOf(table, "__rule"))),
  };
}

function labelOf(column: Column, task: Task): Pick<Dataset, "task" | "classes" | "label"> {
  if (task === "binary") return { task, classes: [], label: Uint8Array.from(numeric(column)) };
  if (task === "regression") return { task, classes: [], label: Float64Array.from(numeric(column)) };
  const { codes, categories } = categorical("label", column);
  if (categories.length > MAX_CLASSES) {
    throw trainErrors.TRAIN_TARGET_INVALID(
      `the label has ${categories.length} classes, and at most ${MAX_CLASSES} are told apart`,
      {
        hint: "Put rare classes together in the label's expression; an identifier is no class.",
      },
    );
  }
  const classes = inOrder(categories);
  const position = categories.map((name) => classes.indexOf(name));
  return { task, classes, label: codes.map((code) => position[code]) };
}

/** Numbers by size, so that 10 comes after 9; other names by their letters. */
function inOrder(classes: readonly string[]): string[] {
  const areNumbers = classes.every((name) => name.trim() !== "" && Number.isFinite(Number(name)));
  return areNumbers ? classes.toSorted((a, b) => Number(a) - Number(b)) : classes.toSorted();
}

function columnOf(table: ColumnTable, name: string): Column {
  const column = table.columns.get(name);
  if (column === undefined) throw trainErrors.TRAIN_COLUMN_MISSING(`the training set has no column ${name}`);
  return column;
}

function numeric(column: Column): Float64Array {
  if (column.type === "string") return Float64Array.from(column.values, (text) => (text === null ? Number.NaN : Number(text)));
  const values = column.type === "int64" ? Float64Array.from(column.values, Number) : column.values;
  const { nulls } = column;
  return nulls === null ? values : values.map((value, row) => (nulls[row] === 1 ? Number.NaN : value));
}

function categorical(id: string, column: Column): CategoricalColumn {
  const texts: readonly (string | null)[] =
    column.type === "string"
      ? column.values
      : Array.from(numeric(column), (value) => (Number.isNaN(value) ? null : String(value)));
  const codeOf = new Map<string, number>();
  const codes = new Int32Array(texts.length);
  texts.forEach((text, row) => {
    if (text === null) {
      codes[row] = -1;
      return;
    }
    const code = codeOf.get(text) ?? codeOf.size;
    if (code === codeOf.size) codeOf.set(text, code);
    codes[row] = code;
  });
  return { kind: "categorical", id, codes, categories: [...codeOf.keys()] };
}
