import { asNumber, asText, convertValue } from "./convert-value.ts";
import { type FrameInput, flatten, invalidInput, type ModelInput, type Nested, shown, type TensorsInput } from "./model-input.ts";
import type { ColumnSpec, MlflowType, ParamSpec, Signature, TensorSpec } from "./signature.ts";

/** Input that fits a signature: converted columns, or tensors; one tensor without a name has the name "". */
export type CheckedInput = FrameInput | { readonly kind: "tensors"; readonly values: ReadonlyMap<string, Nested> };

/**
 * What MLflow does before a model sees its input. Columns: those of the signature in its order, converted to its types; others are left
 * out. Arrays: of the shapes and types that it says. Without a signature everything goes on as it came.
 *
 * @throws TRAIN_MODEL_INPUT_INVALID names the columns that are missing, or the value that does not fit
 */
export function enforceSignature({ inputs }: Signature, input: ModelInput): CheckedInput {
  if (inputs === null) return asItCame(input);
  const columns = inputs.filter((spec) => spec.kind === "column");
  if (columns.length > 0) return enforceColumns(columns, frameOf(input, columns));
  return {
    kind: "tensors",
    values: enforceTensors(
      inputs.filter((spec) => spec.kind === "tensor"),
      input,
    ),
  };
}

function asItCame(input: ModelInput): CheckedInput {
  if (input.kind === "frame") return input;
  const values: ReadonlyMap<string, unknown> = input.kind === "tensor" ? new Map([["", input.value]]) : input.values;
  return { kind: "tensors", values: new Map(Array.from(values, ([name, value]) => [name, flatten(value, name || "the input")])) };
}

// Columns ------------------------------------------------------------------------------------------------------------------

/** Whatever came, as a data frame: lists by name are columns, rows without names have columns "0", "1" …. */
function frameOf(input: ModelInput, columns: readonly ColumnSpec[]): FrameInput {
  if (input.kind === "frame") return input;
  if (input.kind === "tensors") return frameOfLists(input);
  const { dims, flat } = flatten(input.value, "the input");
  if (dims.length > 2) throw invalidInput(`the model takes a table, and the input has ${dims.length} dimensions`);
  const [rows = 1, width = 1] = dims;
  // One list is the one column that a signature names.
  const name = (column: number) =>
    width === 1 && dims.length < 2 && columns.length === 1 ? (columns[0]?.name ?? "0") : String(column);
  return {
    kind: "frame",
    rows,
    columns: new Map(
      Array.from({ length: width }, (_, column) => [
        name(column),
        Array.from({ length: rows }, (_, row) => flat[row * width + column]),
      ]),
    ),
  };
}

function frameOfLists({ values }: TensorsInput): FrameInput {
  const scalars = [...values.values()].every((value) => !Array.isArray(value));
  const columns = new Map(Array.from(values, ([name, value]) => [name, scalars ? [value] : listOf(name, value)]));
  const rows = columns.values().next().value?.length ?? 0;
  for (const [name, values] of columns)
    if (values.length !== rows)
      throw invalidInput(`columns differ in length: ${name} has ${values.length} values, others ${rows}`);
  return { kind: "frame", rows, columns };
}

function listOf(name: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalidInput(`the column ${name} takes a list, not ${shown(value)}`);
}

function enforceColumns(specs: readonly ColumnSpec[], frame: FrameInput): FrameInput {
  const isNamed = specs.every(({ name }) => name !== null);
  const found = isNamed ? byName(specs, frame) : byPlace(specs, frame);
  const columns = found.map(([name, type, values]): [string, readonly unknown[]] => [
    name,
    values.map((value, row) => convertValue(value, type, () => `column ${name}, row ${row},`)),
  ]);
  return { kind: "frame", rows: frame.rows, columns: new Map(columns) };
}

type FoundColumn = [name: string, type: MlflowType, values: readonly unknown[]];

function byName(specs: readonly ColumnSpec[], { columns, rows }: FrameInput): FoundColumn[] {
  const missing = specs.filter(({ name, required }) => required && !columns.has(name ?? ""));
  if (missing.length > 0) {
    const known = new Set(specs.map(({ name }) => name));
    const extra = [...columns.keys()].filter((name) => !known.has(name));
    const beside = extra.length === 0 ? "" : `. Note that there were extra inputs: ${namesOf(extra)}`;
    throw invalidInput(`Model is missing inputs ${namesOf(missing.map(({ name }) => name ?? ""))}${beside}.`);
  }
  return specs.flatMap(({ name, type }): FoundColumn[] => {
    const values = columns.get(name ?? "");
    // A graph reads all its columns: one that may be absent is missing in every row.
    if (values === undefined) return canBeMissing(type) ? [[name ?? "", type, new Array(rows).fill(null)]] : [];
    return [[name ?? "", type, values]];
  });
}

const canBeMissing = (type: MlflowType): boolean => type === "double" || type === "float" || type === "string";

function byPlace(specs: readonly ColumnSpec[], { columns }: FrameInput): FoundColumn[] {
  const names = [...columns.keys()];
  if (names.length < specs.length)
    throw invalidInput(`the model takes ${specs.length} columns, which have no names, and the input has ${names.length}`);
  return specs.map(({ type }, place) => [names[place], type, columns.get(names[place]) ?? []]);
}

