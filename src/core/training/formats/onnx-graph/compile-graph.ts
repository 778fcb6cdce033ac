import { trainErrors } from "../../errors.ts";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../onnx/onnx-model.ts";
import { Attributes, Inputs, invalidGraph, type Kernel, type OperatorSet, Work } from "./operator.ts";
import { ELEMENTWISE } from "./operators/elementwise.ts";
import { MACHINE_LEARNING } from "./operators/machine-learning.ts";
import { REDUCTIONS } from "./operators/reductions.ts";
import { SHAPES } from "./operators/shapes.ts";

/** Operators by domain; docs/decisions/onnx-interpreter.md says how they were chosen. */
const OPERATORS: ReadonlyMap<string, OperatorSet> = new Map([
  ["", { ...ELEMENTWISE, ...REDUCTIONS, ...SHAPES }],
  ["ai.onnx.ml", MACHINE_LEARNING],
]);

const MAX_NODES = 100_000;

/** Inputs of the graph by name in, the value that was asked for out. */
export type GraphFunction = (feeds: ReadonlyMap<string, OnnxTensor>) => OnnxTensor;

/**
 * Makes a graph ready to run for one of its values. Only the nodes that this value needs are looked at, and nothing runs but
 * operators that are known here; numbers of type float are rounded to float32 after each node, as a runtime would.
 *
 * @throws TRAIN_ONNX_OPERATOR_UNKNOWN names the operators, with their opset
 * @throws TRAIN_ONNX_INVALID when a node reads what no earlier one makes; and from the function, when values do not fit or cost too much
 */
export function compileGraph(model: OnnxModel, output: string): GraphFunction {
  const run = compileOutputs(model, [output]);
  return (feeds) => run(feeds)[0];
}

/** The same for several values, each node run once; they come in the order of the names. @throws as compileGraph */
export function compileOutputs(
  model: OnnxModel,
  outputs: readonly string[],
): (feeds: ReadonlyMap<string, OnnxTensor>) => readonly OnnxTensor[] {
  const nodes = neededNodes(model, ...outputs);
  refuseUnknown(model, nodes);
  const constants = new Map(model.graph.initializers.map(({ name, tensor }) => [name, tensor]));
  const inputs = model.graph.inputs.map(({ name }) => name).filter((name) => !constants.has(name));
  checkOrder(nodes, [...constants.keys(), ...inputs], outputs);
  const steps = nodes.map((node) => ({ node, kernel: kernelOf(model, node) }));
  return (feeds) => {
    const work = new Work();
    const values = new Map<string, OnnxTensor>([...constants, ...feeds]);
    for (const { node, kernel } of steps) {
      const read = node.inputs.map((name) => (name === "" ? null : (values.get(name) ?? null)));
      kernel(new Inputs(node.operator, read, work)).forEach((value, index) => {
        const name = node.outputs[index] ?? "";
        if (name !== "") values.set(name, value);
      });
    }
    return outputs.map((output) => {
      const value = values.get(output);
      if (value === undefined) throw invalidGraph(`nothing makes its output ${output}`);
      return value;
    });
  };
}

/** The nodes that some values need, in the file's order. */
export function neededNodes({ graph }: OnnxModel, ...outputs: readonly string[]): OnnxNode[] {
  if (graph.nodes.length > MAX_NODES) throw invalidGraph(`it has ${graph.nodes.length} nodes, more than ${MAX_NODES}`);
  const wanted = new Set(outputs);
  const needed = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => wanted.has(name))) return false;
    for (const name of node.inputs) wanted.add(name);
    return true;
  });
  return needed.reverse();
}

function refuseUnknown(model: OnnxModel, nodes: readonly OnnxNode[]): void {
  const unknown = nodes.filter((node) => operatorOf(node) === undefined);
  if (unknown.length === 0) return;
  const names = new Set(unknown.map((node) => `${node.domain || "ai.onnx"} ${node.operator} (opset ${opsetOf(model, node)})`));
  throw trainErrors.TRAIN_ONNX_OPERATOR_UNKNOWN(
    `the ONNX graph uses operators that are not known here: ${[...names].join(", ")}`,
  );
}

function operatorOf({ domain, operator }: OnnxNode) {
  const known = OPERATORS.get(domain);
  return known !== undefined && Object.hasOwn(known, operator) ? known[operator] : undefined;
}

const opsetOf = ({ opsets }: OnnxModel, { domain }: OnnxNode): number => opsets.get(domain) ?? 1;

function checkOrder(nodes: readonly OnnxNode[], given: readonly string[], outputs: readonly string[]): void {
  const known = new Set(["", ...given]);
  for (const node of nodes) {
    const missing = node.inputs.find((name) => !known.has(name));
    if (missing !== undefined) throw invalidGraph(`${node.operator} reads ${missing}, which nothing before it makes`);
    for (const name of node.outputs) known.add(name);
  }
  for (const output of outputs) if (!known.has(output)) throw invalidGraph(`nothing makes its output ${output}`);
}

function kernelOf(model: OnnxModel, node: OnnxNode): Kernel {
  const operator = operatorOf(node);
  if (operator === undefined) throw invalidGraph(`there is no ${node.operator}`);
  return operator({ operator: node.operator, opset: opsetOf(model, node), attributes: new Attributes(node) });
}
