import { parseDocument } from "yaml";
import { z } from "zod";
import { trainErrors } from "../../errors.ts";
import { readSignature, type Signature } from "./signature.ts";

/** What an MLmodel file says of a model that can be served. */
export interface Mlmodel {
  /** The graph's file, a path below the folder. */
  readonly data: string;
  readonly signature: Signature;
  readonly runId: string | null;
  readonly modelId: string | null;
}

/** A signature may name tens of thousands of columns; nothing else in the file is long. */
export const MOST_MLMODEL_BYTES = 8 * 1024 * 1024;
/** PyYAML writes a list once where two keys share it; what names one thing more often is made to grow. */
const MOST_ALIASES = 100;
/** The one loader whose work is done here: it hands a graph to a runtime. */
const LOADER = "mlflow.onnx";

const mlmodel = z.object({
  flavors: z.record(z.string().max(200), z.unknown()),
  signature: z.unknown().optional(),
  run_id: z.string().nullish(),
  model_id: z.string().nullish(),
  model_uuid: z.string().nullish(),
});
const onnxFlavor = z.object({ data: z.string().default("model.onnx") });
const pythonFlavor = z.object({ loader_module: z.string() });

/**
 * Reads an MLmodel file as data: no tag makes anything of it, and what it would have Python import is only compared with what is known.
 * @throws TRAIN_MLMODEL_INVALID for what is no such file, and for a graph outside of the folder
 * @throws TRAIN_MLMODEL_UNSUPPORTED where the model is no ONNX graph, or another program is to load it
 */
export function readMlmodel(text: string): Mlmodel {
  const { success, data: read, error } = mlmodel.safeParse(readYaml(text));
  if (!success) throw trainErrors.TRAIN_MLMODEL_INVALID(`the MLmodel file is none: ${z.prettifyError(error)}`.slice(0, 500));
  const { flavors } = read;
  const names = Object.keys(flavors).join(", ") || "none";
  if (!Object.hasOwn(flavors, "onnx"))
    throw trainErrors.TRAIN_MLMODEL_UNSUPPORTED(
      `the model has no ONNX graph; its flavors are ${names}, and what they load is Python's to run`.slice(0, 500),
    );
  const onnx = onnxFlavor.safeParse(flavors.onnx);
  if (!onnx.success) throw trainErrors.TRAIN_MLMODEL_INVALID("the flavor onnx does not name its file");
  checkLoader(flavors);
  return {
    data: pathBelow(onnx.data.data),
    signature: readSignature(read.signature),
    runId: read.run_id ?? null,
    modelId: read.model_id ?? read.model_uuid ?? null,
  };
}

function checkLoader(flavors: Readonly<Record<string, unknown>>): void {
  if (!Object.hasOwn(flavors, "python_function")) return;
  const { success, data } = pythonFlavor.safeParse(flavors.python_function);
  if (!success) throw trainErrors.TRAIN_MLMODEL_INVALID("the flavor python_function does not name its loader");
  if (data.loader_module !== LOADER)
    throw trainErrors.TRAIN_MLMODEL_UNSUPPORTED(
      `the model is to be loaded by ${data.loader_module.slice(0, 200)}, and not by ${LOADER}: nothing else is read here`,
    );
}

function readYaml(text: string): unknown {
  if (text.length > MOST_MLMODEL_BYTES)
    throw trainErrors.TRAIN_MLMODEL_INVALID(`the MLmodel file is larger than ${MOST_MLMODEL_BYTES} bytes`);
  try {
    const document = parseDocument(text, { schema: "core", prettyErrors: false, resolveKnownTags: false });
    // Of a tag that is not known there is a warning only, and the value would be taken as if it had none.
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined) throw problem;
    return document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw trainErrors.TRAIN_MLMODEL_INVALID(`the MLmodel file cannot be read as YAML: ${message}`.slice(0, 500), { cause });
  }
}

/**
 * A path of a folder's own file, normalised. @throws TRAIN_MLMODEL_INVALID for one that leads elsewhere
 */
export function pathBelow(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const leadsOut = path.startsWith("/") || parts.includes("..") || /[\\:\0]|%2e|%2f|%5c/i.test(path);
  if (leadsOut || parts.length === 0 || path.length > 1_000)
    throw trainErrors.TRAIN_MLMODEL_INVALID(
      `the model names a file that is not below its folder: ${path.slice(0, 200).replaceAll("\0", "")}`,
    );
  return parts.join("/");
}
