/**
 * Logistic regression against scikit-learn's (lbfgs): the same million rows in standardised float64 columns, one thread each,
 * both stopped when no component of the mean loss's gradient is above 1e-4 (scikit-learn's default), rounds of both in turn.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../src/core/training/index.ts";
import { fitLogisticRegression } from "../../src/core/training/linear/logistic-regression.ts";
import type { BenchCase } from "../run.ts";
import { median, startScikitLearn } from "./scikit-learn.ts";

const ROWS = 1_000_000;
const COLUMNS = 20;
const ROUNDS = 7;
const TOLERANCE = 1e-4;
/** Objectives that differ by more are not the same fit. */
const AGREEMENT = 1e-6;

interface Answer {
  readonly seconds: number;
  readonly iterations: number;
  readonly intercept: number;
  readonly coefficients: readonly number[];
}

/** Columns that share a third of their variance, and labels by a linear score. */
function drawRows(): { columns: Float64Array[]; labels: Uint8Array } {
  const random = seededRandom(11);
  const uniform = () => (random.uint32() + 0.5) / 2 ** 32;
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const effects = Array.from({ length: COLUMNS }, () => 0.3 * normal());
  const columns = Array.from({ length: COLUMNS }, () => new Float64Array(ROWS));
  const labels = new Uint8Array(ROWS);
  for (let row = 0; row < ROWS; row++) {
    const shared = normal();
    let score = -0.5;
    for (let j = 0; j < COLUMNS; j++) {
      columns[j][row] = Math.sqrt(2 / 3) * normal() + Math.sqrt(1 / 3) * shared;
      score += effects[j] * columns[j][row];
    }
    labels[row] = uniform() < 1 / (1 + Math.exp(-score)) ? 1 : 0;
  }
  for (const column of columns) standardize(column);
  return { columns, labels };
}

function standardize(column: Float64Array): void {
  const mean = column.reduce((sum, x) => sum + x, 0) / ROWS;
  const scale = Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / ROWS);
  for (let row = 0; row < ROWS; row++) column[row] = (column[row] - mean) / scale;
}

/** Mean log loss and the penalty of C = 1. */
function objective(
  columns: readonly Float64Array[],
  labels: Uint8Array,
  intercept: number,
  coefficients: ArrayLike<number>,
): number {
  let loss = 0;
  for (let row = 0; row < ROWS; row++) {
    let score = intercept;
    for (let j = 0; j < COLUMNS; j++) score += coefficients[j] * columns[j][row];
    loss += Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - labels[row] * score;
  }
  let squares = 0;
  for (let j = 0; j < COLUMNS; j++) squares += coefficients[j] ** 2;
  return (loss + squares / 2) / ROWS;
}

export default async function linear(): Promise<BenchCase[]> {
  const { columns, labels } = drawRows();
  const matrix = { rows: ROWS, columns };
  const fit = () => {
    const start = performance.now();
    const fitted = fitLogisticRegression(matrix, { values: labels }, { tolerance: TOLERANCE });
    return { ...fitted, seconds: (performance.now() - start) / 1000 };
  };
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-linear-"));
  try {
    writeFileSync(join(folder, "labels.bin"), labels);
    for (const column of columns) writeFileSync(join(folder, "columns.bin"), column, { flag: "a" });
    const peer = startScikitLearn<Answer>("linear-peer.py", folder);
    // The first round warms up and is checked, not timed.
    const own = fit();
    const other = await peer.ask(String(TOLERANCE));
    const gap =
      objective(columns, labels, own.intercepts[0], own.coefficients) -
      objective(columns, labels, other.intercept, other.coefficients);
    if (gap > AGREEMENT) throw new Error(`logistic regression's objective is ${gap} above scikit-learn's`);
    console.error(
      `logistic regression: objective ${gap.toExponential(1)} above scikit-learn's, which took ${other.iterations} iterations`,
    );
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 0) ours.push(fit().seconds);
      theirs.push((await peer.ask(String(TOLERANCE))).seconds);
      if (round % 2 === 1) ours.push(fit().seconds);
    }
    peer.end();
    const [seconds, peerSeconds] = [median(ours), median(theirs)];
    return [
      {
        case: "train logistic regression 1M x 20",
        ours: seconds,
        peer: peerSeconds,
        peerName: "scikit-learn",
        unit: "s",
        ratio: peerSeconds / seconds,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
