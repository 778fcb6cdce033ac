/** A process that materializes and can be killed: `node materialize-process.ts OPTIONS-AS-JSON`. */
import { FilesystemArtifactStore } from "../../../adapters/artifacts/filesystem.ts";
import { openLmdb } from "../../../adapters/online/lmdb.ts";
import { openDuckDb } from "../../../adapters/tables/duckdb.ts";
import { snapshotPaths } from "../../data/index.ts";
import { count, entity, featureView, float64, int64, max, mean, source, timestamp } from "../../definitions/index.ts";
import { compileFeaturePlan } from "../compile-plan.ts";
import { materializeEarlier } from "../earlier-versions.ts";
import { materialize } from "../materialize.ts";

export const sales = source.parquet("sales", {
  path: "sales.parquet",
  key: ["sale"],
  eventTime: "at",
  columns: { sale: int64(), shop: int64(), price: float64(), at: timestamp() },
});
export const sold = featureView("sold", {
  entity: entity("shop", { shop: int64() }),
  source: sales,
  features: ["price"],
  aggregate: { sales: count().over("1h"), price_mean: mean("price").over("1h") },
});
/** The same view, defined otherwise. */
export const soldOtherwise = featureView("sold", {
  entity: entity("shop", { shop: int64() }),
  source: sales,
  features: ["price"],
  aggregate: { sales: count().over("1h"), price_mean: max("price").over("1h") },
});
export const scope = { workspace: "w", project: "p" };

if (process.argv[2] !== undefined) {
  const { artifacts, online, snapshot, until, valuesAtOnce, otherwise = null } = JSON.parse(process.argv[2]);
  const engine = await openDuckDb({ threads: 1 });
  const store = openLmdb(online);
  const paths = await snapshotPaths(new FilesystemArtifactStore(artifacts), snapshot);
  const input = { scope, view: sold.definition, snapshot, source: sales, paths, valuesAtOnce };
  for (const each of until) {
    await materialize({ engine, online: store }, { ...input, until: each });
    console.log(`until ${each}`);
  }
  if (otherwise !== null) {
    const plans = () => [compileFeaturePlan({ name: "m", features: sold.all() })];
    const changed = { ...input, view: soldOtherwise.definition, until: otherwise };
    await materialize({ engine, online: store }, changed);
    console.log("otherwise");
    await materializeEarlier({ engine, online: store }, { ...changed, plans });
    console.log("both");
  }
  await store.close();
  engine.close();
}
