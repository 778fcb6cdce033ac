import type { CategoricalSplits, Tree } from "../model.ts";
import type { BinnedColumn, CategoryBinning } from "../trees/binning.ts";
import type { Split } from "./split.ts";

interface DraftNode {
  split: Split | null;
  left: number;
  right: number;
  value: number;
  readonly cover: number;
}

/** A tree while it grows. */
export interface TreeDraft {
  /** @returns the new leaf's number */
  addLeaf(cover: number): number;
  split(node: number, split: Split, left: number, right: number): void;
  setValue(leaf: number, value: number): void;
  finish(): Tree;
}

export function draftTree(columns: readonly BinnedColumn[]): TreeDraft {
  const nodes: DraftNode[] = [];
  return {
    addLeaf: (cover) => nodes.push({ split: null, left: -1, right: -1, value: 0, cover }) - 1,
    split(node, split, left, right) {
      Object.assign(nodes[node], { split, left, right });
    },
    setValue(leaf, value) {
      nodes[leaf].value = value;
    },
    finish() {
      const tree: Tree = {
        feature: Int32Array.from(nodes, ({ split }) => split?.column ?? -1),
        threshold: Float64Array.from(nodes, ({ split }) => (split === null ? 0 : thresholdOf(split, columns))),
        left: Int32Array.from(nodes, ({ left }) => left),
        right: Int32Array.from(nodes, ({ right }) => right),
        missingLeft: Uint8Array.from(nodes, ({ split }) => split?.goesLeft[split.goesLeft.length - 1] ?? 0),
        value: Float64Array.from(nodes, ({ value }) => value),
        cover: Float64Array.from(nodes, ({ cover }) => cover),
      };
      const categorical = categoricalSplits(nodes, columns);
      return categorical === null ? tree : { ...tree, categorical };
    },
  };
}

/** Past the last edge only missing values go right. */
function thresholdOf({ column, bin }: Split, columns: readonly BinnedColumn[]): number {
  const { binning } = columns[column];
  return binning.kind === "number" ? (binning.edges[bin] ?? Number.POSITIVE_INFINITY) : Number.NaN;
}

/** Null where no node splits on categories. */
function categoricalSplits(nodes: readonly DraftNode[], columns: readonly BinnedColumn[]): CategoricalSplits | null {
  const start = new Int32Array(nodes.length).fill(-1);
  const length = new Int32Array(nodes.length);
  const words: number[] = [];
  nodes.forEach(({ split }, node) => {
    if (split === null) return;
    const { binning } = columns[split.column];
    if (binning.kind === "number") return;
    const set = categoryWords(binning, split.goesLeft);
    start[node] = words.length;
    length[node] = set.length;
    words.push(...set);
  });
  return words.length === 0 ? null : { start, length, words: Uint32Array.from(words) };
}

function categoryWords({ codes }: CategoryBinning, goesLeft: Uint8Array): Uint32Array {
  const left = codes.filter((_, bin) => goesLeft[bin] === 1);
  const words = new Uint32Array(Math.max(1, Math.ceil((left.reduce((most, code) => Math.max(most, code), -1) + 1) / 32)));
  for (const code of left) words[code >>> 5] |= 1 << (code & 31);
  return words;
}
