import { posix } from "node:path";
import { trainErrors } from "../../errors.ts";
import { decodeOnnx, type ExternalPlace } from "../onnx/decode-onnx.ts";
import type { OnnxModel } from "../onnx/onnx-model.ts";
import { type GraphModel, graphModel } from "./graph-model.ts";
import { type Mlmodel, pathBelow, readMlmodel } from "./read-mlmodel.ts";

export interface LoadedFolder {
  readonly mlmodel: Mlmodel;
  readonly model: GraphModel;
  /** Every file that was read, by path below the folder. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** MLflow keeps a graph's large tensors in files beside it, as a rule in one. */
const MOST_FILES = 100;

/**
 * A folder of MLflow's as a model that answers. Only the files that it needs are asked for: MLmodel, the graph, and what the graph keeps in others.
 *
 * @param readFile of a path below the folder
 * @throws TRAIN_MLMODEL_INVALID, TRAIN_MLMODEL_UNSUPPORTED, TRAIN_ONNX_INVALID, TRAIN_ONNX_UNSUPPORTED, TRAIN_ONNX_OPERATOR_UNKNOWN; what readFile
 *   throws
 */
export async function loadModelFolder(readFile: (path: string) => Promise<Uint8Array>): Promise<LoadedFolder> {
  const files = new Map<string, Uint8Array>();
  const read = async (path: string): Promise<Uint8Array> => {
    if (files.size === MOST_FILES) throw trainErrors.TRAIN_MLMODEL_UNSUPPORTED(`the model has more than ${MOST_FILES} files`);
    const bytes = await readFile(path);
    files.set(path, bytes);
    return bytes;
  };
  const mlmodel = readMlmodel(new TextDecoder().decode(await read("MLmodel")));
  const graph = await read(mlmodel.data);
  const model = graphModel(await decode(graph, posix.dirname(mlmodel.data), files, read), mlmodel.signature);
  return { mlmodel, model, files };
}

/** Thrown by a synchronous reader that needs a file it has not. */
class Wanted extends Error {
  readonly path: string;
  constructor(path: string) {
    super(path);
    this.path = path;
  }
}

async function decode(
  graph: Uint8Array,
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  read: (path: string) => Promise<Uint8Array>,
): Promise<OnnxModel> {
  const external = ({ location, offset, length }: ExternalPlace): Uint8Array => {
    const path = posix.join(folder, pathBelow(location));
    const bytes = files.get(path);
    if (bytes === undefined) throw new Wanted(path);
    const end = length === null ? bytes.length : offset + length;
    if (offset > bytes.length || end > bytes.length)
      throw trainErrors.TRAIN_ONNX_INVALID(`the ONNX file is damaged: a tensor lies beyond the end of ${path}`);
    return bytes.subarray(offset, end);
  };
  for (;;) {
    try {
      return decodeOnnx(graph, external);
    } catch (error) {
      if (!(error instanceof Wanted)) throw error;
      await read(error.path);
    }
  }
}
