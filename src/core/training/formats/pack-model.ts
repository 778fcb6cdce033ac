import { createHash } from "node:crypto";
import { trainErrors } from "../errors.ts";
import type { ModelPackage } from "../model.ts";
import { fromFormat1, type PackageOfFormat1 } from "./format-1.ts";

/**
 * Layout of the file. The first 48 bytes keep their places in every format, so that any version can tell a damaged file from
 * a newer one: magic (8), formatVersion (uint32), length of the header in bytes (uint32), sha256 (32) of everything but itself.
 * Then the header as JSON, then each array where the next multiple of 8 begins. Little-endian throughout.
 */
const MAGIC = Buffer.from("ORRERYM\0", "latin1");
const FORMAT_VERSION = 2;
const HASH_AT = 16;
const HEADER_AT = 48;

type PackedArray = Float64Array | Int32Array | Uint32Array | Uint8Array;
type ArrayType = "float64" | "int32" | "uint32" | "uint8";
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

interface ArrayEntry {
  /** Where in the package the array stands; the JSON has null there. */
  readonly path: readonly (string | number)[];
  readonly type: ArrayType;
  readonly length: number;
}

interface Header {
  readonly package: Json;
  /** In the order of the bytes. */
  readonly arrays: readonly ArrayEntry[];
}

/** A model as bytes: JSON and typed arrays, nothing that has to be executed to be read. The same package gives the same bytes. */
export function packModel(model: ModelPackage): Uint8Array {
  const arrays: PackedArray[] = [];
  const entries: ArrayEntry[] = [];
  const json = withoutArrays(model, [], (array, path) => {
    arrays.push(array);
    entries.push({ path, type: typeOf(array), length: array.length });
  });
  const header = Buffer.from(JSON.stringify({ package: json, arrays: entries } satisfies Header), "utf8");
  const starts: number[] = [];
  let end = HEADER_AT + header.length;
  for (const array of arrays) {
    starts.push(aligned(end));
    end = aligned(end) + array.byteLength;
  }
  const bytes = Buffer.alloc(end);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(header.length, 12);
  header.copy(bytes, HEADER_AT);
  arrays.forEach((array, index) => {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), starts[index]);
  });
  checksum(bytes).copy(bytes, HASH_AT);
  return bytes;
}

/**
 * Reads what `packModel` wrote, in this format or an older one.
 * @throws TRAIN_MODEL_CORRUPT when a byte has changed or it is another kind of file; TRAIN_MODEL_NEWER
 */
export function unpackModel(input: Uint8Array): ModelPackage {
  // Copied, because typed arrays need an aligned start, and so that the caller may reuse its buffer.
  const bytes = Buffer.from(new Uint8Array(input).buffer);
  if (bytes.length < HEADER_AT || !bytes.subarray(0, 8).equals(MAGIC)) {
    throw trainErrors.TRAIN_MODEL_CORRUPT("this is not a packaged model");
  }
  if (!checksum(bytes).equals(bytes.subarray(HASH_AT, HEADER_AT))) {
    throw trainErrors.TRAIN_MODEL_CORRUPT("the packaged model does not match its checksum");
  }
  const version = bytes.readUInt32LE(8);
  if (version > FORMAT_VERSION) {
    throw trainErrors.TRAIN_MODEL_NEWER(`the packaged model has format ${version}; formats up to ${FORMAT_VERSION} can be read`);
  }
  const headerEnd = HEADER_AT + bytes.readUInt32LE(12);
  const header: unknown = JSON.parse(bytes.toString("utf8", HEADER_AT, headerEnd));
  // The checksum says that these are the bytes packModel wrote, and this is what it wrote in either format.
  if (version === 1) {
    const { arrays, ...rest } = header as PackageOfFormat1;
    const places = arrays.map(({ name, type, length }) => ({ path: [name], type, length }));
    return fromFormat1(rest, new Map(readArrays(bytes, headerEnd, places).map(({ path, array }) => [String(path[0]), array])));
  }
  const { package: model, arrays } = header as { package: ModelPackage; arrays: readonly ArrayEntry[] };
  for (const { path, array } of readArrays(bytes, headerEnd, arrays)) put(model, path, array);
  return model;
}

/** The value with null in the place of each typed array, which is handed to `found`. */
function withoutArrays(
  value: unknown,
  path: readonly (string | number)[],
  found: (array: PackedArray, path: readonly (string | number)[]) => void,
): Json {
  if (isPacked(value)) {
    found(value, path);
    return null;
  }
  if (Array.isArray(value)) return value.map((each, index) => withoutArrays(each, [...path, index], found));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, each]) => each !== undefined);
    return Object.fromEntries(entries.map(([key, each]) => [key, withoutArrays(each, [...path, key], found)]));
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw trainErrors.TRAIN_MODEL_CORRUPT(`the package holds ${value} at ${path.join(".")}`);
  }
  return value as null | boolean | number | string;
}

function put(model: object, path: readonly (string | number)[], array: PackedArray): void {
  let place = model;
  for (const key of path.slice(0, -1)) {
    const next: unknown = Object.hasOwn(place, key) ? Reflect.get(place, key) : undefined;
    if (typeof next !== "object" || next === null) throw trainErrors.TRAIN_MODEL_CORRUPT(`the package lacks ${path.join(".")}`);
    place = next;
  }
  const last = path[path.length - 1];
  if (!Object.hasOwn(place, last)) throw trainErrors.TRAIN_MODEL_CORRUPT(`the package lacks ${path.join(".")}`);
  Reflect.set(place, last, array);
}

function readArrays(bytes: Buffer, headerEnd: number, entries: readonly ArrayEntry[]) {
  let end = headerEnd;
  return entries.map(({ path, type, length }) => {
    const start = aligned(end);
    end = start + length * ELEMENT_BYTES[type];
    if (end > bytes.length) throw trainErrors.TRAIN_MODEL_CORRUPT(`the packaged model lacks its array ${path.join(".")}`);
    return { path, array: newArray(type, bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + end)) };
  });
}

const ELEMENT_BYTES = { float64: 8, int32: 4, uint32: 4, uint8: 1 } as const;

function newArray(type: ArrayType, buffer: ArrayBufferLike): PackedArray {
  switch (type) {
    case "float64":
      return new Float64Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "uint8":
      return new Uint8Array(buffer);
  }
}

const isPacked = (value: unknown): value is PackedArray =>
  value instanceof Float64Array || value instanceof Int32Array || value instanceof Uint32Array || value instanceof Uint8Array;

function typeOf(array: PackedArray): ArrayType {
  if (array instanceof Float64Array) return "float64";
  if (array instanceof Int32Array) return "int32";
  return array instanceof Uint32Array ? "uint32" : "uint8";
}

function checksum(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes.subarray(0, HASH_AT)).update(bytes.subarray(HEADER_AT)).digest();
}

const aligned = (offset: number): number => Math.ceil(offset / 8) * 8;
