import { servingErrors } from "../../core/serving/index.ts";

/** What pandas reads as missing. */
const MISSING = new Set([
  ...[
    "",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "None",
  ],
  ...["n/a", "nan", "null"],
]);
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INFINITE: ReadonlyMap<string, number> = new Map([
  ["inf", Number.POSITIVE_INFINITY],
  ["+inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
  ["infinity", Number.POSITIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
]);

export interface CsvTable {
  readonly rows: number;
  /** null is missing; numbers and booleans where all of a column are such, else texts. */
  readonly columns: ReadonlyMap<string, readonly (string | number | boolean | null)[]>;
}

const invalid = (message: string) => servingErrors.SERVING_INPUT_INVALID(`Failed to parse input as CSV: ${message}`);

/**
 * CSV with a line of names, as `pandas.DataFrame.to_csv()` writes it; a name that is empty is "Unnamed: <place>". Columns in `texts` stay texts.
 * @throws SERVING_INPUT_INVALID
 */
export function parseCsv(text: string, mostRows: number, texts: ReadonlySet<string> = new Set()): CsvTable {
  const lines = readLines(text, mostRows);
  const [names = []] = lines;
  if (names.length === 0) throw invalid("it has no line of names");
  const columns = new Map<string, (string | number | boolean | null)[]>();
  names.forEach((name, place) => {
    const known = name === "" ? `Unnamed: ${place}` : name;
    if (columns.has(known)) throw invalid(`the column ${known} is there twice`);
    const cells = lines.slice(1).map((cells) => cells[place] ?? "");
    columns.set(known, typed(cells, texts.has(known)));
  });
  return { rows: lines.length - 1, columns };
}

function typed(cells: readonly string[], isText: boolean): (string | number | boolean | null)[] {
  const values = cells.map((cell) => (MISSING.has(cell) ? null : cell));
  if (isText) return values;
  const numbers = values.map((value) => (value === null ? null : numberOf(value)));
  if (numbers.every((number) => number === null || !Number.isNaN(number))) return numbers;
  if (values.every((value) => value === null || /^(true|false)$/i.test(value)))
    return values.map((value) => (value === null ? null : value.toLowerCase() === "true"));
  return values;
}

/** NaN for what is no number. */
function numberOf(text: string): number {
  const trimmed = text.trim();
  return NUMBER.test(trimmed) ? Number(trimmed) : (INFINITE.get(trimmed.toLowerCase()) ?? Number.NaN);
}

/** Cells line by line; quoted ones may hold commas, doubled quotes and line ends. Empty lines are passed over. */
function readLines(text: string, mostRows: number): string[][] {
  const lines: string[][] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;
  while (at < text.length) {
    const line: string[] = [];
    let more = true;
    while (more) {
      const cell = text[at] === '"' ? quoted(text, at) : plain(text, at);
      line.push(cell.value);
      more = text[cell.end] === ",";
      at = cell.end + 1;
      if (!more && text[cell.end] === "\r" && text[at] === "\n") at += 1;
    }
    if (line.length === 1 && line[0] === "") continue;
    if (lines.length > 0 && line.length !== lines[0].length)
      throw invalid(`line ${lines.length + 1} has ${line.length} fields, and the first has ${lines[0].length}`);
    lines.push(line);
    if (lines.length > mostRows + 1) throw invalid(`it has more than ${mostRows} rows`);
  }
  return lines;
}

interface Cell {
  readonly value: string;
  /** Where the comma or the line's end stands. */
  readonly end: number;
}

function plain(text: string, start: number): Cell {
  let end = start;
  while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return { value: text.slice(start, end), end };
}

function quoted(text: string, start: number): Cell {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  if (end < 0) throw invalid("a quote is not closed");
  const after = text[end + 1];
  if (after !== undefined && after !== "," && after !== "\n" && after !== "\r")
    throw invalid("there is more behind a closing quote");
  return { value: text.slice(start + 1, end).replaceAll('""', '"'), end: end + 1 };
}
