import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hashOf, modelOf } from "../../test/fixtures/served-endpoint.ts";
import { openLmdb } from "../adapters/online/lmdb.ts";
import { ingest, quoteLiteral, type Snapshot } from "../core/data/index.ts";
import {
  defineCharter,
  defineProject,
  entity,
  type FeatureReference,
  featureView,
  float64,
  max,
  mean,
  source,
  string,
  timestamp,
} from "../core/definitions/index.ts";
import {
  compileFeaturePlan,
  type FeaturePlan,
  historicalFeatures,
  ONLINE_RETENTION,
  viewVersions,
} from "../core/features/index.ts";
import { openWorkbench, type Workbench } from "../core/features/test-support/snapshots.ts";
import { type EventLog, type OnlineStore, VirtualClock } from "../core/ports/index.ts";
import { createEndpointRuntime, writeDeployment } from "../core/serving/index.ts";
import { HOUR, type Micros, parseTimestamp } from "../core/time.ts";
import { packModel } from "../core/training/index.ts";
import { checkReadable } from "./readable-features.ts";
import { materializeAll } from "./stages/materialize.ts";
import type { Stage } from "./stages/stage.ts";
import { statePaths } from "./state-folder.ts";
import { viewFreshness } from "./view-freshness.ts";

const SCOPE = { workspace: "default", project: "shops" };
const START = parseTimestamp("2026-03-01T00:00:00Z");
const hours = (count: number): Micros => START + count * HOUR;

const sales = source.parquet("sales", {
  path: "sales.parquet",
  columns: { shop: string(), price: float64(), at: timestamp() },
  eventTime: "at",
});
const shop = entity("shop", { shop: string() });
/** The mean price at first, the greatest one later. */
const first = featureView("shop_sales", { entity: shop, source: sales, aggregate: { price: mean("price").over("2h") } });
const second = featureView("shop_sales", { entity: shop, source: sales, aggregate: { price: max("price").over("2h") } });
const none = featureView("others", { entity: shop, source: sales, features: ["price"] });

let bench: Workbench;
let online: OnlineStore;
let snapshot: Snapshot;
beforeAll(async () => {
  bench = await openWorkbench();
  online = openLmdb(join(bench.directory, "online"));
  const path = join(bench.directory, "sales.parquet");
  await bench.engine.run(
    `COPY (SELECT chr(97 + (range % 2)::INTEGER) AS shop, (hash(range) % 1000) / 8.0 AS price,
       make_timestamp(${START} + range * ${HOUR} // 12) AS at FROM range(480)) TO ${quoteLiteral(path)} (FORMAT parquet)`,
  );
  snapshot = await ingest(bench, sales, { projectDirectory: bench.directory, asOf: hours(40), createdAt: hours(40) });
});
afterAll(async () => {
  await online.close();
  bench.close();
});

type View = NonNullable<Parameters<typeof defineProject>[0]["features"]>[number];
const paths = () => statePaths(bench.directory, SCOPE);
const projectOf = (view: View) =>
  defineProject({
    name: "shops",
    charter: defineCharter({
      problem: "p",
      owner: "o",
      users: [],
      target: { name: "late", type: "regression", groundTruthAfter: "1d" },
      data: [],
      accept: [],
    }),
    sources: [sales],
    features: [view],
    models: [],
  });

/** What the materialize step does when the project is defined by this view. */
function materializeAt(view: View, now: Micros) {
  const opened: Stage = {
    environment: {
      projectDirectory: bench.directory,
      stateDirectory: bench.directory,
      scope: SCOPE,
      now,
      actor: "test",
      runId: "run",
      traceId: "trace",
    },
    project: projectOf(view),
    paths: paths(),
    artifacts: bench.artifacts,
    engine: async () => bench.engine,
    online: () => online,
    metadata: () => Promise.reject(new Error("no metadata here")),
    putJson: () => Promise.reject(new Error("nothing is put here")),
    readJson: () => Promise.reject(new Error("nothing is read here")),
  };
  return materializeAll(opened, { sales: snapshot });
}

const ENDPOINT = "late";
const packed = (plan: FeaturePlan) => {
  const { estimator } = modelOf(0);
  return packModel(
    modelOf(0, {
      plan,
      preparation: {
        columns: [{ name: "price", categories: 0, source: { kind: "number", feature: 0 }, maps: [{ kind: "fill", value: 0 }] }],
        encodings: [],
      },
      estimator: {
        ...estimator,
        kind: "linear",
        link: "logit",
        intercepts: Float64Array.of(0),
        coefficients: Float64Array.of(1),
      },
    }),
  );
};

