import { trainErrors } from "../../errors.ts";
import {
  ELEMENT_TYPES,
  type ElementType,
  type NamedTensor,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from "./onnx-model.ts";
import { type ProtobufField, readFields, safeInteger } from "./protobuf-reader.ts";

const invalid = (message: string, cause?: unknown) =>
  trainErrors.TRAIN_ONNX_INVALID(`the ONNX file is damaged: ${message}`, { cause });

const fieldsOf = (bytes: Uint8Array) => readFields(bytes, invalid);

/** Where a tensor lies in another file, as the model says it: whoever reads it has to check the name. */
export interface ExternalPlace {
  readonly location: string;
  readonly offset: number;
  /** To the end where it is null. */
  readonly length: number | null;
}

/** Bytes of a tensor that is kept in another file. */
export type ReadExternal = (place: ExternalPlace) => Uint8Array;

const nothingElse: ReadExternal = () => {
  throw invalid("a tensor is kept in another file");
};

/**
 * Reads an ONNX file, field numbers of onnx.proto3; fields that OnnxModel does not have are passed over. Only reads: whether
 * the graph makes sense is for those who use it to check.
 *
 * @param readExternal of tensors that are kept in other files, which are refused without it
 * @throws TRAIN_ONNX_INVALID for damage, numbers beyond 2^53, and tensors of types not in ELEMENT_TYPES; what readExternal throws
 */
export function decodeOnnx(bytes: Uint8Array, readExternal: ReadExternal = nothingElse): OnnxModel {
  const model = { irVersion: 0, producerName: "", producerVersion: "" };
  const opsets = new Map<string, number>();
  const metadata: [string, string][] = [];
  let graph: OnnxGraph | null = null;
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) model.irVersion = field.integer();
    else if (field.number === 2) model.producerName = field.text();
    else if (field.number === 3) model.producerVersion = field.text();
    else if (field.number === 7) graph = readGraph(field.bytes(), readExternal);
    else if (field.number === 8) opsets.set(...readOpset(field.bytes()));
    else if (field.number === 14) metadata.push(readEntry(field.bytes()));
  }
  if (graph === null) throw invalid("it has no graph");
  return { ...model, opsets, metadata: Object.fromEntries(metadata), graph };
}

function readOpset(bytes: Uint8Array): [domain: string, version: number] {
  let domain = "";
  let version = 1;
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) domain = normalDomain(field.text());
    else if (field.number === 2) version = field.integer();
  }
  return [domain, version];
}

const normalDomain = (domain: string): string => (domain === "ai.onnx" ? "" : domain);

function readEntry(bytes: Uint8Array): [key: string, value: string] {
  let key = "";
  let value = "";
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) key = field.text();
    else if (field.number === 2) value = field.text();
  }
  return [key, value];
}

function readGraph(bytes: Uint8Array, readExternal: ReadExternal): OnnxGraph {
  let name = "";
  const nodes: OnnxNode[] = [];
  const initializers: NamedTensor[] = [];
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) nodes.push(readNode(field.bytes(), readExternal));
    else if (field.number === 2) name = field.text();
    else if (field.number === 5) initializers.push(readTensor(field.bytes(), readExternal));
    else if (field.number === 11) inputs.push(readValueInfo(field.bytes()));
    else if (field.number === 12) outputs.push(readValueInfo(field.bytes()));
    else if (field.number === 15) throw invalid("it has a sparse tensor");
  }
  return { name, nodes, initializers, inputs, outputs };
}

function readNode(bytes: Uint8Array, readExternal: ReadExternal): OnnxNode {
  let operator = "";
  let domain = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) inputs.push(field.text());
    else if (field.number === 2) outputs.push(field.text());
    else if (field.number === 4) operator = field.text();
    else if (field.number === 5) attributes.set(...readAttribute(field.bytes(), readExternal));
    else if (field.number === 7) domain = normalDomain(field.text());
  }
  return { operator, domain, inputs, outputs, attributes };
}

function readAttribute(bytes: Uint8Array, readExternal: ReadExternal): [name: string, attribute: OnnxAttribute] {
  let name = "";
  let type = 0;
  let number = 0;
  let text = "";
  let tensor: OnnxTensor | null = null;
  const numbers: number[] = [];
  const texts: string[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) name = field.text();
    else if (field.number === 20) type = field.integer();
    else if (field.number === 2) number = field.float();
    else if (field.number === 3) number = field.integer();
    else if (field.number === 4) text = field.text();
    else if (field.number === 5) ({ tensor } = readTensor(field.bytes(), readExternal));
    else if (field.number === 7) field.floats(numbers);
    else if (field.number === 8) field.integers(numbers);
    else if (field.number === 9) texts.push(field.text());
  }
  switch (type) {
    case 1:
      return [name, { type: "float", value: number }];
    case 2:
      return [name, { type: "int", value: number }];
    case 3:
      return [name, { type: "string", value: text }];
    case 4:
      if (tensor === null) throw invalid(`the attribute ${name} has no tensor`);
      return [name, { type: "tensor", value: tensor }];
    case 6:
      return [name, { type: "floats", value: numbers }];
    case 7:
      return [name, { type: "ints", value: numbers }];
    case 8:
      return [name, { type: "strings", value: texts }];
    default:
      return [name, { type: "other" }];
  }
}

