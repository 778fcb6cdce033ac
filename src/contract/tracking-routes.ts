import { z } from "zod";
import * as entities from "./tracking-entities.ts";

const view = z.enum(["active", "deleted", "all"]).default("active");
const search = z.object({
  /** docs/reference/search.md */
  filter: z.string().max(100_000).optional(),
  /** "metrics.auc DESC, attributes.start_time" */
  orderBy: z.string().max(10_000).optional(),
  view,
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.string().optional(),
});
const paged = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });
const byId = z.object({ id: z.string() });
const byIdAndKey = z.object({ id: z.string(), key: z.string() });
const done = z.object({ ok: z.literal(true) });
const texts = z.record(z.string(), z.string());
const keyed = z.object({ key: z.string(), value: z.string() });
/** Values of an OrreryError's kind `invalid` are refused by the rooms themselves, which know what MLflow's clients may send too. */
const loggedMetric = z.object({
  key: z.string(),
  value: entities.metricValue,
  low: z.number().nullable().optional(),
  high: z.number().nullable().optional(),
  step: z.number().int().optional(),
  at: entities.micros.optional(),
  modelId: z.string().optional(),
  dataset: z.object({ name: z.string(), digest: z.string() }).optional(),
});

export const experimentRoutes = {
  list: {
    method: "GET",
    path: "/experiments",
    permission: "read",
    summary: "Experiments, the one that changed last first",
    query: search,
    response: paged(entities.experiment),
  },
  create: {
    method: "POST",
    path: "/experiments",
    permission: "track",
    summary: "A new experiment",
    body: z.object({
      name: z.string(),
      artifactLocation: z.string().optional(),
      tags: texts.optional(),
      /** Of one that was made elsewhere; now unless given. */
      createdAt: entities.micros.optional(),
    }),
    response: entities.experiment,
  },
  get: {
    method: "GET",
    path: "/experiments/:id",
    permission: "read",
    summary: "One experiment, also a deleted one",
    params: byId,
    response: entities.experiment,
  },
  named: {
    method: "GET",
    path: "/experiments/named/:name",
    permission: "read",
    summary: "The active experiment of a name, else the one of it that was deleted last",
    params: z.object({ name: z.string() }),
    response: entities.experiment,
  },
  update: {
    method: "PATCH",
    path: "/experiments/:id",
    permission: "track",
    summary: "Give an experiment another name",
    params: byId,
    body: z.object({ name: z.string() }),
    response: entities.experiment,
  },
  delete: {
    method: "DELETE",
    path: "/experiments/:id",
    permission: "track",
    summary: "Delete an experiment with its runs; restore brings both back until garbage is collected",
    params: byId,
    response: done,
  },
  restore: {
    method: "POST",
    path: "/experiments/:id/restore",
    permission: "track",
    summary: "Bring a deleted experiment back, with what was deleted along with it",
    params: byId,
    response: entities.experiment,
  },
  setTag: {
    method: "PUT",
    path: "/experiments/:id/tags/:key",
    permission: "track",
    summary: "Set a tag of an experiment",
    params: byIdAndKey,
    body: z.object({ value: z.string() }),
    response: done,
  },
  deleteTag: {
    method: "DELETE",
    path: "/experiments/:id/tags/:key",
    permission: "track",
    summary: "Remove a tag of an experiment",
    params: byIdAndKey,
    response: done,
  },
} as const;

