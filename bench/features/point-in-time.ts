import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pythonEnvironment } from "../../scripts/python-environment.ts";
import { openDuckDb } from "../../src/adapters/tables/duckdb.ts";
import { fileList, quoteLiteral } from "../../src/core/data/index.ts";
import type { BenchCase } from "../run.ts";
import { median } from "../tracking/http-load.ts";
import { type BenchData, type BenchSize, makeData } from "./data.ts";
import type { JoinOptions } from "./join-ours.ts";

const TTL_DAYS = 30;
const MEMORY = "1200MB";
const run = promisify(execFile);

interface Joined {
  readonly seconds: readonly number[];
  readonly peakMb: number;
  readonly values: Float64Array;
}

const small: BenchSize = { rows: 10_000_000, entities: 1_000_000, asks: 1_000_000, views: 1 };

/**
 * Historical features: rows joined to asks as of their times, every value compared with the engine's own plain answer for a sample.
 * Against Feast's DuckDB store, the fastest of its local ones: its Dask store took 87 s of processor time for the first case.
 */
export default async function pointInTime(): Promise<BenchCase[]> {
  return [
    ...(await withData(small, (data) => against(data, "point-in-time 1M asks x 10M rows, 10 an entity", 4))),
    ...(await withData({ ...small, entities: 100_000 }, (data) =>
      against(data, "point-in-time 1M asks x 10M rows, 100 an entity", 3),
    )),
    ...(await withData({ ...small, rows: 4_000_000, views: 5 }, (data) =>
      against(data, "point-in-time 1M asks x 5 views of 4M rows", 3),
    )),
    ...(await withData({ ...small, rows: 100_000_000, entities: 10_000_000 }, alone)),
  ];
}

async function withData(size: BenchSize, work: (data: BenchData) => Promise<BenchCase[]>): Promise<BenchCase[]> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-join-"));
  try {
    return await work(await makeData(folder, size));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The sides take turns, each turn in a process of its own whose first round warms up. */
async function against(data: BenchData, name: string, rounds: number): Promise<BenchCase[]> {
  const python = pythonEnvironment("feast");
  const ours: Joined[] = [];
  const theirs: Joined[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    ours.push(await joined(process.execPath, [join(import.meta.dirname, "join-ours.ts")], data, { rounds, memoryLimit: MEMORY }));
    theirs.push(await joined(python, [join(import.meta.dirname, "join-feast.py")], data, { rounds, store: "duckdb" }));
  }
  const wrong = await mistakes(data, ours[0].values);
  if (wrong > 0) throw new Error(`${wrong} of the sampled values are not what they should be`);
  const missed = await mistakes(data, theirs[0].values);
  const peerName = "Feast 0.67 (DuckDB)";
  const seconds = { ours: warm(ours), peer: warm(theirs) };
  const memory = { ours: peak(ours), peer: peak(theirs) };
  return [
    { case: name, ...seconds, peerName, unit: "s", ratio: seconds.peer / seconds.ours },
    { case: `${name}: memory`, ...memory, peerName, unit: "MB", ratio: memory.peer / memory.ours },
    { case: `${name}: wrong values in ${SAMPLE} asks`, ours: wrong, peer: missed, peerName, unit: "values" },
  ];
}

/** What only has to go through, in bounded memory. */
async function alone(data: BenchData): Promise<BenchCase[]> {
  const name = "point-in-time 1M asks x 100M rows";
  const ours = await joined(process.execPath, [join(import.meta.dirname, "join-ours.ts")], data, {
    rounds: 2,
    memoryLimit: MEMORY,
  });
  const wrong = await mistakes(data, ours.values);
  if (wrong > 0) throw new Error(`${wrong} of the sampled values are not what they should be`);
  return [
    { case: name, ours: warm([ours]), unit: "s" },
    { case: `${name}: memory`, ours: ours.peakMb, unit: "MB" },
  ];
}

const TURNS = 2;
const warm = (sides: readonly Joined[]) => median(sides.flatMap(({ seconds }) => seconds.slice(1)));
const peak = (sides: readonly Joined[]) => Math.max(...sides.map(({ peakMb }) => peakMb));

async function joined(program: string, args: string[], data: BenchData, options: object): Promise<Joined> {
  const result = join(data.folder, "result.f64");
  const given = { ...data, ttlDays: TTL_DAYS, result, ...options } satisfies Partial<JoinOptions>;
  const { stdout } = await run(program, [...args, JSON.stringify(given)], { maxBuffer: 1 << 26 });
  const { seconds, peakMb } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Omit<Joined, "values">;
  const bytes = readFileSync(result);
  return { seconds, peakMb, values: new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8) };
}

const SAMPLE = 1_000;

/** Values of sampled asks that are not what sorting all rows of the entity gives. */
async function mistakes({ asks, features }: BenchData, values: Float64Array): Promise<number> {
  const engine = await openDuckDb({ memoryLimit: "2GB" });
  try {
    const count = values.length / (features.length * 5);
    const step = Math.floor(count / SAMPLE);
    let wrong = 0;
    for (const [view, path] of features.entries()) {
      const expected = await engine.query(
        `WITH asked AS (SELECT * FROM (SELECT row_number() OVER () - 1 AS ask, * FROM read_parquet(${quoteLiteral(asks)})) WHERE ask % ${step} = 0),
           seen AS (SELECT ask, f.*, row_number() OVER (PARTITION BY ask ORDER BY f.event_timestamp DESC, f.created DESC) AS place
             FROM asked JOIN read_parquet(${fileList([path])}) f ON f.entity_id = asked.entity_id
               AND f.event_timestamp <= asked.event_timestamp AND f.event_timestamp >= asked.event_timestamp - INTERVAL ${TTL_DAYS} DAY)
         SELECT CAST(asked.ask AS DOUBLE) AS ask, f0, f1, f2, f3, f4 FROM asked LEFT JOIN seen ON seen.ask = asked.ask AND place = 1`,
      );
      const column = (name: string) => {
        const found = expected.columns.get(name);
        if (found === undefined || found.type === "string" || found.type === "int64") throw new Error(`no ${name}`);
        return found;
      };
      const ask = column("ask").values;
      for (let index = 0; index < 5; index++) {
        const { values: right, nulls } = column(`f${index}`);
        const at = (view * 5 + index) * count;
        for (let row = 0; row < expected.rows; row++)
          if (!Object.is(values[at + ask[row]], nulls?.[row] === 1 ? Number.NaN : right[row])) wrong++;
      }
    }
    return wrong;
  } finally {
    engine.close();
  }
}
