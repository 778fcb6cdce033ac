/** One process: brings a view of every entity of a file into an online store. `node materialize-ours.ts OPTIONS-AS-JSON`. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { FilesystemArtifactStore } from "../../src/adapters/artifacts/filesystem.ts";
import { openOnline } from "../../src/adapters/online/open-online.ts";
import { openDuckDb } from "../../src/adapters/tables/duckdb.ts";
import { ingest, snapshotPaths } from "../../src/core/data/index.ts";
import {
  type ColumnBuilder,
  type ColumnType,
  entity,
  featureView,
  float64,
  int64,
  type SourceDefinition,
  source,
} from "../../src/core/definitions/index.ts";
import { materialize } from "../../src/core/features/index.ts";
import { parseTimestamp } from "../../src/core/time.ts";
import { wideFeatures } from "./wide-data.ts";

export interface MaterializeOptions {
  readonly folder: string;
  readonly path: string;
  readonly features: number;
  readonly rounds: number;
  /** "redis://…", or null for LMDB. */
  readonly url: string | null;
}

const { folder, path, features, rounds, url } = JSON.parse(process.argv[2] ?? "") as MaterializeOptions;
const asOf = parseTimestamp("2026-01-01T00:00:00Z");
const engine = await openDuckDb({ memoryLimit: "512MB", tempDirectory: join(folder, `tmp-${process.pid}`) });
const artifacts = new FilesystemArtifactStore(join(folder, "artifacts"));
const names = wideFeatures(features);
const columns: Record<string, ColumnBuilder<ColumnType>> = { entity_id: int64() };
for (const name of names) columns[name] = float64();
const wide: SourceDefinition<Record<string, ColumnType> & { entity_id: "int64" }> = source.parquet("wide", {
  path,
  eventTime: "event_timestamp",
  columns: { ...columns, entity_id: int64() },
});
const tmpDirectory = join(folder, "tmp");
const snapshot = await ingest({ engine, artifacts, tmpDirectory }, wide, { projectDirectory: folder, asOf, createdAt: asOf });
const view = featureView("wide", {
  entity: entity("customer", { entity_id: int64() }),
  source: wide,
  features: names,
}).definition;
const paths = await snapshotPaths(artifacts, snapshot);
const seconds: number[] = [];
let entities = 0;
for (let round = 0; round < rounds; round++) {
  const directory = join(folder, `online-${process.pid}-${round}`);
  const online = openOnline({ url, directory });
  const start = performance.now();
  const scope = { workspace: "bench", project: `round-${round}` };
  ({ entities } = await materialize({ engine, online }, { scope, view, snapshot, source: wide, paths, until: asOf }));
  seconds.push((performance.now() - start) / 1_000);
  await online.close();
  rmSync(directory, { recursive: true, force: true });
}
console.log(JSON.stringify({ seconds, entities, peakMb: process.resourceUsage().maxRSS / 1_024 }));
engine.close();
