import type { Tree } from "../../model.ts";
import { previousDouble, previousFloat, thresholdForRounded } from "../float-order.ts";
import { assembleTree, type DescribedNode } from "../imported-model.ts";
import { invalidGraph, unsupportedGraph } from "./operator.ts";

type BranchMode = "BRANCH_LEQ" | "BRANCH_LT" | "BRANCH_GTE" | "BRANCH_GT" | "BRANCH_EQ" | "BRANCH_NEQ" | "BRANCH_MEMBER";

/** A node of a tree ensemble, whichever version of the operator it stands in. */
export interface EnsembleNode {
  readonly mode: BranchMode | "LEAF";
  readonly feature: number;
  readonly value: number;
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly missingIsTrue: boolean;
  /** Of BRANCH_MEMBER. */
  readonly members: readonly number[];
  /** What a leaf adds to which target. */
  readonly weights: ReadonlyMap<number, number>;
}

export interface EnsembleNodes {
  /** All trees' nodes together; children are positions in this list. */
  readonly nodes: readonly EnsembleNode[];
  readonly roots: readonly number[];
}

/** How numbers are compared: as they are, or after the input was rounded to float32. */
export interface EnsembleInput {
  readonly isRounded: boolean;
  readonly columns: number;
}

/** What a tree of the ensemble adds to one of its targets. */
export interface TargetTree {
  readonly tree: Tree;
  readonly target: number;
}

/** Each tree is copied for each of its targets; more nodes than this would not fit into memory. */
const MAX_COPIED_NODES = 2 ** 24;
/** Sets of codes up to this; a larger one is no category. */
const MAX_CODE = 2 ** 20;
/** Words of all trees' sets of codes: 256 MB. */
const MAX_SET_WORDS = 2 ** 26;

/**
 * Trees of ours, one for each target that a tree's leaves speak of. No node may be shared but where it writes a set of categories,
 * which becomes one split: see `nextEquality`.
 * @param factor what leaves are multiplied by
 * @throws TRAIN_ONNX_INVALID where trees share nodes in other ways, go in circles, or lead to nodes or columns that are not there
 * @throws TRAIN_ONNX_UNSUPPORTED for equality with what is no code, and for trees and sets that would not fit into memory
 */
export function treesByTarget(ensemble: EnsembleNodes, factor: number, { isRounded, columns }: EnsembleInput): TargetTree[] {
  const { nodes } = ensemble;
  const reading: Reading = { nodes, factor, isRounded, wordsOf: setWriter() };
  return rootsWithTargets(ensemble).flatMap(({ root, targets }) =>
    Array.from(targets, (target) => {
      const nodeAt = (index: number) => describe(nodes[index], target, reading);
      return { tree: assembleTree({ root, nodeAt, columns, maxNodes: nodes.length, fail: invalidGraph }), target };
    }),
  );
}

interface RootTargets {
  readonly root: number;
  /** The targets that the tree's leaves speak of. */
  readonly targets: ReadonlySet<number>;
}

/** Found by walking the trees, where no node is met twice: the walk ends once it has met more than there are. */
function rootsWithTargets({ nodes, roots }: EnsembleNodes): RootTargets[] {
  let seen = 0;
  let copied = 0;
  return roots.map((root) => {
    const targets = new Set<number>();
    const pending = [root];
    const before = seen;
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      seen += 1;
      if (seen > nodes.length + roots.length) throw invalidGraph("trees share nodes or go in circles");
      const node = nodes[index];
      if (node === undefined) throw invalidGraph("a tree leads to a node that it does not have");
      if (node.mode === "LEAF") for (const target of node.weights.keys()) targets.add(target);
      else {
        pending.push(node.whenFalse);
        // The last of a chain of equalities leads to what all of them share.
        if (nextEquality(nodes, node) === null) pending.push(node.whenTrue);
      }
    }
    copied += (seen - before) * targets.size;
    if (copied > MAX_COPIED_NODES) throw unsupportedGraph(`its trees have more than ${MAX_COPIED_NODES} nodes for all targets`);
    return { root, targets };
  });
}

