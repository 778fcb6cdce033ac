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

/** Historical features: rows joined to asks as of their times, every value compared with the engine's own plain answer for a sample. */
export default async function pointInTime(): Promise<BenchCase[]> {
  return [
    ...(await withData(small, (data) => against(data, "point-in-time 1M asks x 10M rows", 4, ["duckdb", "dask"]))),
    ...(await withData({ ...small, rows: 4_000_000, views: 5 }, (data) =>
      against(data, "point-in-time 5 views of 4M rows", 3, ["duckdb"]),
    )),
    ...(await withData({ ...small, rows: 100_000_000, entities: 10_000_000 }, (data) =>
      against(data, "point-in-time 1M asks x 100M rows", 2, []),
    )),
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

/** The first round warms up, each side in a process of its own. */
async function against(data: BenchData, name: string, rounds: number, stores: readonly string[]): Promise<BenchCase[]> {
  const ours = await joined(process.execPath, [join(import.meta.dirname, "join-ours.ts")], data, { rounds, memoryLimit: MEMORY });
  const wrong = await mistakes(data, ours.values);
  if (wrong > 0) throw new Error(`${wrong} of the sampled values are not what they should be`);
  const seconds = best(ours);
  const cases: BenchCase[] = [{ case: `${name}: memory`, ours: ours.peakMb, unit: "MB" }];
  for (const store of stores) {
    const python = pythonEnvironment("feast");
    const theirs = await joined(python, [join(import.meta.dirname, "join-feast.py")], data, { rounds, store });
    const peerName = `Feast 0.67 (${store})`;
    const missed = await mistakes(data, theirs.values);
    cases.push(
      {
        case: `${name}, against ${store}`,
        ours: seconds,
        peer: best(theirs),
        peerName,
        unit: "s",
        ratio: best(theirs) / seconds,
      },
      {
        case: `${name}: memory, against ${store}`,
        ours: ours.peakMb,
        peer: theirs.peakMb,
        peerName,
        unit: "MB",
        ratio: theirs.peakMb / ours.peakMb,
      },
      { case: `${name}: wrong values in ${SAMPLE} asks, against ${store}`, ours: wrong, peer: missed, peerName, unit: "values" },
    );
  }
  if (stores.length === 0) cases.push({ case: name, ours: seconds, unit: "s" });
  return cases;
}

const best = ({ seconds }: Joined) => median(seconds.slice(1));

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
