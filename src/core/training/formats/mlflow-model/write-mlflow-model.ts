import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { formatTimestamp, type Micros } from "../../../time.ts";
import { type Signature, writeSignature } from "./signature.ts";

export interface MlflowModelFacts {
  readonly signature: Signature;
  readonly runId: string;
  /** When it was made. */
  readonly at: Micros;
  readonly bytesOfOnnx: number;
}

/** Name of the graph's file in the folder. */
export const ONNX_FILE = "model.onnx";

/** Python that the graph was tried with, and the oldest of each package that reads it: ONNX Runtime knows TreeEnsemble since 1.20. */
const PYTHON = "3.11.0";
const REQUIREMENTS = ["mlflow>=2.16", "onnx>=1.17", "onnxruntime>=1.20"];

/**
 * The files beside `model.onnx` that make a folder of MLflow's, by name. Nothing in them is code: the loader is mlflow.onnx, which is MLflow's own.
 */
export function mlflowModelFiles(facts: MlflowModelFacts): ReadonlyMap<string, string> {
  const { signature, runId, at, bytesOfOnnx } = facts;
  const yaml = (value: unknown) => stringify(value, { version: "1.1", lineWidth: 0 });
  const modelUuid = createHash("sha256").update(`mlflow model of ${runId}`).digest("hex").slice(0, 32);
  const mlmodel = {
    artifact_path: "model",
    flavors: {
      onnx: { code: null, data: ONNX_FILE, onnx_version: "1.17.0", providers: ["CPUExecutionProvider"] },
      python_function: {
        data: ONNX_FILE,
        env: { conda: "conda.yaml", virtualenv: "python_env.yaml" },
        loader_module: "mlflow.onnx",
        python_version: PYTHON,
      },
    },
    model_size_bytes: bytesOfOnnx,
    model_uuid: modelUuid,
    run_id: runId,
    signature: writeSignature(signature),
    utc_time_created: formatTimestamp(at).replace("T", " ").replace("Z", ""),
  };
  const python = PYTHON.split(".").slice(0, 2).join(".");
  return new Map([
    ["MLmodel", yaml(mlmodel)],
    ["requirements.txt", `${REQUIREMENTS.join("\n")}\n`],
    ["python_env.yaml", yaml({ python, build_dependencies: ["pip"], dependencies: ["-r requirements.txt"] })],
    [
      "conda.yaml",
      yaml({ name: "mlflow-env", channels: ["conda-forge"], dependencies: [`python=${python}`, "pip", { pip: REQUIREMENTS }] }),
    ],
  ]);
}
