/**
 * Gradient boosting against LightGBM: the same rows as doubles, 100 trees of 31 leaves, learning rate 0.1, l2 1, 255 bins, 20 rows in a
 * leaf, as many threads on both sides. Each side is a process of its own that keeps the rows and measures itself: binning counts,
 * reading does not. Rounds in turn, medians; a ratio only where the area under the curve on other rows is as good.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DuckDBInstance } from "@duckdb/node-api";
import { pythonEnvironment } from "../../scripts/python-environment.ts";
import { seededRandom } from "../../src/core/training/index.ts";
import type { BenchCase } from "../run.ts";

/** Further below the peer's area, a time says nothing. */
const AGREEMENT = 0.001;
const PEER = "LightGBM";

/** Columns of doubles, the label last; what both sides read. */
export interface BoostingData {
  readonly rows: number;
  readonly testRows: number;
  /** By column: 0 for numbers, else how many categories. */
  readonly categories: readonly number[];
}

/** What a side says of a training. */
export interface BoostingAnswer {
  readonly seconds: number;
  /** Area under the curve on the test rows. */
  readonly area: number;
  /** The process's peak so far. */
  readonly megabytes: number;
}

interface BoostingTask {
  readonly case: string;
  readonly threads: number;
  readonly rounds: number;
  /** Writes the rows. */
  readonly write: (folder: string) => Promise<BoostingData> | BoostingData;
}

const tasks: readonly BoostingTask[] = [
  { case: "train boosting 100k x 20", threads: 1, rounds: 7, write: (folder) => writeDrawn(folder, 100_000) },
  { case: "train boosting flights (categoricals)", threads: 1, rounds: 5, write: writeFlights },
  { case: "train boosting 1M x 20, 1 thread", threads: 1, rounds: 5, write: (folder) => writeDrawn(folder, 1_000_000) },
  { case: "train boosting 1M x 20, 2 threads", threads: 2, rounds: 5, write: (folder) => writeDrawn(folder, 1_000_000) },
];

function writeColumns(folder: string, part: string, columns: Iterable<Float64Array>): void {
  for (const column of columns) writeFileSync(join(folder, `${part}.f64`), column, { flag: "a" });
}

/**
 * 20 normal columns; the label's odds depend on eight of them, alone, curved and together. What works together also works alone: of a pure
 * interaction greedy trees find the first split by luck.
 */
function writeDrawn(folder: string, rows: number): BoostingData {
  const random = seededRandom(1);
  const uniform = () => (random.uint32() + 0.5) / 2 ** 32;
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const testRows = 200_000;
  for (const [part, count] of [
    ["train", rows],
    ["test", testRows],
  ] as const) {
    const columns = Array.from({ length: 20 }, () => Float64Array.from({ length: count }, normal));
    const [a, b, c, d, e, f, g, h] = columns;
    const labels = Float64Array.from(a, (x, row) => {
      const curved = Math.sin(2 * d[row]) + 0.5 * g[row] ** 2 - 0.5;
      const score = x + 0.5 * (b[row] + 1) * (c[row] + 1) + (e[row] > 0.3 ? 0.5 * f[row] : 0) + curved + 0.3 * h[row] - 0.5;
      return uniform() < 1 / (1 + Math.exp(-score)) ? 1 : 0;
    });
    writeColumns(folder, part, [...columns, labels]);
  }
  return { rows, testRows, categories: new Array<number>(20).fill(0) };
}

const FLIGHTS = join(import.meta.dirname, "../../examples/flights/data/flights.parquet");
/** Every fifth delay at departure is missing, as if the feed had been down; every third flight is for testing. */
const FLIGHT_COLUMNS = `
  SELECT dense_rank() OVER (ORDER BY carrier) - 1 AS carrier, dense_rank() OVER (ORDER BY origin) - 1 AS origin,
    dense_rank() OVER (ORDER BY dest) - 1 AS dest, distance, departure_hour, weekday, scheduled_minutes,
    month(scheduled_departure) AS month, CASE WHEN hash(flight_id) % 5 = 0 THEN NULL ELSE dep_delay END AS dep_delay,
    CASE WHEN arr_delay >= 15 THEN 1 ELSE 0 END AS late, hash(flight_id) % 3 = 0 AS is_test
  FROM read_parquet('${FLIGHTS}') WHERE arr_delay IS NOT NULL ORDER BY flight_id`;

