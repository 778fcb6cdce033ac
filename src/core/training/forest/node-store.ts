import type { CategoricalSplits } from "../model.ts";

/** A tree while it grows: flat arrays that are doubled when full. Outputs of leaves are filled in by `output`. */
export interface NodeStore {
  readonly count: number;
  /** Adds a leaf and returns its position. */
  add(cover: number): number;
  splitNumber(node: number, feature: number, threshold: number, missingLeft: boolean): void;
  /** @param codes category codes that go left */
  splitCategories(node: number, feature: number, codes: readonly number[], missingLeft: boolean): void;
  /** Children follow one another. */
  setChildren(node: number, left: number, right: number): void;
  setValue(node: number, output: number, value: number): void;
  /** The arrays of the tree of one output; all but `value` are shared. */
  readonly outputs: () => readonly StoredTree[];
  /** Bytes that the finished arrays take. */
  readonly bytes: number;
}

interface StoredTree {
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly missingLeft: Uint8Array;
  readonly value: Float64Array;
  readonly cover: Float64Array;
  readonly categorical?: CategoricalSplits;
}

/** Bytes of a node: position of feature and children, threshold, cover, missing; and an output. */
export const NODE_BYTES = 3 * 4 + 2 * 8 + 1;
export const OUTPUT_BYTES = 8;
const CATEGORY_BYTES = 8;

export function createNodeStore(outputs: number): NodeStore {
  let count = 0;
  let capacity = 256;
  let feature = new Int32Array(capacity);
  let threshold = new Float64Array(capacity);
  let left = new Int32Array(capacity);
  let right = new Int32Array(capacity);
  let missingLeft = new Uint8Array(capacity);
  let cover = new Float64Array(capacity);
  let values = Array.from({ length: outputs }, () => new Float64Array(capacity));
  const categorySets: { readonly node: number; readonly words: Uint32Array }[] = [];
  let words = 0;

  function makeRoom(): void {
    capacity *= 2;
    feature = grown(feature, new Int32Array(capacity));
    threshold = grown(threshold, new Float64Array(capacity));
    left = grown(left, new Int32Array(capacity));
    right = grown(right, new Int32Array(capacity));
    missingLeft = grown(missingLeft, new Uint8Array(capacity));
    cover = grown(cover, new Float64Array(capacity));
    values = values.map((value) => grown(value, new Float64Array(capacity)));
  }

  return {
    get count() {
      return count;
    },
    get bytes() {
      return count * (NODE_BYTES + outputs * OUTPUT_BYTES) + (words > 0 ? count * CATEGORY_BYTES + words * 4 : 0);
    },
    add(weight) {
      if (count === capacity) makeRoom();
      feature[count] = -1;
      cover[count] = weight;
      return count++;
    },
    splitNumber(node, column, value, missing) {
      feature[node] = column;
      threshold[node] = value;
      missingLeft[node] = missing ? 1 : 0;
    },
    splitCategories(node, column, codes, missing) {
      feature[node] = column;
      threshold[node] = Number.NaN;
      missingLeft[node] = missing ? 1 : 0;
      const set = bitSet(codes);
      categorySets.push({ node, words: set });
      words += set.length;
    },
    setChildren(node, leftChild, rightChild) {
      left[node] = leftChild;
      right[node] = rightChild;
    },
    setValue(node, output, value) {
      values[output][node] = value;
    },
    outputs() {
      const shared = {
        feature: feature.slice(0, count),
        threshold: threshold.slice(0, count),
        left: left.slice(0, count),
        right: right.slice(0, count),
        missingLeft: missingLeft.slice(0, count),
        cover: cover.slice(0, count),
        ...(categorySets.length > 0 && { categorical: joinSets(categorySets, count, words) }),
      };
      return values.map((value) => ({ ...shared, value: value.slice(0, count) }));
    },
  };
}

function grown<A extends Int32Array | Float64Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

function bitSet(codes: readonly number[]): Uint32Array {
  const highest = codes.reduce((most, code) => Math.max(most, code), -1);
  const words = new Uint32Array((highest >> 5) + 1);
  for (const code of codes) words[code >> 5] |= 1 << (code & 31);
  return words;
}

function joinSets(
  sets: readonly { readonly node: number; readonly words: Uint32Array }[],
  nodes: number,
  total: number,
): CategoricalSplits {
  const start = new Int32Array(nodes).fill(-1);
  const length = new Int32Array(nodes);
  const words = new Uint32Array(total);
  let at = 0;
  for (const set of sets) {
    start[set.node] = at;
    length[set.node] = set.words.length;
    words.set(set.words, at);
    at += set.words.length;
  }
  return { start, length, words };
}
