/** Metrics against scikit-learn and fairlearn: the same million rows, rounds of both in turn, and figures that must agree. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pythonEnvironment } from "../../scripts/python-environment.ts";
import { countOutcomes, decideFrom, disparitiesOf, groupRates, protectedGroups } from "../../src/core/explain/index.ts";
import { type CategoricalColumn, rocAuc, seededRandom } from "../../src/core/training/index.ts";
import type { BenchCase } from "../run.ts";

const ROWS = 1_000_000;
/** Relative: figures that differ by more are not the same figures, and their times say nothing. */
const AGREEMENT = 1e-10;

interface Rows {
  readonly labels: Uint8Array;
  readonly scores: Float64Array;
  readonly column: CategoricalColumn;
}

/** Five groups, unlike in size and base rate; scores that follow the label's chance, no two alike. */
function drawRows(): Rows {
  const random = seededRandom(7);
  const uniform = () => (random.uint32() + random.uint32() * 2 ** -32) / 2 ** 32;
  const labels = new Uint8Array(ROWS);
  const scores = new Float64Array(ROWS);
  const codes = new Int32Array(ROWS);
  for (let row = 0; row < ROWS; row++) {
    codes[row] = Math.floor(uniform() ** 2 * 5);
    const chance = 0.1 + 0.6 * uniform() + 0.05 * codes[row];
    labels[row] = uniform() < chance ? 1 : 0;
    scores[row] = 0.7 * chance + 0.3 * uniform();
  }
  return { labels, scores, column: { kind: "categorical", id: "group", codes, categories: ["0", "1", "2", "3", "4"] } };
}

function fairness({ labels, column }: Rows, acts: Uint8Array): number[] {
  const rates = groupRates(countOutcomes(protectedGroups([column]), labels, acts));
  const { demographic_parity_difference = Number.NaN, equalized_odds_difference = Number.NaN } = disparitiesOf(rates);
  const figures = rates.flatMap((each) => [
    each.selection_rate,
    each.true_positive_rate,
    each.false_negative_rate,
    each.false_positive_rate,
    each.true_negative_rate,
    each.precision,
    each.accuracy,
  ]);
  return [...figures.map((each) => each ?? Number.NaN), demographic_parity_difference, equalized_odds_difference];
}

interface Measured {
  readonly seconds: number;
  readonly figures: readonly number[];
}

function timed(compute: () => readonly number[]): Measured {
  const start = performance.now();
  const figures = compute();
  return { seconds: (performance.now() - start) / 1000, figures };
}

/** A Python process that keeps the rows and measures itself, so that neither starting nor reading counts. */
function startPeer(folder: string) {
  const peer = spawn(pythonEnvironment(), [join(import.meta.dirname, "metrics-peer.py"), folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
  return {
    measure: async (task: string): Promise<Measured> => {
      peer.stdin.write(`${task}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`the peer ended during ${task}`);
      return JSON.parse(value);
    },
    end: () => peer.stdin.end(),
  };
}

function requireAgreement(name: string, ours: readonly number[], theirs: readonly number[]): void {
  const wrong = ours.findIndex((value, i) => !(Math.abs(value - theirs[i]) <= AGREEMENT * Math.max(1, Math.abs(theirs[i]))));
  if (ours.length !== theirs.length || wrong >= 0) {
    throw new Error(`${name}: figure ${wrong} is ${ours[wrong]}, the peer says ${theirs[wrong]}`);
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

export default async function metrics(): Promise<BenchCase[]> {
  const rows = drawRows();
  const acts = decideFrom(rows.scores, 0.5);
  const cases = [
    {
      name: "metrics ROC AUC 1M",
      task: "area",
      rounds: 9,
      peerName: "scikit-learn",
      compute: () => [rocAuc(rows.labels, rows.scores) ?? Number.NaN],
    },
    {
      name: "explain fairness 1M",
      task: "fairness",
      // A round of fairlearn takes ten seconds.
      rounds: 3,
      peerName: "fairlearn",
      compute: () => fairness(rows, acts),
    },
  ];
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-metrics-"));
  try {
    writeFileSync(join(folder, "labels.bin"), rows.labels);
    writeFileSync(join(folder, "scores.bin"), rows.scores);
    writeFileSync(join(folder, "groups.bin"), rows.column.codes);
    const peer = startPeer(folder);
    const measured: BenchCase[] = [];
    for (const { name, task, rounds, peerName, compute } of cases) {
      // The first round of each warms up and is checked, not timed.
      requireAgreement(name, timed(compute).figures, (await peer.measure(task)).figures);
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const oursFirst = round % 2 === 0;
        if (oursFirst) ours.push(timed(compute).seconds);
        theirs.push((await peer.measure(task)).seconds);
        if (!oursFirst) ours.push(timed(compute).seconds);
      }
      const [own, other] = [median(ours) * 1000, median(theirs) * 1000];
      measured.push({ case: name, ours: own, peer: other, peerName, unit: "ms", ratio: other / own });
    }
    peer.end();
    return measured;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
