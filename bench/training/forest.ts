/**
 * Random forest against scikit-learn's: the same 100,000 rows, 100 trees grown until pure, four of 20 columns tried at a node,
 * one thread each; our binning is part of the time. Each round has a seed of its own: the areas under the curve on 200,000 other
 * rows are means over them.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fitForest } from "../../src/core/training/forest/fit-forest.ts";
import { rocAuc, seededRandom } from "../../src/core/training/index.ts";
import { scoreMatrix } from "../../src/core/training/score-estimator.ts";
import type { BenchCase } from "../run.ts";
import { mean, median, startScikitLearn } from "./scikit-learn.ts";

const ROWS = 100_000;
const TEST_ROWS = 200_000;
const COLUMNS = 20;
const ROUNDS = 3;
/** Further below the peer's area, a time says nothing. */
const AGREEMENT = 0.001;

interface Answer {
  readonly seconds: number;
  readonly area: number;
}

interface Rows {
  readonly columns: readonly Float64Array[];
  readonly labels: Uint8Array;
}

/** Normal columns; the label's odds depend on seven of them, alone, curved and together. */
function drawRows(rows: number, seed: number): Rows {
  const random = seededRandom(seed);
  const uniform = () => (random.uint32() + 0.5) / 2 ** 32;
  const normal = () => Math.fround(Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
  const columns = Array.from({ length: COLUMNS }, () => Float64Array.from({ length: rows }, normal));
  const [a, b, c, d, e, f, g] = columns;
  const labels = Uint8Array.from(a, (x, row) => {
    const step = e[row] > 0.3 ? f[row] : 0;
    const score = x + 0.8 * b[row] * c[row] + Math.sin(2 * d[row]) + 0.5 * step + 0.5 * g[row] ** 2 - 0.5;
    return uniform() < 1 / (1 + Math.exp(-score)) ? 1 : 0;
  });
  return { columns, labels };
}

function writeRows(folder: string, part: string, { columns, labels }: Rows): void {
  writeFileSync(join(folder, `${part}-labels.bin`), labels);
  for (const column of columns) writeFileSync(join(folder, `${part}-columns.bin`), column, { flag: "a" });
}

function measure(train: Rows, test: Rows, seed: number): Answer {
  const start = performance.now();
  const { estimator } = fitForest(
    { rows: ROWS, columns: train.columns },
    { values: train.labels },
    { trees: 100, maxFeatures: "sqrt", minLeafRows: 1, bootstrap: true },
    { kind: "random-forest", classes: 2, seed },
  );
  const seconds = (performance.now() - start) / 1000;
  const area = rocAuc(test.labels, scoreMatrix(estimator, { rows: TEST_ROWS, columns: test.columns }));
  return { seconds, area: area ?? Number.NaN };
}

export default async function forest(): Promise<BenchCase[]> {
  const train = drawRows(ROWS, 1);
  const test = drawRows(TEST_ROWS, 2);
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-forest-"));
  try {
    writeRows(folder, "train", train);
    writeRows(folder, "test", test);
    const peer = startScikitLearn<Answer>("forest-peer.py", folder);
    const ours: Answer[] = [];
    const theirs: Answer[] = [];
    for (let seed = 1; seed <= ROUNDS; seed++) {
      if (seed % 2 === 0) ours.push(measure(train, test, seed));
      theirs.push(await peer.ask(String(seed)));
      if (seed % 2 === 1) ours.push(measure(train, test, seed));
    }
    peer.end();
    const areas = [mean(ours.map(({ area }) => area)), mean(theirs.map(({ area }) => area))];
    const seconds = [median(ours.map((each) => each.seconds)), median(theirs.map((each) => each.seconds))];
    const isAsGood = areas[0] > areas[1] - AGREEMENT;
    const peerName = "scikit-learn";
    return [
      {
        case: "train random forest 100k x 20",
        ours: seconds[0],
        peer: seconds[1],
        peerName,
        unit: "s",
        ...(isAsGood && { ratio: seconds[1] / seconds[0] }),
      },
      {
        case: "test AUC of random forest 100k x 20",
        ours: areas[0],
        peer: areas[1],
        peerName,
        unit: "AUC",
        ratio: areas[0] / areas[1],
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
