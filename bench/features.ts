import materialize from "./features/materialize.ts";
import online from "./features/online.ts";
import pointInTime from "./features/point-in-time.ts";
import push from "./features/push.ts";
import type { BenchCase } from "./run.ts";

/** Against Feast of the version that test/python/feast.txt pins, one part after the other. */
export default async function features(): Promise<BenchCase[]> {
  const cases: BenchCase[] = [];
  for (const part of [pointInTime, materialize, online, push]) cases.push(...(await part()));
  return cases;
}
