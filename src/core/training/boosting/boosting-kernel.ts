import type { KernelMemory } from "../kernels/kernel-memory.ts";
import { type Kernel, loadKernel, startKernel } from "../kernels/load-kernel.ts";
import type { BoostingParams } from "./boosting-params.ts";
import { createPlainKernel } from "./plain-kernel.ts";
import type { NodeSums } from "./split.ts";

/**
 * The inner loops, on one memory. Arguments are positions in it (bytes) and counts. A row's record and a histogram's cell hold a
 * gradient, a hessian and a weight as whole numbers of units, whose sums are exact: the kernel of WebAssembly and the one of plain
 * TypeScript give the same sums, in whatever order rows are added.
 */
export interface BoostingKernel {
  /**
   * Adds the records of the `count` rows at `index` to their cells, for columns whose cells are numbered from that at `histogram` on.
   * @param cellsAt where in a row the numbers (16 bits) of its cells stand
   */
  fillHistogram(
    rows: number,
    rowBytes: number,
    cellsAt: number,
    columns: number,
    index: number,
    count: number,
    histogram: number,
  ): void;
  copyBytes(target: number, source: number, bytes: number): void;
  clearBytes(target: number, bytes: number): void;
  addHistogram(target: number, source: number, cells: number): void;
  subtractHistogram(parent: number, child: number, cells: number): void;
  /**
   * Finds the edge that gains most among columns of numbers that nothing constrains, with missing values on either side: the largest
   * GL^2 / (HL + l2) + GR^2 / (HR + l2), gradients pulled to 0 by l1 first.
   * @param candidates position of two 32-bit numbers a column: its first cell, and how many bins of values it has
   * @param least what must be surpassed
   * @param answer position of three doubles: gain, bin, and 1 where missing values go left; unchanged where nothing surpasses `least`
   * @returns the candidate's position among its like, or -1
   */
  scanNumbers(
    histogram: number,
    candidates: number,
    count: number,
    units: RecordUnits,
    node: NodeSums,
    limits: ScanLimits,
    least: number,
    answer: number,
  ): number;
  /** Writes each cell as three doubles: gradient, hessian, weight. */
  unpackHistogram(histogram: number, cells: number, units: RecordUnits, sums: number): void;
  /**
   * Gradients and hessians of the log loss as pairs of doubles: p - y and p(1 - p), where p is the sigmoid of the score. Reads and writes
   * one row more where the count is odd.
   */
  logLossPairs(scores: number, targets: number, count: number, pairs: number): void;
  /** Makes records of pairs of doubles: gradients and hessians of rows of weight 1. `weights` 0: all weigh 1. */
  recordRows(pairs: number, count: number, units: RecordUnits, weights: number, rows: number, rowBytes: number): void;
  /** Moves rows that go left to the front, keeps their order, and copies the others to `right`; returns how many go left. */
  partitionRows(bins: number, index: number, count: number, goesLeft: number, right: number): number;
  addToScores(scores: number, index: number, count: number, value: number): void;
}

/** What one whole number stands for; all powers of two, so that changing units loses nothing. */
export interface RecordUnits {
  readonly gradient: number;
  readonly hessian: number;
  readonly weight: number;
  /** Bits that the sum of all weights takes, in units. */
  readonly weightBits: number;
}

/** What a split must keep to, and what it is charged. */
export type ScanLimits = Pick<BoostingParams, "l1" | "l2" | "minLeafRows" | "minHessian">;

/** Which path to take; plain TypeScript where the kernel cannot be had, or on demand. */
export function boostingKernel(): Kernel {
  return loadKernel(new URL("../kernels/boosting.wasm", import.meta.url));
}

/** Bytes of a row's record and of a histogram's cell. */
export const cellBytesOf = (module: WebAssembly.Module | null): number => (module === null ? 24 : 16);

export function startBoostingKernel(module: WebAssembly.Module | null, memory: KernelMemory): BoostingKernel {
  return module === null ? createPlainKernel(memory) : createWasmKernel(module, memory);
}

function createWasmKernel(module: WebAssembly.Module, memory: KernelMemory): BoostingKernel {
  const find = startKernel(module, memory);
  const addHistogram = find("addHistogram");
  const subtractHistogram = find("subtractHistogram");
  const scanNumbers = find("scanNumbers");
  const unpackHistogram = find("unpackHistogram");
  const recordRows = find("recordRows");
  const cellBytes = cellBytesOf(module);
  return {
    fillHistogram: find("fillHistogram"),
    copyBytes: find("copyBytes"),
    clearBytes: find("clearBytes"),
    addHistogram: (target, source, cells) => addHistogram(target, source, cells * cellBytes),
    subtractHistogram: (parent, child, cells) => subtractHistogram(parent, child, cells * cellBytes),
    scanNumbers: (histogram, candidates, count, units, node, limits, least, answer) =>
      scanNumbers(
        ...[histogram, candidates, count, units.weightBits, units.gradient, units.hessian, units.weight],
        ...[node.gradient, node.hessian, node.weight, limits.l1, limits.l2, limits.minLeafRows, limits.minHessian],
        ...[least, answer],
      ),
    unpackHistogram: (histogram, cells, { gradient, hessian, weight, weightBits }, sums) =>
      unpackHistogram(histogram, cells, weightBits, gradient, hessian, weight, sums),
    logLossPairs: find("logLossPairs"),
    recordRows: (pairs, count, { gradient, hessian, weight, weightBits }, weights, rows, rowBytes) =>
      recordRows(pairs, count, 1 / gradient, 1 / hessian, weightBits, 1 / weight, weights, rows, rowBytes),
    partitionRows: find("partitionRows"),
    addToScores: find("addToScores"),
  };
}
