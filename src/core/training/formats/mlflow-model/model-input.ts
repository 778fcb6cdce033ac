import { trainErrors } from "../../errors.ts";

/** What a request says, before anybody has looked at a signature. Values are JSON: null is missing. */
export type ModelInput = FrameInput | TensorsInput | TensorInput;

/** Columns by name, all of one length; a frame whose columns have no names calls them "0", "1" …. */
export interface FrameInput {
  readonly kind: "frame";
  readonly rows: number;
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
}

/** Lists within lists, by name. */
export interface TensorsInput {
  readonly kind: "tensors";
  readonly values: ReadonlyMap<string, unknown>;
}

/** Lists within lists, without a name. */
export interface TensorInput {
  readonly kind: "tensor";
  readonly value: unknown;
}

export const invalidInput = (message: string) => trainErrors.TRAIN_MODEL_INPUT_INVALID(message.slice(0, 1_000));

/** A value as a message shows it. */
export const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60);

/** A tensor of JSON values. */
export interface Nested {
  readonly dims: readonly number[];
  /** Row-major. */
  readonly flat: readonly unknown[];
}

/** @throws TRAIN_MODEL_INPUT_INVALID where lists of one level differ in length, or are nested too deep */
export function flatten(value: unknown, what: string): Nested {
  const dims: number[] = [];
  for (let first = value; Array.isArray(first); first = first[0]) {
    dims.push(first.length);
    if (dims.length > MOST_DIMENSIONS) throw invalidInput(`${what} has more than ${MOST_DIMENSIONS} dimensions`);
    if (first.length === 0) break;
  }
  const flat: unknown[] = [];
  collect(value, dims, 0, flat, what);
  return { dims, flat };
}

const MOST_DIMENSIONS = 8;

function collect(value: unknown, dims: readonly number[], level: number, into: unknown[], what: string): void {
  if (level === dims.length) {
    if (typeof value === "object" && value !== null) throw invalidInput(`${what} has lists of different depths, or objects`);
    into.push(value);
    return;
  }
  if (!Array.isArray(value) || value.length !== dims[level])
    throw invalidInput(
      `${what} has lists of different lengths: ${dims[level]} values are expected in each of its dimension ${level}`,
    );
  for (const each of value) collect(each, dims, level + 1, into, what);
}
