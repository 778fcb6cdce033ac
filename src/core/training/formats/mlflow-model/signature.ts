import { z } from "zod";
import { trainErrors } from "../../errors.ts";

/** Types of MLflow's columns; what else it knows (arrays, objects, maps) no model of tables has. */
export const COLUMN_TYPES = ["boolean", "integer", "long", "float", "double", "string", "datetime"] as const;
export type MlflowType = (typeof COLUMN_TYPES)[number];

/** A column of a data frame; without a name it is known by its place. */
export interface ColumnSpec {
  readonly kind: "column";
  readonly name: string | null;
  readonly type: MlflowType;
  /** A column that is not may be absent. */
  readonly required: boolean;
}

/** An array; without a name it is the only one. */
export interface TensorSpec {
  readonly kind: "tensor";
  readonly name: string | null;
  /** As numpy names it: "float64", "object". */
  readonly dtype: string;
  /** -1 where the size is open. */
  readonly shape: readonly number[];
}

export interface ParamSpec {
  readonly name: string;
  readonly type: MlflowType;
  /** null for one value, [-1] for a list. */
  readonly shape: readonly number[] | null;
}

/** What a model takes and gives, as its MLmodel file says it; null where the file says nothing. */
export interface Signature {
  readonly inputs: readonly ColumnSpec[] | readonly TensorSpec[] | null;
  readonly outputs: readonly ColumnSpec[] | readonly TensorSpec[] | null;
  readonly params: readonly ParamSpec[] | null;
}

export const NO_SIGNATURE: Signature = { inputs: null, outputs: null, params: null };

const name = z.string().max(1_000).nullish();
const column = z
  .object({ type: z.enum(COLUMN_TYPES), name, required: z.boolean().optional(), optional: z.boolean().optional() })
  .transform(
    ({ type, name, required, optional }): ColumnSpec => ({
      kind: "column",
      name: name ?? null,
      type,
      required: required ?? !(optional ?? false),
    }),
  );
const tensor = z
  .object({
    type: z.literal("tensor"),
    name,
    "tensor-spec": z.object({ dtype: z.string().max(100), shape: z.array(z.int().min(-1)).min(1).max(16) }),
  })
  .transform(({ name, "tensor-spec": { dtype, shape } }): TensorSpec => ({ kind: "tensor", name: name ?? null, dtype, shape }));
const specs = z.union([z.array(column).min(1).max(65_536), z.array(tensor).min(1).max(65_536)]);
const params = z.array(
  z.object({
    name: z.string(),
    type: z.enum(COLUMN_TYPES),
    shape: z
      .array(z.int())
      .nullish()
      .transform((shape) => shape ?? null),
  }),
);
/** Each value is JSON in a text, and absent or null where there is none. */
const texts = z.object({
  inputs: z.string().nullish(),
  outputs: z.string().nullish(),
  params: z.string().nullish(),
});

/**
 * Reads the `signature` of an MLmodel file. Outputs that are not understood count as unsaid, because nothing is checked against them.
 * @throws TRAIN_MLMODEL_INVALID, TRAIN_MLMODEL_UNSUPPORTED for inputs of types that tables do not have
 */
export function readSignature(value: unknown): Signature {
  if (value === undefined || value === null) return NO_SIGNATURE;
  const { success, data } = texts.safeParse(value);
  if (!success) throw trainErrors.TRAIN_MLMODEL_INVALID("the signature is not inputs, outputs and params as JSON texts");
  return {
    inputs: readPart("inputs", data.inputs, specs),
    outputs: specs.safeParse(jsonOf("outputs", data.outputs)).data ?? null,
    params: readPart("params", data.params, params),
  };
}

function readPart<Part>(what: string, text: string | null | undefined, schema: z.ZodType<Part>): Part | null {
  const json = jsonOf(what, text);
  if (json === null) return null;
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const types = Array.isArray(json) ? [...new Set(json.map((each) => String(Object(each).type)))] : [];
  throw trainErrors.TRAIN_MLMODEL_UNSUPPORTED(
    `the signature's ${what} are not columns or arrays that are known here${types.length === 0 ? "" : `: ${types.join(", ")}`}`.slice(
      0,
      500,
    ),
  );
}

function jsonOf(what: string, text: string | null | undefined): unknown {
  if (text === undefined || text === null) return null;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw trainErrors.TRAIN_MLMODEL_INVALID(`the signature's ${what} are no JSON`, { cause });
  }
}

/** As MLflow writes it. */
export function writeSignature({ inputs, outputs, params }: Signature): Record<string, string> {
  const written: [string, string][] = [];
  if (inputs !== null) written.push(["inputs", JSON.stringify(inputs.map(writeSpec))]);
  if (outputs !== null) written.push(["outputs", JSON.stringify(outputs.map(writeSpec))]);
  if (params !== null) written.push(["params", JSON.stringify(params)]);
  return Object.fromEntries(written);
}

function writeSpec(spec: ColumnSpec | TensorSpec): object {
  const named = spec.name === null ? {} : { name: spec.name };
  return spec.kind === "column"
    ? { type: spec.type, ...named, required: spec.required }
    : { type: "tensor", ...named, "tensor-spec": { dtype: spec.dtype, shape: spec.shape } };
}
