import { createHash } from "node:crypto";
import { trainErrors } from "../errors.ts";
import type { Calibration, FittedEstimator, ModelPackage, Tree } from "../model.ts";

/**
 * Layout of the file. The first 48 bytes keep their places in every format, so that any version can tell a damaged file from
 * a newer one: magic (8), formatVersion (uint32), length of the header in bytes (uint32), sha256 (32) of everything but itself.
 * Then the header as JSON, then each array where the next multiple of 8 begins. Little-endian throughout.
 */
const MAGIC = Buffer.from("ORRERYM\0", "latin1");
const FORMAT_VERSION = 1;
const HASH_AT = 16;
const HEADER_AT = 48;

type PackedArray = Float64Array | Int32Array | Uint8Array;
type ArrayType = "float64" | "int32" | "uint8";

interface Header {
  /** The package without its arrays. */
  readonly package: Omit<ModelPackage, "estimator" | "calibration">;
  readonly estimator:
    | Exclude<FittedEstimator, { kind: "logistic-regression" | "gradient-boosting" }>
    | { readonly kind: "logistic-regression"; readonly intercept: number }
    | { readonly kind: "gradient-boosting"; readonly baseScore: number };
  readonly calibration: "isotonic" | null;
  /** In the order of the bytes. */
  readonly arrays: readonly { readonly name: string; readonly type: ArrayType; readonly length: number }[];
}

const TREE_ARRAYS = ["feature", "threshold", "left", "right", "missingLeft", "value", "cover"] as const;

/** A model as bytes: JSON and typed arrays, nothing that has to be executed to be read. The same package gives the same bytes. */
export function packModel(model: ModelPackage): Uint8Array {
  const { estimator, calibration, ...rest } = model;
  const arrays = new Map<string, PackedArray>();
  if (estimator.kind === "logistic-regression") arrays.set("coefficients", estimator.coefficients);
  if (estimator.kind === "gradient-boosting") {
    arrays.set(
      "treeSizes",
      Int32Array.from(estimator.trees, (tree) => tree.feature.length),
    );
    for (const name of TREE_ARRAYS) arrays.set(name, joined(estimator.trees, name));
  }
  if (calibration !== null) {
    arrays.set("calibrationX", calibration.x);
    arrays.set("calibrationY", calibration.y);
  }
  const header: Header = {
    package: rest,
    estimator: withoutArrays(estimator),
    calibration: calibration === null ? null : calibration.kind,
    arrays: Array.from(arrays, ([name, array]) => ({ name, type: typeOf(array), length: array.length })),
  };
  const json = Buffer.from(JSON.stringify(header), "utf8");
  const starts: number[] = [];
  let end = HEADER_AT + json.length;
  for (const array of arrays.values()) {
    starts.push(aligned(end));
    end = aligned(end) + array.byteLength;
  }
  const bytes = Buffer.alloc(end);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(json.length, 12);
  json.copy(bytes, HEADER_AT);
  Array.from(arrays.values()).forEach((array, index) => {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), starts[index]);
  });
  checksum(bytes).copy(bytes, HASH_AT);
  return bytes;
}

/**
 * Reads what `packModel` wrote.
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
  // The checksum says that these are the bytes packModel wrote, and a Header is what it writes.
  const header = JSON.parse(bytes.toString("utf8", HEADER_AT, headerEnd)) as Header;
  const read = arrayReader(bytes, headerEnd, header);
  const calibration: Calibration | null =
    header.calibration === null
      ? null
      : { kind: header.calibration, x: read.float64("calibrationX"), y: read.float64("calibrationY") };
  return { ...header.package, estimator: unpackEstimator(header.estimator, read), calibration };
}

function withoutArrays(estimator: FittedEstimator): Header["estimator"] {
  if (estimator.kind === "logistic-regression") return { kind: estimator.kind, intercept: estimator.intercept };
  if (estimator.kind === "gradient-boosting") return { kind: estimator.kind, baseScore: estimator.baseScore };
  return estimator;
}

function unpackEstimator(packed: Header["estimator"], read: ArrayReader): FittedEstimator {
  if (packed.kind === "logistic-regression") return { ...packed, coefficients: read.float64("coefficients") };
  if (packed.kind !== "gradient-boosting") return packed;
  const all: Tree = {
    feature: read.int32("feature"),
    threshold: read.float64("threshold"),
    left: read.int32("left"),
    right: read.int32("right"),
    missingLeft: read.uint8("missingLeft"),
    value: read.float64("value"),
    cover: read.float64("cover"),
  };
  let start = 0;
  const trees = Array.from(read.int32("treeSizes"), (size): Tree => {
    const end = start + size;
    const tree = {
      feature: all.feature.slice(start, end),
      threshold: all.threshold.slice(start, end),
      left: all.left.slice(start, end),
      right: all.right.slice(start, end),
      missingLeft: all.missingLeft.slice(start, end),
      value: all.value.slice(start, end),
      cover: all.cover.slice(start, end),
    };
    start = end;
    return tree;
  });
  return { ...packed, trees };
}

interface ArrayReader {
  float64(name: string): Float64Array;
  int32(name: string): Int32Array;
  uint8(name: string): Uint8Array;
}

function arrayReader(bytes: Buffer, headerEnd: number, header: Header): ArrayReader {
  const places = new Map<string, { type: ArrayType; start: number; length: number }>();
  let end = headerEnd;
  for (const { name, type, length } of header.arrays) {
    const start = aligned(end);
    places.set(name, { type, start, length });
    end = start + length * { float64: 8, int32: 4, uint8: 1 }[type];
  }
  const place = (name: string, type: ArrayType) => {
    const found = places.get(name);
    if (found?.type !== type || end > bytes.length) {
      throw trainErrors.TRAIN_MODEL_CORRUPT(`the packaged model lacks its array ${name}`);
    }
    return found;
  };
  const slice = (start: number, length: number) =>
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + start + length);
  return {
    float64: (name) => {
      const { start, length } = place(name, "float64");
      return new Float64Array(slice(start, length * 8));
    },
    int32: (name) => {
      const { start, length } = place(name, "int32");
      return new Int32Array(slice(start, length * 4));
    },
    uint8: (name) => {
      const { start, length } = place(name, "uint8");
      return new Uint8Array(slice(start, length));
    },
  };
}

function joined(trees: readonly Tree[], name: (typeof TREE_ARRAYS)[number]): PackedArray {
  const nodes = trees.reduce((sum, tree) => sum + tree.feature.length, 0);
  const all = newTreeArray(name, nodes);
  let start = 0;
  for (const tree of trees) {
    all.set(tree[name], start);
    start += tree[name].length;
  }
  return all;
}

function newTreeArray(name: (typeof TREE_ARRAYS)[number], length: number): PackedArray {
  switch (name) {
    case "feature":
    case "left":
    case "right":
      return new Int32Array(length);
    case "missingLeft":
      return new Uint8Array(length);
    default:
      return new Float64Array(length);
  }
}

const typeOf = (array: PackedArray): ArrayType =>
  array instanceof Float64Array ? "float64" : array instanceof Int32Array ? "int32" : "uint8";

const aligned = (position: number): number => Math.ceil(position / 8) * 8;

const checksum = (bytes: Buffer): Buffer =>
  createHash("sha256").update(bytes.subarray(0, HASH_AT)).update(bytes.subarray(HEADER_AT)).digest();
