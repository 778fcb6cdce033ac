/** One process: joins what its arguments name, as often as asked, and prints what it took. `node join-ours.ts OPTIONS-AS-JSON`. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FilesystemArtifactStore } from "../../src/adapters/artifacts/filesystem.ts";
import { openDuckDb } from "../../src/adapters/tables/duckdb.ts";
import { ingest, quoteLiteral, type Snapshot } from "../../src/core/data/index.ts";
import {
  entity,
  type FeatureReference,
  featureView,
  float64,
  int64,
  type SourceDefinition,
  source,
} from "../../src/core/definitions/index.ts";
import { historicalFeatures } from "../../src/core/features/index.ts";
import { parseTimestamp } from "../../src/core/time.ts";

export interface JoinOptions {
  readonly folder: string;
  readonly features: readonly string[];
  readonly asks: string;
  readonly ttlDays: number;
  readonly rounds: number;
  readonly memoryLimit: string;
  /** Where the last result goes as Parquet, for comparison. */
  readonly result: string | null;
}

const options = JSON.parse(process.argv[2] ?? "") as JoinOptions;
const asOf = parseTimestamp("2027-01-01T00:00:00Z");
const engine = await openDuckDb({ memoryLimit: options.memoryLimit, tempDirectory: join(options.folder, `tmp-${process.pid}`) });
const artifacts = new FilesystemArtifactStore(join(options.folder, "artifacts"));
const customer = entity("customer", { entity_id: int64() });
const snapshots = new Map<string, { snapshot: Snapshot; source: SourceDefinition }>();
const features: FeatureReference[] = [];
const began = performance.now();
for (const [index, path] of options.features.entries()) {
  const numbers = { f0: float64(), f1: float64(), f2: float64(), f3: float64(), f4: float64() };
  const events = source.parquet(`events_${index}`, {
    path,
    eventTime: "event_timestamp",
    columns: { entity_id: int64(), ...numbers },
  });
  const snapshot = await ingest({ engine, artifacts, tmpDirectory: join(options.folder, "tmp") }, events, {
    projectDirectory: options.folder,
    asOf,
    createdAt: asOf,
  });
  snapshots.set(events.name, { snapshot, source: events });
  const view = featureView(`view_${index}`, {
    entity: customer,
    source: events,
    features: ["f0", "f1", "f2", "f3", "f4"],
    ttl: `${options.ttlDays}d`,
  });
  features.push(...view.all());
}
const ingestSeconds = (performance.now() - began) / 1_000;
const entityRows = `SELECT entity_id, event_timestamp AS "at" FROM read_parquet(${quoteLiteral(options.asks)})`;
const seconds: number[] = [];
for (let round = 0; round < options.rounds; round++) {
  const start = performance.now();
  const { columns, rows } = await historicalFeatures({ engine, artifacts }, { features, snapshots, entityRows, asOf });
  seconds.push((performance.now() - start) / 1_000);
  if (round < options.rounds - 1 || options.result === null) continue;
  // Every value of every feature, as doubles one column after the other.
  const values = new Float64Array(rows * columns.size);
  [...columns.values()].forEach((column, index) => {
    if (column.type !== "string") values.set(column.values, index * rows);
  });
  writeFileSync(options.result, new Uint8Array(values.buffer));
}
console.log(JSON.stringify({ seconds, ingestSeconds, peakMb: process.resourceUsage().maxRSS / 1_024 }));
engine.close();
