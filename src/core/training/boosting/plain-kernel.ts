import type { KernelMemory } from "../kernels/kernel-memory.ts";
import type { BoostingKernel } from "./boosting-kernel.ts";
import { exponential } from "./exponential.ts";
import { softThreshold } from "./split.ts";

/** Added and taken away again, it rounds a number below 2^51 to a whole one, halves to even, as WebAssembly's `nearest` does. */
const ROUNDING = 1.5 * 2 ** 52;
const nearest = (x: number): number => x + ROUNDING - ROUNDING;

/** The kernel without WebAssembly. Cells are three doubles: whole numbers below 2^53, so that their sums are exact as well. */
export function createPlainKernel({ buffer }: KernelMemory): BoostingKernel {
  const bytes = new Uint8Array(buffer);
  const shorts = new Uint16Array(buffer);
  const integers = new Uint32Array(buffer);
  const numbers = new Float64Array(buffer);
  return {
    fillHistogram(rows, rowBytes, cellsAt, columns, index, count, histogram) {
      const first = histogram / 8;
      for (let i = index / 4; i < index / 4 + count; i++) {
        const row = rows + integers[i] * rowBytes;
        const gradient = numbers[row / 8];
        const hessian = numbers[row / 8 + 1];
        const weight = numbers[row / 8 + 2];
        const cells = (row + cellsAt) / 2;
        for (let column = 0; column < columns; column++) {
          const cell = first + 3 * shorts[cells + column];
          numbers[cell] += gradient;
          numbers[cell + 1] += hessian;
          numbers[cell + 2] += weight;
        }
      }
    },

    copyBytes: (target, source, count) => void bytes.copyWithin(target, source, source + count),
    clearBytes: (target, count) => void bytes.fill(0, target, target + count),

    addHistogram(target, source, cells) {
      const offset = (source - target) / 8;
      for (let at = target / 8; at < target / 8 + 3 * cells; at++) numbers[at] += numbers[at + offset];
    },

    subtractHistogram(parent, child, cells) {
      const offset = (child - parent) / 8;
      for (let at = parent / 8; at < parent / 8 + 3 * cells; at++) numbers[at] -= numbers[at + offset];
    },

    scanNumbers(histogram, candidates, count, units, node, limits, least, answer) {
      const { l1, l2, minLeafRows, minHessian } = limits;
      let mostNumerator = least;
      let mostDenominator = 1;
      let best = -1;
      for (let candidate = 0; candidate < count; candidate++) {
        const first = histogram / 8 + 3 * integers[candidates / 4 + 2 * candidate];
        const missing = first + 3 * integers[candidates / 4 + 2 * candidate + 1];
        const sides = numbers[missing + 2] === 0 ? 1 : 2;
        for (let side = 0; side < sides; side++) {
          let gradients = side === 0 ? 0 : numbers[missing];
          let hessians = side === 0 ? 0 : numbers[missing + 1];
          let weights = side === 0 ? 0 : numbers[missing + 2];
          for (let cell = first; cell < missing; cell += 3) {
            // An empty bin's edge splits the rows as the one before it does.
            if (numbers[cell + 2] === 0) continue;
            gradients += numbers[cell];
            hessians += numbers[cell + 1];
            weights += numbers[cell + 2];
            const leftWeight = weights * units.weight;
            const leftHessian = hessians * units.hessian;
            if (leftWeight < minLeafRows || leftHessian < minHessian) continue;
            const rightWeight = node.weight - leftWeight;
            const rightHessian = node.hessian - leftHessian;
            if (rightWeight < minLeafRows || rightHessian < minHessian || rightWeight === 0) break;
            const leftGradient = gradients * units.gradient;
            const leftPull = softThreshold(leftGradient, l1);
            const rightPull = softThreshold(node.gradient - leftGradient, l1);
            const leftCurvature = leftHessian + l2;
            const rightCurvature = rightHessian + l2;
            const numerator = leftPull * leftPull * rightCurvature + rightPull * rightPull * leftCurvature;
            const denominator = leftCurvature * rightCurvature;
            if (numerator * mostDenominator <= mostNumerator * denominator) continue;
            mostNumerator = numerator;
            mostDenominator = denominator;
            best = candidate;
            numbers[answer / 8] = numerator / denominator;
            numbers[answer / 8 + 1] = (cell - first) / 3;
            numbers[answer / 8 + 2] = side;
          }
        }
      }
      return best;
    },

    unpackHistogram(histogram, cells, { gradient, hessian, weight }, sums) {
      const source = histogram / 8;
      const target = sums / 8;
      for (let at = 0; at < 3 * cells; at += 3) {
        numbers[target + at] = numbers[source + at] * gradient;
        numbers[target + at + 1] = numbers[source + at + 1] * hessian;
        numbers[target + at + 2] = numbers[source + at + 2] * weight;
      }
    },

    logLossPairs(scores, targets, count, pairs) {
      for (let row = 0; row < count; row++) {
        const probability = 1 / (1 + exponential(-numbers[scores / 8 + row]));
        numbers[pairs / 8 + 2 * row] = probability - numbers[targets / 8 + row];
        numbers[pairs / 8 + 2 * row + 1] = probability * (1 - probability);
      }
    },

    recordRows(pairs, count, units, weights, rows, rowBytes) {
      for (let row = 0; row < count; row++) {
        const pair = pairs / 8 + 2 * row;
        const record = (rows + row * rowBytes) / 8;
        const weight = weights === 0 ? 1 : numbers[weights / 8 + row];
        numbers[record] = nearest(nearest(numbers[pair] / units.gradient) * weight);
        numbers[record + 1] = nearest(nearest(numbers[pair + 1] / units.hessian) * weight);
        numbers[record + 2] = nearest(weight / units.weight);
      }
    },

    partitionRows(bins, index, count, goesLeft, right) {
      const start = index / 4;
      let left = start;
      let toRight = right / 4;
      for (let i = start; i < start + count; i++) {
        const row = integers[i];
        const isLeft = bytes[goesLeft + bytes[bins + row]];
        integers[left] = row;
        integers[toRight] = row;
        left += isLeft;
        toRight += 1 - isLeft;
      }
      return left - start;
    },

    addToScores(scores, index, count, value) {
      for (let i = index / 4; i < index / 4 + count; i++) numbers[scores / 8 + integers[i]] += value;
    },
  };
}
