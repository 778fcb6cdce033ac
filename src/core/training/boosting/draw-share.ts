import type { RandomStream } from "../random.ts";

/**
 * Draws a share without replacement (Knuth, algorithm S): puts those drawn first, in their order, and the rest after them.
 * @returns how many were drawn: at least one
 */
export function drawShare(order: Uint32Array, share: number, random: RandomStream): number {
  const drawn = Math.max(1, Math.round(share * order.length));
  let taken = 0;
  let left = drawn;
  for (let i = 0; i < order.length; i++) {
    const isTaken = random.below(order.length - i) < drawn - taken;
    order[isTaken ? taken++ : left++] = i;
  }
  return drawn;
}

/** By column: 1 where the tree may use it. */
export function drawColumns(columns: number, share: number, random: RandomStream): Uint8Array {
  const mask = new Uint8Array(columns);
  const order = new Uint32Array(columns);
  for (const column of order.subarray(0, drawShare(order, share, random))) mask[column] = 1;
  return mask;
}