const namesOf = (names: readonly string[]): string =>
  `[${names
    .slice(0, 20)
    .map((name) => `'${name}'`)
    .join(", ")}${names.length > 20 ? ", …" : ""}]`;

// Arrays -------------------------------------------------------------------------------------------------------------------

function enforceTensors(specs: readonly TensorSpec[], input: ModelInput): ReadonlyMap<string, Nested> {
  const [first] = specs;
  if (specs.length === 1 && first.name === null) return new Map([["", tensorOf(first, unnamed(first, input), "the input")]]);
  if (input.kind === "tensor") {
    if (specs.length === 1)
      return new Map([[first.name ?? "", tensorOf(first, flatten(input.value, "the input"), first.name ?? "the input")]]);
    throw invalidInput(`the model takes ${specs.length} arrays by name: ${namesOf(specs.map(({ name }) => name ?? ""))}`);
  }
  const given = input.kind === "frame" ? input.columns : input.values;
  const missing = specs.map(({ name }) => name ?? "").filter((name) => !given.has(name));
  if (missing.length > 0) throw invalidInput(`Model is missing inputs ${namesOf(missing)}.`);
  return new Map(
    specs.map((spec) => {
      const name = spec.name ?? "";
      const value = flatten(given.get(name), name);
      return [name, tensorOf(spec, input.kind === "frame" ? shaped(spec, value, name) : value, name)];
    }),
  );
}

/** The values of a frame's one column in the shape of the signature, or all its columns side by side. */
function unnamed(spec: TensorSpec, input: ModelInput): Nested {
  if (input.kind === "tensor") return flatten(input.value, "the input");
  if (input.kind === "tensors")
    throw invalidInput("the model's signature has one input without a name: send a list of lists, or a data frame");
  const columns = [...input.columns.values()];
  if (columns.length === 1) return shaped(spec, flatten(columns[0], "the input"), "the input");
  return {
    dims: [input.rows, columns.length],
    flat: Array.from(
      { length: input.rows * columns.length },
      (_, at) => columns[at % columns.length][Math.floor(at / columns.length)],
    ),
  };
}

/** A column of a frame has lost the shape of what it holds, but for the number of rows. */
function shaped({ shape }: TensorSpec, { dims, flat }: Nested, what: string): Nested {
  const [rows = 1] = dims;
  const rest = shape.slice(1);
  const size = rest.reduce((product, length) => product * length, 1);
  if (rest.includes(-1) || shape[0] !== -1 || rows * size !== flat.length)
    throw invalidInput(
      `${what} does not fit the shape (${shape.join(", ")}): ${rows} rows of ${flat.length / Math.max(rows, 1)} values`,
    );
  return { dims: [rows, ...rest], flat };
}

function tensorOf({ dtype, shape }: TensorSpec, { dims, flat }: Nested, what: string): Nested {
  if (dims.length !== shape.length || shape.some((length, axis) => length !== -1 && length !== dims[axis]))
    throw invalidInput(`Shape of input (${dims.join(", ")}) does not match expected shape (${shape.join(", ")}): ${what}`);
  const convert = converterOf(dtype, what);
  return { dims, flat: flat.map(convert) };
}

/** numpy's names of types, as far as graphs have them; objects stay what they are. */
function converterOf(dtype: string, what: string): (value: unknown) => unknown {
  if (/^float\d+$/.test(dtype)) {
    return (value) => {
      const number = asNumber(value);
      if (number === null) throw invalidInput(`${what} takes numbers, not ${shown(value)}`);
      return number;
    };
  }
  if (/^u?int\d+$/.test(dtype)) return (value) => convertValue(value, "long", () => what);
  if (dtype === "bool") return (value) => convertValue(value, "boolean", () => what);
  if (/^(str|<U\d*)/.test(dtype)) return (value) => asText(value, () => what);
  return (value) => value;
}

// Params -------------------------------------------------------------------------------------------------------------------

/**
 * Params of a request: those that the signature knows, of its types. An ONNX graph takes none, so that they are only checked.
 * @throws TRAIN_MODEL_INPUT_INVALID
 */
export function checkParams(specs: readonly ParamSpec[] | null, params: unknown): void {
  if (specs === null || params === undefined || params === null) return;
  if (typeof params !== "object" || Array.isArray(params))
    throw invalidInput(`Parameters must be a dictionary, not ${shown(params)}.`);
  for (const { name, type, shape } of specs) {
    if (!Object.hasOwn(params, name)) continue;
    const value: unknown = Reflect.get(params, name);
    if (value === null) continue;
    const values = shape === null ? [value] : listOf(name, value);
    for (const each of values) checkParam(name, type, each);
  }
}

/** Unlike a column's, a param's text is no number. */
function checkParam(name: string, type: MlflowType, value: unknown): void {
  const isNumber = type === "double" || type === "float" || type === "integer" || type === "long";
  const fits = isNumber
    ? typeof value === "number" && (type === "double" || type === "float" || Number.isInteger(value))
    : typeof value === (type === "boolean" ? "boolean" : "string");
  if (!fits) throw invalidInput(`Invalid parameters found: ${name} takes a ${type}, not ${shown(value)}`);
}
