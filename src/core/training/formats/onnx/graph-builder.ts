import type { NamedTensor, OnnxAttribute, OnnxNode, OnnxTensor } from "./onnx-model.ts";

export const ML_DOMAIN = "ai.onnx.ml";

/** Name of a value in the graph that is being built. */
export type Value = string;

/**
 * Builds a graph node by node: each method adds what it takes and gives the name of the result. Numbers are doubles throughout,
 * because float32 would move rows across thresholds.
 */
export class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: NamedTensor[] = [];
  #opset: number | null = null;
  /** Names of tensors by their content, so that a constant stands in the file once. */
  readonly #constants = new Map<string, Value>();

  add(operator: string, inputs: readonly Value[], attributes: Readonly<Record<string, OnnxAttribute>> = {}, domain = ""): Value {
    const output = `value_${this.nodes.length}`;
    this.nodes.push({ operator, domain, inputs, outputs: [output], attributes: new Map(Object.entries(attributes)) });
    return output;
  }

  /** A node of another graph, its inputs by the names they have here; returns the names of its outputs. */
  copy(node: OnnxNode, nameOf: (name: string) => Value): Value[] {
    const place = this.nodes.length;
    const outputs = node.outputs.map((name, index) => (name === "" ? "" : `value_${place}_${index}`));
    this.nodes.push({ ...node, inputs: node.inputs.map(nameOf), outputs });
    return outputs;
  }

  /** The opset that nodes from elsewhere were written for; null where there are none. */
  get opset(): number | null {
    return this.#opset;
  }

  /** Says which opset nodes from elsewhere need; false when others need another one. */
  takeOpset(opset: number): boolean {
    this.#opset ??= opset;
    return this.#opset === opset;
  }

  /** The same value under a name of its own. */
  named(value: Value, name: string): Value {
    this.nodes.push({ operator: "Identity", domain: "", inputs: [value], outputs: [name], attributes: new Map() });
    return name;
  }

  constant(tensor: OnnxTensor): Value {
    // -0 and NaN have to stay what they are, which JSON would not keep.
    const content = tensor.type === "string" ? JSON.stringify(tensor.data) : bitsOf(tensor.data);
    const key = `${tensor.type} ${tensor.dims.join("x")} ${content}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `constant_${this.initializers.length}`;
    this.initializers.push({ name, tensor });
    this.#constants.set(key, name);
    return name;
  }

  /** One number, which operators repeat for every row. */
  number(value: number): Value {
    return this.constant({ type: "double", dims: [1, 1], data: Float64Array.of(value) });
  }

  /** Shape [values]. */
  numbers(values: ArrayLike<number>): Value {
    return this.constant({ type: "double", dims: [values.length], data: Float64Array.from(values) });
  }

  /** Shape [rows, columns], row-major. */
  matrix(values: ArrayLike<number>, rows: number, columns: number): Value {
    return this.constant({ type: "double", dims: [rows, columns], data: Float64Array.from(values) });
  }

  integers(values: readonly number[]): Value {
    return this.constant({ type: "int64", dims: [values.length], data: Float64Array.from(values) });
  }

  plus(a: Value, b: Value): Value {
    return this.add("Add", [a, b]);
  }

  minus(a: Value, b: Value): Value {
    return this.add("Sub", [a, b]);
  }

  times(a: Value, b: Value): Value {
    return this.add("Mul", [a, b]);
  }

  over(a: Value, b: Value): Value {
    return this.add("Div", [a, b]);
  }

  /** a < b, as a condition. */
  less(a: Value, b: Value): Value {
    return this.add("Less", [a, b]);
  }

  where(condition: Value, yes: Value, no: Value): Value {
    return this.add("Where", [condition, yes, no]);
  }

  /** 1 where the condition holds, else 0. */
  indicator(condition: Value): Value {
    return this.toDouble(condition);
  }

  /** Whole numbers, or conditions, as doubles. */
  toDouble(value: Value): Value {
    return this.add("Cast", [value], { to: { type: "int", value: 11 } });
  }

  toInteger(value: Value): Value {
    return this.add("Cast", [value], { to: { type: "int", value: 7 } });
  }

  /** Side by side: [N, 1] and [N, 2] make [N, 3]. */
  beside(values: readonly Value[]): Value {
    return values.length === 1 ? values[0] : this.add("Concat", values, { axis: { type: "int", value: 1 } });
  }

  /** ln(1 + x) that is exact for small x too: Higham, "Accuracy and Stability of Numerical Algorithms" (2002), problem 1.5. */
  log1p(x: Value): Value {
    const one = this.number(1);
    const sum = this.plus(one, x);
    const scaled = this.times(this.add("Log", [sum]), this.over(x, this.minus(sum, one)));
    return this.where(this.add("Equal", [sum, one]), x, scaled);
  }

  /** e^x - 1 that is exact for small x too: Higham (2002), section 1.14.1. */
  expm1(x: Value): Value {
    const one = this.number(1);
    const power = this.add("Exp", [x]);
    const difference = this.minus(power, one);
    const scaled = this.over(this.times(difference, x), this.add("Log", [power]));
    const small = this.where(this.add("Equal", [power, one]), x, scaled);
    // Where the power is 0 or infinite its logarithm says nothing, and 1 does not matter beside it.
    const extreme = this.add("Or", [this.add("Equal", [power, this.number(0)]), this.add("IsInf", [power])]);
    return this.where(extreme, difference, small);
  }

  /** What is too large for a number becomes the largest one; NaN stays. */
  bounded(x: Value): Value {
    return this.add("Max", [this.add("Min", [x, this.number(Number.MAX_VALUE)]), this.number(-Number.MAX_VALUE)]);
  }
}

function bitsOf(data: Float64Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("latin1");
}
