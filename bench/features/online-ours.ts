/** One process: writes a view of every entity of a file into an online store, for a feature server. `node online-ours.ts OPTIONS-AS-JSON`. */
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
import { catalogOf, materialize, writeCatalog } from "../../src/core/features/index.ts";
import { parseTimestamp } from "../../src/core/time.ts";
import { wideFeatures } from "./wide-data.ts";

export interface OnlineOptions {
  readonly folder: string;
  readonly path: string;
  readonly features: number;
  /** Folder of the store. */
  readonly directory: string;
  /** "redis://…", or null for LMDB. */
  readonly url: string | null;
}

export const BENCH_SCOPE = { workspace: "default", project: "bench" };

if (import.meta.main) {
  const { folder, path, features, directory, url } = JSON.parse(process.argv[2] ?? "") as OnlineOptions;
  const asOf = parseTimestamp("2026-01-01T00:00:00Z");
  const engine = await openDuckDb({ memoryLimit: "1GB", tempDirectory: join(folder, `tmp-${process.pid}`) });
  const artifacts = new FilesystemArtifactStore(join(folder, "artifacts"));
  const names = wideFeatures(features);
  const columns: Record<string, ColumnBuilder<ColumnType>> = {};
  for (const name of names) columns[name] = float64();
  const wide: SourceDefinition<Record<string, ColumnType> & { entity_id: "int64" }> = source.parquet("wide", {
    path,
    eventTime: "event_timestamp",
    columns: { ...columns, entity_id: int64() },
  });
  const settings = { projectDirectory: folder, asOf, createdAt: asOf };
  const snapshot = await ingest({ engine, artifacts, tmpDirectory: join(folder, "tmp") }, wide, settings);
  const { definition } = featureView("wide", {
    entity: entity("customer", { entity_id: int64() }),
    source: wide,
    features: names,
  });
  const online = openOnline({ url, directory });
  const paths = await snapshotPaths(artifacts, snapshot);
  const from = { scope: BENCH_SCOPE, view: definition, snapshot, source: wide, paths, until: asOf };
  await materialize({ engine, online }, from);
  await writeCatalog(online, BENCH_SCOPE, catalogOf({ features: [definition], services: [], models: [] }));
  await online.close();
  engine.close();
}
