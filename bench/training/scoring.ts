/** Scoring and explaining against LightGBM: the same trees and rows on both sides, one thread each, rounds in turn, equal results. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pythonEnvironment } from "../../scripts/python-environment.ts";
import { createTreeShap } from "../../src/core/explain/index.ts";
import { readLightgbmModel } from "../../src/core/training/formats/lightgbm-model.ts";
import { createTreesScorer, type Matrix, type TreesEstimator } from "../../src/core/training/index.ts";
import type { BenchCase } from "../run.ts";

const COLUMNS = 20;
/** Results that differ by more are not the same results, and their times say nothing. */
const AGREEMENT = 1e-9;

interface Task {
  readonly case: string;
  readonly peerName: string;
  /** What the peer calls it. */
  readonly name: "batch" | "single" | "contributions";
  readonly trees: number;
  readonly rows: number;
  readonly rounds: number;
  /** Makes what a model is compiled to where that is part of what is measured, and the results in the peer's order. */
  readonly compute: (model: TreesEstimator, rows: Matrix) => () => Float64Array;
}

const tasks: readonly Task[] = [
  {
    case: "predict boosting batch",
    peerName: "LightGBM",
    name: "batch",
    trees: 100,
    rows: 100_000,
    rounds: 9,
    compute(model, rows) {
      const scorer = createTreesScorer(model);
      return () => scorer.scoreMatrix(rows);
    },
  },
  {
    case: "predict boosting single row",
    peerName: "LightGBM (Booster.predict of one row at a time, from Python)",
    name: "single",
    trees: 100,
    rows: 5_000,
    rounds: 9,
    compute(model, { rows, columns }) {
      const scorer = createTreesScorer(model);
      const single = Array.from({ length: rows }, (_, row) => Float64Array.from(columns, (column) => column[row]));
      const out = new Float64Array(1);
      return () =>
        Float64Array.from(single, (row) => {
          scorer.scoreRow(row, out);
          return out[0];
        });
    },
  },
  {
    case: "explain SHAP 100 trees x 31 leaves",
    peerName: "LightGBM pred_contrib",
    name: "contributions",
    trees: 100,
    rows: 10_000,
    rounds: 5,
    compute: explain,
  },
  {
    case: "explain SHAP 500 trees x 31 leaves",
    peerName: "LightGBM pred_contrib",
    name: "contributions",
    trees: 500,
    rows: 5_000,
    rounds: 5,
    compute: explain,
  },
];

/** Tables are made anew each time: they are part of explaining. */
function explain(model: TreesEstimator, rows: Matrix): () => Float64Array {
  return () => {
    const shap = createTreeShap(model, COLUMNS);
    const phi = shap.explainMatrix(rows);
    const withBase = new Float64Array(rows.rows * (COLUMNS + 1));
    for (let row = 0; row < rows.rows; row++) {
      withBase.set(phi.subarray(row * COLUMNS, (row + 1) * COLUMNS), row * (COLUMNS + 1));
      withBase[row * (COLUMNS + 1) + COLUMNS] = shap.base[0];
    }
    return withBase;
  };
}

const readDoubles = (file: string): Float64Array => new Float64Array(Uint8Array.from(readFileSync(file)).buffer);

/** A Python process that keeps rows and models and measures itself, so that neither starting nor passing results on counts. */
async function startPeer(folder: string) {
  const peer = spawn(pythonEnvironment(), [join(import.meta.dirname, "scoring-peer.py"), folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the peer ended too early");
    return value;
  };
  await answer();
  return {
    measure: async ({ name, trees, rows }: Task): Promise<{ seconds: number; results: Float64Array }> => {
      peer.stdin.write(`${name} ${trees} ${rows}\n`);
      return { seconds: Number(await answer()), results: readDoubles(join(folder, "result.f64")) };
    },
    end: () => peer.stdin.end(),
  };
}

function requireAgreement({ case: name }: Task, ours: Float64Array, theirs: Float64Array): void {
  const wrong = ours.findIndex((value, i) => !(Math.abs(value - theirs[i]) <= AGREEMENT));
  if (ours.length !== theirs.length || wrong >= 0) {
    throw new Error(
      `${name}: result ${wrong} of ${ours.length} is ${ours[wrong]}, LightGBM's of ${theirs.length} ${theirs[wrong]}`,
    );
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

export default async function scoring(): Promise<BenchCase[]> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-scoring-"));
  try {
    const peer = await startPeer(folder);
    const all = readDoubles(join(folder, "columns.f64"));
    const length = all.length / COLUMNS;
    const cases: BenchCase[] = [];
    for (const task of tasks) {
      const model = readLightgbmModel(readFileSync(join(folder, `model-${task.trees}.txt`), "utf8")).estimator;
      const columns = Array.from({ length: COLUMNS }, (_, column) => all.subarray(column * length, column * length + task.rows));
      const compute = task.compute(model, { rows: task.rows, columns });
      // The first round warms up and is checked, not timed.
      requireAgreement(task, compute(), (await peer.measure(task)).results);
      const ours: number[] = [];
      const theirs: number[] = [];
      const measureOurs = (): void => {
        const start = performance.now();
        compute();
        ours.push((performance.now() - start) / 1_000);
      };
      for (let round = 0; round < task.rounds; round++) {
        if (round % 2 === 0) measureOurs();
        theirs.push((await peer.measure(task)).seconds);
        if (round % 2 === 1) measureOurs();
      }
      const [own, other] = [median(ours), median(theirs)];
      cases.push({
        case: task.case,
        ours: task.rows / own,
        peer: task.rows / other,
        peerName: task.peerName,
        unit: "rows/s",
        ratio: other / own,
      });
    }
    peer.end();
    return cases;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