/** A run carries who started it: what is logged into it is no news of its own in the trail. */
export const runRoutes = {
  list: {
    method: "GET",
    path: "/runs",
    permission: "read",
    summary: "Search runs: newest first unless ordered otherwise",
    query: search.extend({
      /** Name of the experiment; all of them when absent. */
      experiment: z.string().optional(),
      /** Instead of the name. */
      experimentId: z.string().optional(),
    }),
    response: paged(entities.listedRun),
  },
  create: {
    method: "POST",
    path: "/runs",
    permission: "track",
    audited: false,
    summary: "Start a run; the same id again gives the run that is there",
    body: z.object({
      id: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)
        .optional(),
      /** Name of the experiment, made when it is not there; "Default" when neither it nor an id is given. */
      experiment: z.string().optional(),
      experimentId: z.string().optional(),
      name: z.string().optional(),
      parentRunId: z.string().nullable().optional(),
      userName: z.string().optional(),
      startedAt: entities.micros.optional(),
      git: z.object({ commit: z.string().nullable(), diff: z.string().max(2_000_000).nullable() }).optional(),
      tags: texts.optional(),
    }),
    response: entities.runSummary,
  },
  compare: {
    method: "GET",
    path: "/runs/compare",
    permission: "read",
    summary: "Params, metrics and tags of several runs side by side",
    query: z.object({
      /** Between commas. */
      ids: z.string(),
    }),
    response: entities.runComparison,
  },
  get: {
    method: "GET",
    path: "/runs/:id",
    permission: "read",
    summary: "One run with everything it logged, also a deleted one",
    params: byId,
    response: entities.run,
  },
  update: {
    method: "PATCH",
    path: "/runs/:id",
    permission: "track",
    audited: false,
    summary: "Change a run's status, end or name",
    params: byId,
    body: z.object({
      status: entities.runStatus.optional(),
      endedAt: entities.micros.nullable().optional(),
      name: z.string().optional(),
    }),
    response: entities.runSummary,
  },
  logBatch: {
    method: "POST",
    path: "/runs/:id/log",
    permission: "track",
    audited: false,
    summary: "Log metrics, params and tags: all of them or none; what is there already may come again",
    params: byId,
    body: z.object({
      metrics: z.array(loggedMetric).optional(),
      params: z.array(keyed).optional(),
      tags: z.array(keyed).optional(),
    }),
    response: done,
  },
  logDatasets: {
    method: "POST",
    path: "/runs/:id/datasets",
    permission: "track",
    audited: false,
    summary: "Note data sets that a run read",
    params: byId,
    body: z.object({ datasets: z.array(z.object({ dataset: entities.dataset, tags: texts })).max(100) }),
    response: done,
  },
  delete: {
    method: "DELETE",
    path: "/runs/:id",
    permission: "track",
    summary: "Delete a run; restore brings it back until garbage is collected",
    params: byId,
    response: done,
  },
  restore: {
    method: "POST",
    path: "/runs/:id/restore",
    permission: "track",
    summary: "Bring a deleted run back",
    params: byId,
    response: done,
  },
  deleteTag: {
    method: "DELETE",
    path: "/runs/:id/tags/:key",
    permission: "track",
    summary: "Remove a tag of a run",
    params: byIdAndKey,
    response: done,
  },
  metricHistory: {
    method: "GET",
    path: "/runs/:id/metrics/:key",
    permission: "read",
    summary: "Every value of a metric, by step, then time, then value",
    params: byIdAndKey,
    query: z.object({ limit: z.coerce.number().int().min(1).max(25_000).default(10_000), cursor: z.string().optional() }),
    response: paged(entities.metricPoint),
  },
} as const;

/** Uploads and downloads are bytes, not JSON: src/server/routes/artifacts.ts. */
export const artifactRoutes = {
  list: {
    method: "GET",
    path: "/runs/:id/artifacts",
    permission: "read",
    summary: "What lies directly in a folder of a run's artifacts",
    params: byId,
    query: z.object({ path: z.string().default("") }),
    response: z.object({ items: z.array(entities.artifactEntry) }),
  },
} as const;

export const loggedModelRoutes = {
  list: {
    method: "GET",
    path: "/logged-models",
    permission: "read",
    summary: "Models that runs logged, newest first",
    query: search.pick({ filter: true, limit: true, cursor: true, view: true }).extend({
      /** Name of the experiment; all of them when absent. */
      experiment: z.string().optional(),
    }),
    response: paged(entities.loggedModel),
  },
  get: {
    method: "GET",
    path: "/logged-models/:id",
    permission: "read",
    summary: "One logged model",
    params: byId,
    response: entities.loggedModel,
  },
  delete: {
    method: "DELETE",
    path: "/logged-models/:id",
    permission: "track",
    summary: "Delete a logged model",
    params: byId,
    response: done,
  },
} as const;
