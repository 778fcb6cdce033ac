import type { OrreryError } from "../../core/errors.ts";
import { servingErrors } from "../../core/serving/index.ts";
import type { ModelInput } from "../../core/training/formats/mlflow-model/model-input.ts";
import type { Signature } from "../../core/training/formats/mlflow-model/signature.ts";
import { parseCsv } from "./parse-csv.ts";
import { isNestedDeeper, withoutPythonNumbers } from "./python-json.ts";

/** More would keep everybody else waiting; send them in several requests. */
export const MOST_ROWS = 100_000;
const MOST_LEVELS = 16;

export interface Invocation {
  readonly input: ModelInput;
  readonly params: unknown;
}

const invalid = (message: string, cause?: unknown): OrreryError => servingErrors.SERVING_INPUT_INVALID(message, { cause });

/** Why a content type is not taken, as MLflow's server says it; null for one that is. */
export function contentTypeRefusal(contentType: string | undefined): string | null {
  const [type = "", ...parameters] = (contentType ?? "").split(";").map((part) => part.trim());
  const named = parameters.filter((part) => part !== "").map((part) => part.split("=", 2));
  const charset = named.find(([name]) => name?.toLowerCase() === "charset")?.[1] ?? "utf-8";
  if (charset.toLowerCase() !== "utf-8") return "The scoring server only supports UTF-8";
  const strange = named.map(([name = ""]) => name).filter((name) => name.toLowerCase() !== "charset");
  if (strange.length > 0) return `Unrecognized content type parameters: ${strange.join(", ")}.`;
  if (type === "text/csv" || type === "application/json") return null;
  return `This predictor only supports the following content types: text/csv, application/json. Got '${contentType ?? ""}'.`;
}

/**
 * The body of POST /invocations. JSON as Python writes it: NaN and Infinity are taken, NaN as missing.
 * @throws SERVING_INPUT_INVALID
 */
export function parseInvocation(body: Uint8Array, contentType: string, signature: Signature): Invocation {
  const text = decode(body);
  if (contentType.trimStart().startsWith("text/csv")) {
    const { rows, columns } = parseCsv(text, MOST_ROWS, textColumns(signature));
    return { input: { kind: "frame", rows, columns }, params: undefined };
  }
  const json = parseJson(text);
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw invalid(`${ONE_OF}. Received ${Array.isArray(json) ? "a list" : typeof json}.`);
  const fields = new Map(Object.entries(json));
  const formats = FORMATS.filter((format) => fields.has(format));
  const [format] = formats;
  if (format === undefined || formats.length > 1)
    throw invalid(`${ONE_OF}. Received dictionary with input fields: ${[...fields.keys()].slice(0, 20).join(", ")}`);
  const input = READERS[format](fields.get(format));
  const rows = rowsOf(input);
  if (rows > MOST_ROWS) throw invalid(`the input has ${rows} rows, more than ${MOST_ROWS}`);
  return { input, params: fields.get("params") };
}

function rowsOf(input: ModelInput): number {
  if (input.kind === "frame") return input.rows;
  const values = input.kind === "tensor" ? [input.value] : [...input.values.values()];
  return values.reduce<number>((most, value) => Math.max(most, Array.isArray(value) ? value.length : 1), 0);
}

const FORMATS = ["dataframe_split", "dataframe_records", "instances", "inputs"] as const;
const ONE_OF = `The input must be a JSON dictionary with exactly one of the input fields ${FORMATS.join(", ")}`;

const READERS: Record<(typeof FORMATS)[number], (value: unknown) => ModelInput> = {
  dataframe_split: splitFrame,
  dataframe_records: recordsFrame,
  instances: instancesInput,
  inputs: inputsInput,
};

function textColumns({ inputs }: Signature): ReadonlySet<string> {
  const texts = (inputs ?? []).filter((spec) =>
    spec.kind === "column" ? spec.type === "string" : /^(object|str|<U)/.test(spec.dtype),
  );
  return new Set(texts.map(({ name }) => name ?? ""));
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw invalid("Ensure that input is a valid UTF-8 encoded string", cause);
  }
}

function parseJson(text: string): unknown {
  if (isNestedDeeper(text, MOST_LEVELS)) throw invalid(`the body is nested deeper than ${MOST_LEVELS} levels`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const plain = withoutPythonNumbers(text);
    try {
      if (plain !== text) return JSON.parse(plain);
    } catch {
      // The first complaint is about what was sent.
    }
    const why = cause instanceof Error ? cause.message : "";
    throw invalid(`Ensure that input is a valid JSON formatted string. ${why}`.slice(0, 300), cause);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function splitFrame(value: unknown): ModelInput {
  if (!isObject(value)) throw invalid("Dataframe split format must be a dictionary.");
  const strange = Object.keys(value).filter((key) => !["columns", "data", "index"].includes(key));
  if (!Array.isArray(value.data) || strange.length > 0)
    throw invalid("Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields.");
  const data: readonly unknown[] = value.data;
  const [first] = data;
  const width = Array.isArray(first) ? first.length : 1;
  const names = value.columns ?? Array.from({ length: width }, (_, place) => place);
  if (!Array.isArray(names)) throw invalid("Dataframe split format takes a list of 'columns'.");
  const rows = data.map((row, at): readonly unknown[] => {
    const cells: readonly unknown[] = Array.isArray(row) ? row : [row];
    if (cells.length !== names.length) throw invalid(`row ${at} has ${cells.length} values for ${names.length} columns`);
    return cells;
  });
  return frame(
    names.map((name: unknown) => String(name)),
    rows.length,
    (row, column) => rows[row][column],
  );
}

function recordsFrame(value: unknown): ModelInput {
  if (!Array.isArray(value)) throw invalid("Dataframe records format must be a list of records.");
  const records = value.map((record: unknown, row) => {
    if (isObject(record)) return record;
    throw invalid(`Dataframe records format must be a list of records; row ${row} is none`);
  });
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return frame(names, records.length, (row, column) => {
    const record = records[row];
    return Object.hasOwn(record, names[column]) ? record[names[column]] : null;
  });
}

function frame(names: readonly string[], rows: number, cell: (row: number, column: number) => unknown): ModelInput {
  const columns = new Map(names.map((name, column) => [name, Array.from({ length: rows }, (_, row) => cell(row, column))]));
  if (columns.size !== names.length) throw invalid("two columns have one name");
  return { kind: "frame", rows, columns };
}

/** A list of objects is read as lists by name, which must be of one length. */
function instancesInput(value: unknown): ModelInput {
  if (!Array.isArray(value) || !isObject(value[0])) return inputsInput(value);
  const lists = new Map<string, unknown[]>();
  value.forEach((instance: unknown, row) => {
    if (!isObject(instance)) throw invalid(`instance ${row} is no object, and the first is one`);
    for (const [name, each] of Object.entries(instance)) {
      const list = lists.get(name) ?? [];
      list.push(each);
      lists.set(name, list);
    }
  });
  if ([...lists.values()].some(({ length }) => length !== value.length))
    throw invalid("The length of values for each input/column name are not the same");
  return { kind: "tensors", values: lists };
}

function inputsInput(value: unknown): ModelInput {
  if (isObject(value)) return { kind: "tensors", values: new Map(Object.entries(value)) };
  if (Array.isArray(value) && value.length > 0 && value.every(isObject)) return recordsFrame(value);
  return { kind: "tensor", value };
}
