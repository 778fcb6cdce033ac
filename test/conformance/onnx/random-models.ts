import { baseline } from "../../../src/core/definitions/index.ts";
import type { Dataset, FeatureColumn, Link, ModelPackage, Tree } from "../../../src/core/training/index.ts";
import { categoricalColumn, datasetOf, numericColumn } from "../../fixtures/training-data.ts";

export type Random = () => number;

const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)];

/** About normal, which is enough here. */
export const normal = (random: Random): number => random() + random() + random() + random() - 2;

export interface TreeShape {
  readonly leaves: number;
  /** By column: 0 for numbers, else how many codes there are. */
  readonly categories: readonly number[];
  readonly scale: number;
}

/** A tree with thresholds that no float32 is, missing values on either side, and sets of categories: of one word, of many, and empty. */
export function randomTree(random: Random, { leaves, categories, scale }: TreeShape): Tree {
  const nodes = 2 * leaves - 1;
  const feature = new Int32Array(nodes).fill(-1);
  const threshold = new Float64Array(nodes);
  const left = new Int32Array(nodes);
  const right = new Int32Array(nodes);
  const start = new Int32Array(nodes).fill(-1);
  const length = new Int32Array(nodes);
  const words: number[] = [];
  const open = [0];
  for (let size = 1; size < nodes; size += 2) {
    const [node] = open.splice(Math.floor(random() * open.length), 1);
    feature[node] = Math.floor(random() * categories.length);
    left[node] = size;
    right[node] = size + 1;
    open.push(size, size + 1);
    const codes = categories[feature[node]];
    if (codes === 0) {
      threshold[node] = normal(random);
      continue;
    }
    threshold[node] = Number.NaN;
    start[node] = words.length;
    length[node] = Math.ceil((random() * codes + 1) / 32);
    const isEmpty = random() < 0.1;
    for (let word = 0; word < length[node]; word++) words.push(isEmpty ? 0 : Math.floor(random() * 2 ** 32));
  }
  return {
    feature,
    threshold,
    left,
    right,
    missingLeft: Uint8Array.from(feature, () => Math.round(random())),
    // Equal leaves beside each other are what runtimes join.
    value: Float64Array.from(feature, (column) => (column < 0 ? scale * pick(random, [0.5, normal(random)]) : 0)),
    cover: new Float64Array(nodes).fill(1),
    ...(words.length > 0 && { categorical: { start, length, words: Uint32Array.from(words) } }),
  };
}

export interface RandomForest extends TreeShape {
  readonly trees: number;
  readonly outputs: number;
  readonly link: Link;
}

export const randomTrees = (random: Random, shape: RandomForest) => ({
  kind: "trees" as const,
  link: shape.link,
  base: Float64Array.from({ length: shape.outputs }, () => normal(random)),
  trees: Array.from({ length: shape.trees }, () => randomTree(random, shape)),
});

/** The neighbours of a threshold at which rounding to float32 would send a row the other way. */
function beside(random: Random, threshold: number): number {
  const rounded = Math.fround(threshold);
  const step = Math.abs(rounded) * 2 ** -24;
  return pick(random, [
    threshold,
    threshold * (1 + 2 ** -52),
    threshold * (1 - 2 ** -53),
    rounded,
    rounded + step,
    rounded - step,
    (threshold + rounded) / 2,
  ]);
}

const ODD = [Number.NaN, 0, -0, 1e300, -1e300, Number.MIN_VALUE, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** Numbers of which half stand at or beside a threshold of the trees, and some are missing, infinite, huge or tiny. */
export function adversarialNumbers(random: Random, rows: number, column: number, trees: readonly Tree[]): Float64Array {
  const thresholds = trees.flatMap((tree) =>
    Array.from(tree.threshold).filter((threshold, node) => tree.feature[node] === column && !Number.isNaN(threshold)),
  );
  return Float64Array.from({ length: rows }, () => {
    const kind = random();
    if (kind < 0.05) return pick(random, ODD);
    if (kind < 0.55 && thresholds.length > 0) return beside(random, pick(random, thresholds));
    return normal(random);
  });
}

/** Texts "c0" … with missing ones and ones that no encoding knows. */
export function randomTexts(random: Random, rows: number, known: number): (string | null)[] {
  return Array.from({ length: rows }, () => (random() < 0.1 ? null : `c${Math.floor(random() * known * 1.2)}`));
}

export const numbers = (id: string, values: Float64Array): FeatureColumn => numericColumn(id, values);
export const texts = (id: string, values: readonly (string | null)[]): FeatureColumn => categoricalColumn(id, values);

export const datasetFrom = (features: readonly FeatureColumn[], rows: number): Dataset =>
  datasetOf({ features, label: new Uint8Array(rows) });

type Parts = Pick<ModelPackage, "task" | "preparation" | "estimator"> & Partial<ModelPackage>;

/** A package around an estimator, for the features of a dataset. */
export function packageOf(dataset: Dataset, parts: Parts): ModelPackage {
  return {
    formatVersion: 2,
    model: "conformance",
    classes: [],
    background: [],
    candidate: baseline(),
    plan: {
      formatVersion: 1,
      features: dataset.features.map(({ id, kind }) => ({
        id,
        type: kind === "numeric" ? "float64" : "string",
        seasonal: false,
        origin: { kind: "view", view: "made", feature: id },
        source: "made",
      })),
      views: [],
      onDemand: [],
      keys: {},
      request: {},
    },
    calibration: null,
    decision: { threshold: 0.5, payoff: { truePositive: 1, falsePositive: -1, falseNegative: 0, trueNegative: 0 } },
    trainedAt: 0,
    labelCutoff: 0,
    trainingRows: 0,
    snapshots: {},
    seed: 1,
    ...parts,
  };
}
