import materialize from "./features/materialize.ts";
import online from "./features/online.ts";
import pointInTime from "./features/point-in-time.ts";
import push from "./features/push.ts";
import type { BenchCase } from "./run.ts";

const parts: Readonly<Record<string, () => Promise<BenchCase[]>>> = { "point-in-time": pointInTime, materialize, online, push };

/** Against Feast of the version that test/python/feast.txt pins, one part after the other; only those that are named where any are. */
export default async function features(named: readonly string[]): Promise<BenchCase[]> {
  const unknown = named.find((name) => !Object.hasOwn(parts, name));
  if (unknown !== undefined) throw new Error(`There is no part ${unknown}; there are ${Object.keys(parts).join(", ")}`);
  const cases: BenchCase[] = [];
  for (const [name, measure] of Object.entries(parts))
    if (named.length === 0 || named.includes(name)) cases.push(...(await measure()));
  return cases;
}
