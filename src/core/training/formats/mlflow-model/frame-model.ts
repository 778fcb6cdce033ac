import type { ColumnType } from "../../../definitions/index.ts";
import { exportFrameOnnx, type FrameType, frameOutputs, type OnnxSource } from "../onnx/export-onnx.ts";
import type { ColumnSpec, MlflowType, Signature, TensorSpec } from "./signature.ts";

/** A model as an ONNX graph over the columns of a data frame, and what MLflow has to know of it. */
export interface FrameModel {
  readonly onnx: Uint8Array;
  readonly signature: Signature;
}

/**
 * What a data scientist loads with `mlflow.pyfunc` and hands a data frame of raw features, columns named by the features' ids.
 *
 * mlflow.onnx gives a graph of several inputs each column as it is, in the type the frame has it in. So whole numbers without missing ones
 * are int64, and booleans bool, as in a frame read from the training set; what has missing values is double, as pandas makes it. A text
 * column of pandas 3 is no array, and ONNX Runtime refuses it; with texts the signature therefore says arrays, for which MLflow makes one of
 * each column, of the type that is named, and the predictions come as a dictionary of arrays instead of a data frame.
 *
 * @param complete ids of features that have no missing value in the training rows
 * @throws as exportOnnx
 */
export function frameModel(source: OnnxSource, complete: ReadonlySet<string>): FrameModel {
  const { features } = source.plan;
  const hasTexts = features.some(({ type }) => type === "string");
  const types = new Map(
    features.map(({ id, type }): [string, FrameType] => [id, hasTexts ? arrayType(type) : columnType(type, complete.has(id))]),
  );
  return { onnx: exportFrameOnnx(source, types), signature: hasTexts ? arrays(source, types) : columns(source, types) };
}

const arrayType = (type: ColumnType): FrameType => (type === "string" ? "string" : "double");

function columnType(type: ColumnType, isComplete: boolean): FrameType {
  if (!isComplete) return "double";
  switch (type) {
    case "int32":
    case "int64":
    case "timestamp":
      return "int64";
    case "bool":
      return "bool";
    default:
      return "double";
  }
}

interface Output {
  readonly name: string;
  readonly type: "int64" | "string" | "double";
}

function outputsOfTask(source: OnnxSource): Output[] {
  const numbers = frameOutputs(source).map((name): Output => ({ name, type: "double" }));
  if (source.task === "regression") return numbers;
  return [{ name: "label", type: source.task === "binary" ? "int64" : "string" }, ...numbers];
}

const MLFLOW_TYPES = { double: "double", int64: "long", bool: "boolean", string: "string" } as const satisfies Record<
  FrameType,
  MlflowType
>;

function columns(source: OnnxSource, types: ReadonlyMap<string, FrameType>): Signature {
  const spec = (name: string, type: FrameType): ColumnSpec => ({
    kind: "column",
    name,
    type: MLFLOW_TYPES[type],
    required: true,
  });
  return {
    inputs: [...types].map(([name, type]) => spec(name, type)),
    outputs: outputsOfTask(source).map(({ name, type }) => spec(name, type)),
    params: null,
  };
}

function arrays(source: OnnxSource, types: ReadonlyMap<string, FrameType>): Signature {
  const spec = (name: string, dtype: string): TensorSpec => ({ kind: "tensor", name, dtype, shape: [-1] });
  return {
    inputs: [...types].map(([name, type]) => spec(name, type === "string" ? "object" : "float64")),
    outputs: outputsOfTask(source).map(({ name, type }) =>
      spec(name, type === "string" ? "str" : type === "int64" ? "int64" : "float64"),
    ),
    params: null,
  };
}
