/** The parts of ONNX's messages (onnx.proto3) that models of tables need. Docs, device placement and sparse tensors are left out. */
export interface OnnxModel {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion: string;
  /** Version by domain; "" is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: OnnxGraph;
}

export interface OnnxGraph {
  readonly name: string;
  /** In an order in which each runs after those whose outputs it reads. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly NamedTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

export interface OnnxNode {
  readonly operator: string;
  /** "" is ai.onnx. */
  readonly domain: string;
  /** Names of values; "" for an optional one that is not given. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

export type OnnxAttribute =
  | { readonly type: "float" | "int"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "floats" | "ints"; readonly value: readonly number[] }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "tensor"; readonly value: OnnxTensor }
  /** Graphs, types and whatever comes later: known to be there, and no more. */
  | { readonly type: "other" };

/** Element types by their number in TensorProto.DataType; others are refused. */
export const ELEMENT_TYPES = {
  float: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  double: 11,
} as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

/** Whatever the element type, numbers are held as doubles (integers beyond 2^53 are refused) and booleans are 0 and 1. */
export type OnnxTensor =
  | { readonly type: Exclude<ElementType, "string">; readonly dims: readonly number[]; readonly data: Float64Array }
  | { readonly type: "string"; readonly dims: readonly number[]; readonly data: readonly string[] };

export interface NamedTensor {
  readonly name: string;
  readonly tensor: OnnxTensor;
}

export interface OnnxValueInfo {
  readonly name: string;
  /** Absent where it is no tensor (a sequence of maps, say). */
  readonly type?: ElementType;
  /** -1 where the size is open. Absent where the rank is not known. */
  readonly dims?: readonly number[];
}
