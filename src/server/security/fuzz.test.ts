import fc from "fast-check";
import type { FastifyInstance, InjectOptions } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Route, routes } from "../../contract/index.ts";
import { mlflowEndpoints } from "../protocols/mlflow/protocol.ts";
import { type ListeningServer, listeningServer } from "../test-support/tracking-app.ts";

/** How often the whole table is asked; ORRERY_FUZZ_RUNS asks for more. */
const RUNS = Number(process.env.ORRERY_FUZZ_RUNS ?? 4_000);

let server: ListeningServer;
let app: FastifyInstance;
/** Names and ids that are there, so that the fuzzing gets past "unknown". */
let known: string[];
beforeAll(async () => {
  server = await listeningServer();
  ({ app } = server);
  const post = async (path: string, body: unknown) => (await server.ask("POST", `/api/2.0/mlflow${path}`, body)).body;
  const { run } = await post("/runs/create", { experiment_id: "0", run_name: "known" });
  await post("/runs/log-batch", {
    run_id: run.info.run_id,
    metrics: [{ key: "m", value: 1, timestamp: 1, step: 1 }],
    params: [{ key: "p", value: "1" }],
  });
  await post("/registered-models/create", { name: "known" });
  await post("/model-versions/create", { name: "known", source: "s3://bucket/model", run_id: run.info.run_id });
  await post("/registered-models/alias", { name: "known", alias: "champion", version: "1" });
  const { model } = await post("/logged-models", { experiment_id: "0", name: "known" });
  known = [
    run.info.run_id,
    model.info.model_id,
    "known",
    "champion",
    "0",
    "1",
    "m",
    "p",
    "Default",
    "Production",
    "FINISHED",
    "deleted",
    "all",
  ];
});
afterAll(() => server.close());

/** Words of the wire: fields that routes look for, wherever they are put. */
const FIELDS = [
  ...[
    "id",
    "name",
    "run_id",
    "run_uuid",
    "experiment_id",
    "experiment_ids",
    "experimentId",
    "experiment",
    "model_id",
    "key",
    "value",
    "version",
    "alias",
    "stage",
  ],
  ...[
    "metrics",
    "params",
    "tags",
    "datasets",
    "dataset",
    "digest",
    "source",
    "models",
    "status",
    "filter",
    "filter_string",
    "order_by",
    "orderBy",
    "max_results",
  ],
  ...[
    "limit",
    "cursor",
    "page_token",
    "view",
    "view_type",
    "timestamp",
    "step",
    "at",
    "end_time",
    "start_time",
    "startedAt",
    "path",
    "role",
    "user",
    "label",
  ],
  ...[
    "expiresAt",
    "reason",
    "idempotencyKey",
    "deletedBefore",
    "git",
    "ids",
    "from",
    "to",
    "artifact_location",
    "new_name",
    "newName",
    "description",
    "field_name",
    "ascending",
  ],
];
const FILTERS = [
  "metrics.m > 0",
  "params.p = '1'",
  "tags.x IS NULL",
  "(",
  "metrics.m DESC",
  "name LIKE 'k%'",
  "attributes.start_time < 9999999999999999999",
  "NOT",
  "metrics.`",
  "run_id IN ('a')",
];

// Read when it is drawn: what is there is known only after the server has started.
const knownText = fc.nat().map((n) => known[n % known.length] ?? "");
const text = fc.oneof(
  { weight: 4, arbitrary: knownText },
  fc.constantFrom(
    ...FILTERS,
    "",
    " ",
    "NaN",
    "Infinity",
    "-1",
    "1e400",
    "\u0000",
    "\ud800",
    "../..",
    "%2e%2e",
    "a/b",
    "__proto__",
    "constructor",
    "'; --",
    "𝒳",
    "x".repeat(6_001),
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
);
const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -1, 2 ** 31, 2 ** 53, 2 ** 63, -(2 ** 63), 1e18, 1e308, 9_223_372_036_854_776_000),
);
const leaf = fc.oneof({ weight: 3, arbitrary: text }, number, fc.boolean(), fc.constant(null));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { weight: 5, arbitrary: leaf },
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie("value"), { maxKeys: 4 }),
  ),
}));
const body = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 8 }).map((fields) => JSON.stringify(fields)),
  },
  value.map((any) => JSON.stringify(any) ?? ""),
  fc.constantFrom("", "{", "[]", "null", '""', '{"a":1e999}', '{"__proto__":1}', "[".repeat(80)),
);
const query = fc.dictionary(fc.constantFrom(...FIELDS), fc.oneof(text, number.map(String)), { maxKeys: 6 });