function deploy(revision: number, version: number, plan: FeaturePlan, at: Micros): void {
  const bytes = packed(plan);
  const directory = paths().deployment(ENDPOINT);
  mkdirSync(directory, { recursive: true });
  writeDeployment(
    directory,
    {
      formatVersion: 1,
      endpoint: ENDPOINT,
      revision,
      scope: SCOPE,
      routes: [{ alias: "champion", version, artifact: hashOf(bytes), share: 1 }],
      at,
      reason: "test",
    },
    new Map([[hashOf(bytes), bytes]]),
  );
}

/** A detached endpoint's answer for shop "a": which version answers, and what it read. */
async function answerAt(runtime: ReturnType<typeof runtimeOf>, now: Micros) {
  await runtime.endpoint.follow();
  const [{ modelVersion }] = await runtime.endpoint.predict([{ shop: "a" }], { at: now, traceId: null });
  await new Promise((resolve) => setImmediate(resolve));
  return [modelVersion, runtime.records.at(-1)];
}

function runtimeOf() {
  const records: unknown[] = [];
  const log: EventLog = {
    append: (record) => {
      const { features } = record as { features: Readonly<Record<string, unknown>> };
      records.push(Object.values(features)[0]);
    },
    flushed: async () => undefined,
    close: async () => undefined,
  };
  const directory = paths().deployment(ENDPOINT);
  const clock = new VirtualClock(hours(40));
  return { endpoint: createEndpointRuntime({ endpoint: ENDPOINT, directory, online, scope: SCOPE, log, clock }), records };
}

async function offlineAt(features: readonly FeatureReference[], at: Micros) {
  const { columns } = await historicalFeatures(bench, {
    features,
    snapshots: new Map([["sales", { snapshot, source: sales }]]),
    entityRows: `SELECT 'a' AS shop, make_timestamp(${at}) AS at`,
    asOf: hours(40),
  });
  return columns.get("shop_sales.price")?.values[0];
}

test("an endpoint answers by the definition that its model was trained on until another version is deployed, and then that one's values go", async () => {
  const [old, now] = [first, second].map((view) => compileFeaturePlan({ name: "late", features: view.all() }));
  await materializeAt(first, hours(10));
  deploy(1, 1, old, hours(10));
  const runtime = runtimeOf();
  expect(await answerAt(runtime, hours(10))).toEqual([1, await offlineAt(first.all(), hours(10))]);

  for (const hour of [11, 12]) {
    const { views } = await materializeAt(second, hours(hour));
    expect(views).toMatchObject([{ view: "shop_sales" }, { view: "shop_sales", entities: 2, halted: null }]);
    expect(await answerAt(runtime, hours(hour))).toEqual([1, await offlineAt(first.all(), hours(hour))]);
  }
  const [current, earlier] = await viewFreshness({ project: projectOf(second), scope: SCOPE, online: () => online });
  expect([current.view, earlier.view]).toEqual(["shop_sales", expect.stringMatching(/^shop_sales version [0-9a-f]{12}$/)]);
  expect(earlier.materializedUntil).toBe(hours(12));
  expect(await offlineAt(first.all(), hours(12))).not.toBe(await offlineAt(second.all(), hours(12)));

  deploy(2, 2, now, hours(12));
  expect(await answerAt(runtime, hours(12))).toEqual([2, await offlineAt(second.all(), hours(12))]);
  const versions = async () => (await viewVersions(online, SCOPE, "shop_sales")).map(({ unusedSince }) => unusedSince);
  await materializeAt(second, hours(13));
  expect(await versions()).toEqual([null, hours(13)]);
  await materializeAt(second, hours(13) + ONLINE_RETENTION);
  expect(await versions()).toEqual([null]);
  expect(await answerAt(runtime, hours(15))).toEqual([2, await offlineAt(second.all(), hours(15))]);

  const bytes = packed(old);
  const { sha256: artifact } = await bench.artifacts.put(bytes, "application/octet-stream");
  const around = { scope: SCOPE, artifacts: bench.artifacts, online: () => online };
  const back = (view: View) => checkReadable({ ...around, project: projectOf(view) }, "late", { version: 1, artifact });
  await expect(back(second)).rejects.toMatchObject({ code: "PROJECT_FEATURES_GONE", kind: "conflict" });
  // With the next materialization it is there again.
  await expect(back(first)).resolves.toBeUndefined();
});

test("a view that is taken out of the project is kept up to date for the endpoint that reads it", async () => {
  const { views } = await materializeAt(none, hours(17));
  expect(views).toMatchObject([{ view: "others" }, { view: "shop_sales", entities: 2, halted: null }]);
  expect(await answerAt(runtimeOf(), hours(17))).toEqual([2, await offlineAt(second.all(), hours(17))]);
});
