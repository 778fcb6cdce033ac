import { describe, expect, it } from "vitest";
import { datasetOf, numericColumn, uniform } from "../../../../test/fixtures/training-data.ts";
import { oneHot, type PreparationStep, selectFeatures, standardScale, targetEncode } from "../../definitions/index.ts";
import type { Dataset, FeatureColumn, RowSelection } from "../dataset.ts";
import { makeFolds } from "../splits/make-folds.ts";
import { encode } from "./encode.ts";
import { fitPreparation } from "./fit-preparation.ts";

/**
 * Each test measures what a leak would do to a figure, once with the leak and once as it is done here: so that the figure that shows
 * no leak is known to be one that would show it.
 */

const ROWS = 2_000;
const allRows: RowSelection = Uint32Array.from({ length: ROWS }, (_, row) => row);
const evenRows = allRows.filter((row) => row % 2 === 0);
const oddRows = allRows.filter((row) => row % 2 === 1);

/** A fair coin, and nothing that has to do with it. */
function noise(features: (draw: () => number) => FeatureColumn[]): Dataset {
  const draw = uniform(11);
  const label = Uint8Array.from({ length: ROWS }, () => (draw() < 0.5 ? 1 : 0));
  return datasetOf({ features: features(draw), label });
}

function fit(dataset: Dataset, rows: RowSelection, steps: readonly PreparationStep[]) {
  const target = { values: Uint8Array.from(rows, (row) => dataset.label[row]) };
  return fitPreparation(dataset, rows, { steps, family: "linear", target, task: "binary", seed: 1 });
}

/** Share of pairs of a positive and a negative that a column puts in the right order; equal values count half. */
function rocAuc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
  let [wins, positives, below] = [0, 0, 0];
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && scores[order[end]] === scores[order[start]]) end += 1;
    const ofRun = order.slice(start, end).filter((i) => labels[i] === 1).length;
    wins += ofRun * (below + (end - start - ofRun) / 2);
    below += end - start - ofRun;
    positives += ofRun;
    start = end;
  }
  return wins / (positives * below);
}

const labelsOf = (dataset: Dataset, rows: RowSelection) => Array.from(rows, (row) => dataset.label[row]);

describe("what is learned from training rows", () => {
  it("is learned from them only: other rows, however wild, change nothing", () => {
    const dataset = noise((draw) => [
      numericColumn(
        "a.x",
        Array.from({ length: ROWS }, () => draw()),
      ),
    ]);
    const wild = numericColumn(
      "a.x",
      Array.from({ length: ROWS }, (_, row) => {
        const [feature] = dataset.features;
        return row % 2 === 1 ? 1e6 * row : feature?.kind === "numeric" ? feature.values[row] : 0;
      }),
    );
    const changed = {
      ...dataset,
      features: [wild],
      label: dataset.label.map((label, row) => (row % 2 === 1 ? 1 - label : label)),
    };
    for (const steps of [[standardScale()], [selectFeatures({ kind: "mutual-information", top: 1 })]]) {
      expect(fit(changed, evenRows, steps)).toEqual(fit(dataset, evenRows, steps));
    }
    // The leak: the same fitted on all rows does see them.
    expect(fit(changed, allRows, [standardScale()]).preparation).not.toEqual(
      fit(dataset, allRows, [standardScale()]).preparation,
    );
  });

  it("lets selection on all rows find columns that predict noise, and selection on training rows find none", () => {
    const dataset = noise((draw) =>
      Array.from({ length: 400 }, (_, column) =>
        numericColumn(
          `a.x${column}`,
          Array.from({ length: ROWS }, () => draw()),
        ),
      ),
    );
    const few = allRows.slice(0, 80);
    const [train, test] = [few.slice(0, 40), few.slice(40)];
    const best = selectFeatures({ kind: "f-test", top: 10 });
    const testAuc = (selectOn: RowSelection) => {
      const { preparation } = fit(dataset, selectOn, [best]);
      const trained = encode(preparation, dataset, train).columns;
      const tested = encode(preparation, dataset, test).columns;
      // The simplest estimator there is: columns added up by the sign that they have among the training rows.
      const signs = trained.map((column) => Math.sign(rocAuc(column, labelsOf(dataset, train)) - 0.5));
      const scores = Array.from(test, (_, row) =>
        tested.reduce((sum, column, index) => sum + (signs[index] ?? 0) * (column[row] ?? 0), 0),
      );
      return rocAuc(scores, labelsOf(dataset, test));
    };
    expect(testAuc(few)).toBeGreaterThan(0.8);
    expect(testAuc(train)).toBeLessThan(0.62);
  });

  it("lets target encoding without folds predict its own training rows from noise, and out of fold it does not", () => {
    const categories = Array.from({ length: 500 }, (_, category) => `c${category}`);
    const dataset = noise((draw) => [
      { kind: "categorical", id: "a.c", codes: Int32Array.from({ length: ROWS }, () => Math.floor(draw() * 500)), categories },
    ]);
    const { preparation, matrix } = fit(dataset, evenRows, [targetEncode({ smooth: 1 })]);
    const labels = labelsOf(dataset, evenRows);
    const [leaking] = encode(preparation, dataset, evenRows).columns;
    const [outOfFold] = matrix.columns;
    expect(rocAuc(leaking ?? [], labels)).toBeGreaterThan(0.8);
    expect(Math.abs(rocAuc(outOfFold ?? [], labels) - 0.5)).toBeLessThan(0.05);
    // What it says of rows that it has not seen is the truth: nothing.
    const [unseen] = encode(preparation, dataset, oddRows).columns;
    expect(Math.abs(rocAuc(unseen ?? [], labelsOf(dataset, oddRows)) - 0.5)).toBeLessThan(0.05);
  });

  it("does not know in a fold what only another fold has", () => {
    const texts = Array.from({ length: ROWS }, (_, row) => (row < 100 ? "early" : "late"));
    const dataset = datasetOf({
      features: [
        {
          kind: "categorical",
          id: "a.c",
          codes: Int32Array.from(texts, (text) => (text === "early" ? 0 : 1)),
          categories: ["early", "late"],
        },
      ],
      label: Uint8Array.from({ length: ROWS }, (_, row) => row % 2),
    });
    const folds = makeFolds({ kind: "k-fold", folds: 20, shuffle: false }, dataset, allRows, 1);
    const first = folds[0];
    if (first === undefined) throw new Error("no folds");
    const target = { values: Uint8Array.from(first.train, (row) => dataset.label[row]) };
    const options = { steps: [oneHot()], family: "tree", target, task: "binary", seed: 1 } as const;
    expect(fitPreparation(dataset, first.train, options).preparation.encodings[0]?.categories).toEqual(["late"]);
  });
});