async function writeFlights(folder: string): Promise<BoostingData> {
  const connection = await (await DuckDBInstance.create()).connect();
  const columns = (await connection.runAndReadAll(FLIGHT_COLUMNS)).getColumns();
  const isTest = columns[columns.length - 1];
  const numbers = columns
    .slice(0, -1)
    .map((column) => Float64Array.from(column, (value) => (value === null ? Number.NaN : Number(value))));
  const part = (wanted: boolean) => numbers.map((column) => column.filter((_, row) => isTest[row] === wanted));
  const [train, test] = [part(false), part(true)];
  writeColumns(folder, "train", train);
  writeColumns(folder, "test", test);
  const categories = numbers.slice(0, -1).map((column, index) => (index < 3 ? Math.max(...new Set(column)) + 1 : 0));
  return { rows: train[0].length, testRows: test[0].length, categories };
}

/** @param command a process that trains once for each line it reads, and answers a line of JSON */
function startSide(command: string, script: string, folder: string) {
  const side = spawn(command, [join(import.meta.dirname, script), folder], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: side.stdout })[Symbol.asyncIterator]();
  return {
    async train(threads: number): Promise<BoostingAnswer> {
      side.stdin.write(`${threads}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${script} ended during a training`);
      return JSON.parse(value);
    },
    end: () => side.stdin.end(),
  };
}

async function compare({ case: name, threads, rounds, write }: BoostingTask): Promise<BenchCase[]> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-boosting-"));
  try {
    writeFileSync(join(folder, "data.json"), JSON.stringify(await write(folder)));
    const ourSide = startSide(process.execPath, "boosting-ours.ts", folder);
    const theirSide = startSide(pythonEnvironment(), "boosting-peer.py", folder);
    const ours: BoostingAnswer[] = [];
    const theirs: BoostingAnswer[] = [];
    for (let round = 0; round < rounds; round++) {
      if (round % 2 === 0) ours.push(await ourSide.train(threads));
      theirs.push(await theirSide.train(threads));
      if (round % 2 === 1) ours.push(await ourSide.train(threads));
    }
    ourSide.end();
    theirSide.end();
    return casesOf(name, ours, theirs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function casesOf(name: string, ours: readonly BoostingAnswer[], theirs: readonly BoostingAnswer[]): BenchCase[] {
  const of = (what: keyof BoostingAnswer) => ({
    ours: median(ours.map((each) => each[what])),
    peer: median(theirs.map((each) => each[what])),
  });
  const [seconds, area] = [of("seconds"), of("area")];
  // Both sides' peaks are those after the last round.
  const megabytes = { ours: ours[ours.length - 1].megabytes, peer: theirs[theirs.length - 1].megabytes };
  const isAsGood = area.ours > area.peer - AGREEMENT;
  return [
    { case: name, ...seconds, peerName: PEER, unit: "s", ...(isAsGood && { ratio: seconds.peer / seconds.ours }) },
    { case: `test AUC: ${name}`, ...area, peerName: PEER, unit: "AUC", ratio: area.ours / area.peer },
    { case: `peak memory: ${name}`, ...megabytes, peerName: PEER, unit: "MB", ratio: megabytes.peer / megabytes.ours },
  ];
}

/** @param only a part of the cases' names; all unless said otherwise */
export default async function boosting(only = ""): Promise<BenchCase[]> {
  const cases: BenchCase[] = [];
  for (const task of tasks.filter((each) => each.case.includes(only))) cases.push(...(await compare(task)));
  return cases;
}