/**
 * The node after this one in a chain that writes a set of categories, one node for each, as onnxmltools does for LightGBM: each asks
 * the same column for another code, leads to the same node where it has it, and else to the next of the chain.
 */
function nextEquality(nodes: readonly EnsembleNode[], { mode, feature, whenTrue, whenFalse }: EnsembleNode): EnsembleNode | null {
  const next = nodes[whenFalse];
  const goesOn = mode === "BRANCH_EQ" && next?.mode === mode && next.feature === feature && next.whenTrue === whenTrue;
  return goesOn ? next : null;
}

/** The whole chain that begins with a node, as one node that asks for the set. */
function joinEqualities(nodes: readonly EnsembleNode[], first: EnsembleNode): EnsembleNode {
  const chain: EnsembleNode[] = [];
  for (let node: EnsembleNode | null = first; node !== null; node = nextEquality(nodes, node)) chain.push(node);
  return {
    ...first,
    mode: "BRANCH_MEMBER",
    members: chain.map(({ value }) => value),
    missingIsTrue: chain.some(({ missingIsTrue }) => missingIsTrue),
    whenFalse: chain[chain.length - 1].whenFalse,
  };
}

interface Reading {
  readonly nodes: readonly EnsembleNode[];
  readonly factor: number;
  readonly isRounded: boolean;
  readonly wordsOf: (codes: readonly number[]) => Uint32Array;
}

/** Covers are not in the file: they are 0 until `fillCovers` counts rows. */
function describe(node: EnsembleNode, target: number, reading: Reading): DescribedNode {
  const { factor, isRounded, wordsOf } = reading;
  if (node.mode === "LEAF") return { kind: "leaf", value: factor * (node.weights.get(target) ?? 0), cover: 0 };
  const { feature, whenTrue, whenFalse, missingIsTrue, value } = node;
  const straight = { feature, left: whenTrue, right: whenFalse, missingLeft: missingIsTrue, cover: 0 };
  const turned = { feature, left: whenFalse, right: whenTrue, missingLeft: !missingIsTrue, cover: 0 };
  const atMost = isRounded ? thresholdForRounded(value) : value;
  const below = isRounded ? thresholdForRounded(previousFloat(value)) : previousDouble(value);
  switch (node.mode) {
    case "BRANCH_LEQ":
      return { ...straight, kind: "number", threshold: atMost };
    case "BRANCH_LT":
      return { ...straight, kind: "number", threshold: below };
    case "BRANCH_GT":
      return { ...turned, kind: "number", threshold: atMost };
    case "BRANCH_GTE":
      return { ...turned, kind: "number", threshold: below };
    case "BRANCH_EQ":
      return describe(joinEqualities(reading.nodes, node), target, reading);
    case "BRANCH_NEQ":
      return { ...turned, kind: "categories", words: wordsOf([value]) };
    case "BRANCH_MEMBER":
      return { ...straight, kind: "categories", words: wordsOf(node.members) };
  }
}

/** Writes sets of codes as bits, until all of them together would not fit into memory. */
function setWriter(): (codes: readonly number[]) => Uint32Array {
  let written = 0;
  return (codes) => {
    for (const code of codes) {
      if (!(Number.isInteger(code) && code >= 0 && code < MAX_CODE))
        throw unsupportedGraph(`a tree asks for equality with ${code}`);
    }
    const length = codes.reduce((most, code) => Math.max(most, (code >> 5) + 1), 0);
    written += length;
    if (written > MAX_SET_WORDS) throw unsupportedGraph("its sets of categories are larger than any data has them");
    const words = new Uint32Array(length);
    for (const code of codes) words[code >> 5] |= 1 << (code & 31);
    return words;
  };
}