/** The fields of a TensorProto as they come; data stands in one of several fields, or in `raw`. */
interface RawTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly numbers: readonly number[];
  readonly texts: readonly string[];
  readonly raw: Uint8Array | null;
}

function readTensor(bytes: Uint8Array, readExternal: ReadExternal): NamedTensor {
  const tensor = readRawTensor(bytes, readExternal);
  const { name, type, dims } = tensor;
  const size = elementCount(dims);
  if (type === "string") {
    if (tensor.texts.length !== size) throw invalid(`the tensor ${name} has ${tensor.texts.length} of ${size} texts`);
    return { name, tensor: { type, dims, data: tensor.texts } };
  }
  const data = tensor.raw === null ? Float64Array.from(tensor.numbers) : readRaw(tensor.raw, type);
  if (data.length !== size) throw invalid(`the tensor ${name} has ${data.length} of ${size} numbers`);
  return { name, tensor: { type, dims, data } };
}

function readRawTensor(bytes: Uint8Array, readExternal: ReadExternal): RawTensor {
  let name = "";
  let type: ElementType | null = null;
  let raw: Uint8Array | null = null;
  let isExternal = false;
  const external: [string, string][] = [];
  const dims: number[] = [];
  const numbers: number[] = [];
  const texts: string[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) field.integers(dims);
    else if (field.number === 2) type = elementType(field);
    else if (field.number === 4) field.floats(numbers);
    else if (field.number === 5 || field.number === 7) field.integers(numbers);
    else if (field.number === 6) texts.push(field.text());
    else if (field.number === 8) name = field.text();
    else if (field.number === 9) raw = field.bytes();
    else if (field.number === 10) field.doubles(numbers);
    else if (field.number === 13) external.push(readEntry(field.bytes()));
    else if (field.number === 14) isExternal = field.integer() === 1;
  }
  if (isExternal) raw = readExternal(placeOf(name, new Map(external)));
  if (type === null) throw invalid(`the tensor ${name} has no type`);
  return { name, type, dims, numbers, texts, raw };
}

function placeOf(name: string, entries: ReadonlyMap<string, string>): ExternalPlace {
  const number = (key: string): number | null => {
    const text = entries.get(key);
    if (text === undefined) return null;
    if (!/^\d{1,15}$/.test(text)) throw invalid(`the tensor ${name} has no number for its ${key}`);
    return Number(text);
  };
  const location = entries.get("location");
  if (location === undefined) throw invalid(`the tensor ${name} is kept in another file that is not named`);
  return { location, offset: number("offset") ?? 0, length: number("length") };
}

const TYPE_NAMES = new Map<number, ElementType>(
  Object.entries(ELEMENT_TYPES).flatMap(([name, number]) => (isElementType(name) ? [[number, name]] : [])),
);

function isElementType(name: string): name is ElementType {
  return name in ELEMENT_TYPES;
}

function elementType(field: ProtobufField): ElementType {
  const number = field.integer();
  const type = TYPE_NAMES.get(number);
  if (type === undefined) throw invalid(`a tensor has the element type ${number}, which models of tables do not need`);
  return type;
}

function elementCount(dims: readonly number[]): number {
  if (dims.some((size) => size < 0)) throw invalid("a tensor has a negative size");
  return dims.reduce((product, size) => product * size, 1);
}

/** Little-endian, whatever the machine. */
function readRaw(bytes: Uint8Array, type: Exclude<ElementType, "string">): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { size, read } = RAW_NUMBERS[type];
  if (bytes.length % size !== 0) throw invalid(`a tensor has ${bytes.length} bytes for numbers of ${size}`);
  return Float64Array.from({ length: bytes.length / size }, (_, index) => read(view, index * size));
}

const RAW_NUMBERS: Record<Exclude<ElementType, "string">, { size: number; read: (view: DataView, at: number) => number }> = {
  float: { size: 4, read: (view, at) => view.getFloat32(at, true) },
  double: { size: 8, read: (view, at) => view.getFloat64(at, true) },
  int32: { size: 4, read: (view, at) => view.getInt32(at, true) },
  int8: { size: 1, read: (view, at) => view.getInt8(at) },
  uint8: { size: 1, read: (view, at) => view.getUint8(at) },
  bool: { size: 1, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
  int64: {
    size: 8,
    read: (view, at) => safeInteger(Number(view.getBigInt64(at, true)), invalid),
  },
};

function readValueInfo(bytes: Uint8Array): OnnxValueInfo {
  let name = "";
  let tensorType: { type: ElementType; dims?: readonly number[] } | null = null;
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) name = field.text();
    else if (field.number === 2) tensorType = readType(field.bytes());
  }
  return { name, ...tensorType };
}

/** Null where it is no tensor. */
function readType(bytes: Uint8Array): { type: ElementType; dims?: readonly number[] } | null {
  for (const field of fieldsOf(bytes)) {
    if (field.number !== 1) continue;
    let type: ElementType | null = null;
    let dims: number[] | undefined;
    for (const part of fieldsOf(field.bytes())) {
      if (part.number === 1) type = elementType(part);
      else if (part.number === 2) dims = readShape(part.bytes());
    }
    if (type !== null) return dims === undefined ? { type } : { type, dims };
  }
  return null;
}

function readShape(bytes: Uint8Array): number[] {
  const dims: number[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.number !== 1) continue;
    let size = -1;
    for (const part of fieldsOf(field.bytes())) if (part.number === 1) size = part.integer();
    dims.push(size);
  }
  return dims;
}
