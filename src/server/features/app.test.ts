import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FeatureRoom, LARGE, openFeatureRoom, SCOPE } from "../../../test/fixtures/feature-room.ts";
import type { OrreryError } from "../../core/errors.ts";
import { createMetrics } from "../../core/observability/index.ts";
import { formatTimestamp, HOUR, parseTimestamp } from "../../core/time.ts";
import { createFeatureApp, type FeatureAppOptions } from "./app.ts";
import { OnlineFeatures } from "./online-features.ts";

const NOW = parseTimestamp("2025-06-01T12:00:00Z");
const EPOCH = "1970-01-01T00:00:00Z";

let room: FeatureRoom;
const closers: (() => void)[] = [];
let url: string;
const written: { path: string; body: unknown; authorization: string | undefined }[] = [];
/** As the control plane tells them; the views of the store read others. */
const SOURCES = [
  { name: "drivers", kind: "files", columns: { driver_id: "int64" }, key: ["driver_id", "at"], eventTime: "at" },
  {
    name: "ratings",
    kind: "push",
    columns: { driver_id: "int64", rating: "float64", rated_at: "timestamp" },
    key: ["driver_id"],
    eventTime: "rated_at",
  },
];

async function serve(options: Partial<FeatureAppOptions> = {}): Promise<string> {
  const app = createFeatureApp({
    features: new OnlineFeatures(room.online, SCOPE),
    clock: { kind: "system", now: () => NOW },
    metrics: createMetrics(),
    token: null,
    metricsText: async () => "metrics\n",
    controlPlane: {
      get: async () => ({ items: SOURCES }),
      async post(path, body, authorization) {
        written.push({ path, body, authorization });
        return { accepted: 0, duplicates: 0, quarantined: 0, problems: [] };
      },
    },
    ...options,
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  closers.push(() => app.server.close());
  const address = app.server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

beforeAll(async () => {
  room = await openFeatureRoom(NOW);
  url = await serve();
});
afterAll(async () => {
  for (const close of closers) close();
  await room.close();
});

const post = async (path: string, body: unknown, to = url, headers: Record<string, string> = {}) => {
  const answer = await fetch(to + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
};
const feast = async (body: unknown) => post("/get-online-features", body);

interface FeastColumn {
  readonly values: unknown[];
  readonly statuses: string[];
  readonly event_timestamps: string[];
}
async function feastColumns(body: unknown): Promise<Record<string, FeastColumn>> {
  const { status, text } = await feast(body);
  expect(status, text).toBe(200);
  const { results, metadata } = JSON.parse(text);
  return Object.fromEntries(metadata.feature_names.map((name: string, index: number) => [name, results[index]]));
}

describe("Feast's get-online-features", () => {
  test("answers one column a feature, the join keys first, with a status and the row's event for each value", async () => {
    const { text } = await feast({
      entities: { driver_id: [1, 2, 3, 99] },
      features: ["profile:rating", "profile:name"],
      full_feature_names: true,
    });
    const at = [HOUR, 26 * HOUR, HOUR / 60].map((ago) => formatTimestamp(NOW - ago));
    expect(JSON.parse(text)).toEqual({
      results: [
        { values: [1, 2, 3, 99], statuses: Array(4).fill("PRESENT"), event_timestamps: Array(4).fill(EPOCH) },
        {
          values: [4, null, null, null],
          statuses: ["PRESENT", "OUTSIDE_MAX_AGE", "NULL_VALUE", "NOT_FOUND"],
          event_timestamps: [...at, EPOCH],
        },
        {
          values: ['Łucja "O\'Neil"', null, null, null],
          statuses: ["PRESENT", "OUTSIDE_MAX_AGE", "NULL_VALUE", "NOT_FOUND"],
          event_timestamps: [...at, EPOCH],
        },
      ],
      metadata: { feature_names: ["driver_id", "profile__rating", "profile__name"] },
    });
  });

  test("prints numbers so that whoever infers types from them infers the right ones", async () => {
    const features = ["rating", "score", "trips", "age", "active", "since"].map((name) => `profile:${name}`);
    const { text } = await feast(`{"entities": {"driver_id": [1, ${LARGE}]}, "features": ${JSON.stringify(features)}}`);
    const columns = [...text.matchAll(/"values":\[([^\]]*)\]/g)].map(([, values]) => values);
    expect(columns).toEqual([
      `1,${LARGE}`,
      "4.0,1e+300",
      '0.1,"Infinity"',
      `12,${LARGE}`,
      "33,-2147483648",
      "true,true",
      "1580702706,1577836800",
    ]);
  });

  test("reads views with composite keys, without keys, and on-demand functions beside one another", async () => {
    const columns = await feastColumns({
      entities: { wanted: [40, 40], city: ["Köln", "Bonn"], driver_id: [1, 2] },
      features: ["driving:trips_1h", "driving:trips_24h", "driving:mean_distance", "overall:distance", "on-demand:trips_left"],
    });
    expect(Object.keys(columns)).toEqual([
      "city",
      "driver_id",
      "wanted",
      "trips_1h",
      "trips_24h",
      "mean_distance",
      "distance",
      "trips_left",
    ]);
    expect(columns.trips_1h.values).toEqual([1, 0]);
    expect(columns.trips_24h.values).toEqual([2, 0]);
    expect(columns.mean_distance).toMatchObject({ values: [3, null], statuses: ["PRESENT", "NOT_FOUND"] });
    expect(columns.distance.values).toEqual([2, 2]);
    expect(columns.trips_left).toMatchObject({ values: [7, null], statuses: ["PRESENT", "NULL_VALUE"] });
  });

  test("reads a feature service by its name", async () => {
    const columns = await feastColumns({ entities: { driver_id: [1], wanted: [40] }, feature_service: "dispatch" });
    expect(Object.keys(columns)).toEqual(["driver_id", "wanted", "rating", "trips", "trips_left"]);
  });

  test("takes no entities at all for lists that are empty", async () => {
    const columns = await feastColumns({ entities: { driver_id: [] }, features: ["profile:rating"] });
    expect(columns.rating).toEqual({ values: [], statuses: [], event_timestamps: [] });
  });

  test.each([
    [404, "FeatureViewNotFoundException", { entities: { driver_id: [1] }, features: ["nothing:rating"] }],
    [404, "FeatureViewNotFoundException", { entities: { driver_id: [1] }, features: ["profile:nothing"] }],
    [404, "FeatureServiceNotFoundException", { entities: { driver_id: [1] }, feature_service: "nothing" }],
    [422, "FeastError", { entities: { city: ["Köln"] }, features: ["profile:rating"] }],
    [422, "FeastError", { entities: { driver_id: [1], city: [] }, features: ["profile:rating"] }],
    [422, "FeastError", { entities: { driver_id: ["one"] }, features: ["profile:rating"] }],
    [422, "FeastError", { entities: { driver_id: [1] }, features: ["rating"] }],
    [422, "FeastError", { entities: { driver_id: [1] }, features: [] }],
    [422, "FeastError", { entities: { driver_id: [1] }, features: ["profile:rating", "profile:rating"] }],
    [422, "FeastError", { entities: { driver_id: [1] }, features: ["profile:rating"], full_feature_names: "yes" }],
    [422, "FeastError", "[1]"],
    [422, "FeastError", '{"entities'],
    [422, "FeastError", "[".repeat(10_000)],
  ])("refuses with %i and Feast's %s", async (status, name, body) => {
    const refused = await feast(body);
    expect(refused.status, refused.text).toBe(status);
    expect(JSON.parse(JSON.parse(refused.text))).toMatchObject({ module: "feast.errors", class: name });
  });

  test("says no to two columns of one name, unless full names are asked for", async () => {
    const ask = { entities: { driver_id: [1], city: ["Köln"] }, features: ["driving:score", "profile:score"] };
    const clash = await feast(ask);
    expect(clash.status).toBe(422);
    expect(clash.text).toContain("Two columns would be named score");
    const columns = await feastColumns({ ...ask, full_feature_names: true });
    expect(Object.keys(columns)).toEqual(["driver_id", "city", "driving__score", "profile__score"]);
  });
});

describe("POST /features", () => {
  test("gives an object of values for each entity, and says which are missing and which expired", async () => {
    const { text } = await post("/features", {
      features: ["profile.rating", "profile.since", "driving.trips_1h"],
      entities: [
        { driver_id: 1, city: "Köln" },
        { driver_id: 2, city: "Köln" },
        { driver_id: 99, city: "Köln" },
      ],
    });
    expect(JSON.parse(text)).toEqual({
      at: "2025-06-01T12:00:00Z",
      results: [
        {
          values: { "profile.rating": 4, "profile.since": "2020-02-03T04:05:06.789Z", "driving.trips_1h": 1 },
          missing: [],
          expired: [],
          unknownEntities: [],
        },
        {
          values: { "profile.rating": null, "profile.since": null, "driving.trips_1h": 0 },
          missing: ["driving.trips_1h"],
          expired: ["profile.rating", "profile.since"],
          unknownEntities: ["driving"],
        },
        {
          values: { "profile.rating": null, "profile.since": null, "driving.trips_1h": 0 },
          missing: ["profile.rating", "profile.since", "driving.trips_1h"],
          expired: [],
          unknownEntities: ["profile", "driving"],
        },
      ],
      freshness: {
        profile: { newestEventAt: "2025-06-01T11:59:00Z" },
        driving: { newestEventAt: "2025-06-01T11:30:00Z" },
      },
    });
  });

  test("takes integers beyond 2^53 as digits and in quotes, and gives all of their digits back", async () => {
    for (const key of [`${LARGE}`, `"${LARGE}"`]) {
      const { text } = await post("/features", `{"features":["profile.trips"],"entities":[{"driver_id":${key}}]}`);
      expect(text).toContain(`"profile.trips":${LARGE}`);
    }
  });

  test("reads as of another time", async () => {
    const ask = { features: ["driving.trips_1h"], entities: [{ driver_id: 1, city: "Köln" }] };
    const { text } = await post("/features", { ...ask, at: "2025-06-01T12:45:00Z" });
    expect(JSON.parse(text).results[0].values).toEqual({ "driving.trips_1h": 0 });
    expect(await post("/features", { ...ask, at: "2025-05-01T00:00:00Z" })).toMatchObject({ status: 422 });
  });

  test.each([
    [{ features: ["profile.rating"], service: "dispatch" }, "features or service"],
    [{ features: "profile.rating" }, "features takes a list"],
    [{ features: ["profile.rating"], entities: [1] }, "entities.0 takes an object"],
    [{ features: ["profile.rating"], entities: [{ driver_id: 1.5 }] }, "entities.0.driver_id takes a whole number"],
    [{ features: ["profile.rating"], entities: [{}] }, "entities.0.driver_id is missing"],
    [{ features: ["profile.rating"], entities: [], at: "yesterday" }, "at takes an ISO 8601"],
  ])("says what is wrong with %j", async (body, message) => {
    const { status, text } = await post("/features", body);
    expect(status).toBe(422);
    expect(JSON.parse(text)).toMatchObject({ code: "FEATURE_SERVER_REQUEST_INVALID", message: expect.stringContaining(message) });
  });

  test("GET /features tells what can be asked for, by which fields", async () => {
    const answer = await fetch(`${url}/features`);
    const { views, onDemand, services } = JSON.parse(await answer.text());
    expect(views.map(({ name }: { name: string }) => name)).toEqual(["profile", "driving", "overall"]);
    expect(views[1]).toMatchObject({
      keys: [
        { name: "driver_id", type: "int64" },
        { name: "city", type: "string" },
      ],
      ttlSeconds: null,
    });
    expect(views[0].ttlSeconds).toBe(86_400);
    expect(onDemand).toEqual([{ id: "on-demand.trips_left", type: "int32", request: { wanted: "int32" } }]);
    expect(services).toEqual([
      { name: "dispatch", version: 3, features: ["profile.rating", "profile.trips", "on-demand.trips_left"] },
    ]);
  });
});

describe("what changes something", () => {
  test("is handed to the control plane under the caller's own name", async () => {
    written.length = 0;
    const body = { end_ts: "2025-06-01T12:00:00" };
    expect(await post("/materialize-incremental", body, url, { authorization: "Bearer mine" })).toEqual({
      status: 200,
      text: "null",
    });
    expect(written).toEqual([{ path: "/features/materialize", body: {}, authorization: "Bearer mine" }]);
    expect(await post("/materialize-incremental", { end_ts: "soon" })).toMatchObject({ status: 422 });
    expect(await post("/materialize", { ...body, feature_views: ["nothing"] })).toMatchObject({ status: 404 });
  });

  test("goes on after the answer where that is asked for, once at a time", async () => {
    let finish = () => {};
    const slow = await serve({
      controlPlane: { get: async () => null, post: () => new Promise((resolve) => (finish = () => resolve(null))) },
    });
    const ask = () => post("/materialize?async=true", { feature_views: ["profile"] }, slow);
    expect(await ask()).toEqual({ status: 202, text: '{"status":"accepted","feature_views":["profile"]}' });
    expect(await ask()).toMatchObject({ status: 409 });
    finish();
    await expect.poll(async () => (await ask()).status).toBe(202);
  });
});

describe("a data frame that is pushed", () => {
  const frame = { driver_id: [1, 2], event_timestamp: ["2025-06-01T11:00:00", "2025-06-01T11:30:00"], rating: [4.5, null] };

  test("becomes rows of the source's columns, its event_timestamp the source's event time", async () => {
    written.length = 0;
    const df = { ...frame, created: [null, null] };
    const headers = { authorization: "Bearer mine" };
    expect(await post("/push", { push_source_name: "ratings", df }, url, headers)).toEqual({ status: 200, text: "" });
    expect(written).toEqual([
      {
        path: "/sources/ratings/rows",
        body: {
          rows: [
            { driver_id: 1, rated_at: "2025-06-01T11:00:00", rating: 4.5 },
            { driver_id: 2, rated_at: "2025-06-01T11:30:00", rating: null },
          ],
          online: true,
        },
        ...headers,
      },
    ]);
  });

  test("keeps all digits, and goes in portions that the control plane takes; offline waits for no store", async () => {
    written.length = 0;
    const keys = Array.from({ length: 10_001 }, () => "9007199254740993").join(",");
    const times = JSON.stringify(Array.from({ length: 10_001 }, () => "2025-06-01"));
    const body = `{"push_source_name":"ratings","to":"offline","df":{"driver_id":[${keys}],"rated_at":${times}}}`;
    expect(await post("/push", body)).toMatchObject({ status: 200 });
    expect(written).toMatchObject([{ body: { rows: { length: 10_000 }, online: false } }, { body: { rows: { length: 1 } } }]);
    expect(written[1]).toMatchObject({ body: { rows: [{ driver_id: "9007199254740993", rated_at: "2025-06-01" }] } });
  });

  test.each([
    ["/push", { push_source_name: "nothing", df: frame }, 422, "PushSourceNotFoundException", "push source 'nothing'"],
    ["/push", { push_source_name: "drivers", df: frame }, 422, "PushSourceNotFoundException", "push source 'drivers'"],
    ["/push", { push_source_name: "ratings", df: [frame] }, 422, "FeastError", "df takes an object"],
    ["/push", { push_source_name: "ratings", df: { ...frame, rating: [1] } }, 422, "FeastError", "different lengths: 2, 1"],
    ["/push", { push_source_name: "ratings", df: { ...frame, rating: [[1], []] } }, 422, "FeastError", "df.rating.0 takes one"],
    ["/push", { push_source_name: "ratings", df: { driver_id: [1] } }, 422, "FeastError", "df lacks rated_at"],
    ["/push", { push_source_name: "ratings", df: frame, to: "mars" }, 422, "FeastError", "to takes online"],
    ["/write-to-online-store", { feature_view_name: "nothing", df: frame }, 404, "FeatureViewNotFoundException", "nothing"],
    ["/write-to-online-store", { feature_view_name: "profile", df: frame }, 422, "FeastError", "reads source"],
  ])("to %s %j is refused", async (path, body, status, name, message) => {
    written.length = 0;
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(JSON.parse(answer.text))).toMatchObject({ class: name, message: expect.stringContaining(message) });
    expect(written).toEqual([]);
  });

  test("of which rows break the contract is told which", async () => {
    const problems = [{ row: 1, problem: "rating: range" }];
    const strict = await serve({
      controlPlane: {
        get: async () => ({ items: SOURCES }),
        post: async () => ({ accepted: 1, duplicates: 0, quarantined: 1, problems }),
      },
    });
    const answer = await post("/push", { push_source_name: "ratings", df: frame }, strict);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("row 2: rating: range");
  });
});

describe("who may ask", () => {
  test("is whoever sends the token; health is everybody's to see", async () => {
    const guarded = await serve({ token: "secret" });
    const body = { entities: { driver_id: [1] }, features: ["profile:rating"] };
    const refused = await post("/get-online-features", body, guarded);
    expect(refused.status).toBe(401);
    expect(JSON.parse(JSON.parse(refused.text))).toMatchObject({ class: "FeastPermissionError" });
    expect(await post("/get-online-features", body, guarded, { authorization: "Bearer secret" })).toMatchObject({ status: 200 });
    expect(await post("/features", { features: ["profile.rating"] }, guarded)).toMatchObject({ status: 401 });
    expect((await fetch(`${guarded}/metrics`)).status).toBe(401);
    for (const path of ["/health", "/healthz", "/readyz"]) expect((await fetch(guarded + path)).status).toBe(200);
  });

  test("without one is nobody but this machine", async () => {
    expect(await post("/features", { features: ["profile.rating"] }, url, { origin: "http://elsewhere.example" })).toMatchObject({
      status: 403,
    });
  });
});

test("a body that is too large, and a route that there is not, are refused", async () => {
  const large = `{"features": ["${"x".repeat(17 * 1024 * 1024)}"]}`;
  expect(JSON.parse((await post("/features", large)).text)).toMatchObject({ code: "FEATURE_SERVER_BODY_REFUSED" });
  const missing = await fetch(`${url}/feature`);
  expect([missing.status, await missing.json()]).toMatchObject([404, { code: "FEATURE_SERVER_ROUTE_UNKNOWN" }]);
});

test("a store with nothing in it is not ready, and is as soon as there is something", async () => {
  const empty = new OnlineFeatures(room.online, { workspace: "default", project: "another" });
  const early = await serve({ features: empty });
  expect((await fetch(`${early}/health`)).status).toBe(503);
  const ask = await post("/features", { features: ["profile.rating"] }, early);
  expect(JSON.parse(ask.text)).toMatchObject({ code: "FEATURE_SERVER_NOT_READY" });
});

test("a store that fails is told about, and no stack is answered", async () => {
  const failures: OrreryError[] = [];
  const broken = { ...room.online, getMany: () => Promise.reject(new Error("the disk is gone")) };
  const failing = await serve({ features: new OnlineFeatures(broken, SCOPE), onFailure: (error) => failures.push(error) });
  const { status, text } = await post("/features", { features: ["profile.rating"] }, failing);
  expect([status, JSON.parse(text).code]).toEqual([500, "INTERNAL"]);
  expect(failures.map(({ message }) => message)).toEqual(["the disk is gone"]);
});
