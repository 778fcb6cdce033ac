import type { Column } from "../ports/index.ts";

/** A column of integers as the two halves of each, or null where it holds none. */
export function integerWords(column: Column): Int32Array | null {
  if (column.type === "int64") return new Int32Array(column.values.buffer, column.values.byteOffset, 2 * column.values.length);
  if (column.type !== "int32") return null;
  const words = new Int32Array(2 * column.values.length);
  for (let row = 0; row < column.values.length; row++) {
    words[2 * row] = column.values[row];
    words[2 * row + 1] = column.values[row] < 0 ? -1 : 0;
  }
  return words;
}

/** Words of a slot: an integer's two halves, its mark, and one that is not used, so that no slot spans two cache lines. */
const SLOT = 4;
const FREE = -2;
/** What a key has until it is marked. */
export const UNMARKED = -1;

/**
 * 64-bit integers with one mark each, in open addressing. A slot is the place of a key's mark in `cells`: looking a key up and marking
 * it touches one line of memory, which is what a join of many rows waits for.
 */
export class IntegerKeys {
  readonly cells: Int32Array;
  readonly #shift: number;
  readonly #last: number;

  /** @param most keys that will be added */
  constructor(most: number) {
    const bits = Math.max(4, Math.ceil(Math.log2(2 * most + 1)));
    this.cells = new Int32Array(SLOT * 2 ** bits);
    for (let at = 2; at < this.cells.length; at += SLOT) this.cells[at] = FREE;
    this.#shift = 32 - bits;
    this.#last = this.cells.length - 1;
  }

  /** The key's slot; below zero where it was not added. */
  find(low: number, high: number): number {
    const { cells } = this;
    for (let at = this.#start(low, high); ; at = (at + SLOT) & this.#last) {
      if (cells[at + 2] === FREE) return -1;
      if (cells[at] === low && cells[at + 1] === high) return at + 2;
    }
  }

  add(low: number, high: number): number {
    const { cells } = this;
    for (let at = this.#start(low, high); ; at = (at + SLOT) & this.#last) {
      if (cells[at + 2] === FREE) {
        cells[at] = low;
        cells[at + 1] = high;
        cells[at + 2] = UNMARKED;
        return at + 2;
      }
      if (cells[at] === low && cells[at + 1] === high) return at + 2;
    }
  }

  /** Multiplicative hashing (Knuth, The Art of Computer Programming 6.4), by the golden ratio and, for the upper half, a prime. */
  #start(low: number, high: number): number {
    return (Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> this.#shift) * SLOT;
  }
}
