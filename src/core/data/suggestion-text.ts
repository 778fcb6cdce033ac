import type { ColumnContract, FileFormat } from "../definitions/index.ts";
import type { SuggestedColumn, SuggestedSource } from "./suggest-source.ts";

const KINDS = { parquet: "parquet", csv: "csv", "json-lines": "jsonLines" } as const;

/** Where the rows of a suggested source are. */
export type SuggestedOrigin =
  /** As the project file would name it. */
  | { readonly kind: "files"; readonly path: string; readonly format: FileFormat }
  /** The database's address stands in an environment variable. */
  | { readonly kind: "postgres"; readonly variable: string; readonly query: string };

/** A suggested source as the TypeScript of a project file, ready to be pasted. */
export function suggestionText(
  suggested: SuggestedSource,
  { name, origin }: { readonly name: string; readonly origin: SuggestedOrigin },
): string {
  const { key, eventTime, availableTime, deleted, columns, rows, isSample } = suggested;
  const types = [...new Set(columns.map(({ contract }) => contract.type))].sort();
  const options = [
    ...(origin.kind === "files"
      ? [`path: ${JSON.stringify(origin.path)},`]
      : [`url: secret.env(${JSON.stringify(origin.variable)}),`, `query: ${JSON.stringify(origin.query)},`]),
    ...(key.length === 0 ? [] : [`key: [${key.map((each) => JSON.stringify(each)).join(", ")}],`]),
    ...(eventTime === null ? [] : [`eventTime: ${JSON.stringify(eventTime)},`]),
    ...(availableTime === null ? [] : [`availableTime: ${JSON.stringify(availableTime)},`]),
    ...(deleted === null ? [] : [`deleted: ${JSON.stringify(deleted)},`]),
    "columns: {",
    ...columns.map((column) => `  ${columnText(column)}`),
    "},",
  ];
  return [
    `// Suggested from ${isSample ? `the first ${rows}` : rows} rows, all of which keep it. Widen what is too narrow for the rows to come.`,
    `import { ${["source", ...(origin.kind === "files" ? [] : ["secret"]), ...types].sort().join(", ")} } from "orrery";`,
    "",
    `export const ${identifier(name)} = source.${origin.kind === "files" ? KINDS[origin.format] : "postgres"}(${JSON.stringify(name)}, {`,
    ...options.map((line) => `  ${line}`),
    "});",
    "",
  ].join("\n");
}

function columnText({ name, contract, note }: SuggestedColumn): string {
  const property = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
  return `${property}: ${builderText(contract)},${note === null ? "" : ` // ${note}`}`;
}

function builderText({ type, nullable, min, max, values, pattern, unique, personal }: ColumnContract): string {
  const atMost = nullable === false ? null : nullable.atMost;
  return [
    `${type}()`,
    ...(atMost === null ? [] : [atMost >= 1 ? ".nullable()" : `.nullable({ atMost: ${atMost} })`]),
    ...(min === undefined || max === undefined ? [] : [`.between(${min}, ${max})`]),
    ...(values === undefined ? [] : [`.in([${values.map((value) => JSON.stringify(value)).join(", ")}])`]),
    ...(pattern === undefined ? [] : [`.matches(${JSON.stringify(pattern)})`]),
    ...(unique === true ? [".unique()"] : []),
    ...(personal === true ? [".personal()"] : []),
  ].join("");
}

const WORDS = new Set(
  "break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with yield let static await secret source string int32 int64 float64 bool timestamp".split(
    " ",
  ),
);

/** "day-ahead prices" as dayAheadPrices; a word that TypeScript or the definition needs gets a "Rows" behind it. */
function identifier(name: string): string {
  const [first = "rows", ...rest] = name.split(/[^\p{ID_Continue}]+/u).filter((word) => word !== "");
  const joined = [first[0]?.toLowerCase() + first.slice(1), ...rest.map((word) => word[0]?.toUpperCase() + word.slice(1))].join(
    "",
  );
  const started = /^\p{ID_Start}/u.test(joined) ? joined : `rows${joined}`;
  return WORDS.has(started) ? `${started}Rows` : started;
}
