/** `npm run bench -- <area> [part…] [--json]`: measures one area, or parts of it where it has such, and prints an array of cases; peers run in the same run. */
export interface BenchCase {
  readonly case: string;
  readonly ours: number;
  readonly unit: string;
  readonly peer?: number;
  readonly peerName?: string;
  /** Above 1: ours is that many times better. */
  readonly ratio?: number;
}

const areas: Record<string, () => Promise<{ default: (parts: readonly string[]) => Promise<BenchCase[]> }>> = {
  loop: () => import("./loop.ts"),
  training: () => import("./training.ts"),
  tracking: () => import("./tracking.ts"),
  features: () => import("./features.ts"),
};

const [area = "", ...given] = process.argv.slice(2);
const load = areas[area];
if (load === undefined) {
  console.error(`usage: npm run bench -- <${Object.keys(areas).join(" | ")}> [part…] [--json]`);
  process.exit(2);
}
const cases = await (await load()).default(given.filter((each) => !each.startsWith("--")));
if (given.includes("--json")) console.log(JSON.stringify(cases, null, 2));
else for (const each of cases) console.log(`${each.case.padEnd(52)} ${each.ours.toFixed(1).padStart(10)} ${each.unit}`);
