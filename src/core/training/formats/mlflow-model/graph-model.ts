import type { OnnxModel, OnnxTensor } from "../onnx/onnx-model.ts";
import { compileOutputs } from "../onnx-graph/compile-graph.ts";
import { Attributes, unsupportedGraph } from "../onnx-graph/operator.ts";
import { classNames } from "../onnx-graph/read-ensemble.ts";
import { checkParams, enforceSignature } from "./enforce-signature.ts";
import { feedGraph, type GraphInput } from "./feed-graph.ts";
import { invalidInput, type ModelInput } from "./model-input.ts";
import { asArrays, asRecords, type NamedOutput } from "./predictions.ts";
import type { Signature } from "./signature.ts";

/** A model of MLflow's ONNX flavor, ready to answer. */
export interface GraphModel {
  /**
   * What `mlflow.pyfunc` would say: for a data frame (and for anything where the signature says columns) one object a row, else arrays by name.
   * Yields to other work between batches of rows.
   * @param isLate asked between batches; throws what is to end the work
   * @throws TRAIN_MODEL_INPUT_INVALID; TRAIN_ONNX_INVALID where the graph cannot take these shapes
   */
  predict(
    input: ModelInput,
    params?: unknown,
    isLate?: () => void,
  ): Promise<{ readonly predictions: unknown; readonly rows: number }>;
}

/** Rows that run together: enough to pay for the walk over the nodes, few enough not to keep others waiting. */
const BATCH = 1_024;

/**
 * Nothing runs but operators that are known here.
 * @throws TRAIN_ONNX_OPERATOR_UNKNOWN names those that are not; TRAIN_ONNX_INVALID, TRAIN_ONNX_UNSUPPORTED
 */
export function graphModel(model: OnnxModel, signature: Signature): GraphModel {
  const inputs = inputsOf(model);
  const names = model.graph.outputs.map(({ name }) => name);
  if (names.length === 0) throw unsupportedGraph("it has no output");
  const run = compileOutputs(model, names);
  const keys = names.map((name) => keysOf(model, name));

  async function runAll(
    feeds: ReadonlyMap<string, OnnxTensor>,
    rows: number,
    isLate: () => void,
  ): Promise<readonly OnnxTensor[]> {
    if (rows <= BATCH || !inputs.every(({ dims }) => (dims?.[0] ?? -1) < 0)) return run(feeds);
    const parts: (readonly OnnxTensor[])[] = [];
    for (let start = 0; start < rows; start += BATCH) {
      const end = Math.min(start + BATCH, rows);
      const part = run(new Map(Array.from(feeds, ([name, tensor]) => [name, rowsOf(tensor, start, end)])));
      // A graph that says something of all rows at once has to see them so.
      if (!part.every(({ dims }) => dims[0] === end - start)) return run(feeds);
      parts.push(part);
      await new Promise((resolve) => setImmediate(resolve));
      isLate();
    }
    return names.map((_, output) => joined(parts.map((part) => part[output])));
  }

  return {
    async predict(input, params, isLate = () => undefined) {
      checkParams(signature.params, params);
      const checked = enforceSignature(signature, input);
      if (checked.kind === "frame" && checked.rows === 0) return { predictions: [], rows: 0 };
      const feeds = feedGraph(inputs, checked);
      const rows = rowsOfFeeds(feeds);
      if (rows === 0) throw invalidInput("the input has no rows");
      const outputs = (await runAll(feeds, rows, isLate)).map(
        (tensor, at): NamedOutput => ({ name: names[at], tensor, keys: keys[at] }),
      );
      return { predictions: checked.kind === "frame" ? asRecords(outputs, rows) : asArrays(outputs), rows };
    },
  };
}

function inputsOf({ graph }: OnnxModel): GraphInput[] {
  const given = new Set(graph.initializers.map(({ name }) => name));
  const inputs = graph.inputs.filter(({ name }) => !given.has(name));
  if (inputs.length === 0) throw unsupportedGraph("it has no input");
  return inputs.map((input) => {
    if (input.type === undefined) throw unsupportedGraph(`its input ${input.name} is no tensor`);
    return { ...input, type: input.type };
  });
}

/** Classes that a map's keys are, where the output is a list of maps. */
function keysOf({ graph }: OnnxModel, output: string): readonly string[] | null {
  const maker = graph.nodes.find(({ outputs }) => outputs.includes(output));
  return maker?.operator === "ZipMap" ? classNames(new Attributes(maker)) : null;
}

function rowsOfFeeds(feeds: ReadonlyMap<string, OnnxTensor>): number {
  const counts = new Map(Array.from(feeds, ([name, { dims }]) => [name, dims[0] ?? 1]));
  const [rows = 0] = counts.values();
  for (const [name, count] of counts)
    if (count !== rows) throw invalidInput(`${name} has ${count} rows, and others have ${rows}`);
  return rows;
}

function rowsOf(tensor: OnnxTensor, start: number, end: number): OnnxTensor {
  const [, ...rest] = tensor.dims;
  const size = rest.reduce((product, length) => product * length, 1);
  const dims = [end - start, ...rest];
  return tensor.type === "string"
    ? { type: tensor.type, dims, data: tensor.data.slice(start * size, end * size) }
    : { type: tensor.type, dims, data: tensor.data.subarray(start * size, end * size) };
}

function joined(parts: readonly OnnxTensor[]): OnnxTensor {
  const [first] = parts;
  const dims = [parts.reduce((sum, part) => sum + part.dims[0], 0), ...first.dims.slice(1)];
  if (first.type === "string") return { type: first.type, dims, data: parts.flatMap(({ data }) => Array.from(data, String)) };
  const data = new Float64Array(dims.reduce((product, length) => product * length, 1));
  let at = 0;
  for (const part of parts) {
    if (part.type === "string") continue;
    data.set(part.data, at);
    at += part.data.length;
  }
  return { type: first.type, dims, data };
}
