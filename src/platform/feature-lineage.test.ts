import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  carrierRecent,
  champion,
  deploy,
  ENDPOINT,
  modelOf,
  SCOPE,
  type StateFolder,
  stateFolder,
} from "../../test/fixtures/served-endpoint.ts";
import { FilesystemArtifactStore } from "../adapters/artifacts/filesystem.ts";
import { openSqlite } from "../adapters/metadata/sqlite.ts";
import { openDuckDb } from "../adapters/tables/duckdb.ts";
import {
  baseline,
  byTime,
  defineCharter,
  defineModel,
  defineProject,
  endpoint,
  entity,
  featureView,
  int32,
  labels,
  source,
  string,
} from "../core/definitions/index.ts";
import { type MetadataStore, type TableEngine, VirtualClock } from "../core/ports/index.ts";
import { createRegistry } from "../core/registry/index.ts";
import { packModel } from "../core/training/index.ts";
import { featureLineage } from "./feature-lineage.ts";
import { statePaths } from "./state-folder.ts";

let folder: StateFolder;
let engine: TableEngine;
let store: MetadataStore;
beforeAll(async () => {
  folder = stateFolder();
  engine = await openDuckDb();
  store = await openSqlite({ path: join(folder.directory, "metadata.db"), clock: new VirtualClock(0) });
});
afterAll(async () => {
  engine.close();
  await store.close();
  folder.remove();
});

const planes = source.parquet("planes", { path: "-", key: ["tailnum"], columns: { tailnum: string(), seats: int32() } });
const planeInfo = featureView("plane_info", {
  entity: entity("plane", { tailnum: string() }),
  source: planes,
  features: ["seats"],
});
const late = defineModel("late", {
  labels: labels(carrierRecent.definition.source, { late: "late_rate > 0.5", at: "at" }),
  features: [carrierRecent.all()],
  split: byTime({ test: "10d", validation: "10d" }),
  candidates: [baseline()],
});
const project = defineProject({
  name: "flights",
  charter: defineCharter({
    problem: "p",
    owner: "o",
    users: [],
    target: { name: "late", type: "regression", groundTruthAfter: "1d" },
    data: [],
    accept: [],
  }),
  sources: [planes],
  features: [carrierRecent, planeInfo],
  models: [late],
  endpoints: [endpoint(ENDPOINT, { model: late.at("champion") })],
});

test("lineage goes from columns to features, versions and endpoints, and back from any of them", async () => {
  const paths = statePaths(folder.directory, SCOPE);
  const artifacts = new FilesystemArtifactStore(paths.artifacts);
  const registry = createRegistry({ store, clock: new VirtualClock(0), scope: SCOPE });
  const actor = { kind: "user", name: "anna" } as const;
  // The first is served under its alias; the second has neither; the third is of another tool.
  for (const intercept of [-1, -2]) {
    const { sha256 } = await artifacts.put(packModel(modelOf(intercept)), "application/octet-stream");
    await registry.register("late", { artifact: sha256, source: "s3://models/late" }, actor);
  }
  await registry.register("late", { source: "s3://models/other" }, actor);
  await registry.setAlias({ model: "late", alias: "champion", version: 1, actor, reason: "first" });
  await registry.setAlias({ model: "late", alias: "other", version: 3, actor, reason: "elsewhere" });
  deploy(folder, 1, [champion(1, -1)]);

  const lineageOf = async (of?: string) =>
    featureLineage({ project, paths, registry, artifacts, engine: async () => engine }, of);
  const carriers = {
    feature: "carrier_recent.late_rate",
    columns: ["history.carrier", "history.late_rate"],
    inputs: [],
    versions: [{ model: "late", version: 1, aliases: ["champion"] }],
    endpoints: [ENDPOINT],
  };
  const seats = {
    feature: "plane_info.seats",
    columns: ["planes.seats", "planes.tailnum"],
    inputs: [],
    versions: [],
    endpoints: [],
  };
  expect(await lineageOf()).toEqual([carriers, seats]);
  for (const name of ["history", "history.late_rate", "carrier_recent", "carrier_recent.late_rate", "late"])
    expect(await lineageOf(name), name).toEqual([carriers]);
  expect(await lineageOf("planes.seats")).toEqual([seats]);
  await expect(lineageOf("plane_info.seat")).rejects.toMatchObject({
    code: "FEATURE_LINEAGE_UNKNOWN",
    kind: "not-found",
    message: expect.stringContaining('did you mean "plane_info.seats"?'),
  });
  await expect(lineageOf("nope.x")).rejects.toMatchObject({ code: "FEATURE_LINEAGE_UNKNOWN" });
});
