import type { FastifyInstance } from "fastify";
import { routes } from "../../src/contract/index.ts";
import { defineErrors } from "../../src/core/errors.ts";
import { createApp } from "../../src/server/app.ts";
import type { Handlers } from "../../src/server/handlers.ts";
import * as fixtures from "./fixtures/index.ts";

const errors = defineErrors({
  FIXTURE_MISSING: { kind: "not-found", hint: "Ask for one that the fixtures have." },
  FIXTURE_BUSY: { kind: "conflict", hint: "Wait until the gate has been opened." },
});

/** The routes that pages call; every other one of the contract answers that no fixture is made for it. */
type Drawn = { readonly [Room in keyof Handlers]?: Partial<Handlers[Room]> };

function complete(drawn: Drawn): Handlers {
  const missing = async () => {
    throw errors.FIXTURE_MISSING("No fixture is made for this");
  };
  const rooms = Object.entries(routes).map(([room, calls]) => [
    room,
    { ...Object.fromEntries(Object.keys(calls).map((name) => [name, missing])), ...drawn[room as keyof Drawn] },
  ]);
  return Object.fromEntries(rooms);
}

/** Answers of one whole project, so that every page has something to draw. */
const full = complete({
  loop: { get: async () => fixtures.loop },
  data: {
    snapshots: async () => ({ items: fixtures.snapshots }),
    profile: async ({ name }) => ({ ...fixtures.profile, source: name }),
    exploration: async ({ name }) => ({ ...fixtures.sourceExploration, source: name }),
  },
  features: {
    list: async () => ({ items: fixtures.featureViews }),
    materialize: async () => ({ views: [{ view: "weather_now", rows: 26_115, entities: 3 }] }),
  },
  experiments: { list: async () => ({ items: [fixtures.experiment], nextCursor: null }), get: async () => fixtures.experiment },
  runs: {
    list: async ({ limit, cursor, filter = "" }) => {
      // The conditions that pages write themselves.
      if (filter.startsWith("parent_run_id =")) return { items: [], nextCursor: null };
      if (filter.startsWith("run_id IN")) {
        const ids = [...filter.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? "");
        return { items: ids.map((id) => fixtures.runAt(fixtures.runIndex(id))), nextCursor: null };
      }
      const from = cursor === undefined ? 0 : Number(cursor);
      const items = Array.from({ length: Math.min(limit, fixtures.RUNS - from) }, (_, offset) => fixtures.runAt(from + offset));
      const next = from + limit;
      return {
        items,
        nextCursor: next < fixtures.RUNS ? String(next) : null,
      };
    },
    get: async ({ id }) => {
      const index = fixtures.runIndex(id);
      if (!(index >= 0 && index < fixtures.RUNS)) throw errors.FIXTURE_MISSING(`There is no run ${id}`);
      return fixtures.runDetail(index);
    },
    metricHistory: async ({ id, key }) => {
      const estimate = fixtures.runAt(fixtures.runIndex(id)).metrics[key];
      return { items: estimate === undefined ? [] : [{ ...estimate, step: 0, at: 1_383_264_000_000_000 }], nextCursor: null };
    },
  },
  loggedModels: { list: async () => ({ items: [], nextCursor: null }) },
  models: {
    list: async () => ({ items: [fixtures.model], nextCursor: null }),
    get: async () => fixtures.model,
    report: async ({ version }) => ({ ...fixtures.report, version }),
    exploration: async ({ name, version }) => {
      throw errors.FIXTURE_MISSING(`Version ${version} of ${name} has no exploration`);
    },
    onnx: async ({ name, version }) => {
      throw errors.FIXTURE_MISSING(`Version ${version} of ${name} has no ONNX file`);
    },
    folder: async ({ name, version }) => {
      throw errors.FIXTURE_MISSING(`Version ${version} of ${name} has no folder`);
    },
    promote: async () => {
      throw errors.FIXTURE_BUSY("No gate has passed for this version");
    },
    rollback: async () => {
      throw errors.FIXTURE_BUSY("The champion has no version before it");
    },
  },
  pipelines: {
    list: async () => ({ items: fixtures.pipelines }),
    runs: async () => ({ items: fixtures.pipelineRuns, nextCursor: null }),
    run: async ({ id }) => (id === fixtures.PIPELINE_RUN ? fixtures.pipelineRun : fixtures.failedPipelineRun),
    start: async () => ({ runId: fixtures.PIPELINE_RUN }),
    cancel: async () => ({ ok: true }),
  },
  endpoints: {
    list: async () => ({ items: [fixtures.endpoint] }),
    predictions: async ({ limit }) => ({ items: fixtures.predictions.slice(0, limit) }),
    predict: async ({ instances }) => ({ predictions: instances.map(() => fixtures.answer) }),
  },
  predictions: {
    get: async ({ id }) => {
      const found = fixtures.predictions.find((each) => each.id === id);
      if (found === undefined) throw errors.FIXTURE_MISSING(`There is no prediction ${id}`);
      return found;
    },
    explain: async () => fixtures.explanation,
    counterfactuals: async () => fixtures.counterfactuals,
  },
  monitoring: {
    get: async () => fixtures.monitoring,
    alerts: async () => ({ items: fixtures.monitoring.alerts }),
    acknowledge: async ({ id }) => {
      const found = fixtures.monitoring.alerts.find((each) => each.id === id);
      if (found === undefined) throw errors.FIXTURE_MISSING(`There is no alert ${id}`);
      return { ...found, status: "acknowledged" };
    },
  },
  clock: { advance: async ({ to }) => ({ now: to, pipelineRuns: [] }) },
  system: { get: async () => fixtures.system },
});

/** The same project before anything has run. */
const fresh: Handlers = {
  ...full,
  loop: { get: async () => ({ ...fixtures.loop, stages: [], acceptance: [], alerts: [] }) },
  data: { ...full.data, snapshots: async () => ({ items: [] }) },
  features: { ...full.features, list: async () => ({ items: [] }) },
  runs: { ...full.runs, list: async () => ({ items: [], nextCursor: null }) },
  models: { ...full.models, list: async () => ({ items: [], nextCursor: null }) },
  pipelines: { ...full.pipelines, list: async () => ({ items: [] }), runs: async () => ({ items: [], nextCursor: null }) },
  endpoints: { ...full.endpoints, list: async () => ({ items: [] }) },
  system: { get: async () => ({ ...fixtures.system, processes: [], disk: null, network: null }) },
};

export interface FixtureServer {
  readonly url: string;
  close(): Promise<void>;
}

/** The real server with made-up answers, on a free port. */
export async function startFixtureServer(options: { state: "full" | "fresh"; token?: string }): Promise<FixtureServer> {
  const app: FastifyInstance = await createApp({
    scope: { workspace: fixtures.context.workspace, project: fixtures.context.project },
    version: fixtures.context.version,
    access: { host: "127.0.0.1", token: options.token ?? null },
    handlers: options.state === "full" ? full : fresh,
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return { url, close: () => app.close() };
}