interface Target {
  readonly method: string;
  readonly url: string;
}
const contractTargets = Object.values(routes).flatMap((calls) =>
  Object.values(calls).map(({ method, path }: Route): Target => ({ method, url: `/api/v1/default/default${path}` })),
);
const mlflowTargets = mlflowEndpoints.map(({ method, path }): Target => ({ method, url: `/api/2.0/mlflow${path}` }));
const fileTargets = ["GET", "PUT", "DELETE"].map(
  (method): Target => ({ method, url: "/api/2.0/mlflow-artifacts/artifacts/:path" }),
);
const otherTargets: Target[] = [
  ...["create", "complete", "abort"].map((step) => ({ method: "POST", url: `/api/2.0/mlflow-artifacts/mpu/${step}/:path` })),
  { method: "GET", url: "/api/2.0/mlflow-artifacts/artifacts" },
  { method: "GET", url: "/get-artifact" },
  { method: "GET", url: "/model-versions/get-artifact" },
  { method: "GET", url: "/api/2.0/mlflow/artifacts/list" },
  { method: "PUT", url: "/api/v1/default/default/runs/:id/artifacts/:path" },
  { method: "GET", url: "/api/v1/default/default/runs/:id/artifacts/:path" },
  { method: "POST", url: "/projects/:project/api/2.0/mlflow/runs/search" },
  { method: "GET", url: "/api/v1/:workspace/:project/runs" },
  { method: "GET", url: "/:path" },
];

const asked = (targets: readonly Target[]) =>
  fc.record({
    target: fc.constantFrom(...targets),
    params: fc.array(text, { minLength: 4, maxLength: 4 }),
    query,
    body,
    type: fc.constantFrom(
      "application/json",
      "application/json",
      "application/json",
      "application/json; charset=utf-8",
      "text/plain",
      "",
    ),
  });
type Asked = typeof asked extends (...args: never) => fc.Arbitrary<infer T> ? T : never;

function requestOf({ target, params, query: fields, body: payload, type }: Asked): InjectOptions {
  let at = 0;
  const path = target.url.replace(/:\w+/g, () => encodeURIComponent((params[at++ % params.length] ?? "").toWellFormed()));
  const pairs = Object.entries(fields).map(([name, each]): [string, string] => [name, each.toWellFormed()]);
  const search = new URLSearchParams(pairs).toString();
  const url = search === "" ? path : `${path}?${search}`;
  const method = target.method as "GET";
  return target.method === "GET"
    ? { method, url }
    : { method, url, payload, headers: type === "" ? {} : { "content-type": type } };
}

/** 501 says that MLflow has something that this server does not: no failure. */
const isFailure = (status: number) => status >= 500 && status !== 501;

async function hold(targets: readonly Target[], runs: number): Promise<ReadonlyMap<number, number>> {
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(asked(targets), async (question) => {
      const request = requestOf(question);
      const answer = await app.inject(request);
      statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
      const told = `${request.method} ${request.url} ${String(request.payload).slice(0, 500)}: ${answer.statusCode} ${answer.body.slice(0, 500)}`;
      expect(isFailure(answer.statusCode), told).toBe(false);
      if (answer.statusCode < 400 || answer.statusCode === 416) return;
      const { code, message, hint } = answer.json();
      expect([typeof code, typeof message, typeof hint], told).toEqual(["string", "string", "string"]);
      expect(code, told).toMatch(/^[A-Z][A-Z_]+$/);
      expect(answer.body, told).not.toMatch(/\bat .+\.(ts|js):\d+/);
    }),
    { numRuns: runs },
  );
  return statuses;
}

describe("whatever is sent", { timeout: 120_000 }, () => {
  it.each([
    ["a route of the API", contractTargets],
    ["an endpoint of MLflow's", mlflowTargets],
    ["an address of files", [...fileTargets, ...otherTargets]],
  ])("%s answers, with a code where it refuses, and never with a failure of its own", async (_, targets) => {
    const statuses = await hold(targets, Math.ceil(RUNS / 3));
    // Refusals alone would show little.
    expect(statuses.get(200) ?? 0).toBeGreaterThan(RUNS / 60);
    expect((await server.ask("GET", "/api/v1/default/default/runs")).status).toBe(200);
  });
});
