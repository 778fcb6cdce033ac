import { appendFile, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { FeatureStatistics, Materialization, PushedPlace } from "../core/features/index.ts";
import type { Micros } from "../core/time.ts";

/** What one materialization of a view wrote, and its features' values then. */
export interface ViewStatistics {
  readonly formatVersion: 1;
  readonly view: string;
  /** null where everything was written anew. */
  readonly from: Micros | null;
  readonly until: Micros;
  readonly rows: number;
  readonly entities: number;
  /** Of the entities that were written, or of some of them. */
  readonly features: readonly FeatureStatistics[];
  /** Of a view over pushed rows: up to where they were looked at. */
  readonly pushed?: PushedPlace;
}

/** A file that has become larger loses the older half of its lines: with ten features, two thousand materializations are left. */
const MOST_BYTES = 8 << 20;

/** Adds a line to a view's file; one that wrote nothing says nothing. */
export async function recordStatistics(
  path: string,
  { view, from, until, rows, entities, statistics, pushed }: Materialization & { readonly pushed?: PushedPlace },
): Promise<void> {
  if (entities === 0) return;
  const record: ViewStatistics = {
    formatVersion: 1,
    view,
    from,
    until,
    rows,
    entities,
    features: statistics,
    ...(pushed && { pushed }),
  };
  await mkdir(dirname(path), { recursive: true });
  await appendFile(path, `${JSON.stringify(record)}\n`);
  if ((await stat(path)).size <= MOST_BYTES) return;
  const lines = await linesOf(path);
  await writeFile(`${path}.new`, `${lines.slice(lines.length >> 1).join("\n")}\n`);
  await rename(`${path}.new`, path);
}

/** Newest first. A line that was cut off when its process died is passed over. */
export async function readStatistics(path: string, limit: number): Promise<ViewStatistics[]> {
  const records = (await linesOf(path)).flatMap((line): ViewStatistics[] => {
    try {
      const record = JSON.parse(line) as ViewStatistics;
      return record.formatVersion === 1 ? [record] : [];
    } catch {
      return [];
    }
  });
  return records.reverse().slice(0, limit);
}

async function linesOf(path: string): Promise<string[]> {
  try {
    return (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
