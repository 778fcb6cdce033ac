import { createKernelMemory, planMemory } from "../kernels/kernel-memory.ts";
import { loadKernel, startKernel } from "../kernels/load-kernel.ts";
import { type BlockKernel, type BlockShape, blockCapacity, createPlainBlockKernel } from "./block-kernel.ts";

const BYTES = Float64Array.BYTES_PER_ELEMENT;

/**
 * In WebAssembly SIMD, or in plain TypeScript where that is missing. Results differ by rounding: sums are taken in another order.
 * Widths are padded to a multiple of 4.
 */
export function createBlockKernel(shape: BlockShape): BlockKernel {
  const kernel = loadKernel(new URL("../kernels/linear.wasm", import.meta.url));
  if (!kernel.available) return createPlainBlockKernel(shape);
  const { outputs, pairs } = shape;
  const width = (shape.width + 3) & ~3;
  const capacity = blockCapacity(width);
  const stride = capacity * BYTES;

  const plan = planMemory();
  const at = {
    columns: plan.place(width * stride),
    targets: plan.place(stride),
    weights: plan.place(stride),
    parameters: plan.place(outputs * width * BYTES),
    scores: plan.place(outputs * stride),
    residuals: plan.place(outputs * stride),
    curvature: plan.place(stride),
    weighted: plan.place(2 * stride),
    gradient: plan.place(outputs * width * BYTES),
    grams: plan.place(pairs * width * width * BYTES),
  };
  const memory = createKernelMemory(plan.bytes);
  const view = (position: number, length: number) => new Float64Array(memory.buffer, position, length);
  const call = startKernel(kernel.module, memory);
  const standardize = call("standardize");
  const score = call("score");
  const logisticLosses = call("logisticLosses");
  const project = call("project");
  const gram = call("gram");

  return {
    capacity,
    width,
    outputs,
    columns: view(at.columns, width * capacity),
    targets: view(at.targets, capacity),
    weights: view(at.weights, capacity),
    parameters: view(at.parameters, outputs * width),
    scores: view(at.scores, outputs * capacity),
    residuals: view(at.residuals, outputs * capacity),
    curvature: view(at.curvature, capacity),
    gradient: view(at.gradient, outputs * width),
    grams: view(at.grams, pairs * width * width),
    standardize(column, rows, mean, factor) {
      standardize(at.columns + column * stride, rows, mean, factor);
    },
    score(output, rows) {
      score(at.columns, stride, width, at.parameters + output * width * BYTES, rows, at.scores + output * stride);
    },
    logisticLosses: (rows) => logisticLosses(at.scores, at.targets, at.weights, at.residuals, rows),
    project(output, rows) {
      project(at.columns, stride, width, at.residuals + output * stride, rows, at.gradient + output * width * BYTES);
    },
    gram(pair, rows) {
      gram(at.columns, stride, width, at.curvature, rows, at.weighted, at.grams + pair * width * width * BYTES);
    },
  };
}
