/** Our side of boosting.ts: trains once for each line (a number of threads) and answers what it took. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fitGradientBoosting } from "../../src/core/training/boosting/gradient-boosting.ts";
import { type Matrix, rocAuc } from "../../src/core/training/index.ts";
import { scoreMatrix } from "../../src/core/training/score-estimator.ts";
import type { BoostingAnswer, BoostingData } from "./boosting.ts";

const [folder = ""] = process.argv.slice(2);
const data: BoostingData = JSON.parse(readFileSync(join(folder, "data.json"), "utf8"));

/** A part's columns, and its labels. */
function read(part: string, rows: number): { readonly matrix: Matrix; readonly labels: Uint8Array } {
  const file = openSync(join(folder, `${part}.f64`), "r");
  const columns = [...data.categories, 0].map(() => {
    const column = new Float64Array(rows);
    readSync(file, column);
    return column;
  });
  closeSync(file);
  const labels = Uint8Array.from(columns[columns.length - 1]);
  return { matrix: { rows, columns: columns.slice(0, -1), categories: data.categories }, labels };
}

const train = read("train", data.rows);
const test = read("test", data.testRows);

for await (const line of createInterface({ input: process.stdin })) {
  const start = performance.now();
  const { estimator } = fitGradientBoosting(
    train.matrix,
    { values: train.labels },
    { objective: "binary", trees: 100, leaves: 31, rate: 0.1, l2: 1, minLeafRows: 20, maxBins: 255 },
    { seed: 1, threads: Number(line) },
  );
  const seconds = (performance.now() - start) / 1000;
  const megabytes = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
  const area = rocAuc(test.labels, scoreMatrix(estimator, test.matrix)) ?? Number.NaN;
  console.log(JSON.stringify({ seconds, area, megabytes } satisfies BoostingAnswer));
}
