import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type GoldenName, goldenData, numericColumns } from "../../../../test/fixtures/golden-data.ts";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { type Matrix, takeRows } from "../matrix.ts";
import { leafOf } from "../trees/goes-left.ts";
import { fitForest } from "./fit-forest.ts";
import type { ForestParams } from "./forest-params.ts";

interface ForestCase {
  readonly kind: "random-forest" | "extra-trees";
  readonly data: GoldenName | "friedman";
  readonly task: "binary" | "multiclass" | "regression";
  readonly params: Partial<ForestParams>;
  /** AUC, log loss or RMSE on every third row, over scikit-learn's seeds. */
  readonly mean: number;
  readonly deviation: number;
  readonly outOfBag: number | null;
}

// scikit-learn's forests on the same rows; versions in the file.
const golden: { seeds: number; cases: ForestCase[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/forest.json", import.meta.url), "utf8"),
);
const SEEDS = 3;

describe("forests are as good as scikit-learn's at equal settings", () => {
  it.each(golden.cases.map((each) => ({ ...each, name: nameOf(each) })))("$name", (each) => {
    const { matrix, target } = load(each.data);
    const rows = [...target.keys()];
    const train = rows.filter((row) => row % 3 !== 0);
    const test = rows.filter((row) => row % 3 === 0);
    const classes = each.task === "regression" ? 0 : Math.max(...target) + 1;
    const scores: number[] = [];
    const outOfBag: number[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const forest = fitForest(
        takeRows(matrix, train),
        { values: Float64Array.from(train, (row) => target[row]) },
        { maxFeatures: "sqrt", minLeafRows: 1, ...each.params, bootstrap: each.kind === "random-forest" },
        { kind: each.kind, classes, seed, outOfBag: each.kind === "random-forest" },
      );
      const predictions = predict(forest.estimator, takeRows(matrix, test));
      scores.push(
        quality(
          each.task,
          predictions,
          Float64Array.from(test, (row) => target[row]),
        ),
      );
      if (forest.outOfBag !== null) outOfBag.push(forest.outOfBag.score);
    }
    // Two means differ by chance: four standard errors, and what bins instead of exact thresholds may do.
    const chance = 4 * each.deviation * Math.sqrt(1 / SEEDS + 1 / golden.seeds);
    const allowed = each.task === "binary" ? 0.003 : 0.03 * each.mean;
    const gap = each.task === "binary" ? each.mean - meanOf(scores) : meanOf(scores) - each.mean;
    expect(gap).toBeLessThan(chance + allowed);
    if (each.outOfBag !== null) expect(Math.abs(meanOf(outOfBag) - each.outOfBag)).toBeLessThan(0.02);
  });
});

const nameOf = ({ kind, data, params }: ForestCase) => `${kind}, ${data}, ${JSON.stringify(params)}`;
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function load(name: ForestCase["data"]): { matrix: Matrix; target: Float64Array } {
  if (name !== "friedman") {
    const data = goldenData(name);
    return { matrix: { rows: data.rows, columns: numericColumns(data) }, target: data.target };
  }
  const draw = uniform(3);
  const rows = 1500;
  const columns = Array.from({ length: 10 }, () => new Float64Array(rows));
  for (let row = 0; row < rows; row++) for (const column of columns) column[row] = draw();
  const [a, b, c, d, e] = columns;
  const target = a.map((x, row) => 10 * Math.sin(Math.PI * x * b[row]) + 20 * (c[row] - 0.5) ** 2 + 10 * d[row] + 5 * e[row]);
  return { matrix: { rows, columns }, target: target.map((value) => value + draw() * 2 - 1) };
}

/** Row by row, one number an output. */
function predict({ base, trees }: ReturnType<typeof fitForest>["estimator"], matrix: Matrix): Float64Array {
  const outputs = base.length;
  const sums = new Float64Array(matrix.rows * outputs);
  trees.forEach((tree, t) => {
    for (let row = 0; row < matrix.rows; row++)
      sums[row * outputs + (t % outputs)] += tree.value[leafOf(tree, matrix.columns, row)];
  });
  return sums;
}

function quality(task: ForestCase["task"], predictions: Float64Array, target: Float64Array): number {
  if (task === "binary") return rocAuc(predictions, target);
  if (task === "regression") return Math.sqrt(meanOf([...target].map((value, row) => (value - predictions[row]) ** 2)));
  const classes = predictions.length / target.length;
  return meanOf([...target].map((label, row) => -Math.log(Math.max(2 ** -52, predictions[row * classes + label]))));
}

function rocAuc(scores: Float64Array, labels: Float64Array): number {
  let wins = 0;
  let pairs = 0;
  for (let positive = 0; positive < labels.length; positive++) {
    if (labels[positive] === 0) continue;
    for (let negative = 0; negative < labels.length; negative++) {
      if (labels[negative] === 1) continue;
      pairs++;
      if (scores[positive] > scores[negative]) wins++;
      else if (scores[positive] === scores[negative]) wins += 0.5;
    }
  }
  return wins / pairs;
}
